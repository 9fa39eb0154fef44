"""Change enablement: what is altered, when, at what risk, and who agreed."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChangesConfig(AppConfig):
    name = "changes"
    verbose_name = _("Changes")

    def ready(self) -> None:
        """Register the kind and its event codes with the kernel."""
        from changes import approving, events, notices  # noqa: F401  the registry of events is filled on import
        from changes.actions import perform, reply, working
        from changes.cab.ready import ready as cab_ready
        from changes.desk import PAGE, PANELS, PROPERTIES
        from changes.following import follow
        from changes.models import Change
        from changes.outcomes import FIELDS, NOTHING_TO_DO, OUTCOMES
        from changes.schedule.ready import ready as schedule_ready
        from changes.statuses import MOVES, TERMINAL, Status
        from itsm.desk.pages import register_page
        from itsm.desk.panels import register_panel
        from itsm.desk.properties import register_property
        from itsm.tickets.hooks import listen
        from itsm.tickets.kinds import Kind, register_kind

        register_kind(
            Kind(
                code="change",
                label=_("Change"),
                model=Change,
                prefix="CHG",
                statuses=dict(Status.choices),
                initial_status=Status.NEW,
                terminal_statuses=TERMINAL,
                moves=MOVES,
                perform=perform,
                reply=reply,
                url_name="changes:detail",
                list_url_name="changes:list",
                new_url_name="changes:new",
                fields=FIELDS,
                outcomes=OUTCOMES,
                desk_only=True,
                nothing_to_do=NOTHING_TO_DO,
                plural=_("Changes"),
                icon="arrows-exchange",
            )
        )
        register_page("change", PAGE)
        for prop in PROPERTIES:
            register_property(prop, kinds=("change",))
        for panel in PANELS:
            register_panel(panel)
        notices.register()
        approving.register()
        working.register()
        listen("changes", follow, order=50, deaf_to="sla.")
        schedule_ready()
        cab_ready()
