"""Arithmetic of the reports: periods, whose time it was, the picture. Each holds for any input."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm.tickets.errors import Invalid
from reports.chart import trend
from reports.compliance import Counts
from reports.period import Period, Span, midnight, period_of, steps_between
from reports.stays import Stretch, split, stays_of
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from tests.slas.conftest import OFFICE

HOURS = [compile_calendar(OFFICE), compile_calendar(CalendarSpec.always())]
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia"]
instants = st.integers(0, 60 * 24 * 3600 * 10**6).map(lambda us: EPOCH + timedelta(microseconds=us))
days = st.dates(date(2001, 1, 1), date(2037, 12, 31))


@given(
    st.lists(instants, min_size=2, max_size=10), st.lists(st.tuples(instants, st.integers(1, 4)), max_size=8), st.data()
)
def test_shares_of_teams_add_up_to_what_ran(cuts: list[datetime], hand_overs: Any, data: st.DataObject) -> None:
    cuts = sorted(cuts)
    runs = []
    for begins, ends in zip(cuts[::2], cuts[1::2], strict=False):
        hours = data.draw(st.sampled_from(HOURS))
        runs.append(Stretch(begins, ends, hours.open_us(begins, ends), hours))
    changes = []
    team: int | None = None
    for instant, after in sorted(hand_overs):
        changes.append((instant, team, after))
        team = after
    stays = stays_of(changes, team)
    shares = split(runs, stays)
    assert sum(shares.values()) == sum(run.elapsed_us for run in runs)
    assert all(us >= 0 for us in shares.values())
    slow: dict[int | None, int] = {}
    for run in runs:
        marks = [run.started_at, *(c[0] for c in changes if run.started_at < c[0] < run.ended_at), run.ended_at]
        for begins, ends in pairwise(marks):
            holder = next((c[2] for c in reversed(changes) if c[0] <= begins), None)
            slow[holder] = slow.get(holder, 0) + run.hours.open_us(begins, ends)
    assert {team: us for team, us in shares.items() if us} == {team: us for team, us in slow.items() if us}


@given(days, days, st.sampled_from(ZONES))
def test_months_of_a_period_touch_and_cover_it(one: date, other: date, zone: str) -> None:
    first, last = sorted((one, other))
    period = Period(Span.CUSTOM, first, last, ZoneInfo(zone))
    assert period.start < period.end or zone == "Pacific/Apia"
    for grain in ("day", "week", "month"):
        if grain == "day" and period.days > 4000:
            continue
        steps = steps_between(first, last, grain)
        assert steps == sorted(set(steps))
        assert steps[0] <= first <= last
        assert steps[-1] <= last
    assert period.start.astimezone(period.zone).date() >= first or zone == "Pacific/Apia"


@pytest.mark.parametrize(
    ("span", "first", "last"),
    [
        ("this_month", date(2026, 2, 1), date(2026, 2, 28)),
        ("last_month", date(2026, 1, 1), date(2026, 1, 31)),
        ("this_quarter", date(2026, 1, 1), date(2026, 3, 31)),
        ("last_quarter", date(2025, 10, 1), date(2025, 12, 31)),
        ("this_year", date(2026, 1, 1), date(2026, 12, 31)),
        ("last_year", date(2025, 1, 1), date(2025, 12, 31)),
        ("", date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_named_periods(span: str, first: date, last: date) -> None:
    found = period_of(span, "", "", today=date(2026, 2, 15), zone=ZoneInfo("UTC"))
    assert (found.first, found.last) == (first, last)


def test_a_day_of_the_clock_change_has_its_length() -> None:
    known = [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ]
    for zone, day, hours in known:
        period = Period(Span.CUSTOM, day, day, ZoneInfo(zone))
        assert (period.end - period.start) / timedelta(hours=1) == hours, zone
    assert midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_two_wrong_days_are_two_sentences() -> None:
    with pytest.raises(Invalid) as told:
        period_of("custom", "31.3.2026", "20260401", today=date(2026, 2, 15), zone=ZoneInfo("UTC"))
    assert set(told.value.fields) == {"from", "to"}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=60))
def test_the_picture_stays_in_its_frame(numbers: list[tuple[int, int]]) -> None:
    steps = [(EPOCH.date() + timedelta(days=n), Counts(met=met, missed=late)) for n, (met, late) in enumerate(numbers)]
    chart = trend(steps, "day")
    for point, (_day, counts) in zip(chart.points, steps, strict=True):
        assert (point.y is None) == (counts.decided == 0)
        assert point.y is None or 0 <= point.y <= chart.bar_top
        assert chart.left <= point.bar_x <= point.bar_x + point.bar_width <= chart.right + 0.1
        assert chart.bar_top - 0.2 <= point.met_y <= chart.base
    assert sum(path.count("L") + 1 for path in chart.paths) <= len([p for p in chart.points if p.y is not None])
