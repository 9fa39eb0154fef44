"""The arithmetic of one timer: a target's share is a length of open time, its instant the inverse of the measure.

All lengths are integer microseconds of open time. Nothing here reads or writes the database; runs are handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from slas.models import BREACH, Run, Timer
from slas.steps import code_of

Runs = Callable[[], Iterable[Run]]


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


def steps_of(timer: Timer) -> list[int]:
    """Return the codes of the steps at which something happens, ascending. The breach is always among them."""
    listed = {code_of(step) for step in timer.chain_version.steps} if timer.chain_version else set()
    return sorted(listed | {BREACH})
