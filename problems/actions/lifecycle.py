"""The moves of a problem, one function each; the table in `problems.statuses` says when each is legal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import begin_move
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid
from itsm.tickets.log import write
from problems.actions.ending import end_tasks, note_accepted_risk, release_incidents
from problems.actions.merging import check_survivor, hand_over, lock_both
from problems.models import Problem, ProblemSettings
from problems.statuses import MOVES, OutcomeCode, Status

Fields = Mapping[str, Any]


def perform(
    problem: Any, move: str, *, actor: Actor, fields: Fields | None = None, version: int | None = None
) -> Problem:
    """Make the named move with its fields and return the problem.

    Raises:
        Invalid: there is no such move, or its fields do not fit. IllegalMove, Refused, Stale.
    """
    verb = _VERBS.get(move)
    if verb is None:
        raise Invalid({"move": _("There is no such move. Choose one of: %(moves)s.") % {"moves": ", ".join(_VERBS)}})
    known = {field.name for field in MOVES[move].fields}
    unknown = sorted(set(fields or {}) - known)
    if unknown:
        raise Invalid(dict.fromkeys(unknown, _("“%(move)s” takes no such field.") % {"move": move}))
    moved: Problem = verb(problem, actor=actor, version=version, **(fields or {}))
    return moved


@transaction.atomic
def assess(problem: Problem, *, actor: Actor, version: int | None = None) -> Problem:
    """Begin to assess: New → Assess. A problem without a coordinator becomes the actor's own."""
    locked, _values = begin_move(problem, MOVES["assess"], actor=actor, fields={}, version=version)
    changes: dict[str, Any] = {"status": Status.ASSESS}
    data: dict[str, Any] = {}
    if locked.assignee_id is None:
        if actor.user is None:
            raise Invalid({"assignee": _("Assign the person who coordinates this problem first.")})
        changes["assignee"] = actor.user
        data["changes"] = {"assignee": [None, {"user": actor.user.pk}]}
    write(locked, "problem.assessed", actor=actor, changes=changes, data=data, log_changes=False)
    return _as_problem(locked)


@transaction.atomic
def confirm(problem: Problem, *, actor: Actor, version: int | None = None) -> Problem:
    """Confirm that it is a problem: Assess → Root cause analysis, with the instant and the person."""
    locked, _values = begin_move(problem, MOVES["confirm"], actor=actor, fields={}, version=version)
    now = instant_of(actor)
    changes = {"status": Status.ROOT_CAUSE_ANALYSIS, "confirmed_at": now, "confirmed_by": actor.user}
    write(locked, "problem.confirmed", actor=actor, changes=changes, log_changes=False, at=now)
    return _as_problem(locked)


@transaction.atomic
def fix(
    problem: Problem, *, actor: Actor, cause_notes: str = "", fix_notes: str = "", version: int | None = None
) -> Problem:
    """Begin the fix: Root cause analysis → Fix in progress, once cause and fix are written down."""
    fields = {"cause_notes": cause_notes, "fix_notes": fix_notes}
    locked, values = begin_move(problem, MOVES["fix"], actor=actor, fields=fields, version=version)
    texts = _texts(locked, values, "cause_notes", "fix_notes")
    _write_texts(locked, "problem.fix_started", texts, {"status": Status.FIX_IN_PROGRESS}, actor=actor)
    return _as_problem(locked)


@transaction.atomic
def resolve(
    problem: Problem,
    *,
    actor: Actor,
    cause_notes: str = "",
    fix_notes: str = "",
    message: str = "",
    version: int | None = None,
) -> Problem:
    """Resolve with the fix applied. Incidents on hold for the problem are resolved with the message by a worker
    (feature PR-5); the others are left alone."""
    fields = {"cause_notes": cause_notes, "fix_notes": fix_notes, "message": message}
    locked, values = begin_move(problem, MOVES["resolve"], actor=actor, fields=fields, version=version)
    said = values.pop("message")
    texts = _texts(locked, values, "cause_notes", "fix_notes")
    now = instant_of(actor)
    changes = {
        "status": Status.RESOLVED,
        "resolution_code": OutcomeCode.FIX_APPLIED,
        "resolved_at": now,
        "resolved_by": actor.user,
    }
    event = _write_texts(locked, "problem.resolved", texts, changes, actor=actor, at=now)
    release_incidents(locked, said, actor=actor, event=event)
    return _as_problem(locked)


@transaction.atomic
def accept_risk(
    problem: Problem, *, actor: Actor, cause_notes: str = "", close_notes: str = "", version: int | None = None
) -> Problem:
    """Accept the risk instead of fixing it. It closes the problem at once, unless the settings say otherwise or the
    review of a major problem is still missing. Linked incidents get a work note and nothing else (feature PR-5)."""
    fields = {"cause_notes": cause_notes, "close_notes": close_notes}
    locked, values = begin_move(problem, MOVES["accept_risk"], actor=actor, fields=fields, version=version)
    texts = _texts(locked, values, "cause_notes", "close_notes")
    now = instant_of(actor)
    changes = {
        "status": Status.RESOLVED,
        "resolution_code": OutcomeCode.RISK_ACCEPTED,
        "resolved_at": now,
        "resolved_by": actor.user,
    }
    event = _write_texts(locked, "problem.risk_accepted", texts, changes, actor=actor, at=now)
    note_accepted_risk(locked, actor=actor, event=event)
    if ProblemSettings.current().accepted_risk_closes and (locked.has_review or not locked.is_major):
        _close(locked, "problem.closed", {}, {"because": "risk"}, actor=actor)
    return _as_problem(locked)


@transaction.atomic
def complete(problem: Problem, *, actor: Actor, version: int | None = None) -> Problem:
    """Close a resolved problem; a major one only with its review.

    Raises:
        IllegalMove: the review of a major problem is missing.
    """
    locked, _values = begin_move(problem, MOVES["complete"], actor=actor, fields={}, version=version)
    if locked.is_major and not locked.has_review:
        raise IllegalMove(
            _("This is a major problem: write its review first (what went well, what went wrong, how to prevent it).")
        )
    _close(locked, "problem.closed", {}, {}, actor=actor)
    return _as_problem(locked)


@transaction.atomic
def cancel(problem: Problem, *, actor: Actor, close_notes: str = "", version: int | None = None) -> Problem:
    """Cancel with a reason: it is no problem, or none any more."""
    locked, values = begin_move(
        problem, MOVES["cancel"], actor=actor, fields={"close_notes": close_notes}, version=version
    )
    changes = {"resolution_code": OutcomeCode.CANCELLED, "close_notes": values["close_notes"]}
    _close(locked, "problem.cancelled", changes, {"reason": values["close_notes"]}, actor=actor)
    return _as_problem(locked)


@transaction.atomic
def duplicate(problem: Problem, *, actor: Actor, duplicate_of: Any = "", version: int | None = None) -> Problem:
    """Close as the duplicate of another problem, to which its incidents, changes and tasks move (feature PR-6).

    Raises:
        Invalid: no such problem, the problem itself, one of its own duplicates, or one that is closed.
    """
    lock_both(problem, duplicate_of)
    locked, values = begin_move(
        problem, MOVES["duplicate"], actor=actor, fields={"duplicate_of": duplicate_of}, version=version
    )
    survivor = check_survivor(locked, Problem.objects.get(pk=values["duplicate_of"].pk))
    hand_over(locked, survivor, actor=actor)
    changes = {"resolution_code": OutcomeCode.DUPLICATE, "duplicate_of": survivor}
    data = {"number": survivor.number, "ticket": survivor.public_id}
    _close(locked, "problem.duplicated", changes, data, actor=actor)
    return _as_problem(locked)


@transaction.atomic
def reanalyse(problem: Problem, *, actor: Actor, reason: str = "", version: int | None = None) -> Problem:
    """Go back to the analysis, with the reason; from Closed only a problem manager. What had ended it is taken back,
    and stays in the log."""
    locked, values = begin_move(problem, MOVES["reanalyse"], actor=actor, fields={"reason": reason}, version=version)
    now = instant_of(actor)
    data = {
        "reason": values["reason"],
        "resolution_code": locked.resolution_code,
        "resolved_at": locked.resolved_at.isoformat() if locked.resolved_at else None,
        "closed_at": locked.closed_at.isoformat() if locked.closed_at else None,
        "close_notes": locked.close_notes,
        "duplicate_of": locked.duplicate_of.number if locked.duplicate_of else None,
    }
    changes: dict[str, Any] = {
        "status": Status.ROOT_CAUSE_ANALYSIS,
        "resolution_code": "",
        "resolved_at": None,
        "resolved_by": None,
        "closed_at": None,
        "close_notes": "",
        "duplicate_of": None,
    }
    if locked.confirmed_at is None:  # cancelled before it was confirmed, and taken up all the same
        changes |= {"confirmed_at": now, "confirmed_by": actor.user}
    if locked.assignee_id is None:  # cancelled while new: from here on somebody coordinates it
        changes["assignee"] = actor.user
        data["changes"] = {"assignee": [None, {"user": actor.user.pk}]} if actor.user else {}
    write(locked, "problem.reanalysed", actor=actor, changes=changes, data=data, log_changes=False, at=now)
    return _as_problem(locked)


def _close(problem: Problem, code: str, changes: dict[str, Any], data: dict[str, Any], *, actor: Actor) -> None:
    """Close the locked problem and cancel the tasks of it that are open."""
    now = instant_of(actor)
    closing = {"status": Status.CLOSED, "closed_at": now, **changes}
    write(problem, code, actor=actor, changes=closing, data=data, log_changes=False, at=now)
    end_tasks(problem, actor=actor)


def _texts(problem: Problem, values: Mapping[str, str], *needed: str) -> dict[str, str]:
    """Return what the move's texts become: what was given, else what the problem has.

    Raises:
        Invalid: one is missing in both.
    """
    labels = {"cause_notes": _("Cause"), "fix_notes": _("Fix"), "close_notes": _("Closing notes")}
    texts = {name: values[name] or getattr(problem, name) for name in needed}
    missing = {
        name: _("Please fill in: %(label)s.") % {"label": labels[name]} for name, text in texts.items() if not text
    }
    if missing:
        raise Invalid(missing)
    return texts


def _write_texts(
    problem: Problem, code: str, texts: Mapping[str, str], changes: Mapping[str, Any], *, actor: Actor, at: Any = None
) -> Any:
    """Write the move with its texts; the event keeps what the texts were before."""
    said = {name: [getattr(problem, name), text] for name, text in texts.items() if getattr(problem, name) != text}
    data = {"changes": said} if said else {}
    return write(problem, code, actor=actor, changes={**changes, **texts}, data=data, log_changes=False, at=at)


def _as_problem(locked: Any) -> Problem:
    problem: Problem = locked
    return problem


_VERBS: dict[str, Any] = {
    "assess": assess,
    "confirm": confirm,
    "fix": fix,
    "resolve": resolve,
    "complete": complete,
    "reanalyse": reanalyse,
    "accept_risk": accept_risk,
    "duplicate": duplicate,
    "cancel": cancel,
}
