"""The states of a task and the legal moves between them (domain rules 2.2, 2.4, 2.5 and 2.6: one set for all parents).

A task waits (pending) until its turn comes. Being held is no state: a held task keeps its own, and goes on with it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.tasking.registry import rules_of
from itsm.tickets.actors import Actor
from itsm.tickets.models import Ticket
from itsm.tickets.moves import Move, MoveField
from itsm.tickets.querysets import sees_all_tickets
from itsm.tickets.rules import YES, Answer, works_tickets


class Status(models.TextChoices):
    """The states of a task."""

    PENDING = "pending", gettext_lazy("Pending")
    OPEN = "open", gettext_lazy("Open")
    IN_PROGRESS = "in_progress", gettext_lazy("In progress")
    CLOSED_COMPLETE = "closed_complete", gettext_lazy("Closed complete")
    CLOSED_INCOMPLETE = "closed_incomplete", gettext_lazy("Closed incomplete")
    CLOSED_SKIPPED = "closed_skipped", gettext_lazy("Closed skipped")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


AHEAD = frozenset({Status.PENDING, Status.OPEN, Status.IN_PROGRESS})
"""Work is still to be done."""
WORKABLE = frozenset({Status.OPEN, Status.IN_PROGRESS})
ENDED = frozenset({Status.CLOSED_COMPLETE, Status.CLOSED_INCOMPLETE, Status.CLOSED_SKIPPED, Status.CANCELLED})
WORKED = frozenset({Status.CLOSED_COMPLETE, Status.CLOSED_INCOMPLETE})
"""Somebody worked on it up to its end: its clocks stop. Those of a task that nobody was to do are cancelled."""


def as_task(ticket: Any) -> Any:
    """Return the ticket as a task, also where it was read as a ticket (then with one query)."""
    return ticket if hasattr(ticket, "held_by_parent") else ticket.task


def works_task(actor: Actor, ticket: Any) -> Answer:
    """Answer whether the actor works on tickets and sees the one that the task is part of."""
    answer = works_tickets(actor, ticket)
    if not answer or actor.user is None or sees_all_tickets(actor.user):
        return answer
    parents = Ticket.objects.visible_to(actor.user).filter(pk=as_task(ticket).parent_id)
    return YES if parents.exists() else Answer(False, _("You cannot see the ticket that this task is part of."))


def has_owner(actor: Actor, ticket: Any) -> Answer:
    """Answer whether the actor works on the task and somebody would own it: a team, a person, or the actor."""
    answer = works_task(actor, ticket)
    if not answer:
        return answer
    if ticket.team_id is None and ticket.assignee_id is None and actor.user is None:
        return Answer(False, _("Assign a team or a person first."))
    return YES


def not_held(ticket: Any) -> Answer:
    """Answer whether work may go on."""
    task = as_task(ticket)
    if not task.is_held:
        return YES
    if task.held_by_parent:
        return Answer(
            False,
            _("%(number)s is on hold, and this task with it. It goes on when %(number)s does.")
            % {"number": task.parent.number},
        )
    return Answer(False, _("This task is on hold. Resume it first."))


def may_begin(ticket: Any) -> Answer:
    """Answer whether work below the parent may begin at all: the order of its tasks can be overruled, this cannot."""
    task = as_task(ticket)
    answer = not_held(task)
    return answer and rules_of(task.parent.kind).may_open(task.parent_record, task.task_type)


def not_held_by_hand(ticket: Any) -> Answer:
    """Answer whether the task can be put on hold: not held, or held only as long as its parent is."""
    task = as_task(ticket)
    if task.is_held and not task.held_by_parent:
        return Answer(False, _("This task is on hold already."))
    return YES


def held_by_hand(ticket: Any) -> Answer:
    """Answer whether somebody put the task itself on hold."""
    task = as_task(ticket)
    if not task.is_held:
        return Answer(False, _("This task is not on hold."))
    return not_held(task) if task.held_by_parent else YES


def parent_goes_on(ticket: Any) -> Answer:
    """Answer whether the ticket that the task is part of has not ended."""
    parent = as_task(ticket).parent
    if parent.status not in parent.kind_info.terminal_statuses:
        return YES
    return Answer(
        False,
        _("%(number)s has ended (%(status)s). Open a new task below a ticket that goes on.")
        % {"number": parent.number, "status": parent.status_label},
    )


def _words(name: str, label: Any, help_text: Any = "") -> tuple[MoveField, ...]:
    return (MoveField(name, label, multiline=True, max_length=10_000, help_text=help_text),)


_WHY = gettext_lazy("Only the service desk reads this.")

MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move(
            "open",
            gettext_lazy("Open now"),
            frozenset({Status.PENDING}),
            Status.OPEN,
            works_task,
            icon="lock-open",
            applies=may_begin,
        ),
        Move(
            "start",
            gettext_lazy("Start work"),
            frozenset({Status.OPEN}),
            Status.IN_PROGRESS,
            has_owner,
            icon="player-play",
            applies=not_held,
        ),
        Move(
            "complete",
            gettext_lazy("Complete"),
            WORKABLE,
            Status.CLOSED_COMPLETE,
            works_task,
            _words("notes", gettext_lazy("What was done"), _WHY),
            icon="check",
            emphasis="success",
            applies=not_held,
        ),
        Move(
            "hold",
            gettext_lazy("Put on hold"),
            AHEAD,
            "",
            works_task,
            _words("reason", gettext_lazy("What it waits for"), _WHY),
            icon="player-pause",
            applies=not_held_by_hand,
        ),
        Move("resume", gettext_lazy("Resume"), AHEAD, "", works_task, icon="player-play", applies=held_by_hand),
        Move(
            "incomplete",
            gettext_lazy("Close incomplete"),
            WORKABLE,
            Status.CLOSED_INCOMPLETE,
            works_task,
            _words("reason", gettext_lazy("What was not done, and why"), _WHY),
            icon="circle-half",
        ),
        Move(
            "skip",
            gettext_lazy("Skip"),
            AHEAD,
            Status.CLOSED_SKIPPED,
            works_task,
            _words("reason", gettext_lazy("Why it need not be done"), _WHY),
            icon="player-skip-forward",
        ),
        Move(
            "cancel",
            gettext_lazy("Cancel"),
            AHEAD,
            Status.CANCELLED,
            works_task,
            _words("reason", gettext_lazy("Reason"), _WHY),
            icon="x",
            emphasis="danger",
        ),
        Move(
            "reopen",
            gettext_lazy("Reopen"),
            ENDED - {Status.CANCELLED},
            Status.OPEN,
            works_task,
            _words("reason", gettext_lazy("What is still to be done"), _WHY),
            icon="rotate",
            applies=parent_goes_on,
        ),
    )
}
ENDINGS: dict[str, str] = {move.target: name for name, move in MOVES.items() if move.target in ENDED}
"""By outcome: the move that leads there."""
