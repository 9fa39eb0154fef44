"""Properties of the tick by their numbers in the specification: 19, 21, 22, 23, 25 and 27.

Property 22 with real processes, killed at random, is in tests/e2e/test_kills.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import resolve
from incidents.models import Incident
from itsm.tickets.clock import db_now
from itsm.tickets.models import TicketEvent
from itsm.tickets.verification import broken_events
from slas.models import SlaEvent, State, StepDue, Timer
from slas.tick import tick
from tests.cast import Cast, as_, make_cast
from tests.slas.conftest import clock, make_levels, move_back
from tests.slas.test_tick_races import FIXED, H, Killed, overdue, together

pytestmark = pytest.mark.django_db(transaction=True)
SOME = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Key = tuple[int, int, int, int]


@pytest.fixture
def desk(transactional_db: None) -> Cast:
    """The cast and its service levels, committed."""
    cast = make_cast()
    make_levels()
    return cast


def due_keys(incidents: Iterable[Incident]) -> list[Key]:
    """Return what is due on these tickets: timer, epoch, step, repetition."""
    rows = StepDue.objects.filter(timer__ticket_id__in=[one.pk for one in incidents], fire_at__lte=db_now())
    return sorted(rows.values_list("timer_id", "epoch", "step", "repetition"))


def happened_keys(incidents: Iterable[Incident]) -> list[Key]:
    """Return what happened on these tickets."""
    rows = SlaEvent.objects.filter(timer__ticket_id__in=[one.pk for one in incidents])
    return sorted(rows.values_list("timer_id", "epoch", "step", "repetition"))


def in_the_log(incidents: Iterable[Incident]) -> int:
    """Return how many events of service levels the tickets' logs have."""
    return TicketEvent.objects.filter(ticket_id__in=[one.pk for one in incidents], code__startswith="sla.").count()


@given(count=st.integers(1, 6), tickers=st.integers(2, 5), batch=st.sampled_from([1, 3, 500]), rounds=st.integers(1, 3))
@SOME
def test_p19_any_number_of_ticks_fires_each_step_exactly_once(
    desk: Cast, count: int, tickers: int, batch: int, rounds: int
) -> None:
    incidents = overdue(desk, count)
    expected = due_keys(incidents)
    with patch("slas.tick.BATCH", batch):
        answers = [answer for _round in range(rounds) for answer in together(*[tick] * tickers)]
        answers.append(tick())
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(answers) == len(expected) == 4 * count
    assert happened_keys(incidents) == expected
    assert in_the_log(incidents) == len(expected)
    assert list(broken_events()) == []


@given(
    backs=st.lists(st.integers(1, 12 * 3600), min_size=1, max_size=6),
    batch=st.sampled_from([1, 2, 500]),
)
@SOME
def test_p21_all_overdue_steps_fire_in_one_drain_in_order(desk: Cast, backs: list[int], batch: int) -> None:
    incidents = [overdue(desk, 1, by=timedelta(seconds=back))[0] for back in backs]
    expected = due_keys(incidents)
    with patch("slas.tick.BATCH", batch):
        assert tick() == len(expected)
    assert happened_keys(incidents) == expected
    instants = list(
        SlaEvent.objects.filter(timer__ticket__in=[one.pk for one in incidents]).order_by("pk").values_list("at")
    )
    assert instants == sorted(instants)
    assert tick() == 0


class _Fault:
    """Makes the statement with this number fail, and counts those before it."""

    def __init__(self, fatal: int, error: type[BaseException]) -> None:
        self.fatal, self.error, self.count = fatal, error, 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += 1
        if self.count == self.fatal:
            raise self.error("fault")
        return execute(sql, params, many, context)


@pytest.mark.parametrize("error", [Killed, OperationalError, RuntimeError])
def test_p22_a_fault_at_any_statement_leaves_the_same_end(desk: Cast, error: type[BaseException]) -> None:
    """The process dies, the database goes away, or the statement fails: whichever statement it is."""
    faults = 0
    for fatal in range(1, 200):
        incidents = overdue(desk, 2)
        expected = due_keys(incidents)
        fault = _Fault(fatal, error)
        try:
            with connection.execute_wrapper(fault):
                tick()
        except (Killed, OperationalError, RuntimeError):
            connection.close()
        if fault.count < fatal:
            break
        faults += 1
        assert happened_keys(incidents) in ([], expected)  # all of the batch, or nothing of it
        assert in_the_log(incidents) == len(happened_keys(incidents))
        StepDue.objects.update(retry_at=None)
        tick()
        assert happened_keys(incidents) == expected
        assert in_the_log(incidents) == len(expected)
    assert faults > 9
    assert list(broken_events()) == []


def test_p23_two_tickers_and_a_stop_give_one_of_the_serial_histories(desk: Cast) -> None:
    for incident in overdue(desk, 8):
        answers = together(tick, lambda incident=incident: resolve(incident, actor=as_(desk.anna), **FIXED), tick)
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        response, resolution = clock(incident, "response"), clock(incident)
        assert (response.state, resolution.state) == (State.MISSED, State.MET)
        assert response.breached_at == response.due_at
        happened = sorted(SlaEvent.objects.filter(timer__ticket_id=incident.pk).values_list("timer__metric", "step"))
        assert happened == [("resolution", 50), ("response", 50), ("response", 75), ("response", 100)]
        assert in_the_log([incident]) == 4
        assert not StepDue.objects.filter(timer__ticket_id=incident.pk).exists()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
def test_p25_any_time_zone_of_database_and_client_gives_the_same_instants(desk: Cast, zone: str) -> None:
    database = connection.ops.quote_name(connection.settings_dict["NAME"])

    def connect_with(default: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {database} {default}")
        connection.close()

    connect_with(f"SET timezone TO '{zone}'")
    try:
        with timezone.override(zone):
            [incident] = overdue(desk)
            expected = {
                (row.timer_id, row.step): row.fire_at
                for row in StepDue.objects.filter(timer__ticket_id=incident.pk, fire_at__lte=db_now())
            }
            assert tick() == len(expected) == 4
    finally:
        connect_with("RESET timezone")
    stored = SlaEvent.objects.filter(timer__ticket_id=incident.pk)
    assert {(one.timer_id, one.step): one.at for one in stored} == expected
    logged = TicketEvent.objects.filter(ticket_id=incident.pk, code__startswith="sla.").values_list("at", flat=True)
    assert sorted(logged) == sorted(expected.values())
    response = clock(incident, "response")
    assert response.breached_at == response.started_at + 4 * H
    assert list(broken_events()) == []


@given(steps=st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=5))
@SOME
def test_p27_stepping_the_clock_by_an_hour_fires_nothing_anew_and_loses_nothing(desk: Cast, steps: list[int]) -> None:
    """The database's clock cannot be stepped here, so that what is stored is stepped the other way instead."""
    [incident] = overdue(desk, by=3 * H)
    tick()
    for step in steps:
        move_back(incident, step * H)  # the clock goes forward by an hour, or back
        tick()
        assert len(happened_keys([incident])) == len(set(happened_keys([incident])))
    timers = Timer.objects.filter(ticket_id=incident.pk)
    assert all(list(timer.done_steps) == sorted(set(timer.done_steps)) for timer in timers)
    move_back(incident, 48 * H)
    tick()
    steps_of_both = {(timer.pk, 0, step, 0) for timer in timers for step in (50, 75, 100)}
    assert set(happened_keys([incident])) == steps_of_both
    assert in_the_log([incident]) == 6
