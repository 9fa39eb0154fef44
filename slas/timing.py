"""The arithmetic of one timer: a target's share is a length of open time, its instant the inverse of the measure.

All lengths are integer microseconds of open time. Nothing here reads or writes the database; runs are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from slas.calendars import CalendarError
from slas.models import BREACH, Run, Timer
from slas.steps import By, code_of, step_of

Runs = Callable[[], Iterable[Run]]
MINUTE_US = 60_000_000


def share_us(timer: Timer, percent: int) -> int:
    """Return how much open time the percentage of the timer's target is, rounded down to a microsecond."""
    return timer.target_us * percent // BREACH


def elapsed_us(timer: Timer, now: datetime) -> int:
    """Return the open time that the timer has run until `now`. Never negative."""
    if timer.run_started_at is None or now <= timer.run_started_at:
        return timer.elapsed_closed_us
    return timer.elapsed_closed_us + timer.hours.open_us(timer.run_started_at, now)


def reached(timer: Timer, amount_us: int, runs: Runs) -> datetime | None:
    """Return the instant at which the timer has run for `amount_us` (above zero), past or to come; None while it does
    not run and has not got there.

    Walks the closed runs only when they may hold the instant. A run that ends in the very microsecond in which the
    amount is full does not count as reaching it: a stop at the due instant is in time.
    """
    if amount_us > timer.elapsed_closed_us:
        if timer.run_started_at is None:
            return None
        return timer.hours.due(timer.run_started_at, amount_us - timer.elapsed_closed_us)
    before = 0
    for run in runs():
        if before + run.elapsed_us >= amount_us:
            instant = run.hours.due(run.started_at, amount_us - before)
            if instant < run.ended_at:
                return instant
        before = min(before + run.elapsed_us, amount_us)
    return timer.run_started_at


def instant_of(timer: Timer, step: int, runs: Runs) -> datetime | None:
    """Return when the step with this code lies, past or to come; None where it cannot be said.

    That is so while the timer stands still before it, where the step would lie before the timer's start (it is skipped,
    never made up for), and for a step after the target where the calendar has not that much open time left.

    A percentage, and an offset in open time, is an amount of open time that the timer must have run. An offset by the
    wall clock counts from the due instant; as a clock that stands still calls for nobody, it lies no earlier than the
    beginning of the stretch that runs.

    Raises:
        CalendarError: the target itself can never be due.
    """
    if step == BREACH and timer.due_at is not None:
        return timer.due_at
    wanted = step_of(step)
    try:
        if wanted.percent is not None:
            return reached(timer, max(share_us(timer, wanted.percent), 1), runs)
        if wanted.by == By.BUSINESS:
            amount = timer.target_us + wanted.minutes * MINUTE_US
            return reached(timer, amount, runs) if amount > 0 else None
        return _by_the_wall(timer, wanted.minutes, runs)
    except CalendarError:
        if not wanted.is_after:
            raise
        return None


def _by_the_wall(timer: Timer, minutes: int, runs: Runs) -> datetime | None:
    due = timer.breached_at or timer.due_at or reached(timer, timer.target_us, runs)
    if due is None:
        return None
    instant = due + timedelta(minutes=minutes)
    if instant < timer.started_at:
        return None
    return max(instant, timer.run_started_at) if timer.run_started_at is not None else instant


def is_skipped(timer: Timer, step: int) -> bool:
    """Return whether the step would lie before the timer's start, so that it never happens under this target."""
    wanted = step_of(step)
    if wanted.percent is not None or wanted.is_after:
        return False
    if wanted.by == By.BUSINESS:
        return timer.target_us + wanted.minutes * MINUTE_US <= 0
    due = timer.breached_at or timer.due_at
    return due is not None and due + timedelta(minutes=wanted.minutes) < timer.started_at


def steps_of(timer: Timer) -> list[int]:
    """Return the codes of the steps of the timer's chain, ascending. The breach is always among them; it is the only
    one once somebody has acknowledged."""
    if timer.acknowledged_at is not None:
        return [BREACH]
    listed = {code_of(step) for step in timer.chain_version.steps} if timer.chain_version else set()
    return sorted(listed | {BREACH})
