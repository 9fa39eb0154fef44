"""The states of a problem and the legal moves between them (ITIL 4; domain rules 2.4, features PR-1, PR-2)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.moves import Move, MoveField
from itsm.tickets.rules import YES, Answer, works_tickets


class Status(models.TextChoices):
    """The states of a problem."""

    NEW = "new", gettext_lazy("New")
    ASSESS = "assess", gettext_lazy("Assess")
    ROOT_CAUSE_ANALYSIS = "root_cause_analysis", gettext_lazy("Root cause analysis")
    FIX_IN_PROGRESS = "fix_in_progress", gettext_lazy("Fix in progress")
    RESOLVED = "resolved", gettext_lazy("Resolved")
    CLOSED = "closed", gettext_lazy("Closed")


TERMINAL = frozenset({Status.CLOSED})


class OutcomeCode(models.TextChoices):
    """How a problem ended."""

    FIX_APPLIED = "fix_applied", gettext_lazy("Fix applied")
    RISK_ACCEPTED = "risk_accepted", gettext_lazy("Risk accepted")
    DUPLICATE = "duplicate", gettext_lazy("Duplicate")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


def keeps(problem: Any) -> frozenset[str]:
    """Return what a problem cannot be without: from Assess on somebody coordinates it (domain rule 2.4)."""
    return frozenset() if problem.status == Status.NEW else frozenset({"assignee"})


def has_coordinator(actor: Actor, problem: Any) -> Answer:
    """Answer whether the actor works on tickets and the problem has, or gets with the actor, somebody to coordinate."""
    answer = works_tickets(actor, problem)
    if not answer:
        return answer
    if problem.assignee_id is None and actor.user is None:
        return Answer(False, _("Assign the person who coordinates this problem first."))
    return YES


def manages_problems(actor: Actor, problem: Any) -> Answer:
    """Answer whether the actor manages problems."""
    if actor.may(Permission.MANAGE_PROBLEMS):
        return YES
    return Answer(False, _("Only a problem manager can do this."))


def may_reanalyse(actor: Actor, problem: Any) -> Answer:
    """Answer whether the actor may send it back to the analysis: the desk, but once it is closed a manager only."""
    return manages_problems(actor, problem) if problem.status == Status.CLOSED else works_tickets(actor, problem)


def coordinates(actor: Actor, problem: Any) -> Answer:
    """Answer whether the actor manages problems, or coordinates this one."""
    if actor.user is not None and problem.assignee_id == actor.user.pk:
        return works_tickets(actor, problem)
    if manages_problems(actor, problem):
        return YES
    return Answer(False, _("Only a problem manager, or whoever coordinates the problem, can do this."))


def _notes(name: str, label: Any, help_text: Any) -> MoveField:
    # Not required by the form: what the problem has already need not be typed again. The verb asks for what is missing.
    return MoveField(
        name,
        label,
        required=False,
        multiline=True,
        max_length=20_000,
        help_text=help_text,
        initial=lambda problem: getattr(problem, name),
    )


_CAUSE = _notes("cause_notes", gettext_lazy("Cause"), gettext_lazy("Needed, unless it is on the problem already."))
_FIX = _notes("fix_notes", gettext_lazy("Fix"), gettext_lazy("Needed, unless it is on the problem already."))


def _close_notes(help_text: Any = "") -> MoveField:
    return MoveField("close_notes", gettext_lazy("Closing notes"), multiline=True, help_text=help_text)


MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move(
            "assess",
            gettext_lazy("Assess"),
            frozenset({Status.NEW}),
            Status.ASSESS,
            has_coordinator,
            icon="player-play",
        ),
        Move(
            "confirm",
            gettext_lazy("Confirm the problem"),
            frozenset({Status.ASSESS}),
            Status.ROOT_CAUSE_ANALYSIS,
            works_tickets,
            icon="search",
        ),
        Move(
            "fix",
            gettext_lazy("Begin the fix"),
            frozenset({Status.ROOT_CAUSE_ANALYSIS}),
            Status.FIX_IN_PROGRESS,
            works_tickets,
            (_CAUSE, _FIX),
            icon="tool",
        ),
        Move(
            "resolve",
            gettext_lazy("Resolve"),
            frozenset({Status.FIX_IN_PROGRESS}),
            Status.RESOLVED,
            works_tickets,
            (
                _CAUSE,
                _FIX,
                MoveField(
                    "message",
                    gettext_lazy("Message to the requesters"),
                    required=False,
                    multiline=True,
                    help_text=gettext_lazy(
                        "Incidents waiting for this problem are resolved with these words. Empty: a standard sentence."
                    ),
                ),
            ),
            icon="check",
            emphasis="success",
        ),
        Move(
            "complete",
            gettext_lazy("Close"),
            frozenset({Status.RESOLVED}),
            Status.CLOSED,
            works_tickets,
            icon="circle-check",
        ),
        Move(
            "reanalyse",
            gettext_lazy("Analyse again"),
            frozenset({Status.FIX_IN_PROGRESS, Status.RESOLVED, Status.CLOSED}),
            Status.ROOT_CAUSE_ANALYSIS,
            may_reanalyse,
            (MoveField("reason", gettext_lazy("Why the analysis was not right"), multiline=True),),
            icon="rotate",
        ),
        Move(
            "accept_risk",
            gettext_lazy("Accept the risk"),
            frozenset({Status.ROOT_CAUSE_ANALYSIS, Status.FIX_IN_PROGRESS}),
            Status.CLOSED,
            works_tickets,
            (_CAUSE, _close_notes(gettext_lazy("Why living with it is better than fixing it, and until when."))),
            icon="shield-half",
        ),
        Move(
            "duplicate",
            gettext_lazy("Close as duplicate"),
            frozenset({Status.ASSESS, Status.ROOT_CAUSE_ANALYSIS}),
            Status.CLOSED,
            works_tickets,
            (
                MoveField(
                    "duplicate_of",
                    gettext_lazy("Duplicate of"),
                    kind="ticket",
                    ticket_kinds=("problem",),
                    help_text=gettext_lazy(
                        "The number of the problem that goes on, such as PRB0040001. Incidents and tasks move there."
                    ),
                ),
            ),
            icon="copy",
        ),
        Move(
            "cancel",
            gettext_lazy("Cancel"),
            frozenset({Status.NEW, Status.ASSESS, Status.ROOT_CAUSE_ANALYSIS}),
            Status.CLOSED,
            works_tickets,
            (_close_notes(gettext_lazy("Why this is no problem, or none any more.")),),
            icon="x",
            emphasis="danger",
        ),
    )
}
