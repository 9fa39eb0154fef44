"""The year view of a calendar: each day's open hours, closed dates, other hours and clock changes, in words too."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.dates import MONTHS
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from slas.calendars import CalendarSpec, ClockChange, clock_changes, local_day
from slas.calendars import compile as compile_calendar
from workspace.administration.hours import write_duration, write_spans

FIRST, LAST = 1971, 2118
# Up to so many hours of open time a day has each of the four shades.
SHADES = (4, 8, 12)


@dataclass(frozen=True)
class Day:
    """One day: how long it is open, what is special about it, and all of that as a sentence for whoever does not see
    the picture. `mark`: closed, other, forward, back or empty."""

    day: date
    seconds: int
    shade: int
    mark: str
    name: str
    text: str
    is_today: bool
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Month:
    """One month as rows of seven days, None where a day belongs to a neighbour."""

    name: str
    weeks: list[list[Day | None]]
    open_days: int
    hours: str


@dataclass(frozen=True)
class Year:
    """A whole year of a calendar. `special`: the days that differ from the plain week, in order."""

    year: int
    months: list[Month]
    special: list[Day]
    open_days: int
    hours: str
    zone: str
    weekdays: list[str] = field(default_factory=list)

    @property
    def before(self) -> int | None:
        """The year before, where calendars cover it."""
        return self.year - 1 if self.year > FIRST else None

    @property
    def after(self) -> int | None:
        """The year after, where calendars cover it."""
        return self.year + 1 if self.year < LAST else None


def year_of(spec: CalendarSpec, year: int, name_of: Callable[[date], str], today: date) -> Year:
    """Return the year of a calendar; `name_of` gives what a date is called, or nothing. One pass over its days."""
    compiled = compile_calendar(spec)
    zone = ZoneInfo(spec.time_zone)
    start, end = (datetime.combine(date(at, 1, 1), time(), zone).astimezone(UTC) for at in (year, year + 1))
    jumps: dict[date, list[ClockChange]] = {}
    for change in clock_changes(spec.time_zone, start - timedelta(days=1), end + timedelta(days=1)):
        # At midnight itself a clock change belongs to the day that it shortens or lengthens.
        jumps.setdefault(local_day(spec.time_zone, change.instant), []).append(change)
    lost = {
        change.local_before.date() + timedelta(days=n)
        for changes in jumps.values()
        for change in changes
        for n in range(change.jump_s // 86400)
    }
    months = []
    every: list[Day] = []
    for month in range(1, 13):
        weeks: list[list[Day | None]] = []
        for week in calendar.Calendar().monthdatescalendar(year, month):
            row: list[Day | None] = []
            for day in week:
                if day.month != month:
                    row.append(None)
                    continue
                spans = compiled.day_spans(day)
                seconds = sum(round((b - a).total_seconds()) for a, b in spans)
                row.append(_day(spec, day, seconds, jumps.get(day, []), name_of(day), today, is_lost=day in lost))
            weeks.append(row)
        days = [day for row in weeks for day in row if day]
        months.append(
            Month(
                str(MONTHS[month]), weeks, sum(day.seconds > 0 for day in days), _length(sum(d.seconds for d in days))
            )
        )
    every = [day for month in months for row in month.weeks for day in row if day]
    monday = date(2024, 1, 1)
    return Year(
        year,
        months,
        [day for day in every if day.mark],
        *_sums(every),
        spec.time_zone,
        [date_format(monday + timedelta(days=n), "D") for n in range(7)],
    )


def _day(
    spec: CalendarSpec, day: date, seconds: int, changes: list[ClockChange], name: str, today: date, *, is_lost: bool
) -> Day:
    hours = spec.hours_on(day)
    usual = spec.week[day.weekday()]
    mark = ""
    if is_lost:
        state, mark = _("this date does not exist here"), "forward"
    elif hours:
        state = _("open %(hours)s, %(length)s") % {"hours": write_spans(hours), "length": _length(seconds)}
        mark = "other" if hours != usual else ""
    else:
        state = _("closed")
        mark = "closed" if usual or name else ""
    told = [_("usually %(hours)s") % {"hours": write_spans(usual) or _("closed")}] if hours != usual else []
    jumps = tuple(say_change(change) for change in changes)
    if changes:
        mark = "forward" if changes[0].jump_s > 0 else "back"
    text = "; ".join(filter(None, [name, state, *told, *jumps]))
    return Day(day, seconds, _shade(seconds), mark, name, text, day == today, jumps)


def say_change(change: ClockChange) -> str:
    """Return a clock change as a sentence: which way, by how much, and when by the clocks themselves."""
    words = {
        "length": _length(abs(change.jump_s)),
        "before": f"{change.local_before:%H:%M}",
        "after": f"{change.local_after:%H:%M}",
    }
    if change.jump_s > 0:
        return _("clocks go forward by %(length)s, from %(before)s to %(after)s") % words
    return _("clocks go back by %(length)s, from %(before)s to %(after)s") % words


def _sums(days: list[Day]) -> tuple[int, str]:
    return sum(day.seconds > 0 for day in days), _length(sum(day.seconds for day in days))


def _shade(seconds: int) -> int:
    return 0 if not seconds else 1 + sum(seconds > limit * 3600 for limit in SHADES)


def _length(seconds: int) -> str:
    return write_duration(seconds) or "0h"
