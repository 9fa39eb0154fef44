"""The moves of a task, one function each; the table in `itsm.tasking.statuses` says when each is legal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tasking.actions.base import (
    advance,
    check_parent,
    lock_parent,
    make_ready,
    note_on_parent,
    rules_for,
)
from itsm.tasking.models import Task
from itsm.tasking.registry import has_tasks
from itsm.tasking.statuses import ENDED, MOVES, WORKED, Status
from itsm.tickets.actions import begin_move
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write

Fields = Mapping[str, Any]
ENDED_AS = {
    Status.CLOSED_COMPLETE: "task.completed",
    Status.CLOSED_INCOMPLETE: "task.closed_incomplete",
    Status.CLOSED_SKIPPED: "task.skipped",
    Status.CANCELLED: "task.cancelled",
}
"""By outcome: the code of the event."""


def perform(task: Any, move: str, *, actor: Actor, fields: Fields | None = None, version: int | None = None) -> Task:
    """Make the named move with its fields and return the task.

    Raises:
        Invalid: there is no such move, or its fields do not fit. IllegalMove, Refused, Stale.
    """
    verb = _VERBS.get(move)
    if verb is None:
        raise Invalid({"move": _("There is no such move. Choose one of: %(moves)s.") % {"moves": ", ".join(_VERBS)}})
    known = {field.name for field in MOVES[move].fields}
    unknown = sorted(set(fields or {}) - known)
    if unknown:
        raise Invalid(dict.fromkeys(unknown, _("“%(move)s” takes no such field.") % {"move": MOVES[move].label}))
    done: Task = verb(task, actor=actor, version=version, **dict(fields or {}))
    return done


@transaction.atomic
def open_now(task: Any, *, actor: Actor, version: int | None = None) -> Task:
    """Open a task that waits, ahead of its turn: Pending → Open. The parent must let its tasks begin."""
    _parent, locked, _values = _begin(task, "open", actor=actor, fields={}, version=version)
    make_ready(locked, actor=actor, because="hand")
    return locked


@transaction.atomic
def start(task: Any, *, actor: Actor, version: int | None = None) -> Task:
    """Begin work: Open → In progress. A task without a person becomes the actor's own.

    Locks the task alone: it concerns neither its parent nor the others, and whoever takes a ticket from the queue holds
    its lock already.
    """
    locked: Task
    locked, _values = begin_move(task, MOVES["start"], actor=actor, fields={}, version=version)
    changes: dict[str, Any] = {"status": Status.IN_PROGRESS}
    data: dict[str, Any] = {}
    if locked.assignee is None and actor.user is not None and actor.at is None:
        changes["assignee"] = actor.user
        data["changes"] = {"assignee": [None, {"user": actor.user.pk}]}
    write(locked, "task.started", actor=actor, changes=changes, data=data, log_changes=False)
    return locked


@transaction.atomic
def complete(task: Any, *, actor: Actor, notes: str = "", version: int | None = None) -> Task:
    """End as done, saying what was done; tasks that waited for it open."""
    return _end(task, "complete", actor=actor, said=notes, version=version)


@transaction.atomic
def close_incomplete(task: Any, *, actor: Actor, reason: str = "", version: int | None = None) -> Task:
    """End as not wholly done, saying why; tasks that waited for it open."""
    return _end(task, "incomplete", actor=actor, said=reason, version=version)


@transaction.atomic
def skip(task: Any, *, actor: Actor, reason: str = "", version: int | None = None) -> Task:
    """End as not needed, saying why; tasks that waited for it open."""
    return _end(task, "skip", actor=actor, said=reason, version=version)


@transaction.atomic
def cancel(task: Any, *, actor: Actor, reason: str = "", version: int | None = None) -> Task:
    """Call the task off, saying why; tasks that waited for it open. It is final."""
    return _end(task, "cancel", actor=actor, said=reason, version=version)


@transaction.atomic
def reopen(task: Any, *, actor: Actor, reason: str = "", version: int | None = None) -> Task:
    """Take up a closed task again while its parent goes on; it is held where the parent is, and pending where work
    below the parent may not begin. Tasks after it that are open stay open."""
    parent, locked, values = _begin(task, "reopen", actor=actor, fields={"reason": reason}, version=version)
    held = has_tasks(parent.kind) and rules_for(parent).is_held(parent)
    begins = not has_tasks(parent.kind) or rules_for(parent).may_open(parent, locked.task_type)
    status = Status.OPEN if begins else Status.PENDING
    at = instant_of(actor)
    write(
        locked,
        "task.reopened",
        actor=actor,
        changes={
            "status": status,
            "resolved_at": None,
            "closed_at": None,
            "notes": "",
            "is_held": held,
            "held_by_parent": held,
        },
        data={
            "reason": values["reason"],
            "status": status,
            "outcome": locked.status,
            "notes": locked.notes,
            "is_held": held,
        },
        log_changes=False,
        at=at,
    )
    note_on_parent(parent, "ticket.task_reopened", locked, actor=actor, at=at)
    return locked


@transaction.atomic
def hold(task: Any, *, actor: Actor, reason: str = "", version: int | None = None) -> Task:
    """Put the task itself on hold, saying what it waits for. It stays so when its parent is held and goes on."""
    _parent, locked, values = _begin(task, "hold", actor=actor, fields={"reason": reason}, version=version)
    write(
        locked,
        "task.held",
        actor=actor,
        changes={"is_held": True, "held_by_parent": False, "hold_reason": values["reason"]},
        data={"is_held": True, "reason": values["reason"]},
        log_changes=False,
    )
    return locked


@transaction.atomic
def resume(task: Any, *, actor: Actor, version: int | None = None) -> Task:
    """Let a task go on that was put on hold by hand; a waiting one opens if its turn came meanwhile. Where the parent
    is on hold, the task is from now on held with it."""
    parent, locked, _values = _begin(task, "resume", actor=actor, fields={}, version=version)
    held = has_tasks(parent.kind) and rules_for(parent).is_held(parent)
    write(
        locked,
        "task.resumed",
        actor=actor,
        changes={"is_held": held, "held_by_parent": held, "hold_reason": ""},
        data={"is_held": held},
        log_changes=False,
    )
    opened = {one.pk: one for one in advance(parent, actor=actor)}
    return opened.get(locked.pk, locked)


def _begin(task: Any, move: str, *, actor: Actor, fields: Fields, version: int | None) -> tuple[Any, Task, Fields]:
    """Return the locked parent, the locked task and the move's values. Raises as `begin_move`."""
    parent = lock_parent(task)
    locked, values = begin_move(task, MOVES[move], actor=actor, fields=fields, version=version)
    check_parent(locked, parent)
    return parent, locked, values


def _end(task: Any, move: str, *, actor: Actor, said: str, version: int | None) -> Task:
    name = MOVES[move].fields[0].name
    parent, locked, values = _begin(task, move, actor=actor, fields={name: said}, version=version)
    end_locked(locked, parent, MOVES[move].target, actor=actor, said=values[name])
    advance(parent, actor=actor)
    return locked


def end_locked(task: Task, parent: Any, outcome: str, *, actor: Actor, said: str, because: str = "") -> None:
    """End a locked task below its locked parent and say so on the parent. Opens nothing that waited for it.

    `because="parent"`: the parent ended, and the task with it.
    """
    assert outcome in ENDED  # noqa: S101  callers name it; the verbs check it
    at = instant_of(actor)
    changes: dict[str, Any] = {
        "status": outcome,
        "closed_at": at,
        "notes": said,
        "is_held": False,
        "held_by_parent": False,
        "hold_reason": "",
    }
    if outcome in WORKED:
        changes["resolved_at"] = at
    data: dict[str, Any] = {"notes": said, "is_held": False}
    if because:
        data |= {"because": because, "parent_number": parent.number}
    write(task, ENDED_AS[Status(outcome)], actor=actor, changes=changes, data=data, log_changes=False, at=at)
    note_on_parent(parent, "ticket.task_ended", task, actor=actor, at=at, outcome=outcome)


_VERBS: dict[str, Any] = {
    "open": open_now,
    "start": start,
    "complete": complete,
    "hold": hold,
    "resume": resume,
    "incomplete": close_incomplete,
    "skip": skip,
    "cancel": cancel,
    "reopen": reopen,
}
