"""The event log: what a verb leaves behind, what the database refuses, what verification finds."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError, ProgrammingError

from incidents.actions import open_incident, resolve, start
from itsm.tickets.actions import comment, link, update
from itsm.tickets.actors import SYSTEM, Actor, Channel
from itsm.tickets.errors import Refused
from itsm.tickets.hooks import Change, consume, listen
from itsm.tickets.log import Entry, event_digest, write_many
from itsm.tickets.models import OutboxEntry, Ticket, TicketEvent
from itsm.tickets.verification import broken_events
from tests.cast import Cast, as_


def tamper(sql: str, *values: object) -> None:
    """Change rows as a database superuser can: with triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET session_replication_role = DEFAULT")


def worked_incident(cast: Cast) -> Ticket:
    """Return an incident with five events."""
    incident = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="VPN drops", impact=2, urgency=2)
    start(incident, actor=as_(cast.anna))
    comment(incident, "Which office? 🏢", actor=as_(cast.anna))
    update(incident, {"impact": 1}, actor=as_(cast.anna))
    return resolve(incident, actor=as_(cast.anna), resolution_code="user_error", resolution_notes="Wi-Fi was off.")


def test_each_verb_writes_one_event_with_its_values(cast: Cast) -> None:
    incident = worked_incident(cast)
    events = list(incident.events.all())
    assert [event.code for event in events] == [
        "incident.opened",
        "incident.started",
        "ticket.commented",
        "ticket.updated",
        "incident.resolved",
    ]
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert events[0].actor == cast.rita
    assert events[0].channel == Channel.PORTAL
    assert events[3].data["changes"] == {"impact": [2, 1], "priority": [3, 2]}
    assert incident.event_seq == 5
    assert incident.event_hash == events[-1].hash
    assert incident.version == 5


def test_the_log_holds_no_names_of_people(cast: Cast) -> None:
    incident = worked_incident(cast)
    said = json.dumps([event.data for event in incident.events.all()])
    assert "Anna" not in said
    assert "Rita" not in said


@pytest.mark.parametrize(
    "sql",
    ["UPDATE tickets_ticketevent SET code = 'x'", "DELETE FROM tickets_ticketevent"],
)
def test_the_database_refuses_to_change_the_log(cast: Cast, sql: str) -> None:
    worked_incident(cast)
    with pytest.raises((ProgrammingError, DatabaseError), match="append-only"), transaction.atomic():
        connection.cursor().execute(sql)
    assert TicketEvent.objects.count() == 5


def test_the_database_refuses_to_empty_the_log(cast: Cast) -> None:
    worked_incident(cast)
    with transaction.atomic(), connection.cursor() as cursor:
        # Deferred constraint checks would otherwise be pending when the trigger is switched.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE tickets_ticketevent ENABLE TRIGGER ticketevent_no_truncate")
        with pytest.raises((ProgrammingError, DatabaseError), match="append-only"), transaction.atomic():
            cursor.execute("TRUNCATE tickets_ticketevent CASCADE")
        cursor.execute("ALTER TABLE tickets_ticketevent DISABLE TRIGGER ticketevent_no_truncate")


def test_an_untouched_log_is_whole(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    worked_incident(cast)
    assert list(broken_events()) == []
    call_command("verify_events")
    assert "whole: 5 events" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("UPDATE tickets_ticketevent SET code = 'ticket.noted' WHERE seq = 2", 2),
        ("""UPDATE tickets_ticketevent SET data = '{"changes": {}}' WHERE seq = 4""", 4),
        ("UPDATE tickets_ticketevent SET at = at - interval '1 minute' WHERE seq = 3", 3),
        ("UPDATE tickets_ticketevent SET actor_id = NULL WHERE seq = 2", 2),
        ("UPDATE tickets_ticketevent SET internal = true WHERE seq = 2", 2),
        ("DELETE FROM tickets_ticketevent WHERE seq = 2", 3),
        ("DELETE FROM tickets_ticketevent WHERE seq = 5", 5),
        ("UPDATE tickets_ticketevent SET seq = 6 WHERE seq = 5", 6),
        ("UPDATE tickets_ticket SET event_hash = repeat('0', 64)", 5),
    ],
)
def test_tampering_is_found_and_the_row_named(cast: Cast, sql: str, seq: int) -> None:
    incident = worked_incident(cast)
    tamper("DELETE FROM tickets_outboxentry")
    tamper(sql)
    found = list(broken_events())
    assert (found[0].number, found[0].seq) == (incident.number, seq)
    with pytest.raises(SystemExit) as stopped:
        call_command("verify_events")
    assert stopped.value.code == 1


def test_two_rows_that_changed_places_are_found(cast: Cast) -> None:
    worked_incident(cast)
    tamper("UPDATE tickets_ticketevent SET seq = 9 WHERE seq = 2")
    tamper("UPDATE tickets_ticketevent SET seq = 2 WHERE seq = 3")
    tamper("UPDATE tickets_ticketevent SET seq = 3 WHERE seq = 9")
    assert {place.seq for place in broken_events()} >= {2, 3}


def test_the_digest_depends_on_every_value() -> None:
    said = {
        "ticket_public_id": "a" * 32,
        "seq": 1,
        "code": "ticket.updated",
        "actor_id": 1,
        "channel": "api",
        "internal": False,
        "data": {"a": 1},
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "prev_hash": "",
    }
    others = {
        "ticket_public_id": "b" * 32,
        "seq": 2,
        "code": "ticket.noted",
        "actor_id": None,
        "channel": "desk",
        "internal": True,
        "data": {"a": "1"},
        "at": datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        "prev_hash": "0",
    }
    digests = {event_digest(**said)} | {event_digest(**{**said, name: value}) for name, value in others.items()}
    assert len(digests) == len(others) + 1


def test_only_importers_set_a_past_instant(cast: Cast) -> None:
    past = datetime(2016, 3, 1, 9, 0, tzinfo=UTC)
    with pytest.raises(Refused):
        Actor(cast.lena, Channel.IMPORT, at=past)
    incident = open_incident(
        actor=Actor(cast.imke, Channel.IMPORT, at=past), title="From the old desk", requester=cast.rita
    )
    event = incident.events.get()
    assert incident.opened_at == event.at == past
    assert event.recorded_at.year >= 2026
    assert not OutboxEntry.objects.filter(event=event).exists()


def test_an_event_waits_in_the_outbox_for_each_consumer(cast: Cast) -> None:
    incident = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="Mail is slow")
    assert OutboxEntry.objects.filter(event__ticket=incident).exists()


@pytest.mark.django_db(transaction=True)
def test_numbers_are_unique_under_load(cast: Cast) -> None:
    def open_one(index: int) -> str:
        try:
            return open_incident(actor=as_(cast.rita, Channel.API), title=f"Load {index}").number
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(open_one, range(80)))
    assert len(set(numbers)) == 80
    assert list(broken_events()) == []


@pytest.mark.django_db(transaction=True)
def test_parallel_verbs_on_one_ticket_keep_one_chain(cast: Cast) -> None:
    incident = open_incident(actor=as_(cast.rita, Channel.API), title="Everybody writes")

    def write_one(index: int) -> None:
        try:
            comment(incident, f"Comment {index}", actor=as_(cast.anna if index % 2 else cast.ben))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write_one, range(24)))
    assert incident.comments.count() == 24
    assert list(broken_events()) == []
    assert Ticket.objects.get(pk=incident.pk).event_seq == 25


@pytest.mark.django_db(transaction=True)
def test_links_in_both_directions_at_once_do_not_wait_for_each_other(cast: Cast) -> None:
    one, two = (open_incident(actor=as_(cast.rita, Channel.API), title=title) for title in ("One", "Two"))

    def link_back() -> str:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            return str(link(two, one, "related", actor=as_(cast.ben)).kind)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        link(one, two, "related", actor=as_(cast.anna))
        assert pool.submit(link_back).result(timeout=20) == "related"
    assert list(broken_events()) == []


@pytest.mark.django_db(transaction=True)
def test_a_double_click_opens_one_ticket(cast: Cast) -> None:
    def submit(_index: int) -> str:
        try:
            return open_incident(
                actor=as_(cast.rita, Channel.PORTAL), title="Printer on fire", submission_key="form-1"
            ).number
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        numbers = set(pool.map(submit, range(12)))
    assert len(numbers) == 1
    assert Ticket.objects.count() == 1


def test_many_notes_at_once_are_as_if_written_one_by_one(cast: Cast, django_assert_num_queries: Any) -> None:
    """Several on one ticket follow each other in its chain; the heads, the outbox and the listeners get them all. The
    tickets themselves are as they were, also in an order by their last change."""
    from itsm.tickets import hooks

    heard: list[Change] = []
    one, two = worked_incident(cast), worked_incident(cast)
    seen = {incident.pk: Ticket.objects.get(pk=incident.pk).updated_at for incident in (one, two)}
    past = Actor(cast.imke, Channel.IMPORT, at=datetime(2024, 1, 1, tzinfo=UTC))
    data = {"metric": "response", "percent": 50, "target_s": 3600, "note": 'Zürich 🏢 "A\\B"'}
    entries = [
        Entry(one, "sla.warned", SYSTEM, datetime(2026, 1, 1, 12, tzinfo=UTC), data),
        Entry(two, "sla.warned", SYSTEM, datetime(2026, 1, 1, 13, tzinfo=UTC), data),
        Entry(one, "sla.breached", SYSTEM, datetime(2099, 1, 1, 14, 0, 0, 123456, tzinfo=UTC), data),
        Entry(two, "sla.breached", past, datetime(2024, 1, 1, tzinfo=UTC), {}),
    ]
    consume("test-log", lambda event: None, codes=frozenset({"sla.warned", "sla.breached"}))
    listen("test-log", heard.append)
    listen("test-deaf", heard.append, deaf_to="sla.")
    try:
        with transaction.atomic(), django_assert_num_queries(1):
            write_many(entries)
        write_many([])
    finally:
        hooks._consumers.pop("test-log")
        hooks._listeners[:] = [entry for entry in hooks._listeners if not entry[1].startswith("test-")]
    events = [change.event for change in heard]
    assert [(event.ticket_id, event.seq) for event in events] == [(one.pk, 6), (two.pk, 6), (one.pk, 7), (two.pk, 7)]
    assert list(broken_events()) == []
    for entry, change in zip(entries, heard, strict=True):
        stored = TicketEvent.objects.get(pk=change.event.pk)
        for name in (
            "code",
            "at",
            "data",
            "channel",
            "actor_id",
            "seq",
            "prev_hash",
            "hash",
            "recorded_at",
            "internal",
        ):
            assert getattr(stored, name) == getattr(change.event, name), name
        assert (stored.code, stored.at, stored.data, stored.actor) == (
            entry.code,
            entry.at,
            entry.data,
            entry.actor.user,
        )
        assert (change.ticket, change.actor, change.before) == (entry.ticket, entry.actor, {})
        assert stored.internal
    for incident, last in ((one, events[2]), (two, events[3])):
        stored = Ticket.objects.get(pk=incident.pk)
        assert (stored.event_hash, stored.event_seq, stored.version) == (last.hash, 7, incident.version)
        assert stored.updated_at == seen[incident.pk]
    told = OutboxEntry.objects.filter(consumer="test-log").values_list("event_id", flat=True)
    assert sorted(told) == [event.pk for event in events[:3]]  # nobody is told of what an import brings
