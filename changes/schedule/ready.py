"""What the schedule adds to the room of changes on start-up."""

from __future__ import annotations


def ready() -> None:
    """Look again with every edit, put the gate before the moves, and hang the panel on the page."""
    from django.utils.translation import gettext_lazy as _

    from changes.gates import register_gate
    from changes.schedule import events  # noqa: F401  registry is filled on import
    from changes.schedule.gate import against
    from changes.schedule.keeping import follow
    from changes.schedule.panel import panel_context
    from itsm.desk.panels import Panel, register_panel
    from itsm.tickets.hooks import listen

    listen("changes.schedule", follow, order=80, deaf_to="sla.")
    register_gate("changes.schedule", against)
    register_panel(
        Panel(
            name="change-conflicts",
            label=_("Conflicts and free slots"),
            template="changes/panels/conflicts.html",
            context=panel_context,
            kinds=("change",),
            place="aside",
            order=-79,
        )
    )
