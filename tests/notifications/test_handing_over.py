"""Handing events over: what it costs for each, and that what was read together is still claimed one by one."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.notifications.models import Mail
from itsm.tickets import outbox
from itsm.tickets.actors import SYSTEM
from itsm.tickets.log import Entry, write_many
from itsm.tickets.models import OutboxEntry, TicketEvent
from tests.cast import Cast, as_

MOST_QUERIES = 13  # four of them savepoints, which are a transaction's begin and end outside of tests


def breached(cast: Cast, count: int) -> list[Incident]:
    """Let so many tickets have an event that tells Anna, and nothing else wait in the outbox."""
    made = [open_incident(actor=as_(cast.rita), title=f"Case {n}", description="") for n in range(count)]
    OutboxEntry.objects.all().delete()
    data = {"metric": "resolution", "policy": "P", "percent": 100, "target_s": 60, "due_at": None}
    notify = {"users": [cast.anna.pk], "team": None, "role": "assignee"}
    write_many([Entry(one, "sla.breached", SYSTEM, one.opened_at, {**data, "notify": notify}) for one in made])
    return made


def test_events_are_read_together_with_what_is_around_their_tickets(cast: Cast) -> None:
    breached(cast, 1)
    outbox.dispatch()
    breached(cast, 20)
    with CaptureQueriesContext(connection) as done:
        assert outbox.dispatch() == 20
    reading = [
        one for one in done.captured_queries if 'FROM "tickets_outboxentry"' in one["sql"] and "JOIN" in one["sql"]
    ]
    assert len(reading) == 2, "one look for the twenty, one that finds no more"
    assert len(done.captured_queries) <= 20 * MOST_QUERIES + 10
    assert Mail.objects.filter(kind="sla_breached").count() == 21
    assert not OutboxEntry.objects.exists()


def test_what_somebody_else_has_handed_over_since_it_was_read_is_left_alone(cast: Cast, monkeypatch: Any) -> None:
    breached(cast, 3)
    told: list[int] = []

    def consumer(event: TicketEvent) -> None:
        told.append(event.pk)
        # Another worker does the last one, and puts the second one back, while this one is at the first.
        OutboxEntry.objects.filter(event_id=events[2]).delete()
        OutboxEntry.objects.filter(event_id=events[1]).update(parked_at=event.at)

    events = list(OutboxEntry.objects.order_by("pk").values_list("event_id", flat=True))
    monkeypatch.setattr(outbox, "consumer_named", lambda _name: consumer)
    assert outbox.dispatch() == 1
    assert told == events[:1]
    assert outbox.waiting_and_parked() == (0, 1)
