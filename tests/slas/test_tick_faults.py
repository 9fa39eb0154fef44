"""The tick, alone: steps that fail, databases that give up, and what goes on all the same."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from incidents.actions import resolve
from itsm.tickets.clock import db_now
from slas import tick as ticking
from slas.actions.effects import Effects
from slas.models import State, StepDue
from slas.tick import MAX_ATTEMPTS, tick
from slas.ticker import Ticker
from tests.cast import Cast, as_
from tests.slas.conftest import clock, move_back
from tests.slas.test_tick import FIXED, H, fired, opened


def test_a_poisonous_step_is_parked_and_the_others_go_on(levels: Cast) -> None:
    bad, good = opened(levels), opened(levels)
    for incident in (bad, good):
        move_back(incident, 5 * H)
    real = Effects.entries

    def poisoned(self: Effects, happened: list) -> list:
        if self.ticket.pk == bad.pk and 100 in [step.step for step in happened]:
            raise RuntimeError("no\x00 way")
        return real(self, happened)

    with patch.object(Effects, "entries", poisoned):
        assert tick() == 7
        assert ("response", 100) in fired(good)
        assert clock(bad, "response").breached_at is None
        for attempt in range(1, MAX_ATTEMPTS):
            left = StepDue.objects.get(attempts=attempt, parked_at__isnull=True)
            assert left.retry_at - db_now() > timedelta(seconds=2 ** (attempt - 1) - 1)
            assert tick() == 0  # left alone until then
            StepDue.objects.filter(pk=left.pk).update(retry_at=db_now())
            assert tick() == 0
        parked = StepDue.objects.get(parked_at__isnull=False)
        assert (parked.attempts, parked.step) == (MAX_ATTEMPTS, 100)
        assert parked.last_error == "RuntimeError: no way"
        assert tick() == 0
        assert StepDue.objects.get(pk=parked.pk).attempts == MAX_ATTEMPTS
    resolve(bad, actor=as_(levels.anna), **FIXED)
    assert clock(bad, "response").state == State.MISSED


def test_where_nothing_can_be_claimed_the_tick_says_so_and_does_not_turn_in_circles(levels: Cast) -> None:
    move_back(opened(levels), 5 * H)
    looks: list[int] = []
    broken = "SELECT no_such_column FROM slas_stepdue LIMIT %s"
    with (
        patch.object(ticking, "CLAIM", broken),
        patch.object(ticking, "_anything_due", lambda: looks.append(1) or len(looks) < 3),
        pytest.raises(ProgrammingError),
        transaction.atomic(),
    ):
        tick()
    assert len(looks) == 1


def test_a_fault_of_the_watch_keeps_no_step_from_being_fired(levels: Cast) -> None:
    ticker = Ticker()
    fired_in: list[bool] = []
    with (
        patch.object(Ticker, "_listen"),
        patch.object(Ticker, "_sleep"),
        patch("slas.ticker.tick", lambda **_more: fired_in.append(True)),
        patch("slas.ticker.look", side_effect=ValueError("a bad row")),
    ):
        ticker._round()
        ticker._round()
    for line in (ticker._wakes, ticker._wake):
        line.close()
    assert len(fired_in) == 2


def test_a_lost_database_is_no_fault_of_the_step(levels: Cast) -> None:
    incident = opened(levels)
    move_back(incident, 5 * H)
    with patch.object(Effects, "entries", side_effect=OperationalError("gone")), pytest.raises(OperationalError):
        tick()
    assert not StepDue.objects.filter(attempts__gt=0).exists()
    assert tick() == 4


@pytest.mark.parametrize(
    "fault",
    [
        ["SET LOCAL statement_timeout = 50", "SELECT pg_sleep(5)"],
        ["DO $$ BEGIN RAISE EXCEPTION 'canceling statement due to lock timeout' USING ERRCODE = '55P03'; END $$"],
        ["DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"],
    ],
    ids=["statement timeout", "lock timeout", "deadlock"],
)
def test_a_ticket_on_which_the_database_gives_up_holds_up_no_other(levels: Cast, fault: list[str]) -> None:
    bad, *good = (opened(levels) for _number in range(4))
    for incident in (bad, *good):
        move_back(incident, 5 * H)
    real = Effects.entries

    def slow(self: Effects, happened: list) -> list:
        if self.ticket.pk == bad.pk:
            with connection.cursor() as cursor:
                for statement in fault:
                    cursor.execute(statement)
        return real(self, happened)

    with patch.object(Effects, "entries", slow):
        assert tick() == 4 * 3
    assert [fired(incident) != [] for incident in (bad, *good)] == [False, True, True, True]
    left = StepDue.objects.filter(timer__ticket_id=bad.pk, attempts__gte=1)
    assert left.count() == 4
    assert "OperationalError" in left[0].last_error
    left.update(retry_at=None)
    assert tick() == 4


@pytest.mark.parametrize("code", ["57P01", "53100", "08006"], ids=["shutting down", "disk full", "cut off"])
def test_what_is_no_tickets_fault_is_noted_on_no_step(levels: Cast, code: str) -> None:
    move_back(opened(levels), 5 * H)

    def broken(self: Effects, happened: list) -> list:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")
        raise AssertionError

    with patch.object(Effects, "entries", broken), pytest.raises(OperationalError):
        tick()
    assert not StepDue.objects.filter(attempts__gt=0).exists()
    assert tick() == 4
