"""The moves of a change, one function each; the table in `changes.statuses` says when each is legal, `changes.gates`
what must be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from changes.actions.earning import count_run
from changes.actions.risking import reassess_locked
from changes.actions.working import make_tasks
from changes.gates import check_gates
from changes.models import Change
from changes.statuses import MOVES, CloseCode, Status
from itsm.approvals.actions import park, unpark
from itsm.approvals.actions import request_approval as ask_approval
from itsm.approvals.actions.ending import withdraw_locked
from itsm.tasking.actions import end_open_tasks, hold_tasks, resume_tasks
from itsm.tasking.statuses import Status as TaskStatus
from itsm.tickets.actions import begin_move, lock
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write

Fields = Mapping[str, Any]


def perform(
    change: Any, move: str, *, actor: Actor, fields: Fields | None = None, version: int | None = None
) -> Change:
    """Make the named move with its fields and return the change.

    Raises:
        Invalid: there is no such move, its fields do not fit, or the change lacks something. IllegalMove, Refused,
        Stale.
    """
    verb = _VERBS.get(move)
    if verb is None:
        raise Invalid({"move": _("There is no such move. Choose one of: %(moves)s.") % {"moves": ", ".join(_VERBS)}})
    known = {field.name for field in MOVES[move].fields}
    unknown = sorted(set(fields or {}) - known)
    if unknown:
        raise Invalid(dict.fromkeys(unknown, _("“%(move)s” takes no such field.") % {"move": move}))
    made: Change = verb(change, actor=actor, version=version, **dict(fields or {}))
    return made


@transaction.atomic
def request_approval(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Ask for the assessment of a normal change: New → Assess. What is decided on is frozen from now on."""
    return _ask(change, "request_approval", actor, version)


@transaction.atomic
def request_authorisation(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Ask for the authorisation of an emergency: New → Authorise."""
    return _ask(change, "request_authorisation", actor, version)


def _ask(change: Change, name: str, actor: Actor, version: int | None) -> Change:
    move = MOVES[name]
    locked, _values = begin_move(change, move, actor=actor, fields={}, version=version)
    now = instant_of(actor)
    check_gates(locked, name, now)
    reassess_locked(locked, actor=actor, at=now)  # time has passed since the last edit: it begins sooner now
    write(
        locked,
        f"change.{'assessment' if move.target == Status.ASSESS else 'authorisation'}_requested",
        actor=actor,
        changes={"status": move.target},
        log_changes=False,
        at=now,
    )
    ask_approval(locked, actor=actor, purpose="assess" if move.target == Status.ASSESS else "authorise")
    return fresh(locked)


@transaction.atomic
def schedule(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Schedule a standard change, which was approved with its template: New → Scheduled."""
    locked, _values = begin_move(change, MOVES["schedule"], actor=actor, fields={}, version=version)
    now = instant_of(actor)
    check_gates(locked, "schedule", now)
    reassess_locked(locked, actor=actor, at=now)
    write(locked, "change.scheduled", actor=actor, changes={"status": Status.SCHEDULED}, log_changes=False, at=now)
    return _as_change(locked)


@transaction.atomic
def assessed(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Take an assessed change on: Assess → Authorise, where the next approval is asked for. Only the system may."""
    return _as_if_approved(change, "assessed", actor, version)


@transaction.atomic
def authorised(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Take an authorised change on: Authorise → Scheduled. Only the system may."""
    return _as_if_approved(change, "authorised", actor, version)


@transaction.atomic
def authorised_afterwards(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Take an emergency on that was made before it was authorised: Authorise → Review. Only the system may."""
    return _as_if_approved(change, "authorised_afterwards", actor, version)


@transaction.atomic
def rejected(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Take a rejected change back to New. Only the system may."""
    locked, _values = begin_move(change, MOVES["rejected"], actor=actor, fields={}, version=version)
    withdraw_locked(locked, actor=actor, reason=_("Decided otherwise."))
    return rejected_locked(locked, actor=actor)


def _as_if_approved(change: Change, name: str, actor: Actor, version: int | None) -> Change:
    locked, _values = begin_move(change, MOVES[name], actor=actor, fields={}, version=version)
    withdraw_locked(locked, actor=actor, reason=_("Decided otherwise."))
    return approved_locked(locked, actor=actor)


def approved_locked(locked: Any, *, actor: Actor) -> Change:
    """Move a locked change on for which the approval of its state is given; `actor` gave the last word.

    Raises:
        IllegalMove: something stands against it, such as a freeze. Nothing is decided then.
    """
    if not locked.is_retroactive:
        check_gates(locked, "assessed" if locked.status == Status.ASSESS else "authorised", instant_of(actor))
    assessed_now = locked.status == Status.ASSESS
    if assessed_now:
        code, target = "change.assessed", Status.AUTHORISE
    else:
        afterwards = locked.is_retroactive
        code = "change.authorised_afterwards" if afterwards else "change.authorised"
        target = Status.REVIEW if afterwards else Status.SCHEDULED
    write(locked, code, actor=actor, changes={"status": target}, log_changes=False)
    if assessed_now:  # asked by the system: who assessed it need not have a right to ask; an import keeps its instant
        ask_approval(locked, actor=SYSTEM if actor.at is None else actor, purpose="authorise")
    return fresh(locked)


def rejected_locked(locked: Any, *, actor: Actor, reason: str = "") -> Change:
    """Take a locked change back to New because an approver said no, and why. One that has been made already was made
    without leave, and says so from now on."""
    changes: dict[str, Any] = {"status": Status.NEW}
    if locked.is_retroactive:
        changes["is_unauthorised"] = True
    data = {"from": locked.status, "reason": reason}
    write(locked, "change.rejected", actor=actor, changes=changes, data=data, log_changes=False)
    return _as_change(locked)


@transaction.atomic
def revert(change: Change, *, actor: Actor, reason: str = "", version: int | None = None) -> Change:
    """Take the change back to New, where it can be changed; what was approved counts no longer."""
    locked, values = begin_move(change, MOVES["revert"], actor=actor, fields={"reason": reason}, version=version)
    write(
        locked,
        "change.reverted",
        actor=actor,
        changes={"status": Status.NEW},
        data={"reason": values["reason"], "from": locked.status},
        log_changes=False,
    )
    withdraw_locked(locked, actor=actor, reason=values["reason"])
    return fresh(locked)


@transaction.atomic
def start(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Begin to make the change: Scheduled → Implement. Only while its window is open; stamps the actual start."""
    locked, _values = begin_move(change, MOVES["start"], actor=actor, fields={}, version=version)
    now = instant_of(actor)
    check_gates(locked, "start", now)
    changes: dict[str, Any] = {"status": Status.IMPLEMENT, "actual_start": now, "actual_end": None}
    data: dict[str, Any] = {}
    if locked.assignee is None and actor.user is not None and actor.at is None:
        changes["assignee"] = actor.user
        data["changes"] = {"assignee": [None, {"user": actor.user.pk}]}
    write(locked, "change.started", actor=actor, changes=changes, data=data, log_changes=False, at=now)
    make_tasks(locked, actor=actor)
    return fresh(locked)


@transaction.atomic
def finish(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Say that the change has been made: Implement → Review; stamps the actual end. Generated tasks that are still
    open are cancelled."""
    locked, _values = begin_move(change, MOVES["finish"], actor=actor, fields={}, version=version)
    now = instant_of(actor)
    check_gates(locked, "finish", now)
    write(
        locked,
        "change.finished",
        actor=actor,
        changes={"status": Status.REVIEW, "actual_end": now},
        log_changes=False,
        at=now,
    )
    end_open_tasks(locked, outcome=TaskStatus.CANCELLED, actor=actor, only_generated=True)
    return fresh(locked)


@transaction.atomic
def close(
    change: Change,
    *,
    actor: Actor,
    close_code: str = "",
    close_notes: str = "",
    review_notes: str = "",
    version: int | None = None,
) -> Change:
    """Close with a code and what came of it: Review → Closed. A failed change and an emergency need a review (CH-12).

    It is final.
    """
    fields = {"close_code": close_code, "close_notes": close_notes, "review_notes": review_notes}
    locked, values = begin_move(change, MOVES["close"], actor=actor, fields=fields, version=version)
    now = instant_of(actor)
    check_gates(locked, "close", now)
    review = values["review_notes"] or locked.review_notes
    if not review and (locked.needs_review or values["close_code"] == CloseCode.UNSUCCESSFUL):
        raise Invalid(
            {"review_notes": _("Write the review: it is needed for an emergency and for a change that failed.")}
        )
    reviewer = actor.user if values["review_notes"] else locked.reviewed_by
    write(
        locked,
        "change.closed",
        actor=actor,
        changes={
            "status": Status.CLOSED,
            "resolved_at": now,
            "closed_at": now,
            "close_code": values["close_code"],
            "close_notes": values["close_notes"],
            "review_notes": review,
            "reviewed_by": reviewer,
        },
        data={"close_code": values["close_code"]},
        log_changes=False,
        at=now,
    )
    count_run(locked, actor=actor)
    return _as_change(locked)


@transaction.atomic
def hold(change: Change, *, actor: Actor, reason: str = "", version: int | None = None) -> Change:
    """Put on hold: approvals are parked, open tasks held; the state stays, and only resume and cancel are possible."""
    locked, values = begin_move(change, MOVES["hold"], actor=actor, fields={"reason": reason}, version=version)
    write(
        locked,
        "change.held",
        actor=actor,
        changes={"is_on_hold": True, "hold_reason": values["reason"]},
        data={"is_on_hold": True, "hold_reason": values["reason"]},
        log_changes=False,
    )
    hold_tasks(locked, actor=actor)
    park(locked, actor=actor)
    return fresh(locked)


@transaction.atomic
def resume(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Go on where the change was put on hold; approvals and tasks come back."""
    locked, _values = begin_move(change, MOVES["resume"], actor=actor, fields={}, version=version)
    write(
        locked,
        "change.resumed",
        actor=actor,
        changes={"is_on_hold": False, "hold_reason": ""},
        data={"is_on_hold": False, "hold_reason": ""},
        log_changes=False,
    )
    resume_tasks(locked, actor=actor)
    unpark(locked, actor=actor)
    return fresh(locked)


@transaction.atomic
def cancel(change: Change, *, actor: Actor, reason: str = "", version: int | None = None) -> Change:
    """Cancel with a reason, at any state before the review. Approvals are withdrawn, tasks end. It is final."""
    locked, values = begin_move(change, MOVES["cancel"], actor=actor, fields={"reason": reason}, version=version)
    now = instant_of(actor)
    write(
        locked,
        "change.cancelled",
        actor=actor,
        changes={
            "status": Status.CANCELLED,
            "is_on_hold": False,
            "hold_reason": "",
            "closed_at": now,
            "cancel_reason": values["reason"],
        },
        data={"reason": values["reason"], "is_on_hold": False, "hold_reason": ""},
        log_changes=False,
        at=now,
    )
    end_open_tasks(locked, outcome=TaskStatus.CANCELLED, actor=actor, reason=values["reason"])
    return fresh(locked)


def fresh(locked: Any) -> Change:
    """Return the change as it is after others have locked and written it in the same transaction."""
    found: Change = lock(locked)
    return found


def _as_change(locked: Any) -> Change:
    found: Change = locked
    return found


_VERBS: dict[str, Any] = {
    "request_approval": request_approval,
    "request_authorisation": request_authorisation,
    "schedule": schedule,
    "assessed": assessed,
    "authorised": authorised,
    "authorised_afterwards": authorised_afterwards,
    "rejected": rejected,
    "revert": revert,
    "start": start,
    "finish": finish,
    "close": close,
    "hold": hold,
    "resume": resume,
    "cancel": cancel,
}
