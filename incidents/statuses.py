"""The states of an incident and the legal moves between them (ITIL 4; domain rules 2.2, INC-1, INC-3, INC-4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incidents.major.states import ends_by_desk, reviewed
from itsm.tickets.actors import Actor
from itsm.tickets.moves import Move, MoveField
from itsm.tickets.rules import YES, Answer, Predicate, either, is_requester, works_tickets


class Status(models.TextChoices):
    """The states of an incident."""

    NEW = "new", gettext_lazy("New")
    IN_PROGRESS = "in_progress", gettext_lazy("In progress")
    ON_HOLD = "on_hold", gettext_lazy("On hold")
    RESOLVED = "resolved", gettext_lazy("Resolved")
    CLOSED = "closed", gettext_lazy("Closed")
    CANCELLED = "cancelled", gettext_lazy("Cancelled")


OPEN = frozenset({Status.NEW, Status.IN_PROGRESS, Status.ON_HOLD})
TERMINAL = frozenset({Status.CLOSED, Status.CANCELLED})


class HoldReason(models.TextChoices):
    """What an incident on hold waits for."""

    AWAITING_CALLER = "awaiting_caller", gettext_lazy("Waiting for the requester")
    AWAITING_PROBLEM = "awaiting_problem", gettext_lazy("Waiting for a problem")
    AWAITING_VENDOR = "awaiting_vendor", gettext_lazy("Waiting for a supplier")
    AWAITING_CHANGE = "awaiting_change", gettext_lazy("Waiting for a change")


class ResolutionCode(models.TextChoices):
    """How an incident ended."""

    SOLUTION_PROVIDED = "solution_provided", gettext_lazy("Solution provided")
    WORKAROUND_PROVIDED = "workaround_provided", gettext_lazy("Workaround provided")
    RESOLVED_BY_CALLER = "resolved_by_caller", gettext_lazy("Resolved by the requester")
    RESOLVED_BY_CHANGE = "resolved_by_change", gettext_lazy("Resolved by a change")
    RESOLVED_BY_PROBLEM = "resolved_by_problem", gettext_lazy("Resolved by a problem")
    KNOWN_ERROR = "known_error", gettext_lazy("Known error")
    DUPLICATE = "duplicate", gettext_lazy("Duplicate")
    USER_ERROR = "user_error", gettext_lazy("User error")


def has_owner(actor: Actor, incident: Any) -> Answer:
    """Answer whether the actor works on tickets and somebody would own this one: a team, a person, or the actor."""
    answer = works_tickets(actor, incident)
    if not answer:
        return answer
    if incident.team_id is None and incident.assignee_id is None and actor.user is None:
        return Answer(False, _("Assign a team or a person first."))
    return YES


def within_reopen_window(actor: Actor, incident: Any) -> Answer:
    """Answer whether the requester or opener may still reopen, counted from the resolution."""
    user = actor.user
    if user is None or user.pk not in {incident.requester_id, incident.opened_by_id}:
        return Answer(False, _("Only the requester or the service desk can reopen this incident."))
    from incidents.models import IncidentSettings  # the model's choices come from this module

    days = IncidentSettings.current().reopen_days
    now = actor.at or timezone.now()
    if incident.resolved_at is not None and now > incident.resolved_at + timedelta(days=days):
        return Answer(
            False,
            _("This was resolved more than %(days)d days ago. Reply to open a new incident linked to it.")
            % {"days": days},
        )
    return YES


def not_merged(actor: Actor, incident: Any) -> Answer:
    """Answer whether the incident goes on by itself, rather than in the one that it was merged into."""
    if incident.merged_into_id is None or actor.is_system:
        return YES
    return Answer(False, _("This was merged into another incident. Reply here and it is read there."))


def both(*predicates: Predicate) -> Predicate:
    """Return a predicate that says yes when each of these does, else the first reason against."""

    def combined(actor: Actor, incident: Any) -> Answer:
        for predicate in predicates:
            answer = predicate(actor, incident)
            if not answer:
                return answer
        return YES

    return combined


def _needs_comment(values: Mapping[str, Any]) -> bool:
    return values.get("hold_reason") == HoldReason.AWAITING_CALLER


MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Move(
            "start",
            gettext_lazy("Start work"),
            frozenset({Status.NEW}),
            Status.IN_PROGRESS,
            has_owner,
            icon="player-play",
        ),
        Move(
            "hold",
            gettext_lazy("Put on hold"),
            frozenset({Status.NEW, Status.IN_PROGRESS}),
            Status.ON_HOLD,
            works_tickets,
            (
                MoveField("hold_reason", gettext_lazy("Waiting for"), choices=tuple(HoldReason.choices)),
                MoveField(
                    "comment",
                    gettext_lazy("Message to the requester"),
                    required=_needs_comment,
                    multiline=True,
                    max_length=100_000,
                    help_text=gettext_lazy("Needed when you wait for the requester: say what you need from them."),
                ),
            ),
            icon="player-pause",
        ),
        Move(
            "resume",
            gettext_lazy("Resume"),
            frozenset({Status.ON_HOLD}),
            Status.IN_PROGRESS,
            works_tickets,
            icon="player-play",
        ),
        Move(
            "resolve",
            gettext_lazy("Resolve"),
            OPEN,
            Status.RESOLVED,
            works_tickets,
            (
                MoveField("resolution_code", gettext_lazy("How it ended"), choices=tuple(ResolutionCode.choices)),
                MoveField(
                    "resolution_notes",
                    gettext_lazy("What was done"),
                    multiline=True,
                    help_text=gettext_lazy("The requester reads this."),
                ),
            ),
            icon="check",
            emphasis="success",
        ),
        Move(
            "reopen",
            gettext_lazy("Reopen"),
            frozenset({Status.RESOLVED}),
            Status.IN_PROGRESS,
            both(not_merged, ends_by_desk, either(within_reopen_window, works_tickets)),
            (
                MoveField(
                    "comment",
                    gettext_lazy("What is still wrong"),
                    multiline=True,
                    max_length=100_000,
                ),
            ),
            icon="rotate",
            portal_label=gettext_lazy("It is not fixed"),
        ),
        Move(
            "close",
            gettext_lazy("Close"),
            frozenset({Status.RESOLVED}),
            Status.CLOSED,
            both(not_merged, ends_by_desk, reviewed, either(works_tickets, is_requester)),
            icon="circle-check",
            portal_label=gettext_lazy("Yes, it is fixed"),
        ),
        Move(
            "cancel",
            gettext_lazy("Cancel"),
            OPEN,
            Status.CANCELLED,
            both(ends_by_desk, either(works_tickets, is_requester)),
            (
                MoveField(
                    "reason",
                    gettext_lazy("Reason"),
                    multiline=True,
                    help_text=gettext_lazy("The requester and the service desk read this."),
                ),
            ),
            icon="x",
            emphasis="danger",
            portal_label=gettext_lazy("I no longer need this"),
        ),
    )
}
