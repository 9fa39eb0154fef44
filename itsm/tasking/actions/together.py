"""What happens to all tasks below a ticket at once, because of what happened to the ticket.

The rooms of the parents call these within their own verbs: that the actor may do so was asked there. Each takes the
parent as the room has it, locks it (again), and hands back the head of its log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tasking.actions.base import (
    advance,
    carry_head,
    check_goes_on,
    is_turn,
    join,
    note_on_parent,
    rules_for,
)
from itsm.tasking.actions.lifecycle import end_locked
from itsm.tasking.actions.planning import check_planned, check_type
from itsm.tasking.models import Task
from itsm.tasking.statuses import AHEAD, ENDED, Status
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.rules import works_tickets


@transaction.atomic
def end_open_tasks(
    parent: Any, *, outcome: str, actor: Actor, only_generated: bool = False, reason: str = ""
) -> list[Task]:
    """End the tasks below the ticket that have not ended, as `outcome`, and return them. `only_generated`: those alone
    that the process made; tasks that waited for them open.

    Raises:
        Invalid: the outcome is not one in which a task ends.
    """
    if outcome not in ENDED:
        raise Invalid({"outcome": _("Choose one of: %(allowed)s.") % {"allowed": ", ".join(sorted(ENDED))}})
    wanted = Task.objects.below(parent).open()
    if only_generated:
        wanted = wanted.filter(is_generated=True)
    if not wanted.exists():
        return []
    above = lock(parent)
    ended = []
    for task in _locked(above, wanted):
        end_locked(task, above, outcome, actor=actor, said=reason, because="parent")
        ended.append(task)
    advance(above, actor=actor)
    carry_head(parent, above)
    return ended


@transaction.atomic
def hold_tasks(parent: Any, *, actor: Actor) -> list[Task]:
    """Hold the tasks below the ticket that have not ended and are not held, because the ticket is; return them.

    Those held by hand are left to the hand that held them.
    """
    above = lock(parent)
    held = []
    for task in _locked(above, Task.objects.below(above).open().filter(is_held=False)):
        write(
            task,
            "task.held",
            actor=actor,
            changes={"is_held": True, "held_by_parent": True},
            data={"is_held": True, "because": "parent", "parent_number": above.number},
            log_changes=False,
        )
        held.append(task)
    return held


@transaction.atomic
def resume_tasks(parent: Any, *, actor: Actor) -> list[Task]:
    """Let the tasks go on that were held because the ticket was, and return them; those whose turn came meanwhile open.

    Tasks held by hand stay held.
    """
    above = lock(parent)
    resumed = []
    for task in _locked(above, Task.objects.below(above).open().filter(held_by_parent=True)):
        write(
            task,
            "task.resumed",
            actor=actor,
            changes={"is_held": False, "held_by_parent": False},
            data={"is_held": False, "because": "parent", "parent_number": above.number},
            log_changes=False,
        )
        resumed.append(task)
    advance(above, actor=actor)
    return resumed


@transaction.atomic
def open_ready_tasks(parent: Any, *, actor: Actor) -> list[Task]:
    """Open the waiting tasks below the ticket whose turn has come, and return them.

    Needed only where work below the ticket may begin because of something that is no event of the ticket: every event
    with a new status of a ticket asks by itself.
    """
    return advance(lock(parent), actor=actor)


@transaction.atomic
def move_tasks(source: Any, target: Any, *, actor: Actor, only_open: bool = False) -> list[Task]:
    """Put the tasks of one ticket below another one, and return them: for a duplicate, whose work goes on elsewhere.

    `only_open`: those that have ended stay where they are. Tasks held with the source go on unless the target is held
    too. Events: on each task, and on both tickets for the desk.

    Raises:
        Invalid: the same ticket twice, or a type or window that does not fit below the target: then none is moved.
        Refused: the actor does not work on tickets. IllegalMove: the target has ended.
    """
    if source.pk == target.pk:
        raise Invalid({"target": _("Choose another ticket: the tasks are part of this one already.")})
    answer = works_tickets(actor, source)
    if not answer:
        raise Refused(answer.reason)
    rules = rules_for(target)
    pair = {one.pk: one for one in (source, target)}
    locks = {pk: lock(pair[pk]) for pk in sorted(pair)}
    away, here = locks[source.pk], locks[target.pk]
    check_goes_on(here)
    wanted = Task.objects.below(away)
    held = rules.is_held(here)
    moved = []
    for task in _locked(away, wanted.open() if only_open else wanted):
        _check_fits(task, rules, here)
        _move(task, away, here, held=held, actor=actor)
        moved.append(task)
    _settle(moved, here, actor=actor)
    advance(here, actor=actor)
    advance(away, actor=actor)
    carry_head(source, away)
    carry_head(target, here)
    return moved


def _check_fits(task: Task, rules: Any, parent: Any) -> None:
    try:
        check_type(task.task_type, rules)
        if task.status in AHEAD:
            check_planned(rules, parent, task.planned_start, task.planned_end)
    except Invalid as error:
        text = _("%(task)s cannot be moved to %(parent)s: %(why)s")
        why = " ".join(error.fields.values())
        raise Invalid({"target": text % {"task": task.number, "parent": parent.number, "why": why}}) from error


def _move(task: Task, away: Any, here: Any, *, held: bool, actor: Actor) -> None:
    at = instant_of(actor)
    changes: dict[str, Any] = {"parent": here}
    goes_with = task.status in AHEAD and (task.held_by_parent or not task.is_held)
    if goes_with and held != task.is_held:
        changes |= {"is_held": held, "held_by_parent": held}
    data = {
        "from": away.number,
        "to": here.number,
        "parent_kind": here.kind,
        "is_held": changes.get("is_held", task.is_held),
    }
    write(task, "task.moved", actor=actor, changes=changes, data=data, log_changes=False, at=at)
    join(task, here)
    note_on_parent(away, "ticket.task_moved", task, actor=actor, at=at, to=here.number)
    note_on_parent(here, "ticket.task_moved", task, actor=actor, at=at, to=here.number, origin=away.number)


def _settle(moved: Iterable[Task], parent: Any, *, actor: Actor) -> None:
    """Let tasks that came as open wait where work below the new parent may not begin, or their turn has not come."""
    rules = rules_for(parent)
    ahead = list(Task.objects.below(parent).open())
    for task in moved:
        if task.status == Status.OPEN and not (rules.may_open(parent, task.task_type) and is_turn(task.order, ahead)):
            write(task, "task.put_back", actor=actor, changes={"status": Status.PENDING}, log_changes=False)


def _locked(parent: Any, tasks: Any) -> Iterable[Task]:
    """Yield the tasks one by one, locked in the order of their ids, joined to the locked parent.

    The parent's lock keeps others from ending, holding or moving them; one that was begun meanwhile is read anew.
    """
    for found in list(tasks.order_by("pk")):
        task: Task = lock(found)
        join(task, parent)
        yield task
