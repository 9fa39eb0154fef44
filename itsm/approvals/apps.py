"""Approvals: who has to agree before a ticket goes on."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "itsm.approvals"
    label = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        """Register the event codes, and follow tickets whose life ends."""
        from itsm.approvals import events  # noqa: F401  registry is filled on import
        from itsm.approvals.actions import follow
        from itsm.tickets.hooks import listen

        listen("approvals", follow, order=80)
