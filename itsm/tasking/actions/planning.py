"""When a task is to be done, after what, and of which type it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tasking.actions.base import advance, check_parent, is_turn, lock_parent, rules_for
from itsm.tasking.models import ORDER_MAX, Task
from itsm.tasking.registry import TaskRules
from itsm.tasking.statuses import Status
from itsm.tickets.actions import UNSET, begin
from itsm.tickets.actions.base import check_not_terminal
from itsm.tickets.actions.editing import _Unset
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write


def check_order(value: Any) -> int:
    """Return the order as a number.

    Raises:
        Invalid: it is none from 0 to 999.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ORDER_MAX:
        raise Invalid({"order": _("Give a number from 0 to %(max)d.") % {"max": ORDER_MAX}})
    return value


def check_type(value: Any, rules: TaskRules) -> str:
    """Return the type of a task.

    Raises:
        Invalid: tasks below this kind of ticket are of no such type.
    """
    codes = [code for code, _label in rules.types]
    if not isinstance(value, str) or value not in codes:
        raise Invalid({"task_type": _("Choose one of: %(allowed)s.") % {"allowed": ", ".join(codes)}})
    return value


def check_planned(rules: TaskRules, parent: Any, start: datetime | None, end: datetime | None) -> None:
    """Check a planned window: aware instants, the end after the start, and fitting to the parent.

    Raises:
        Invalid: a sentence for each bound that does not fit.
    """
    for name, value in (("planned_start", start), ("planned_end", end)):
        if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
            raise Invalid({name: _("Give an instant with its time zone.")})
    if start is not None and end is not None and end <= start:
        raise Invalid({"planned_end": _("The planned end must lie after the planned start.")})
    rules.check_window(parent, start, end)


@transaction.atomic
def plan_task(
    task: Any,
    *,
    actor: Actor,
    planned_start: datetime | _Unset | None = UNSET,
    planned_end: datetime | _Unset | None = UNSET,
    order: int | _Unset = UNSET,
    task_type: str | _Unset = UNSET,
    version: int | None = None,
) -> Task:
    """Set when the task is to be done (None: no such bound), after what, and its type; return it.

    A task that gets another order or type waits or opens as that asks, unless somebody works on it already. A call that
    changes nothing writes nothing.

    Raises:
        Invalid, Refused, Stale; IllegalMove: the task has ended.
    """
    parent = lock_parent(task)
    locked: Task = begin(task, "ticket.edit", actor=actor, version=version)
    check_parent(locked, parent)
    check_not_terminal(locked)
    rules = rules_for(parent)
    wanted: dict[str, Any] = {}
    if not isinstance(order, _Unset):
        wanted["order"] = check_order(order)
    if not isinstance(task_type, _Unset) and task_type != locked.task_type:
        wanted["task_type"] = check_type(task_type, rules)
    start = locked.planned_start if isinstance(planned_start, _Unset) else planned_start
    end = locked.planned_end if isinstance(planned_end, _Unset) else planned_end
    if (start, end) != (locked.planned_start, locked.planned_end):
        check_planned(rules, parent, start, end)
        wanted |= {"planned_start": start, "planned_end": end}
    changes = {name: value for name, value in wanted.items() if value != getattr(locked, name)}
    if not changes:
        return locked
    write(locked, "task.planned", actor=actor, changes=changes)
    if {"order", "task_type"} & changes.keys():
        _take_place(locked, parent, actor=actor)
        opened = {one.pk: one for one in advance(parent, actor=actor)}
        locked = opened.get(locked.pk, locked)
    return locked


def _take_place(task: Task, parent: Any, *, actor: Actor) -> None:
    """Let a task that is open, and on which nobody works yet, wait where its new order puts it behind others, or its
    new type behind the parent."""
    others = Task.objects.below(parent).open().exclude(pk=task.pk)
    begins = rules_for(parent).may_open(parent, task.task_type)
    if task.status == Status.OPEN and not (begins and is_turn(task.order, others)):
        write(task, "task.put_back", actor=actor, changes={"status": Status.PENDING}, log_changes=False)
