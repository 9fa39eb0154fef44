"""Several at once: ticks against each other and against people. More are among the properties of the tick."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection, transaction

from incidents.actions import open_incident, reply
from incidents.models import Incident
from itsm.tickets.actions import lock
from itsm.tickets.actors import SYSTEM
from slas.actions import save_chain
from slas.models import SlaEvent
from slas.tick import tick
from tests.cast import Cast, as_, make_cast
from tests.slas.conftest import make_levels, move_back

pytestmark = pytest.mark.django_db(transaction=True)

H = timedelta(hours=1)
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}


@pytest.fixture
def desk(transactional_db: None) -> Cast:
    """The cast and its service levels, committed."""
    cast = make_cast()
    make_levels()
    return cast


def overdue(cast: Cast, count: int = 1, by: timedelta = 5 * H) -> list[Incident]:
    made = [
        open_incident(actor=as_(cast.anna), title=f"Case {n}", requester=cast.rita, team=cast.network)
        for n in range(count)
    ]
    for incident in made:
        move_back(incident, by)
    return made


def together(*deeds: Callable[[], object]) -> list[Any]:
    """Run the deeds at once, each on a connection of its own, and return what they returned or raised."""
    answers: list[Any] = [None] * len(deeds)
    gate = threading.Barrier(len(deeds))

    def run(number: int, deed: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers[number] = deed()
        except Exception as error:  # noqa: BLE001  handed to the test, which looks at it
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    return answers


def events_of_everybody() -> list[tuple[int, int]]:
    return sorted(SlaEvent.objects.values_list("timer_id", "step"))


def test_a_ticket_in_use_is_skipped_and_fires_later(desk: Cast) -> None:
    busy, free = overdue(desk, 2)
    held, done = threading.Event(), threading.Event()

    def hold_row() -> None:
        with transaction.atomic():
            lock(busy)
            held.set()
            done.wait(30)

    def tick_meanwhile() -> int:
        held.wait(30)
        try:
            return tick()
        finally:
            done.set()

    answers = together(hold_row, tick_meanwhile)
    assert answers[1] == 4
    assert set(SlaEvent.objects.values_list("timer__ticket_id", flat=True)) == {free.pk}
    assert tick() == 4


def test_who_only_refers_to_a_ticket_neither_keeps_its_steps_back_nor_waits_for_them(desk: Cast) -> None:
    (incident,) = overdue(desk)
    held, done = threading.Event(), threading.Event()

    def refer() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # What every row with a foreign key to the ticket does: a notice, a mail.
            cursor.execute("SELECT 1 FROM tickets_ticket WHERE id = %s FOR KEY SHARE", [incident.pk])
            held.set()
            done.wait(30)

    def tick_meanwhile() -> int:
        held.wait(30)
        try:
            return tick()
        finally:
            done.set()

    assert together(refer, tick_meanwhile)[1] == 4


def test_deeds_of_a_chain_and_of_people_do_not_block_each_other(desk: Cast) -> None:
    deeds = [{"do": "assign_team", "team": desk.desktop.pk}, {"do": "raise_priority"}]
    save_chain("Chain", [{"percent": 100, "actions": deeds}], actor=SYSTEM)
    for incident in overdue(desk, 6):
        writers = [
            lambda incident=incident, n=n: reply(incident, f"Reply {n}", actor=as_(desk.ben), visibility="internal")
            for n in range(3)
        ]
        answers = together(tick, *writers, tick)
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        tick()
        incident.refresh_from_db()
        assert incident.team == desk.desktop
        assert incident.priority == 3


def test_the_kernel_locks_the_ticket_before_its_child(desk: Cast) -> None:
    """The tick holds the ticket's row when a chain's verb asks for the incident's: nobody may hold that and wait."""
    [incident] = overdue(desk)
    waiting, result = threading.Event(), []

    def hold_ticket() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM tickets_ticket WHERE id = %s FOR UPDATE", [incident.pk])
            waiting.set()
            for _look in range(500):
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
                )
                if cursor.fetchone()[0]:
                    break
            cursor.execute("SELECT 1 FROM incidents_incident WHERE ticket_ptr_id = %s FOR UPDATE NOWAIT", [incident.pk])
            result.append(cursor.fetchone())

    def lock_both() -> None:
        waiting.wait(30)
        with transaction.atomic():
            lock(incident)

    answers = together(hold_ticket, lock_both)
    assert answers == [None, None]
    assert result == [(1,)]


class Killed(BaseException):
    """The process is gone: nothing may catch it and go on."""
