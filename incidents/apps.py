"""The room of incidents: unplanned interruptions, and the road back to normal service."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    name = "incidents"
    verbose_name = _("Incidents")

    def ready(self) -> None:
        """Register the kind and its event codes with the kernel, its effects on many tickets, whom they tell, the tasks
        below its tickets, and what it has of its own on the ticket page."""
        from incidents import (
            events,  # noqa: F401  registry is filled on import
            notices,
            spreading,
        )
        from incidents.actions import perform, reply
        from incidents.desk import PAGE, PANELS
        from incidents.family import merged_ids
        from incidents.major import events as major_events  # noqa: F401  registry is filled on import
        from incidents.major import notices as major_notices
        from incidents.major.following import follow as follow_major
        from incidents.major.rules import running as major_rules
        from incidents.models import Incident
        from incidents.outcomes import OUTCOMES, WAITING, is_with_supplier
        from incidents.statuses import MOVES, TERMINAL, Status
        from incidents.work import TASK_RULES, end_tasks
        from itsm.desk.pages import register_page
        from itsm.desk.panels import register_panel
        from itsm.tasking.registry import register_task_rules
        from itsm.tickets.hooks import consume, listen
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
                plural=_("Incidents"),
                icon="flame",
                new_url_name="workspace:new",
                begins_with="start",
            )
        )
        register_task_rules("incident", TASK_RULES)
        listen("incident_tasks", end_tasks, order=120, deaf_to="sla.")
        listen("major_incidents", follow_major, order=130, deaf_to="sla.")
        consume(
            "major_stakeholders",
            major_notices.tell_stakeholders,
            codes=frozenset({"incident.major_update_sent"}),
        )
        consume("major_rules", major_rules.follow, codes=major_rules.CODES)
        register_page("incident", PAGE)
        for panel in PANELS:
            register_panel(panel)
        spreading.register()
        notices.register()
        major_notices.register()
