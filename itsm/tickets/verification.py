"""Checking the event log: does every row still say what was written, and is none missing?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Max, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from itsm.tickets.log import event_digest
from itsm.tickets.models import Ticket, TicketEvent

CHUNK = 2000


@dataclass(frozen=True)
class Broken:
    """A place where the log does not hold: the ticket, the event's position and row id, and what is wrong."""

    number: str
    seq: int
    event_id: int | None
    reason: str

    def __str__(self) -> str:
        row = _("row %(id)d") % {"id": self.event_id} if self.event_id else _("no row")
        return f"{self.number} #{self.seq} ({row}): {self.reason}"


def broken_events(*, number: str | None = None) -> Iterator[Broken]:
    """Yield every place where a chain is broken, ticket by ticket; reads each event once, in constant memory.

    Found are rows whose content, order or place in the chain was changed, rows put in, rows taken out (from the middle
    or the end), and heads on the ticket row that do not match. Whoever can rewrite every later hash *and* the ticket's
    head leaves no trace here; an anchor outside the database is needed against that.
    """
    events = TicketEvent.objects.select_related(None).order_by("ticket_id", "seq", "pk")
    if number is not None:
        events = events.filter(ticket__number=number)
    rows = events.annotate(public_id=F("ticket__public_id"), number=F("ticket__number")).values(
        "pk", "ticket_id", "seq", "code", "actor_id", "channel", "internal", "data", "at", "prev_hash", "hash",
        "public_id", "number",
    )  # fmt: skip
    ticket_id, seq, head = None, 0, ""
    for row in rows.iterator(chunk_size=CHUNK):
        if row["ticket_id"] != ticket_id:
            ticket_id, seq, head = row["ticket_id"], 0, ""
        yield from _check_row(row, seq, head)
        seq, head = row["seq"], row["hash"]
    yield from _check_heads(number)


def _check_row(row: Mapping[str, Any], seq: int, head: str) -> Iterator[Broken]:
    place = (row["number"], row["seq"], row["pk"])
    if row["seq"] != seq + 1:
        yield Broken(*place, _("expected event %(seq)d here: an event is missing or was put in") % {"seq": seq + 1})
    elif row["prev_hash"] != head:
        yield Broken(*place, _("does not follow the event before it"))
    digest = event_digest(
        ticket_public_id=row["public_id"],
        seq=row["seq"],
        code=row["code"],
        actor_id=row["actor_id"],
        channel=row["channel"],
        internal=row["internal"],
        data=row["data"],
        at=row["at"],
        prev_hash=row["prev_hash"],
    )
    if digest != row["hash"]:
        yield Broken(*place, _("was changed after it was written"))


def _check_heads(number: str | None) -> Iterator[Broken]:
    last = TicketEvent.objects.filter(ticket=OuterRef("pk")).order_by("-seq")
    tickets = (
        Ticket.objects.annotate(
            last_seq=Max("events__seq"),
            last_hash=Subquery(last.values("hash")[:1]),
            rows=Count("events"),
        )
        .filter(~Q(last_seq=F("event_seq")) | ~Q(last_hash=F("event_hash")) | Q(last_seq__isnull=True))
        .values_list("number", "event_seq", "last_seq")
    )
    if number is not None:
        tickets = tickets.filter(number=number)
    for found, expected, last_seq in tickets.iterator(chunk_size=CHUNK):
        if last_seq is None or last_seq < expected:
            reason = _("the log ends at event %(last)d; the ticket had %(all)d") % {
                "last": last_seq or 0,
                "all": expected,
            }
        else:
            reason = _("the last event is not the one that the ticket row names")
        yield Broken(found, expected, None, reason)
