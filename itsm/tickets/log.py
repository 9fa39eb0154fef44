"""Writing the event log: one immutable row for each verb, chained by hash, handed to the outbox."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models.functions import Now

from itsm.accounts.models import User
from itsm.tickets import hooks
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.events import event_type
from itsm.tickets.models import OutboxEntry, Ticket, TicketEvent

# Everything in one statement: each one more is planned anew. Columns go over as arrays in text, the data a line each:
# the driver, or JSON around it all, would take several times as long. `updated_at` stays: no index has to learn of it.
NOTE = """
WITH said AS (
    SELECT u.ticket_id, u.seq, k.code[u.kind] AS code, k.actor_id[u.kind] AS actor_id, k.channel[u.kind] AS channel,
           k.internal[u.kind] AS internal, k.quiet[u.kind] AS quiet, u.data::jsonb AS data, u.at, u.prev_hash, u.hash
      FROM (SELECT %s::text[] AS code, %s::bigint[] AS actor_id, %s::text[] AS channel, %s::bool[] AS internal,
                   %s::bool[] AS quiet) k,
           unnest(%s::bigint[], %s::int[], %s::int[], %s::timestamptz[], %s::text[], %s::text[],
                  string_to_array(%s, E'\n')) AS u (ticket_id, seq, kind, at, prev_hash, hash, data)
), heads AS (
    UPDATE tickets_ticket t
       SET event_seq = h.seq, event_hash = h.hash
      FROM (SELECT DISTINCT ON (ticket_id) ticket_id, seq, hash FROM said ORDER BY ticket_id, seq DESC) h
     WHERE t.id = h.ticket_id
), stored AS (
    INSERT INTO tickets_ticketevent (ticket_id, seq, code, actor_id, channel, internal, data, at, recorded_at,
                                     prev_hash, hash)
    SELECT ticket_id, seq, code, actor_id, channel, internal, data, at, statement_timestamp(), prev_hash, hash
      FROM said
    RETURNING id, ticket_id, seq, code, recorded_at
), waiting AS (
    INSERT INTO tickets_outboxentry (event_id, consumer, attempts, next_attempt_at, last_error)
    SELECT e.id, c.consumer, 0, statement_timestamp(), ''
      FROM stored e
      JOIN said u ON u.ticket_id = e.ticket_id AND u.seq = e.seq AND NOT u.quiet
      JOIN unnest(%s::text[], %s::text[]) AS c (code, consumer) ON c.code = e.code
     ORDER BY e.id
)
SELECT id, ticket_id, seq, recorded_at FROM stored WHERE %s
"""
encode_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


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
    said = encode_json([code, actor_id, str(channel), internal])[1:-1]
    return _digest(prev_hash, ticket_public_id, seq, said, encode_json(data), _microseconds(at))


def _digest(prev_hash: str, public_id: str, seq: int, said: str, data: str, at: str) -> str:
    """Hash the values as one JSON list without spaces, keys in order. `said` (code, actor, channel, internal) and
    `data` are JSON text already."""
    return hashlib.sha256(f'["{prev_hash}",{encode_json(public_id)},{seq},{said},{data},"{at}"]'.encode()).hexdigest()


def _microseconds(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


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


def write_many(entries: Sequence[Entry]) -> None:
    """Append the events in one statement, however many they are.

    The tickets must be locked in the current transaction, and entries about one ticket hold the same object, of which
    only the key, the public id and the head of the chain are needed. As with `write`, listeners are called at the end,
    event by event. No field of a ticket changes, so its version stays, and so does `updated_at`: a list in that order
    would tell its reader of what only the desk may know.
    """
    if not entries:
        return
    kinds = list(dict.fromkeys((entry.code, entry.actor) for entry in entries))
    noted = _noted(entries, kinds)
    codes = {code for code, _actor in kinds}
    waiting = [(code, name) for code in codes for name in hooks.consumers_for(code)]
    heard = {code for code in codes if hooks.is_heard(code)}
    with connection.cursor() as cursor:
        values: list[Any] = [
            *_kind_columns(kinds),
            *_columns(noted),
            [one for one, _name in waiting],
            [one for _code, one in waiting],
        ]
        cursor.execute(NOTE, [*values, bool(heard)])
        stored = {(ticket, seq): (pk, recorded_at) for pk, ticket, seq, recorded_at in cursor.fetchall()}
    told = [one for one in noted if one.entry.code in heard]
    facts = {one.entry.ticket.pk for one in told if not isinstance(one.entry.ticket, Ticket)}
    whole = Ticket.objects.in_bulk(facts)  # a listener may ask a ticket for anything
    for one in told:
        ticket = whole.get(one.entry.ticket.pk, one.entry.ticket)
        event = one.event(*stored[ticket.pk, one.seq])
        hooks.notify_listeners(hooks.Change(ticket=ticket, event=event, actor=one.entry.actor, before={}))


class _Noted(NamedTuple):
    """An entry with its place in the chain; `kind` numbers its code and actor from 1, `data` and `at` are text."""

    entry: Entry
    seq: int
    kind: int
    at: str
    prev_hash: str
    hash: str
    data: str

    def event(self, pk: int, recorded_at: datetime) -> TicketEvent:
        """Return the event as it was stored."""
        entry = self.entry
        event = TicketEvent(
            pk=pk,
            ticket_id=entry.ticket.pk,
            seq=self.seq,
            code=entry.code,
            actor=entry.actor.user,
            channel=entry.actor.channel,
            internal=event_type(entry.code).internal,
            data=entry.data,
            at=entry.at,
            recorded_at=recorded_at,
            prev_hash=self.prev_hash,
            hash=self.hash,
        )
        event._state.adding = False
        return event


def _noted(entries: Sequence[Entry], kinds: Sequence[tuple[str, Actor]]) -> list[_Noted]:
    """Put the events at the ends of their tickets' chains. In a storm of steps this is much of the work: what they
    share is put into words once, and each one's data once for its row and its hash."""
    words = {kind: (number, _said(*kind)) for number, kind in enumerate(kinds, 1)}
    found = []
    for entry in entries:
        ticket, (kind, said) = entry.ticket, words[entry.code, entry.actor]
        seq, before = ticket.event_seq + 1, ticket.event_hash
        data, at = encode_json(entry.data), _microseconds(entry.at)
        digest = _digest(before, ticket.public_id, seq, said, data, at)
        ticket.event_seq, ticket.event_hash = seq, digest
        found.append(_Noted(entry, seq, kind, at, before, digest, data))
    return found


def _said(code: str, actor: Actor) -> str:
    values = [code, actor.user.pk if actor.user else None, str(actor.channel), event_type(code).internal]
    return encode_json(values)[1:-1]


def _kind_columns(kinds: Sequence[tuple[str, Actor]]) -> list[list[Any]]:
    return [
        [code for code, _actor in kinds],
        [actor.user.pk if actor.user else None for _code, actor in kinds],
        [str(actor.channel) for _code, actor in kinds],
        [event_type(code).internal for code, _actor in kinds],
        [actor.at is not None for _code, actor in kinds],  # of what an import brings nobody is told
    ]


def _columns(noted: Sequence[_Noted]) -> list[str]:
    """Return the columns in which events of a kind differ. None of them has a quote, a comma or a line end in it, but
    the data, whose line ends are encoded."""
    columns = [[str(one.entry.ticket.pk) for one in noted]]
    columns += [[f'"{one[place]}"' for one in noted] for place in range(1, 6)]
    return [*(f"{{{','.join(column)}}}" for column in columns), "\n".join(one.data for one in noted)]


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
