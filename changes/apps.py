"""Change enablement: what is altered, when, at what risk, and who agreed."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChangesConfig(AppConfig):
    name = "changes"
    verbose_name = _("Changes")

    def ready(self) -> None:
        """Register the kind and its event codes with the kernel."""
        from changes import approving, events, notices  # noqa: F401  the registry of events is filled on import
        from changes.actions import perform, reply
        from changes.following import follow
        from changes.models import Change
        from changes.outcomes import FIELDS, OUTCOMES
        from changes.schedule.ready import ready as schedule_ready
        from changes.statuses import MOVES, TERMINAL, Status
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
                fields=FIELDS,
                outcomes=OUTCOMES,
            )
        )
        notices.register()
        approving.register()
        listen("changes", follow, order=50)
        schedule_ready()
