"""What the verbs of tasks share: locks in one order, what the parent's log says, and whose turn it is.

A verb that concerns more than one task locks the parent first, then tasks by their id. So a parent that ends with its
tasks and a task that ends below it never wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from itsm.tasking.models import Task
from itsm.tasking.registry import TaskRules, has_tasks, rules_of
from itsm.tasking.statuses import Status
from itsm.tickets.actions import lock
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Stale
from itsm.tickets.log import write
from itsm.tickets.models import Ticket


def lock_parent(task: Any) -> Any:
    """Return the task's parent as its kind, locked. Called before the task itself is locked."""
    above = Ticket.objects.only("kind").get(tasks=task.pk)
    return lock(above)


def check_parent(task: Task, parent: Any) -> None:
    """Refuse a locked task that went to another parent while the lock was waited for; join the two otherwise.

    Raises:
        Stale: it is part of another ticket now.
    """
    if task.parent_id != parent.pk:
        raise Stale(seen=task.version - 1, current=task.version)
    join(task, parent)


def join(task: Task, parent: Any) -> None:
    """Let the task's `parent` be this very object, so that its rules ask the locked state without another query."""
    task.parent = parent
    task.__dict__.pop("parent_record", None)


def check_goes_on(parent: Any) -> None:
    """Refuse new tasks below a ticket that has ended.

    Raises:
        IllegalMove: it has.
    """
    if parent.status in parent.kind_info.terminal_statuses:
        raise IllegalMove(
            _("%(number)s is %(status)s: it takes no more tasks.")
            % {"number": parent.number, "status": parent.status_label}
        )


def carry_head(parent: Any, locked: Any) -> None:
    """Tell the caller's object what was written on the parent's log, so that the caller can go on writing there."""
    if parent is not locked:
        parent.event_seq, parent.event_hash = locked.event_seq, locked.event_hash
        parent.updated_at = locked.updated_at


def note_on_parent(parent: Any, code: str, task: Task, *, actor: Actor, at: datetime, **data: Any) -> None:
    """Write on the parent's log, for the desk alone, what happened to a task below it."""
    said = {"task": task.public_id, "number": task.number, "title": task.title, **data}
    write(parent, code, actor=actor, data=said, bump=False, at=at)


def of_itself(actor: Actor) -> Actor:
    """Return who stands behind what follows by itself: the system, or an import at its past instant."""
    return actor if actor.at is not None else SYSTEM


def rules_for(parent: Any) -> TaskRules:
    """Return the rules of tasks below the parent. Raises Invalid: such tickets have no tasks."""
    return rules_of(parent.kind)


def is_turn(order: int, others: Iterable[Any]) -> bool:
    """Return whether no task of a lower order is left among these, which have not ended."""
    return all(other.order >= order for other in others)


def advance(parent: Any, *, actor: Actor) -> list[Task]:
    """Open the waiting tasks below the locked parent whose turn has come, and return them, locked.

    It is a task's turn when work below the parent may begin, the task is not held and every task of a lower order has
    ended. What is open stays open, whatever is put before it later.
    """
    if not has_tasks(parent.kind):
        return []
    ahead = list(Task.objects.below(parent).open().order_by("pk"))
    waiting = [one for one in ahead if one.status == Status.PENDING and not one.is_held and is_turn(one.order, ahead)]
    rules = rules_for(parent)
    turn = [one for one in waiting if rules.may_open(parent, one.task_type)]
    opened = []
    for one in turn:
        task = lock(one)
        join(task, parent)
        if task.status != Status.PENDING or task.is_held:
            continue
        make_ready(task, actor=of_itself(actor), because="turn")
        opened.append(task)
    return opened


def make_ready(task: Task, *, actor: Actor, because: str) -> None:
    """Open a locked task that waited. `because`: "turn" or "hand"."""
    write(
        task,
        "task.ready",
        actor=actor,
        changes={"status": Status.OPEN},
        data={"because": because},
        log_changes=False,
        at=instant_of(actor),
    )
