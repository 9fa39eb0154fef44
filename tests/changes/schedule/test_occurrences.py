"""Recurring windows: worked nights by hand, and any rule in any zone against a slow reading of the same words."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changes.schedule.occurrences import covered, joined, occurrences, overlap, within, without
from changes.schedule.recurrence import Recurrence, Repeat
from slas.calendars import CalendarError
from tests.slas import calendar_reference as ref

# A zone's first use reads its file; a deadline would blame whichever example came first.
patient = settings(deadline=None)
HOUR = timedelta(hours=1)


def rule(zone: str = "Europe/London", start: str = "01:30", end: str = "03:30", **more: Any) -> Recurrence:
    return Recurrence.from_json(
        {"time_zone": zone, "repeat": "daily", "first": "2026-01-01", "start": start, "end": end, **more}
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def lengths(one: Recurrence, first: str, last: str) -> list[tuple[datetime, timedelta]]:
    return [(found.start, found.end - found.start) for found in occurrences(one, utc(first), utc(last))]


def test_a_window_in_a_spring_night() -> None:
    """London goes from 01:00 to 02:00: half past one is missing and means half past two; half past three is real."""
    assert lengths(rule(), "2026-03-28T12:00", "2026-03-29T12:00") == [(utc("2026-03-29T01:30"), HOUR)]


def test_a_window_in_an_autumn_night() -> None:
    """London goes back from 02:00 to 01:00: half past one is its first pass, and the window three hours long."""
    assert lengths(rule(), "2026-10-24T12:00", "2026-10-25T12:00") == [(utc("2026-10-25T00:30"), 3 * HOUR)]


def test_a_window_within_the_missing_hour_moves_with_it() -> None:
    berlin = rule("Europe/Berlin", "02:15", "02:45")
    assert lengths(berlin, "2026-03-28T12:00", "2026-03-29T12:00") == [(utc("2026-03-29T01:15"), HOUR / 2)]


def test_a_window_without_length_that_night_does_not_happen() -> None:
    """02:30 means 03:30, which is after the end at 03:15."""
    berlin = rule("Europe/Berlin", "02:30", "03:15")
    assert lengths(berlin, "2026-03-28T12:00", "2026-03-29T12:00") == []
    assert len(lengths(berlin, "2026-03-29T12:00", "2026-03-30T12:00")) == 1


def test_half_an_hour_on_lord_howe() -> None:
    night = rule("Australia/Lord_Howe", "22:00", "06:00", end_day=1)
    assert lengths(night, "2026-04-04T06:00", "2026-04-05T00:00") == [(utc("2026-04-04T11:00"), 8.5 * HOUR)]
    assert lengths(night, "2026-10-03T06:00", "2026-10-04T00:00") == [(utc("2026-10-03T11:30"), 7.5 * HOUR)]


def test_a_freeze_over_new_year() -> None:
    freeze = rule(repeat="yearly", start="18:00", end="08:00", end_day=14, month=12, month_day=20, first="2020-01-01")
    assert lengths(freeze, "2027-01-01T00:00", "2027-01-02T00:00") == [
        (utc("2026-12-20T18:00"), timedelta(days=13, hours=14))
    ]
    assert lengths(freeze, "2027-01-03T08:00", "2027-12-20T18:00") == []


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({"repeat": "monthly", "nth": 2, "weekday": 6}, ["2026-01-11", "2026-02-08", "2026-03-08"]),
        ({"repeat": "monthly", "nth": -1, "weekday": 4}, ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ({"repeat": "monthly", "nth": 5, "weekday": 5}, ["2026-01-31"]),
        ({"repeat": "monthly", "month_day": 31}, ["2026-01-31", "2026-03-31"]),
        ({"repeat": "monthly", "month_day": -1, "every": 2}, ["2026-01-31", "2026-03-31"]),
        (
            {"repeat": "weekly", "weekdays": [0, 3], "every": 6},
            ["2026-01-01", "2026-02-09", "2026-02-12", "2026-03-23", "2026-03-26"],
        ),
        ({"repeat": "daily", "every": 30, "excluded": ["2026-01-31"]}, ["2026-01-01", "2026-03-02"]),
        ({"repeat": "daily", "every": 30, "until": "2026-02-15"}, ["2026-01-01", "2026-01-31"]),
        ({"repeat": "yearly", "month": 3, "nth": 1, "weekday": 0}, ["2026-03-02"]),
        ({"repeat": "once", "first": "2026-02-03"}, ["2026-02-03"]),
    ],
)  # fmt: skip
def test_what_rules_say(more: dict[str, Any], days: list[str]) -> None:
    one = rule(**more)
    assert [str(found.day) for found in occurrences(one, utc("2026-01-01T00:00"), utc("2026-04-01T00:00"))] == days
    assert Recurrence.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    "more",
    [
        {"time_zone": "Mars/Olympus"},
        {"repeat": "hourly"},
        {"repeat": "weekly"},
        {"repeat": "weekly", "weekdays": [7]},
        {"repeat": "weekly", "weekdays": ["0"]},
        {"repeat": "monthly", "month_day": 32},
        {"repeat": "monthly", "nth": 6, "weekday": 1},
        {"repeat": "yearly", "month": 2, "month_day": 30},
        {"repeat": "yearly", "month": 13, "month_day": 1},
        {"start": "03:30", "end": "01:30"},
        {"start": "24:00", "end": "01:30", "end_day": 1},
        {"end_day": 367},
        {"first": "2026-02-30"},
        {"first": "1969-12-31"},
        {"until": "2025-12-31"},
        {"every": 0},
        {"every": True},
        {"excluded": "2026-01-01"},
        {"nonsense": 1},
    ],
)
def test_what_is_no_rule_is_refused_in_a_sentence(more: dict[str, Any]) -> None:
    with pytest.raises(CalendarError) as refused:
        rule(**more)
    assert str(refused.value).endswith(".")


def begins(one: Recurrence, day: date) -> bool:
    """The words of a rule, read aloud."""
    if day < one.first or (one.until and day > one.until) or day in one.excluded:
        return False
    length = monthrange(day.year, day.month)[1]
    same_weekday = [n for n in range(1, length + 1) if date(day.year, day.month, n).weekday() == one.weekday]
    if one.nth:
        position = same_weekday[-1:] if one.nth == -1 else same_weekday[one.nth - 1 : one.nth]
        is_day = [day.day] == position
    else:
        is_day = day.day == one.month_day or (one.month_day == -1 and day.day == length)
    if one.repeat == Repeat.ONCE:
        return day == one.first
    if one.repeat == Repeat.DAILY:
        return (day - one.first).days % one.every == 0
    if one.repeat == Repeat.WEEKLY:
        monday, own = one.first - timedelta(one.first.weekday()), day - timedelta(day.weekday())
        return day.weekday() in one.weekdays and (own - monday).days // 7 % one.every == 0
    if one.repeat == Repeat.MONTHLY:
        return is_day and ((day.year - one.first.year) * 12 + day.month - one.first.month) % one.every == 0
    return is_day and day.month == one.month and (day.year - one.first.year) % one.every == 0


def slowly(one: Recurrence, start: datetime, end: datetime) -> list[tuple[date, datetime, datetime]]:
    """Every day from well before to well after, by `zoneinfo`."""
    day, found = start.date() - timedelta(one.end // 1440 + 3), []
    while day <= end.date() + timedelta(3):
        if begins(one, day):
            a, b = ref.resolve(one.time_zone, day, one.start_minute), ref.resolve(one.time_zone, day, one.end)
            if a < b and a < end and b > start:
                found.append((day, a, b))
        day += timedelta(1)
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[Recurrence, datetime, datetime]:
    zone = draw(ref.zones)
    start = draw(ref.instants(zone))
    end = start + timedelta(minutes=draw(st.integers(1, 60 * 1440)))
    begin = draw(st.one_of(st.sampled_from([0, 90, 120, 135, 150, 180, 1380]), st.integers(0, 1439)))
    length = draw(st.one_of(st.sampled_from([15, 60, 120, 480, 1440]), st.integers(1, 20 * 1440)))
    end_day, end_minute = divmod(begin + length, 1440)
    repeat = draw(st.sampled_from(list(Repeat)))
    first = start.date() + timedelta(draw(st.integers(-800, 20)))
    values: dict[str, Any] = {}
    if draw(st.booleans()):
        values |= {"nth": draw(st.sampled_from([1, 2, 3, 4, 5, -1])), "weekday": draw(st.integers(0, 6))}
    else:
        values |= {"month_day": draw(st.sampled_from([1, 15, 28, -1]))}
    return (
        Recurrence(
            zone,
            repeat,
            first,
            begin,
            end_minute,
            end_day,
            until=draw(st.one_of(st.none(), st.integers(0, 900).map(lambda n: first + timedelta(n)))),
            every=draw(st.sampled_from([1, 1, 2, 3, 5])),
            weekdays=tuple(draw(st.sets(st.integers(0, 6), min_size=1))),
            month=start.month,
            excluded=frozenset(
                start.date() + timedelta(n) for n in draw(st.sets(st.integers(-3, 60), max_size=3))
            ),
            **values,
        ),
        start,
        end,
    )  # fmt: skip


@patient
@given(cases())
def test_equals_the_slow_reading(case: tuple[Recurrence, datetime, datetime]) -> None:
    one, start, end = case
    assert [(found.day, found.start, found.end) for found in occurrences(one, start, end)] == slowly(one, start, end)


@patient
@given(cases())
def test_what_is_covered_neither_overlaps_nor_meets_and_is_the_same_instants(
    case: tuple[Recurrence, datetime, datetime],
) -> None:
    one, start, end = case
    spans = covered(one, start, end)
    assert all(a < b for a, b in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(start <= a and b <= end for a, b in spans)
    slow = joined((max(a, start), min(b, end)) for _day, a, b in slowly(one, start, end))
    assert spans == slow


@patient
@given(cases())
def test_a_look_in_two_halves_sees_the_same(case: tuple[Recurrence, datetime, datetime]) -> None:
    one, start, end = case
    middle = start + (end - start) / 2
    assert joined([*covered(one, start, middle), *covered(one, middle, end)]) == covered(one, start, end)


@patient
@given(ref.zones, st.data())
def test_whole_days_leave_no_gap_in_any_zone(zone: str, data: st.DataObject) -> None:
    """A window of whole days, each day, covers everything once, whatever the clocks do."""
    start = data.draw(ref.instants(zone))
    end = start + timedelta(days=data.draw(st.integers(1, 40)))
    one = Recurrence(zone, Repeat.DAILY, start.date() - timedelta(5), 0, 1440)
    assert covered(one, start, end) == [(start, end)]
    found = list(occurrences(one, start, end))
    assert all(before.end == after.start for before, after in pairwise(found))


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60))),
)
def test_spans_count_like_sets_of_minutes(one: list[tuple[int, int]], two: list[tuple[int, int]]) -> None:
    base = utc("2026-01-01T00:00")

    def spans(pairs: list[tuple[int, int]]) -> list[tuple[datetime, datetime]]:
        return joined((base + timedelta(minutes=a), base + timedelta(minutes=b)) for a, b in pairs)

    def minutes(found: list[tuple[datetime, datetime]]) -> set[int]:
        return {m for m in range(61) if any(a <= base + timedelta(minutes=m) < b for a, b in found)}

    a, b = spans(one), spans(two)
    assert minutes(without(a, b)) == minutes(a) - minutes(b)
    assert minutes(within(a, b)) == minutes(a) & minutes(b)
    assert joined(without(a, b)) == without(a, b)
    start, end = base + timedelta(minutes=10), base + timedelta(minutes=30)
    hit = overlap(a, start, end)
    touched = minutes(a) & set(range(10, 30))
    assert (hit is None) == (not touched)
    if hit is not None:
        assert hit[0] == base + timedelta(minutes=min(touched))
