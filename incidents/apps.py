"""The room of incidents: unplanned interruptions, and the road back to normal service."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    name = "incidents"
    verbose_name = _("Incidents")

    def ready(self) -> None:
        """Register the kind, its event codes, its effects on many tickets and its notices."""
        from incidents import events  # noqa: F401  registry is filled on import
        from incidents import notices, spreading
        from incidents.actions import perform, reply
        from incidents.family import merged_ids
        from incidents.models import Incident
        from incidents.outcomes import OUTCOMES, WAITING, is_with_supplier
        from incidents.statuses import MOVES, TERMINAL, Status
        from itsm.tickets.kinds import Kind, register_kind

        register_kind(
            Kind(
                code="incident",
                label=_("Incident"),
                model=Incident,
                prefix="INC",
                statuses=dict(Status.choices),
                initial_status=Status.NEW,
                terminal_statuses=TERMINAL,
                moves=MOVES,
                perform=perform,
                reply=reply,
                url_name="incidents:detail",
                fields=(WAITING,),
                outcomes=OUTCOMES,
                is_with_supplier=is_with_supplier,
                absorbed=merged_ids,
            )
        )
        spreading.register()
        notices.register()
