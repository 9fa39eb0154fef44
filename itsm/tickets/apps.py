"""The kernel room: the ticket and everything that every kind of ticket has."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "itsm.tickets"
    label = "tickets"
    verbose_name = _("Tickets")

    def ready(self) -> None:
        """Register the kernel's own event codes, and let spreading ring its worker."""
        from itsm.tickets import events  # noqa: F401  registry is filled on import
        from itsm.tickets.spreading import use_bell
        from itsm.tickets.tasks import spread_now

        use_bell(spread_now.delay)
