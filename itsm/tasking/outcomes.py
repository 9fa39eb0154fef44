"""What a task's events say by their code, and what stored rules may ask of a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from itsm.conditions import Field, Type
from itsm.tasking.registry import all_types, kinds_with_tasks
from itsm.tasking.statuses import Status
from itsm.tickets.kinds import Outcome, kind_of

OUTCOMES = {
    "task.opened": Outcome(takes=("status", "parent_kind", "task_type", "is_held")),
    "task.ready": Outcome(Status.OPEN),
    "task.put_back": Outcome(Status.PENDING),
    "task.started": Outcome(Status.IN_PROGRESS),
    # Work ends with the close; the clocks take that from `resolved_at`, as with every kind.
    "task.completed": Outcome(Status.CLOSED_COMPLETE, stamps="resolved_at", takes=("is_held",)),
    "task.closed_incomplete": Outcome(Status.CLOSED_INCOMPLETE, stamps="resolved_at", takes=("is_held",)),
    "task.skipped": Outcome(Status.CLOSED_SKIPPED, stamps="closed_at", takes=("is_held",)),
    "task.cancelled": Outcome(Status.CANCELLED, stamps="closed_at", takes=("is_held",)),
    "task.reopened": Outcome(clears=("resolved_at", "closed_at"), takes=("status", "is_held")),
    "task.held": Outcome(takes=("is_held",)),
    "task.resumed": Outcome(takes=("is_held",)),
    "task.moved": Outcome(takes=("parent_kind", "is_held")),
}

NOTHING_TO_DO = Q(kind="task", status=Status.PENDING) | Q(task__is_held=True)
"""Of tickets: tasks whose turn has not come, and those on hold."""


def of_task(name: str) -> Callable[[Any], Any]:
    """Return a function that reads the field from a task, also one that was read as a ticket; None for other kinds."""

    def getter(ticket: Any) -> Any:
        if ticket.kind != "task":
            return None
        if hasattr(ticket, name):
            return getattr(ticket, name)
        return getattr(getattr(ticket, "task", None), name, None)

    return getter


def _held(ticket: Any) -> bool | None:
    value = of_task("is_held")(ticket)
    return None if value is None else bool(value)


def _parent_kinds() -> list[tuple[Any, Any]]:
    return [(code, kind_of(code).label) for code in kinds_with_tasks()]


FIELDS = (
    Field(
        name="parent_kind",
        type=Type.CHOICE,
        label=_("kind of the ticket above"),
        lookup="task__parent__kind",
        getter=of_task("parent_kind"),
        choices=_parent_kinds,
    ),
    Field(
        name="task_type",
        type=Type.CHOICE,
        label=_("type of task"),
        lookup="task__task_type",
        getter=of_task("task_type"),
        choices=all_types,
    ),
    Field(name="task_held", type=Type.BOOLEAN, label=_("on hold (task)"), lookup="task__is_held", getter=_held),
)
