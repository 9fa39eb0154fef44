"""The room of notices: who is told of what happens on a ticket, by mail and in the application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    name = "itsm.notifications"
    label = "notifications"
    verbose_name = _("Notices")

    def ready(self) -> None:
        """Register the rules that every installation begins with; they make this room a consumer of those events."""
        from itsm.notifications import defaults, webhooks

        defaults.register()
        webhooks.register()
