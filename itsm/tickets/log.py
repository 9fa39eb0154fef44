"""Writing the event log: one immutable row for each verb, chained by hash, handed to the outbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import models

from itsm.accounts.models import User
from itsm.tickets import hooks
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.events import event_type
from itsm.tickets.models import OutboxEntry, TicketEvent


def event_digest(
    *,
    ticket_public_id: str,
    seq: int,
    code: str,
    actor_id: int | None,
    channel: str,
    internal: bool,
    data: Mapping[str, Any],
    at: datetime,
    prev_hash: str,
) -> str:
    """Return the SHA-256 over everything that an event says and the hash before it, as 64 hexadecimal digits."""
    said = [
        prev_hash,
        ticket_public_id,
        seq,
        code,
        actor_id,
        str(channel),
        internal,
        data,
        at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain_value(value: Any) -> Any:
    """Return a field's value as the log stores it: people by id only (a name is personal data), other things with
    the label they had."""
    if isinstance(value, User):
        return {"user": value.pk}
    if isinstance(value, models.Model):
        return {"id": value.pk, "label": str(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value


def write(
    ticket: Any,
    code: str,
    *,
    actor: Actor,
    changes: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    log_changes: bool = True,
    bump: bool = True,
    at: datetime | None = None,
    comment: Any = None,
) -> TicketEvent:
    """Set the fields, save just those, append the event, fill the outbox, call the listeners; return the event.

    The ticket must be locked (or new) in the current transaction. `bump` says whether somebody who saw the former
    version has to look again before writing; what the system notes by itself does not. `changes` go into the event's
    data unless `log_changes` is false (a status is said by the code). Side effects in order: ticket row, event row,
    outbox rows, listeners.
    """
    changes = changes or {}
    before = {name: getattr(ticket, name) for name in changes}
    instant = at if at is not None else instant_of(actor)
    said = dict(data or {})
    if changes and log_changes:
        said["changes"] = {
            name: [plain_value(before[name]), plain_value(value)]
            for name, value in changes.items()
            if before[name] != value
        }
    for name, value in changes.items():
        setattr(ticket, name, value)
    if bump and ticket.event_seq:
        ticket.version += 1
    ticket.updated_at = max(ticket.updated_at, instant)
    event = _append(ticket, code, actor=actor, said=said, at=instant)
    is_new = ticket.pk is None
    if is_new:  # the row goes in with the head of its chain, in one statement
        ticket.save(force_insert=True)
        event.ticket_id = ticket.pk
    else:
        ticket.save(update_fields=[*changes, "version", "updated_at", "event_seq", "event_hash"])
    event.save(force_insert=True)
    waiting = [OutboxEntry(event=event, consumer=name) for name in hooks.consumers_for(code)]
    if waiting and not (actor.at is not None):
        OutboxEntry.objects.bulk_create(waiting)
    hooks.notify_listeners(hooks.Change(ticket=ticket, event=event, actor=actor, before=before, comment=comment))
    return event


def _append(ticket: Any, code: str, *, actor: Actor, said: dict[str, Any], at: datetime) -> TicketEvent:
    kind = event_type(code)
    seq = ticket.event_seq + 1
    actor_id = actor.user.pk if actor.user else None
    digest = event_digest(
        ticket_public_id=ticket.public_id,
        seq=seq,
        code=code,
        actor_id=actor_id,
        channel=actor.channel,
        internal=kind.internal,
        data=said,
        at=at,
        prev_hash=ticket.event_hash,
    )
    event = TicketEvent(
        ticket_id=ticket.pk,
        seq=seq,
        code=code,
        actor=actor.user,
        channel=actor.channel,
        internal=kind.internal,
        data=said,
        at=at,
        prev_hash=ticket.event_hash,
        hash=digest,
    )
    ticket.event_seq = seq
    ticket.event_hash = digest
    return event
