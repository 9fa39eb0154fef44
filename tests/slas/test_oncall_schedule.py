"""Rotas as arithmetic: turns, layers, overrides, absences, clock changes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slas.calendars import CalendarError, CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.oncall import Absence, Cover, RotaSpec, Schedule, Warned
from slas.oncall.plan import LayerSpec, Unit, Within, local_days

ANNA, BEN, CARL, LENA = 1, 2, 3, 4
ZONES = ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]


def weekly(members: tuple[int, ...] = (ANNA, BEN), **more: object) -> LayerSpec:
    """A layer that hands over on Mondays at 9."""
    base = LayerSpec("Week", 1, members, Unit.WEEK, 1, 540, 0, date(2026, 1, 5))
    return replace(base, **more)  # type: ignore[arg-type]


def daily(members: tuple[int, ...], **more: object) -> LayerSpec:
    """A layer that hands over each day at 9."""
    base = LayerSpec("Day", 1, members, Unit.DAY, 1, 540, 0, date(2026, 1, 5))
    return replace(base, **more)  # type: ignore[arg-type]


def utc(month: int, day: int, hour: int = 0, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_a_week_each_from_monday_nine_to_monday_nine() -> None:
    schedule = Schedule(RotaSpec("UTC", (weekly(),)))
    assert [(one.start, one.end, one.person) for one in schedule.shifts(utc(1, 1), utc(1, 20))] == [
        (utc(1, 5, 9), utc(1, 12, 9), ANNA),
        (utc(1, 12, 9), utc(1, 19, 9), BEN),
        (utc(1, 19, 9), utc(1, 20), ANNA),
    ]
    assert schedule.at(utc(1, 5, 8, 59)) is None
    assert schedule.at(utc(1, 12, 9)).person == BEN  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("zone", "first", "days"),
    [
        ("Europe/London", date(2026, 3, 27), 5),  # spring forward on the 29th
        ("Europe/London", date(2026, 10, 23), 5),  # fall back on the 25th
        ("America/New_York", date(2026, 3, 6), 5),
        ("America/New_York", date(2026, 10, 30), 5),
        ("Australia/Lord_Howe", date(2026, 4, 3), 5),  # by half an hour
    ],
)
def test_hand_over_stays_at_nine_by_the_clock_on_the_wall(zone: str, first: date, days: int) -> None:
    schedule = Schedule(RotaSpec(zone, (daily((ANNA, BEN), starts=first),)))
    start = datetime.combine(first, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
    shifts = schedule.shifts(start, start + timedelta(days=days))
    walls = [one.start.astimezone(ZoneInfo(zone)) for one in shifts]
    assert {(wall.hour, wall.minute) for wall in walls} == {(9, 0)}
    assert [wall.date() for wall in walls] == [first + timedelta(days=n) for n in range(len(walls))]
    assert len({one.end - one.start for one in shifts[:-1]}) == 2  # one of them is the day of the change


def test_hand_over_in_the_missing_and_in_the_repeated_hour() -> None:
    at_half_past_one = {"minute": 90, "starts": date(2026, 3, 28)}
    spring = Schedule(RotaSpec("Europe/London", (daily((ANNA, BEN), **at_half_past_one),)))
    assert [one.start for one in spring.shifts(utc(3, 28), utc(3, 31))] == [
        utc(3, 28, 1, 30), utc(3, 29, 1, 30), utc(3, 30, 0, 30),
    ]  # fmt: skip  # 01:30 is missing on the 29th: 02:30 summer time
    autumn = Schedule(RotaSpec("Europe/London", (daily((ANNA, BEN), minute=90, starts=date(2026, 10, 24)),)))
    assert [one.start for one in autumn.shifts(utc(10, 24), utc(10, 27))] == [
        utc(10, 24, 0, 30), utc(10, 25, 0, 30), utc(10, 26, 1, 30),
    ]  # fmt: skip  # the first 01:30 of the 25th


def test_a_missing_day_is_nobodys_turn() -> None:
    schedule = Schedule(RotaSpec("Pacific/Apia", (daily((ANNA, BEN, CARL), minute=0, starts=date(2011, 12, 29)),)))
    shifts = schedule.shifts(utc(12, 29, 10, year=2011), utc(1, 1, 10, year=2012))
    assert [one.person for one in shifts] == [ANNA, CARL, ANNA]  # Ben had the Friday that never was


def test_a_start_between_two_hand_overs_makes_the_first_turn_shorter() -> None:
    schedule = Schedule(RotaSpec("UTC", (weekly(starts=date(2026, 1, 8)),)))
    assert next((one.start, one.end) for one in schedule.shifts(utc(1, 1), utc(1, 15))) == (utc(1, 8, 9), utc(1, 12, 9))


def test_later_layers_win_and_leave_the_rest_to_the_earlier() -> None:
    night = daily((CARL,), weekly=(((1320, 360),),) * 7)
    schedule = Schedule(RotaSpec("UTC", (weekly((ANNA,)), night)))
    assert [(one.start, one.end, one.person) for one in schedule.shifts(utc(1, 6, 20), utc(1, 7, 8))] == [
        (utc(1, 6, 20), utc(1, 6, 22), ANNA),
        (utc(1, 6, 22), utc(1, 7, 6), CARL),
        (utc(1, 7, 6), utc(1, 7, 8), ANNA),
    ]


def test_outside_the_hours_of_a_business_calendar() -> None:
    office = compile_calendar(CalendarSpec("UTC", (((540, 1020),),) * 5 + ((), ())))
    layer = weekly((ANNA,), calendar=7, within=Within.OUTSIDE)
    schedule = Schedule(RotaSpec("UTC", (layer,)), calendars={7: office})
    assert schedule.at(utc(1, 6, 12)) is None
    assert schedule.at(utc(1, 6, 17)).person == ANNA  # type: ignore[union-attr]
    assert schedule.gaps(utc(1, 6), utc(1, 7)) == [(utc(1, 6, 9), utc(1, 6, 17))]


def test_override_wins_and_the_last_one_made_wins_over_others() -> None:
    covers = [Cover(BEN, utc(1, 6), utc(1, 8), ref=1), Cover(CARL, utc(1, 7), utc(1, 9), ref=2)]
    schedule = Schedule(RotaSpec("UTC", (weekly((ANNA,)),)), covers=covers)
    assert [one.person for one in schedule.shifts(utc(1, 5, 9), utc(1, 12))] == [ANNA, BEN, CARL, ANNA]


def test_who_is_away_is_passed_over_and_warned_about() -> None:
    away = [Absence(ANNA, utc(1, 6), utc(1, 7))]
    covered = Schedule(RotaSpec("UTC", (weekly((LENA,)), weekly((ANNA,)))), absences=away)
    assert covered.at(utc(1, 6, 12)).person == LENA  # type: ignore[union-attr]
    [warning] = covered.warnings(utc(1, 5, 9), utc(1, 10))
    assert (warning.kind, warning.person, warning.covered_by) == (Warned.AWAY, ANNA, LENA)
    alone = Schedule(RotaSpec("UTC", (weekly((ANNA,)),)), absences=away)
    assert alone.at(utc(1, 6, 12)) is None
    assert [(one.kind, one.covered_by) for one in alone.warnings(utc(1, 5, 9), utc(1, 10))] == [
        (Warned.AWAY, None),
        (Warned.NOBODY, None),
    ]


def test_closed_accounts_and_people_on_two_levels_are_warned_about() -> None:
    spec = RotaSpec("UTC", (weekly((ANNA,)), weekly((BEN,)), weekly((ANNA,), level=2)))
    found = Schedule(spec, closed=[BEN]).warnings(utc(1, 5, 9), utc(1, 6))
    assert {(one.kind, one.person) for one in found} == {(Warned.INACTIVE, BEN), (Warned.TWICE, ANNA)}


def test_stored_form_gives_back_an_equal_layer_and_nonsense_is_refused() -> None:
    layer = weekly(weekly=(((0, 1440),), ((540, 1020),), (), (), (), (), ((1320, 360),)), ends=date(2026, 6, 1))
    assert LayerSpec.from_json(layer.to_json()) == layer
    for change in ({"members": []}, {"level": 9}, {"every": 0}, {"starts": "soon"}, {"ends": "2025-01-01"},
                   {"unit": "moon"}, {"members": ["1"]}, {"minute": True}, {"calendar": 3}):  # fmt: skip
        with pytest.raises(CalendarError):
            LayerSpec.from_json({**layer.to_json(), **change})
    with pytest.raises(CalendarError):
        RotaSpec("Mars/Olympus", (layer,))


def test_days_of_a_zone_are_as_long_as_they_are() -> None:
    days = list(local_days(utc(3, 28), utc(3, 31), "Europe/London"))
    assert [(end - start) / timedelta(hours=1) for _day, start, end in days] == [24, 23, 24, 24]


@st.composite
def layers(draw: st.DrawFn) -> LayerSpec:
    hours = draw(st.sampled_from([None, (((540, 1020),),) * 5 + ((), ()), (((1320, 360),),) * 7]))
    return LayerSpec(
        "L",
        draw(st.sampled_from([1, 1, 2])),
        tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))),
        draw(st.sampled_from(list(Unit))),
        draw(st.integers(1, 3)),
        draw(st.integers(0, 1439)),
        draw(st.integers(0, 6)),
        draw(st.dates(date(2025, 1, 1), date(2026, 6, 1))),
        weekly=hours,
        within=draw(st.sampled_from(list(Within))) if hours else Within.HOURS,
    )


INSTANTS = st.integers(0, 548 * 86_400).map(
    lambda seconds: datetime(2025, 6, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    covers = [
        Cover(draw(st.integers(1, 5)), at, at + timedelta(hours=draw(st.integers(1, 90))), ref=ref)
        for ref, at in enumerate(draw(st.lists(INSTANTS, max_size=3)))
    ]
    absences = [
        Absence(draw(st.integers(1, 5)), at, at + timedelta(days=9)) for at in draw(st.lists(INSTANTS, max_size=3))
    ]
    spec = RotaSpec(draw(st.sampled_from(ZONES)), tuple(draw(st.lists(layers(), min_size=1, max_size=3))))
    return Schedule(spec, covers=covers, absences=absences, closed=draw(st.sets(st.integers(1, 5), max_size=1)))


@given(schedules(), INSTANTS, st.integers(0, 20 * 24 * 3600))
def test_listing_agrees_with_the_point_query_at_any_instant(schedule: Schedule, start: datetime, after: int) -> None:
    end = start + timedelta(days=21)
    for level in (1, 2):
        shifts = schedule.shifts(start, end, level)
        assert all(one.start < one.end for one in shifts)
        assert all(one.end <= two.start for one, two in itertools.pairwise(shifts))
        edges = [edge for one in shifts for edge in (one.start, one.end - timedelta(microseconds=1))]
        for instant in [*edges, start + timedelta(seconds=after)]:
            listed = next((one.on_call for one in shifts if one.start <= instant < one.end), None)
            assert listed == schedule.at(instant, level)
        spans = sorted([*((one.start, one.end) for one in shifts), *schedule.gaps(start, end, level)])
        assert [spans[0][0], *(b for _a, b in spans)] == [
            *(a for a, _b in spans),
            end,
        ]


@given(layers(), INSTANTS, st.sampled_from(ZONES))
def test_without_hours_and_absences_there_is_no_gap_after_the_start(layer: LayerSpec, at: datetime, zone: str) -> None:
    open_layer = replace(layer, weekly=None, level=1, within=Within.HOURS, starts=date(2025, 1, 1))
    assert Schedule(RotaSpec(zone, (open_layer,))).gaps(at, at + timedelta(days=30)) == []


@given(schedules(), INSTANTS, st.integers(1, 200), st.integers(6, 9))
def test_a_swap_that_is_applied_is_an_override(schedule: Schedule, at: datetime, hours: int, person: int) -> None:
    end = at + timedelta(hours=hours)
    taken = Schedule(
        schedule.spec,
        covers=[*schedule.covers, Cover(person, at, end, ref=99)],
        absences=schedule.absences,
        closed=schedule.closed,
    )
    window = (at - timedelta(days=3), end + timedelta(days=3))
    assert {one.person for one in taken.shifts(at, end)} == {person}
    inside = [(one.start, one.end, one.on_call) for one in taken.shifts(*window) if one.person != person]
    before = [(one.start, one.end, one.on_call) for one in schedule.shifts(window[0], at)]
    after = [(one.start, one.end, one.on_call) for one in schedule.shifts(end, window[1])]
    assert inside == [*before, *after]
