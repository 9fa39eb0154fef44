"""Arithmetic of the reports: periods, whose time it was, what requesters waited. Each holds for any input."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import hold, open_incident, reopen, resolve, resume
from incidents.waiting import Phase, shown_wait, wait_now, wait_of
from itsm.tickets.errors import Invalid
from reports.chart import trend
from reports.compliance import Counts
from reports.period import Period, Span, midnight, period_of, steps_between
from reports.stays import Stretch, split, stays_of
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from tests.cast import Cast
from tests.reports.conftest import FIXED
from tests.slas.conftest import MONDAY_NINE, OFFICE, at

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


@dataclass
class Event:
    code: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)


moves = st.sampled_from(
    [("incident.held", reason) for reason in ("awaiting_caller", "awaiting_vendor", "awaiting_change", "")]
    + [(f"incident.{name}", "") for name in ("started", "resumed", "resolved", "reopened")]
    + [("ticket.assigned", "")]
)


@given(st.lists(st.tuples(instants, moves), max_size=12), instants, st.none() | instants, instants)
def test_the_parts_of_a_wait_are_the_whole(
    happened: Any, opened: datetime, ended: datetime | None, now: datetime
) -> None:
    ticket: Any = SimpleNamespace(opened_at=opened, resolved_at=ended, closed_at=None)
    events = [Event(code, at, {"hold_reason": reason}) for at, (code, reason) in happened]
    wait = wait_of(ticket, events, now)
    assert sum(wait.parts.values(), timedelta()) == wait.total == max((ended or now) - opened, timedelta())
    assert all(part >= timedelta() for part in wait.parts.values())
    assert wait.is_over == (ended is not None)
    shown = shown_wait(wait)
    assert sum(part["seconds"] for part in shown["parts"]) == pytest.approx(wait.total.total_seconds())


def test_a_wait_counts_real_time_on_whom_it_was_spent(levels: Cast) -> None:
    def after(hours: float) -> Any:
        return at(levels.imke, MONDAY_NINE + timedelta(hours=hours))

    incident = open_incident(actor=after(0), title="vpn", requester=levels.rita)
    incident = hold(incident, actor=after(1), hold_reason="awaiting_caller", comment="Which one?")
    incident = resume(incident, actor=after(3))
    incident = hold(incident, actor=after(4), hold_reason="awaiting_vendor")
    incident = resolve(incident, actor=after(8), **FIXED)
    incident = reopen(incident, actor=after(24), comment="No")
    incident = hold(incident, actor=after(25), hold_reason="awaiting_problem")
    running = wait_now(incident)
    assert not running.is_over
    assert running.parts[Phase.OTHER] == running.until - (MONDAY_NINE + timedelta(hours=25))
    incident = resolve(incident, actor=after(30), **FIXED)
    wait = wait_now(incident)
    assert {phase: part / timedelta(hours=1) for phase, part in wait.parts.items()} == {
        Phase.DESK: 3, Phase.REQUESTER: 2, Phase.SUPPLIER: 4, Phase.OTHER: 5, Phase.DONE: 16
    }  # fmt: skip
    assert wait.total == timedelta(hours=30)


def test_a_wait_across_a_clock_change_is_in_real_seconds() -> None:
    zone = ZoneInfo("America/New_York")
    opened, ended = datetime(2026, 3, 7, 12, tzinfo=zone), datetime(2026, 3, 8, 12, tzinfo=zone)
    ticket: Any = SimpleNamespace(opened_at=opened, resolved_at=ended, closed_at=None)
    assert wait_of(ticket, [], ended).total == timedelta(hours=23)


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
