"""The moves of an incident, one function each; the table in `incidents.statuses` says when each is legal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.passing import SHARED_REASONS, is_fulfiller, pass_on
from incidents.models import Incident
from incidents.statuses import MOVES, Status
from itsm.accounts.models import User
from itsm.tickets.actions import begin_move
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.models import Comment, Visibility

Fields = Mapping[str, Any]


def perform(
    incident: Any, move: str, *, actor: Actor, fields: Fields | None = None, version: int | None = None
) -> Incident:
    """Make the named move with its fields and return the incident.

    Raises:
        Invalid: there is no such move, or its fields do not fit. IllegalMove, Refused, Stale.
    """
    verb = _VERBS.get(move)
    if verb is None:
        raise Invalid({"move": _("There is no such move. Choose one of: %(moves)s.") % {"moves": ", ".join(_VERBS)}})
    return verb(incident, actor=actor, version=version, **_named(move, fields or {}))


def _named(move: str, fields: Fields) -> dict[str, Any]:
    known = {field.name for field in MOVES[move].fields}
    unknown = sorted(set(fields) - known)
    if unknown:
        text = _("“%(move)s” takes no such field.") % {"move": move}
        raise Invalid(dict.fromkeys(unknown, text))
    return dict(fields)


@transaction.atomic
def start(incident: Incident, *, actor: Actor, version: int | None = None) -> Incident:
    """Begin work: New → In progress. An incident without a person becomes the actor's own."""
    locked, _values = begin_move(incident, MOVES["start"], actor=actor, fields={}, version=version)
    changes: dict[str, Any] = {"status": Status.IN_PROGRESS}
    data: dict[str, Any] = {}
    if locked.assignee is None and actor.user is not None and actor.at is None:
        changes["assignee"] = actor.user
        data["changes"] = {"assignee": [None, {"user": actor.user.pk}]}
    event = write(locked, "incident.started", actor=actor, changes=changes, data=data, log_changes=False)
    pass_on(locked, "incident.start", actor=actor, event=event)
    return _as_incident(locked)


@transaction.atomic
def hold(
    incident: Incident, *, actor: Actor, hold_reason: str = "", comment: str = "", version: int | None = None
) -> Incident:
    """Put on hold for a reason; waiting for the requester needs a message to them (feature INC-3)."""
    fields = {"hold_reason": hold_reason, "comment": comment}
    locked, values = begin_move(incident, MOVES["hold"], actor=actor, fields=fields, version=version)
    now = instant_of(actor)
    said = say(locked, values["comment"], actor=actor, at=now)
    event = write(
        locked,
        "incident.held",
        actor=actor,
        changes={"status": Status.ON_HOLD, "hold_reason": values["hold_reason"]},
        data={"hold_reason": values["hold_reason"], **_comment_id(said)},
        log_changes=False,
        at=now,
        comment=said,
    )
    if values["hold_reason"] in SHARED_REASONS:
        pass_on(locked, "incident.hold", actor=actor, event=event, data={"hold_reason": values["hold_reason"]})
    return _as_incident(locked)


@transaction.atomic
def resume(incident: Incident, *, actor: Actor, version: int | None = None) -> Incident:
    """Go on with work: On hold → In progress."""
    locked, _values = begin_move(incident, MOVES["resume"], actor=actor, fields={}, version=version)
    resume_locked(locked, actor=actor)
    return _as_incident(locked)


def resume_locked(locked: Incident, *, actor: Actor, because: str = "") -> None:
    """Resume a locked incident that is on hold; `because="reply"` when the requester's answer did it."""
    reason = locked.hold_reason
    event = write(
        locked,
        "incident.resumed",
        actor=actor,
        changes={"status": Status.IN_PROGRESS, "hold_reason": ""},
        data={"because": because} if because else {},
        log_changes=False,
    )
    if reason in SHARED_REASONS:
        pass_on(locked, "incident.resume", actor=actor, event=event, data={"hold_reason": reason})


@transaction.atomic
def resolve(
    incident: Incident,
    *,
    actor: Actor,
    resolution_code: str = "",
    resolution_notes: str = "",
    resolved_by: User | None = None,
    version: int | None = None,
) -> Incident:
    """Resolve with a code and what was done; the requester is asked to confirm (feature INC-4).

    An import names who resolved it then (`resolved_by`); else it is the actor.
    """
    if resolved_by is not None and actor.at is None:
        raise Refused(_("Only importers may say who resolved an incident."))
    fields = {"resolution_code": resolution_code, "resolution_notes": resolution_notes}
    locked, values = begin_move(incident, MOVES["resolve"], actor=actor, fields=fields, version=version)
    resolve_locked(locked, values, actor=actor, resolved_by=resolved_by)
    return _as_incident(locked)


def resolve_locked(
    locked: Incident,
    values: Mapping[str, str],
    *,
    actor: Actor,
    resolved_by: User | None = None,
    because: str = "",
) -> None:
    """Resolve a locked incident with checked values; `because="parent"` when the resolution of its parent did it."""
    now = instant_of(actor)
    event = write(
        locked,
        "incident.resolved",
        actor=actor,
        changes={
            "status": Status.RESOLVED,
            "hold_reason": "",
            "resolved_at": now,
            "resolved_by": resolved_by or actor.user,
            **values,
        },
        data={"resolution_code": values["resolution_code"], **({"because": because} if because else {})},
        log_changes=False,
        at=now,
    )
    pass_on(locked, "incident.resolve", actor=actor, event=event, data=values)


@transaction.atomic
def reopen(incident: Incident, *, actor: Actor, comment: str = "", version: int | None = None) -> Incident:
    """Take up a resolved incident again, saying what is still wrong; counts the reopening (feature INC-5)."""
    locked, values = begin_move(incident, MOVES["reopen"], actor=actor, fields={"comment": comment}, version=version)
    reopen_locked(locked, values["comment"], actor=actor)
    return _as_incident(locked)


def reopen_locked(locked: Incident, comment: str, *, actor: Actor, because: str = "") -> None:
    """Reopen a locked incident; `because="parent"` when the desk reopened its parent."""
    now = instant_of(actor)
    said = say(locked, comment, actor=actor, at=now)
    event = write(
        locked,
        "incident.reopened",
        actor=actor,
        changes={
            "status": Status.IN_PROGRESS,
            "resolved_at": None,
            "resolved_by": None,
            "resolution_code": "",
            "resolution_notes": "",
            "reopen_count": locked.reopen_count + 1,
            "reopened_at": now,
            "reopened_by": actor.user,
        },
        data={
            "resolved_at": locked.resolved_at.isoformat() if locked.resolved_at else None,
            "resolution_code": locked.resolution_code,
            "resolution_notes": locked.resolution_notes,
            **_comment_id(said),
            **({"because": because} if because else {}),
        },
        log_changes=False,
        at=now,
        comment=said,
    )
    if is_fulfiller(actor, locked):
        pass_on(locked, "incident.reopen", actor=actor, event=event, data={"comment": comment})


@transaction.atomic
def close(incident: Incident, *, actor: Actor, version: int | None = None) -> Incident:
    """Close a resolved incident, by confirmation or (the system) by time. It is final."""
    locked, _values = begin_move(incident, MOVES["close"], actor=actor, fields={}, version=version)
    now = instant_of(actor)
    write(
        locked,
        "incident.closed",
        actor=actor,
        changes={"status": Status.CLOSED, "closed_at": now},
        data=_why_closed(locked, actor),
        log_changes=False,
        at=now,
    )
    return _as_incident(locked)


@transaction.atomic
def cancel(incident: Incident, *, actor: Actor, reason: str = "", version: int | None = None) -> Incident:
    """Cancel with a reason: what was reported is not needed any more. It is final."""
    locked, values = begin_move(incident, MOVES["cancel"], actor=actor, fields={"reason": reason}, version=version)
    now = instant_of(actor)
    write(
        locked,
        "incident.cancelled",
        actor=actor,
        changes={
            "status": Status.CANCELLED,
            "hold_reason": "",
            "closed_at": now,
            "cancel_reason": values["reason"],
        },
        data={"reason": values["reason"]},
        log_changes=False,
        at=now,
    )
    return _as_incident(locked)


def _why_closed(incident: Incident, actor: Actor) -> dict[str, str]:
    if not actor.is_system:
        return {}
    return {"because": "time" if incident.merged_into_id is None else "merged"}


def _as_incident(locked: Any) -> Incident:
    incident: Incident = locked
    return incident


def say(locked: Incident, text: str, *, actor: Actor, at: datetime) -> Comment | None:
    """Write the public message that goes with a move and return it; None where nothing is said. Writes no event."""
    if not text:
        return None
    return Comment.objects.create(
        ticket_id=locked.pk,
        author=actor.user,
        visibility=Visibility.PUBLIC,
        body=text,
        channel=actor.channel,
        created_at=at,
    )


def _comment_id(said: Comment | None) -> dict[str, str]:
    return {"comment": said.public_id} if said is not None else {}


_VERBS: dict[str, Any] = {
    "start": start,
    "hold": hold,
    "resume": resume,
    "resolve": resolve,
    "reopen": reopen,
    "close": close,
    "cancel": cancel,
}
