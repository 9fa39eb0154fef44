"""The room of reports: how well what was promised was kept, where the time went, and what requesters waited."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        """Register the event code."""
        from reports import events  # noqa: F401  registry is filled on import
