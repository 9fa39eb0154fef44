"""What the schedule adds to the room of changes on start-up."""

from __future__ import annotations


def ready() -> None:
    """Look again with every edit, and put the gate before the moves."""
    from changes.gates import register_gate
    from changes.schedule import events  # noqa: F401  registry is filled on import
    from changes.schedule.gate import against
    from changes.schedule.keeping import follow
    from itsm.tickets.hooks import listen

    listen("changes.schedule", follow, order=80)
    register_gate("changes.schedule", against)
