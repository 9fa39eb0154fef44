"""The room of service levels: calendars, policies, timers, escalations."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SlasConfig(AppConfig):
    name = "slas"
    verbose_name = _("Service levels")

    def ready(self) -> None:
        """Register the event codes and the links in mails, and follow every change on a ticket."""
        from itsm.tickets.hooks import listen
        from slas import ack_links, events  # noqa: F401  registry is filled on import
        from slas.actions import follow
        from slas.history import OWN_EVENTS

        ack_links.register()
        listen("slas", follow, order=50, deaf_to=OWN_EVENTS)
