"""Problem management: what lies behind incidents, and how to be rid of it."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProblemsConfig(AppConfig):
    name = "problems"
    verbose_name = _("Problems")

    def ready(self) -> None:
        """Register the kind, its event codes, what spreads to incidents, and who is told of what."""
        from itsm.desk.pages import register_page
        from itsm.desk.panels import register_panel
        from itsm.desk.properties import register_property
        from itsm.tasking.registry import TaskRules, register_task_rules
        from itsm.tickets.kinds import Kind, register_kind
        from itsm.tickets.spreading import register_effect
        from problems import events, following, notices  # noqa: F401  registries are filled on import
        from problems.actions import perform, reply
        from problems.actions.communicating import EFFECT
        from problems.desk import MAJOR, PAGE, PANELS
        from problems.effects import communicate
        from problems.models import Problem
        from problems.outcomes import OUTCOMES
        from problems.statuses import MOVES, TERMINAL, Status, keeps

        register_kind(
            Kind(
                code="problem",
                label=_("Problem"),
                model=Problem,
                prefix="PRB",
                statuses=dict(Status.choices),
                initial_status=Status.NEW,
                terminal_statuses=TERMINAL,
                moves=MOVES,
                perform=perform,
                reply=reply,
                url_name="problems:detail",
                list_url_name="problems:list",
                new_url_name="problems:new",
                outcomes=OUTCOMES,
                plural=_("Problems"),
                icon="zoom-question",
                desk_only=True,
                keeps=keeps,
            )
        )
        register_page("problem", PAGE)
        register_property(MAJOR, kinds=("problem",))
        for panel in PANELS:
            register_panel(panel)
        register_task_rules("problem", TaskRules(types=(("rca", _("Root cause analysis")), ("general", _("General")))))
        register_effect(EFFECT, communicate, label=_("Tell of a workaround or fix"))
        following.register()
        notices.register()
