"""The tasks below an incident: of which types they are, and how they end when the incident does (domain rule 2.2)."""

from __future__ import annotations

from itsm.tasking.actions import end_open_tasks
from itsm.tasking.registry import TaskRules
from itsm.tasking.statuses import Status
from itsm.tickets.hooks import Change

TASK_RULES = TaskRules()
ENDED_WITH = {"incident.closed": Status.CLOSED_INCOMPLETE, "incident.cancelled": Status.CLOSED_SKIPPED}


def end_tasks(change: Change) -> None:
    """End the tasks left open below an incident that was closed or cancelled, in the same transaction."""
    outcome = ENDED_WITH.get(change.event.code)
    if outcome is not None:
        end_open_tasks(change.ticket, outcome=outcome, actor=change.actor)
