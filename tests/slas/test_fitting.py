"""The search for the rule behind known outcomes: targets, the need of a case, and rules that must be found again."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slas.calendars import CalendarSpec, compile  # noqa: A004 - the calendars' own word
from slas.fitting import Case, Clock, Found, Levels, Log, Shape, search
from slas.fitting.shapes import WORKDAYS, plain_shapes
from slas.fitting.targets import fit_levels, fit_target, is_met

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = 3600
instants = st.integers(0, 40 * 1440).map(lambda minutes: MONDAY + timedelta(minutes=minutes))
OFFICE = CalendarSpec("Europe/London", (((9 * 60, 17 * 60),),) * 5 + ((), ()))


def errors_at(target: int, needed: list[int], made: list[bool]) -> int:
    """Count by hand what a target judges otherwise."""
    return sum((value <= target) != kept for value, kept in zip(needed, made, strict=True))


@given(st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=25))
def test_no_target_errs_less_than_the_one_found(cases: list[tuple[int, bool]]) -> None:
    needed, made = [value for value, _kept in cases], [kept for _value, kept in cases]
    found = fit_target(needed, made)
    assert found.errors == errors_at(found.target_s, needed, made)
    assert found.errors == min(errors_at(target, needed, made) for target in range(1, 62))
    assert found.low_s <= found.target_s
    for target in range(found.low_s, found.high_s or 70):
        assert errors_at(target, needed, made) == found.errors
    assert found.high_s is None or errors_at(found.high_s, needed, made) != found.errors


@pytest.mark.parametrize(
    ("low", "high", "day_s", "target"),
    [
        (3 * HOUR, 5 * HOUR, 0, 4 * HOUR),
        (20 * HOUR, 50 * HOUR, 0, 24 * HOUR),
        (20 * HOUR, 50 * HOUR, 9 * HOUR, 27 * HOUR),
        (HOUR + 1, HOUR + 61, 0, HOUR + 60),
        (HOUR + 1, HOUR + 2, 0, HOUR + 1),
    ],
)
def test_of_equal_targets_the_roundest_is_taken(low: int, high: int, day_s: int, target: int) -> None:
    assert fit_target([low, high], [True, False], day_s).target_s == target


def test_levels_are_fitted_apart_and_an_unknown_one_is_never_met() -> None:
    targets = fit_levels([1, 1, 3, 3], [HOUR, 2 * HOUR, 8 * HOUR, 9 * HOUR], [True, False, True, False])
    assert {level: fitted.target_s for level, fitted in targets.items()} == {1: HOUR, 3: 8 * HOUR}
    assert is_met(targets, 3, 8 * HOUR)
    assert not is_met(targets, 3, 8 * HOUR + 1)
    assert not is_met(targets, 2, 1)


@given(instants, instants, st.integers(1, 90 * HOUR))
def test_a_case_needs_what_makes_its_stop_no_later_than_the_due_instant(
    one: datetime, other: datetime, target: int
) -> None:
    start, stop = sorted((one, other))
    calendar = compile(OFFICE)
    needed = Clock("clock", [((start, stop),)]).needed_s(calendar, [0])[0]
    assert (needed <= target) == (stop <= calendar.due(start, target * 1_000_000))


@given(st.lists(instants, min_size=4, max_size=4, unique=True).map(sorted), st.integers(1, 90 * HOUR))
def test_a_pause_moves_the_due_instant_by_its_open_time(marks: list[datetime], target: int) -> None:
    start, paused, resumed, stop = marks
    calendar = compile(OFFICE)
    needed = Clock("clock", [((start, paused), (resumed, stop))]).needed_s(calendar, [0])[0]
    due = calendar.due(start, target * 1_000_000)
    if due >= paused:
        left = target * 1_000_000 - calendar.open_us(start, paused)
        due = calendar.due(resumed, left)
    assert (needed <= target) == (stop <= due)


def test_a_clock_needs_runs_that_go_forward() -> None:
    later = MONDAY + timedelta(hours=1)
    for runs in ((), ((later, MONDAY),)):
        with pytest.raises(ValueError, match="cannot end before it starts"):
            Clock("clock", [runs])


def made_up_log(
    shape: Shape, targets: dict[int, int], number: int, keep: Callable[[int], bool] = lambda place: True
) -> tuple[Log, tuple[datetime, datetime]]:
    """Return a log of stops near their due instants, judged by the shape and targets; `keep`: else judged wrongly.

    Beside the true clock and levels stand false ones.
    """
    rng = random.Random(20260302)
    calendar = compile(shape.spec((2026, 2026)))
    cases, runs, wrong_runs, levels = [], [], [], []
    for place in range(number):
        start = MONDAY + timedelta(minutes=rng.randrange(28 * 1440))
        level = rng.choice(list(targets))
        due = calendar.due(start, targets[level] * 1_000_000)
        stop = max(due + timedelta(minutes=rng.randrange(-30, 31)), start)
        cases.append(Case(f"INC{place}", (stop <= due) == keep(place)))
        runs.append(((start, stop),))
        wrong_runs.append(((start, stop + timedelta(minutes=rng.randrange(600))),))
        levels.append(level)
    shuffled = [rng.choice(list(targets)) for _case in cases]
    clocks = [Clock("late", wrong_runs), Clock("true", runs, 1)]
    log = Log(cases, clocks, [Levels("true", levels), Levels("shuffled", shuffled)])
    return log, (MONDAY, MONDAY + timedelta(days=60))


def find(log: Log, span: tuple[datetime, datetime]) -> Found:
    """Search with the hours of UTC to begin with."""
    return search(log, range(len(log.cases)), zone="UTC", span=span, progress=lambda tried: None)


@pytest.mark.parametrize(
    ("shape", "targets"),
    [
        (Shape(8 * 60, 9 * 60, WORKDAYS, "UTC"), {1: 4 * HOUR, 3: 27 * HOUR}),
        (Shape(9 * 60 + 30, 8 * 60, WORKDAYS, "UTC", noon=True), {2: 7 * HOUR}),
        (Shape(22 * 60, 8 * 60, WORKDAYS, "UTC"), {2: 6 * HOUR, 4: 24 * HOUR}),
        (plain_shapes("UTC")[0], {1: 90 * 60, 2: 8 * HOUR}),
        (Shape(9 * 60, 8 * 60, WORKDAYS, "America/New_York", elsewhere=True), {2: 6 * HOUR}),
    ],
    ids=["office hours", "half hours and a break", "night shift", "day and night", "another zone"],
)
def test_a_rule_is_found_again_exactly(shape: Shape, targets: dict[int, int]) -> None:
    log, span = made_up_log(shape, targets, 160)
    best = find(log, span).best
    assert best.errors == 0
    assert (best.clock.name, best.levels.name) == ("true", "true")
    assert best.spec == shape.spec((2026, 2026))
    assert {level: fitted.target_s for level, fitted in best.targets.items()} == targets
    assert best.judge(range(160)) == [case.made for case in log.cases]


def test_wrong_outcomes_do_not_hide_the_rule() -> None:
    shape = Shape(8 * 60, 9 * 60, WORKDAYS, "UTC")
    log, span = made_up_log(shape, {3: 27 * HOUR}, 240, keep=lambda place: place % 24 != 0)
    found = find(log, span)
    assert found.best.spec == shape.spec((2026, 2026))
    assert found.best.targets[3].target_s == 27 * HOUR
    assert found.best.errors == 10
    assert found.tried[0].rank == found.best.rank


def test_nothing_to_fit_on_is_refused() -> None:
    log, span = made_up_log(Shape(8 * 60, 9 * 60, WORKDAYS, "UTC"), {3: 27 * HOUR}, 5)
    with pytest.raises(ValueError, match="only from cases"):
        search(log, [], zone="UTC", span=span, progress=lambda tried: None)


@given(st.sampled_from(range(0, 1440, 30)), st.sampled_from(range(60, 1440, 30)), st.booleans())
@settings(max_examples=40)
def test_every_neighbour_of_a_shape_is_a_calendar(start: int, length: int, noon: bool) -> None:
    shape = Shape(start, length, WORKDAYS, "UTC", noon)
    near = list(shape.neighbours(MONDAY, "UTC"))
    assert any(one.time_zone == "America/New_York" for one in near)
    for one in [shape, *near]:
        spec = one.spec((2026, 2026))
        assert (
            one.day_s == sum((end - begin) % 1440 or 1440 for begin, end in spec.weekly[0 if 0 in one.days else 6]) * 60
        )
