"""Very many steps at one instant: fired by several at once, told as if each were alone, and seen by the desk only."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.db.models import F

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets import hooks
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.log import write_many
from itsm.tickets.models import OutboxEntry, Ticket, TicketEvent
from itsm.tickets.verification import broken_events
from slas import tick as ticking
from slas.actions import acknowledge, save_chain
from slas.actions.effects import Effects
from slas.models import SlaEvent, StepDue, Timer
from slas.tick import tick
from tests.cast import Cast, as_, make_cast
from tests.slas.conftest import CHAIN, make_levels, move_back

H = timedelta(hours=1)


def opened(cast: Cast, **more: Any) -> Incident:
    return open_incident(actor=as_(cast.anna), title="Printer", **{"requester": cast.rita, **more})


@pytest.fixture
def storm(transactional_db: None) -> Cast:
    """The cast with 24 tickets, committed, of whose steps 96 are overdue."""
    cast = make_cast()
    make_levels()
    for _number in range(24):
        move_back(opened(cast, team=cast.network), 5 * H)
    return cast


@pytest.fixture
def small_batches() -> Iterator[None]:
    with patch.multiple("slas.tick", BATCH=8, FIRST_BATCH=8, MANY=8):
        yield


@pytest.mark.usefixtures("small_batches")
def test_a_second_thread_fires_along_and_nothing_twice(storm: Cast) -> None:
    fired_by: list[str] = []
    both = threading.Barrier(2, timeout=30)
    real = ticking._fire

    def watched(claimed: Any) -> int:
        fired_by.append(threading.current_thread().name)
        if len(fired_by) in (2, 3):
            both.wait()  # a batch of each of the two is under way at the same time
        return real(claimed)

    with patch.object(ticking, "_fire", watched):
        assert tick(with_help=True) == 96
    assert set(fired_by) == {threading.current_thread().name, "tick helper"}
    assert (SlaEvent.objects.count(), StepDue.objects.filter(fire_at__lte=db_now()).count()) == (96, 0)
    assert TicketEvent.objects.filter(code__startswith="sla.").count() == 96
    assert list(broken_events()) == []
    assert "tick helper" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.usefixtures("small_batches")
def test_a_helper_that_loses_its_connection_loses_no_step(storm: Cast) -> None:
    real, failed = Effects.entries, threading.Event()

    def lost(self: Effects, happened: Any) -> Any:
        if threading.current_thread().name == "tick helper":
            failed.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        if not failed.is_set() and SlaEvent.objects.count() > 16:
            failed.wait(30)
        return real(self, happened)

    with patch.object(Effects, "entries", lost):
        tick(with_help=True)
    tick()
    assert failed.is_set()
    assert SlaEvent.objects.count() == TicketEvent.objects.filter(code__startswith="sla.").count() == 96
    assert not StepDue.objects.filter(attempts__gt=0).exists()
    assert list(broken_events()) == []


def test_few_steps_need_no_help(storm: Cast) -> None:
    with patch.object(ticking, "Helper", side_effect=AssertionError):
        assert tick(with_help=True) == 96


def test_each_ticket_of_a_batch_has_its_own_people(levels: Cast) -> None:
    """Answers are shared among tickets of the same team and assignee, and with no others."""
    steps = [*CHAIN, {"percent": 60, "actions": [{"do": "notify", "who": ["team", "requester_manager"]}]}]
    save_chain("Manager", steps[3:], actor=SYSTEM)
    cast = levels
    alone = opened(cast, team=cast.network)
    twin = opened(cast, team=cast.network)
    hers = opened(cast, team=cast.network, assignee=cast.ben)
    other = opened(cast, team=cast.desktop)
    nowhere = opened(cast)
    taken = opened(cast, team=cast.network)
    acknowledge(taken, actor=as_(cast.lena))
    for ticket in (alone, twin, hers, other, nowhere, taken):
        move_back(ticket, 4 * H + timedelta(seconds=1))
    tick()
    network = [cast.anna.pk, cast.lena.pk, cast.ben.pk]
    told = {
        ticket.pk: TicketEvent.objects.get(ticket_id=ticket.pk, code="sla.breached", data__metric="response").data[
            "notify"
        ]["users"]
        for ticket in (alone, twin, hers, other, nowhere, taken)
    }
    assert sorted(told[alone.pk]) == sorted(told[twin.pk]) == sorted(network)
    assert told[hers.pk][0] == cast.ben.pk
    assert sorted(told[hers.pk]) == sorted(network)
    assert told[other.pk] == [cast.carl.pk]
    assert told[nowhere.pk] == [cast.ada.pk]
    assert told[taken.pk] == [cast.lena.pk]


def test_managers_are_those_of_each_requester(levels: Cast) -> None:
    save_chain("Chain", [{"percent": 50, "actions": [{"do": "notify", "who": ["requester_manager"]}]}], actor=SYSTEM)
    User.objects.filter(pk=levels.rita.pk).update(manager=levels.sven)
    User.objects.filter(pk=levels.rosa.pk).update(manager=levels.lena)
    of_rita, of_rosa = (opened(levels, requester=one) for one in (levels.rita, levels.rosa))
    for ticket in (of_rita, of_rosa):
        move_back(ticket, 2 * H + timedelta(seconds=1))
    tick()
    told = [
        TicketEvent.objects.get(ticket_id=ticket.pk, code="sla.warned").data["notify"]["users"]
        for ticket in (of_rita, of_rosa)
    ]
    assert told == [[levels.sven.pk], [levels.lena.pk]]


def test_a_storm_takes_no_more_statements_than_a_few(levels: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        move_back(opened(levels, team=levels.network, assignee=levels.ben if number % 2 else None), 5 * H)
    with django_assert_max_num_queries(24):
        assert tick() == 120


def test_what_the_clocks_note_is_no_update_of_the_ticket(levels: Cast, signed_in: Any) -> None:
    """A requester's list, newest first, must not tell of what only the desk may know; the desk's own page does."""
    older, newer = opened(levels, team=levels.network), opened(levels, team=levels.network)
    Ticket.objects.update(updated_at=F("updated_at") - 6 * H)  # before the steps were due
    desk, requester = signed_in(levels.anna), signed_in(levels.rita)
    board = desk.get("/desk/queue/?view=team-network").context["board"]
    before = list(Ticket.objects.order_by("pk").values_list("updated_at", "version"))
    assert desk.get(f"{board.live_url}&token={board.token}").status_code == 204
    move_back(older, 5 * H)
    assert tick() == 4
    assert list(Ticket.objects.order_by("pk").values_list("updated_at", "version")) == before
    page = requester.get("/requests/").text
    assert page.index(newer.number) < page.index(older.number)
    assert desk.get(f"{board.live_url}&token={board.token}").status_code == 200


def test_steps_of_a_ticket_whose_chain_has_moved_on_meanwhile_are_tried_again(levels: Cast) -> None:
    """The head of the chain is read with the lock; were it wrong, the database refuses, and the parts go on."""
    one, two = opened(levels), opened(levels)
    for ticket in (one, two):
        move_back(ticket, 5 * H)
    real, spoilt = write_many, []

    def spoil(entries: Any) -> None:
        if not spoilt:
            spoilt.append(True)
            entries[0].ticket.event_seq -= 1
        real(entries)

    with patch.object(ticking, "write_many", spoil):
        assert tick() == 8
    assert list(broken_events()) == []
    assert not StepDue.objects.filter(attempts__gt=0).exists()


def test_who_restarts_is_told_of_no_step_twice(levels: Cast) -> None:
    """A step that is on record is not told again, though its row came back (a restored table, a hand at work)."""
    incident = opened(levels)
    rows = list(StepDue.objects.filter(timer__ticket_id=incident.pk, timer__metric="response"))
    move_back(incident, 5 * H)
    tick()
    before = TicketEvent.objects.filter(ticket_id=incident.pk).count()
    for row in rows:
        row.pk, row.version = None, Timer.objects.get(pk=row.timer_id).version
        row.fire_at -= 5 * H
    StepDue.objects.bulk_create(rows)
    assert tick() == 0
    assert TicketEvent.objects.filter(ticket_id=incident.pk).count() == before
    assert not OutboxEntry.objects.filter(event__ticket_id=incident.pk, event__seq__gt=before).exists()


@pytest.mark.usefixtures("small_batches")
def test_a_tick_that_fails_leaves_no_helper_behind(storm: Cast) -> None:
    real, looks = ticking._anything_due, []

    def look() -> bool:
        if threading.current_thread().name == "tick helper":
            return real()
        looks.append(True)
        if len(looks) == 3:
            raise OperationalError("gone")
        return real()

    with patch.object(ticking, "_anything_due", look), pytest.raises(OperationalError):
        tick(with_help=True)
    assert "tick helper" not in {thread.name for thread in threading.enumerate()}
    tick()
    assert SlaEvent.objects.count() == 96


def test_no_listener_of_the_product_hears_what_the_clocks_note(db: None) -> None:
    """For what nobody hears no objects are made: whoever listens and would do nothing says `deaf_to="sla."`."""
    assert [name for _order, name, _listener in hooks._listeners if hooks._hears(name, "sla.breached")] == []


def test_a_listener_that_does_hear_it_gets_a_whole_ticket(levels: Cast) -> None:
    heard: list[tuple[str, str, int]] = []
    incident = opened(levels, team=levels.network)
    move_back(incident, 5 * H)
    hooks.listen(
        "test-storm", lambda change: heard.append((change.ticket.kind, change.ticket.status, change.event.seq))
    )
    try:
        assert tick() == 4
    finally:
        hooks._listeners[:] = [entry for entry in hooks._listeners if entry[1] != "test-storm"]
    assert heard == [("incident", "new", seq) for seq in range(2, 6)]
