"""When a step lies: a percentage, or an offset from the due time in open time or by the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from slas.models import CalendarVersion, ChainVersion, Run, State, Timer
from slas.steps import By, Step, code_of
from slas.timing import instant_of, is_skipped, steps_of
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE

US = 1_000_000
HOURS = CalendarVersion(spec=OFFICE.to_json(), digest=OFFICE.content_digest)
BEFORE_WALL, AFTER_WALL = Step(minutes=-30, by=By.WALL).code, Step(minutes=90, by=By.WALL).code
BEFORE_OPEN, AFTER_OPEN = Step(minutes=-30).code, Step(minutes=90).code


def running(target_s: int = 8 * HOUR, started_at: datetime = MONDAY_NINE) -> Timer:
    timer = Timer(target_us=target_s * US, calendar_version=HOURS, started_at=started_at, run_started_at=started_at)
    timer.due_at = timer.hours.due(started_at, timer.target_us)
    return timer


def place(timer: Timer, step: int, *runs: Run) -> datetime | None:
    return instant_of(timer, step, lambda: runs)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (25, MONDAY_NINE + timedelta(hours=2)),
        (100, MONDAY_NINE + timedelta(hours=8)),
        (150, MONDAY_NINE + timedelta(days=1, hours=4)),
        (BEFORE_OPEN, MONDAY_NINE + timedelta(hours=7, minutes=30)),
        (AFTER_OPEN, MONDAY_NINE + timedelta(days=1, hours=1, minutes=30)),
        (BEFORE_WALL, MONDAY_NINE + timedelta(hours=7, minutes=30)),
        (AFTER_WALL, MONDAY_NINE + timedelta(hours=9, minutes=30)),
    ],
)
def test_a_running_timer_has_its_steps_at_shares_and_offsets(step: int, expected: datetime) -> None:
    assert place(running(), step) == expected


@pytest.mark.parametrize("step", [BEFORE_OPEN, BEFORE_WALL])
def test_a_step_before_the_start_is_skipped_never_made_up_for(step: int) -> None:
    timer = running(target_s=20 * 60)
    assert place(timer, step) is None
    assert is_skipped(timer, step)
    assert not is_skipped(running(target_s=30 * 60 + 1), step)


def test_an_offset_by_the_wall_clock_waits_for_the_stretch_that_runs() -> None:
    timer = running(target_s=HOUR)
    timer.elapsed_closed_us = 45 * 60 * US
    timer.run_started_at = MONDAY_NINE + timedelta(days=1)
    timer.due_at = timer.run_started_at + timedelta(minutes=15)
    assert place(timer, BEFORE_WALL) == timer.run_started_at
    run = Run(
        timer=timer,
        started_at=MONDAY_NINE,
        ended_at=MONDAY_NINE + timedelta(minutes=45),
        calendar_version=HOURS,
        elapsed_us=45 * 60 * US,
    )
    assert place(timer, BEFORE_OPEN, run) == MONDAY_NINE + timedelta(minutes=30)


def test_a_paused_timer_has_no_instant_for_what_it_has_not_reached() -> None:
    timer = running()
    timer.state, timer.due_at, timer.run_started_at, timer.elapsed_closed_us = State.PAUSED, None, None, 4 * HOUR * US
    assert [place(timer, step) for step in (100, BEFORE_OPEN, BEFORE_WALL, AFTER_WALL)] == [None] * 4


def test_a_breach_that_happened_is_where_the_wall_clock_counts_from() -> None:
    timer = running()
    timer.breached_at = MONDAY_NINE + timedelta(hours=8)
    timer.state, timer.due_at, timer.run_started_at = State.PAUSED, None, None
    assert place(timer, AFTER_WALL) == datetime(2026, 3, 2, 18, 30, tzinfo=UTC)


def test_a_chain_lists_the_codes_of_its_steps_and_always_the_breach() -> None:
    steps = [{"minutes": -30, "clock": "wall"}, {"percent": 50}, {"minutes": 90}]
    timer = running()
    timer.chain_version = ChainVersion(steps=steps)
    assert steps_of(timer) == sorted({100, *(code_of(step) for step in steps)})
    assert steps_of(timer) == [50, 100, AFTER_OPEN, BEFORE_WALL]
