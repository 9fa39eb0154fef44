"""Approvals: who has to agree before a ticket goes on."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "itsm.approvals"
    label = "approvals"
    verbose_name = _("Approvals")

    def ready(self) -> None:
        """Register the event codes, tell people of them, follow tickets whose life ends, and show the panel."""
        from itsm.approvals import events  # noqa: F401  registry is filled on import
        from itsm.approvals.actions import follow
        from itsm.approvals.panel import PANEL
        from itsm.approvals.telling import CODES, tell
        from itsm.desk.panels import register_panel
        from itsm.tickets.hooks import consume, listen

        listen("approvals", follow, order=80, deaf_to="sla.")
        consume("approvals", tell, codes=CODES)
        register_panel(PANEL)
