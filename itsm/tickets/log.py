"""Writing the event log: one immutable row for each verb, chained by hash, handed to the outbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models
from django.db.models.functions import Now

from itsm.accounts.models import User
from itsm.tickets import hooks
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.events import event_type
from itsm.tickets.models import OutboxEntry, TicketEvent

# Rows go over as one JSON text: arrays of so many columns cost the driver several times as much.
HEADS = """
UPDATE tickets_ticket t
   SET updated_at = GREATEST(t.updated_at, u.updated_at), event_seq = u.seq, event_hash = u.hash
  FROM json_to_recordset(%s) AS u (id bigint, updated_at timestamptz, seq int, hash text)
 WHERE t.id = u.id
"""
EVENTS = """
INSERT INTO tickets_ticketevent (ticket_id, seq, code, actor_id, channel, internal, data, at, recorded_at, prev_hash,
                                 hash)
SELECT u.ticket_id, u.seq, u.code, u.actor_id, u.channel, u.internal, u.data, u.at, statement_timestamp(), u.prev_hash,
       u.hash
  FROM json_to_recordset(%s)
       AS u (ticket_id bigint, seq int, code text, actor_id bigint, channel text, internal bool, data jsonb,
             at timestamptz, prev_hash text, hash text)
RETURNING id, ticket_id, seq, recorded_at
"""
OUTBOX = """
INSERT INTO tickets_outboxentry (event_id, consumer, attempts, next_attempt_at, last_error)
SELECT u.event_id, u.consumer, 0, statement_timestamp(), ''
  FROM json_to_recordset(%s) AS u (event_id bigint, consumer text)
"""
EVENT_COLUMNS = ("ticket_id", "seq", "code", "actor_id", "channel", "internal", "data", "at", "prev_hash", "hash")


@dataclass(frozen=True)
class Entry:
    """An event about a locked ticket that changes none of its fields: what the system notes by itself."""

    ticket: Any
    code: str
    actor: Actor
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)


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
    # When it is due is told by the database's clock, like everything else: the machine's may be wrong.
    waiting = [OutboxEntry(event=event, consumer=name, next_attempt_at=Now()) for name in hooks.consumers_for(code)]
    if waiting and actor.at is None:  # of what an import brings nobody is told
        OutboxEntry.objects.bulk_create(waiting)
    hooks.notify_listeners(hooks.Change(ticket=ticket, event=event, actor=actor, before=before, comment=comment))
    return event


def write_many(entries: Sequence[Entry]) -> list[TicketEvent]:
    """Append the events, each table in one statement however many they are, and return them in the order given.

    The tickets must be locked in the current transaction, and entries about one ticket hold the same object. As with
    `write`, the listeners are called at the end, event by event; a ticket's version stays, since no field changes.
    """
    if not entries:
        return []
    events = []
    for entry in entries:
        entry.ticket.updated_at = max(entry.ticket.updated_at, entry.at)
        events.append(_append(entry.ticket, entry.code, actor=entry.actor, said=entry.data, at=entry.at))
    _store_heads(list({entry.ticket.pk: entry.ticket for entry in entries}.values()))
    _store_events(events)
    _fill_outbox([event for entry, event in zip(entries, events, strict=True) if entry.actor.at is None])
    for entry, event in zip(entries, events, strict=True):
        hooks.notify_listeners(hooks.Change(ticket=entry.ticket, event=event, actor=entry.actor, before={}))
    return events


def _store_heads(tickets: Sequence[Any]) -> None:
    rows = [
        {"id": one.pk, "updated_at": one.updated_at, "seq": one.event_seq, "hash": one.event_hash} for one in tickets
    ]
    with connection.cursor() as cursor:
        cursor.execute(HEADS, [as_rows(rows)])


def _store_events(events: Sequence[TicketEvent]) -> None:
    rows = [{name: getattr(event, name) for name in EVENT_COLUMNS} for event in events]
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, [as_rows(rows)])
        stored = {(ticket, seq): (pk, recorded_at) for pk, ticket, seq, recorded_at in cursor.fetchall()}
    for event in events:
        event.pk, event.recorded_at = stored[event.ticket_id, event.seq]
        event._state.adding = False


def _fill_outbox(events: Sequence[TicketEvent]) -> None:
    rows = [{"event_id": event.pk, "consumer": name} for event in events for name in hooks.consumers_for(event.code)]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(OUTBOX, [as_rows(rows)])


def as_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as the JSON text that a statement reads with `json_to_recordset`; instants in UTC."""
    return json.dumps(rows, default=_instant)


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat()


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
