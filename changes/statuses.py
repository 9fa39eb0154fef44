"""The states of a change, its codes, and the legal moves between the states (ITIL 4; domain rules 2.5, CH-1, CH-11).

Which way a change goes hangs on its type: a normal one is assessed, then authorised; an emergency is authorised at
once; a standard one was authorised with its template. Only the moves of its own way apply to a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.tickets.actors import Actor
from itsm.tickets.moves import Move, MoveField, always
from itsm.tickets.rules import YES, Answer, works_tickets


class ChangeType(models.TextChoices):
    """The types of change: by which way it is authorised."""

    STANDARD = "standard", gettext_lazy("Standard")
    NORMAL = "normal", gettext_lazy("Normal")
    EMERGENCY = "emergency", gettext_lazy("Emergency")


class Status(models.TextChoices):
    """The states of a change."""

    NEW = "new", gettext_lazy("New")
    ASSESS = "assess", gettext_lazy("Assess")
    AUTHORISE = "authorise", gettext_lazy("Authorise")
    SCHEDULED = "scheduled", gettext_lazy("Scheduled")
    IMPLEMENT = "implement", gettext_lazy("Implement")
    REVIEW = "review", gettext_lazy("Review")
    CLOSED = "closed", gettext_lazy("Closed")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


TERMINAL = frozenset({Status.CLOSED, Status.CANCELLED})
AWAITING_APPROVAL = frozenset({Status.ASSESS, Status.AUTHORISE})
AHEAD = frozenset({Status.NEW, Status.ASSESS, Status.AUTHORISE, Status.SCHEDULED})
CANCELLABLE = AHEAD | {Status.IMPLEMENT}
HOLDABLE = frozenset({Status.ASSESS, Status.AUTHORISE, Status.SCHEDULED, Status.IMPLEMENT, Status.REVIEW})
PATHS: Mapping[str, tuple[str, ...]] = {
    ChangeType.STANDARD: (Status.NEW, Status.SCHEDULED, Status.IMPLEMENT, Status.REVIEW, Status.CLOSED),
    ChangeType.NORMAL: (
        Status.NEW,
        Status.ASSESS,
        Status.AUTHORISE,
        Status.SCHEDULED,
        Status.IMPLEMENT,
        Status.REVIEW,
        Status.CLOSED,
    ),
    ChangeType.EMERGENCY: (
        Status.NEW,
        Status.AUTHORISE,
        Status.SCHEDULED,
        Status.IMPLEMENT,
        Status.REVIEW,
        Status.CLOSED,
    ),
}


class CloseCode(models.TextChoices):
    """How a change ended."""

    SUCCESSFUL = "successful", gettext_lazy("Successful")
    SUCCESSFUL_ISSUES = "successful_issues", gettext_lazy("Successful with issues")
    UNSUCCESSFUL = "unsuccessful", gettext_lazy("Unsuccessful")


class Risk(models.IntegerChoices):
    """How likely and how bad it is when the change goes wrong (ServiceNow's base set)."""

    VERY_HIGH = 1, gettext_lazy("Very high")
    HIGH = 2, gettext_lazy("High")
    MODERATE = 3, gettext_lazy("Moderate")
    LOW = 4, gettext_lazy("Low")


def type_words(change_type: str) -> str:
    """Return the type of a change in words."""
    return str(ChangeType(change_type).label) if change_type in ChangeType.values else change_type


def not_held(change: Any) -> Answer:
    """Answer whether work may go on: while a change is on hold it can only be resumed or cancelled (CH-11)."""
    if change.is_on_hold:
        return Answer(
            False, _("This change is on hold: %(reason)s Resume it first.") % {"reason": _sentence(change.hold_reason)}
        )
    return YES


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def held(change: Any) -> Answer:
    """Answer whether the change is on hold."""
    return YES if change.is_on_hold else Answer(False, _("This change is not on hold."))


def for_type(*types: str) -> Callable[[Any], Answer]:
    """Return a condition that holds of changes of these types that are not on hold."""

    def applies(change: Any) -> Answer:
        if change.change_type not in types:
            return Answer(
                False,
                _("A change of the type %(type)s does not go this way.") % {"type": type_words(change.change_type)},
            )
        return not_held(change)

    return applies


def _authorised(change: Any) -> Answer:
    if change.is_retroactive:
        return Answer(False, _("This change was made before it was authorised: it goes on to its review."))
    return for_type(ChangeType.NORMAL, ChangeType.EMERGENCY)(change)


def _afterwards(change: Any) -> Answer:
    if not change.is_retroactive:
        return Answer(False, _("This change has not been made yet: it is scheduled when it is authorised."))
    return for_type(ChangeType.EMERGENCY)(change)


def only_approvers(actor: Actor, change: Any) -> Answer:
    """Answer whether the move follows from a decision: people decide on the approval, the change then moves by
    itself."""
    if actor.is_system:
        return YES
    return Answer(False, _("The approvers decide this. The change moves on by itself when they have."))


_CANCEL_REASON = MoveField(
    "reason", gettext_lazy("Reason"), multiline=True, help_text=gettext_lazy("The requester and the desk read this.")
)

MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move(
            "request_approval",
            gettext_lazy("Request approval"),
            frozenset({Status.NEW}),
            Status.ASSESS,
            works_tickets,
            icon="send",
            emphasis="success",
            applies=for_type(ChangeType.NORMAL),
        ),
        Move(
            "request_authorisation",
            gettext_lazy("Request authorisation"),
            frozenset({Status.NEW}),
            Status.AUTHORISE,
            works_tickets,
            icon="send",
            emphasis="success",
            applies=for_type(ChangeType.EMERGENCY),
        ),
        Move(
            "schedule",
            gettext_lazy("Schedule"),
            frozenset({Status.NEW}),
            Status.SCHEDULED,
            works_tickets,
            icon="calendar",
            emphasis="success",
            applies=for_type(ChangeType.STANDARD),
        ),
        Move(
            "assessed",
            gettext_lazy("Assessment approved"),
            frozenset({Status.ASSESS}),
            Status.AUTHORISE,
            only_approvers,
            icon="check",
            applies=for_type(ChangeType.NORMAL),
        ),
        Move(
            "authorised",
            gettext_lazy("Authorised"),
            frozenset({Status.AUTHORISE}),
            Status.SCHEDULED,
            only_approvers,
            icon="check",
            applies=_authorised,
        ),
        Move(
            "authorised_afterwards",
            gettext_lazy("Authorised afterwards"),
            frozenset({Status.AUTHORISE}),
            Status.REVIEW,
            only_approvers,
            icon="check",
            applies=_afterwards,
        ),
        Move(
            "rejected",
            gettext_lazy("Rejected"),
            AWAITING_APPROVAL,
            Status.NEW,
            only_approvers,
            icon="x",
            applies=for_type(ChangeType.NORMAL, ChangeType.EMERGENCY),
        ),
        Move(
            "revert",
            gettext_lazy("Back to new"),
            AWAITING_APPROVAL | {Status.SCHEDULED},
            Status.NEW,
            works_tickets,
            (
                MoveField(
                    "reason",
                    gettext_lazy("Why"),
                    multiline=True,
                    help_text=gettext_lazy("What was approved counts no longer: approval is asked for anew."),
                ),
            ),
            icon="arrow-back-up",
            applies=not_held,
        ),
        Move(
            "start",
            gettext_lazy("Start"),
            frozenset({Status.SCHEDULED}),
            Status.IMPLEMENT,
            works_tickets,
            icon="player-play",
            emphasis="success",
            applies=not_held,
        ),
        Move(
            "finish",
            gettext_lazy("Finish"),
            frozenset({Status.IMPLEMENT}),
            Status.REVIEW,
            works_tickets,
            icon="flag",
            emphasis="success",
            applies=not_held,
        ),
        Move(
            "close",
            gettext_lazy("Close"),
            frozenset({Status.REVIEW}),
            Status.CLOSED,
            works_tickets,
            (
                MoveField("close_code", gettext_lazy("How it ended"), choices=tuple(CloseCode.choices)),
                MoveField(
                    "close_notes",
                    gettext_lazy("What was done, and what came of it"),
                    multiline=True,
                    help_text=gettext_lazy("The requester reads this."),
                ),
                MoveField(
                    "review_notes",
                    gettext_lazy("Review"),
                    required=False,
                    multiline=True,
                    max_length=20_000,
                    help_text=gettext_lazy(
                        "What is learned from it. Needed for an emergency and for a change that failed; what stands "
                        "here already is kept when you leave this empty."
                    ),
                ),
            ),
            icon="circle-check",
            emphasis="success",
            applies=not_held,
        ),
        Move(
            "hold",
            gettext_lazy("Put on hold"),
            HOLDABLE,
            "",
            works_tickets,
            (MoveField("reason", gettext_lazy("What it waits for"), max_length=1000, multiline=True),),
            icon="player-pause",
            applies=not_held,
        ),
        Move(
            "resume",
            gettext_lazy("Resume"),
            HOLDABLE,
            "",
            works_tickets,
            icon="player-play",
            applies=held,
        ),
        Move(
            "cancel",
            gettext_lazy("Cancel"),
            CANCELLABLE,
            Status.CANCELLED,
            works_tickets,
            (_CANCEL_REASON,),
            icon="x",
            emphasis="danger",
            applies=always,
        ),
    )
}
DECIDED = frozenset(name for name, move in MOVES.items() if move.rule is only_approvers)
