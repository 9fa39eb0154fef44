"""Tasks: pieces of work below a ticket."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TaskingConfig(AppConfig):
    name = "itsm.tasking"
    label = "tasking"
    verbose_name = _("Tasks")

    def ready(self) -> None:
        """Register the kind and its event codes with the kernel, and follow the tickets above."""
        from itsm.desk.pages import register_page
        from itsm.desk.panels import register_panel
        from itsm.desk.properties import register_property
        from itsm.tasking import events, notices  # noqa: F401  `events` fills a registry on import
        from itsm.tasking.actions import perform, reply
        from itsm.tasking.desk import LOOKS, PAGE, PANELS, PROPERTIES
        from itsm.tasking.following import follow
        from itsm.tasking.models import Task
        from itsm.tasking.outcomes import FIELDS, NOTHING_TO_DO, OUTCOMES
        from itsm.tasking.statuses import ENDED, MOVES, Status
        from itsm.tickets.hooks import listen
        from itsm.tickets.kinds import Kind, register_kind
        from itsm.ui.words import register_statuses

        register_kind(
            Kind(
                code="task",
                label=_("Task"),
                model=Task,
                prefix="TASK",
                statuses=dict(Status.choices),
                initial_status=Status.PENDING,
                terminal_statuses=ENDED,
                moves=MOVES,
                perform=perform,
                reply=reply,
                url_name="tasking:detail",
                fields=FIELDS,
                outcomes=OUTCOMES,
                desk_only=True,
                nothing_to_do=NOTHING_TO_DO,
                plural=_("Tasks"),
                icon="subtask",
                begins_with="start",
            )
        )
        listen("tasking", follow, order=150, deaf_to="sla.")
        notices.register()
        register_statuses(LOOKS)
        register_page("task", PAGE)
        for panel in PANELS:
            register_panel(panel)
        for prop in PROPERTIES:
            register_property(prop, kinds=("task",))
