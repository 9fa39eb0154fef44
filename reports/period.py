"""The stretch of time that a report is about: whole days in the viewer's zone, from midnight to midnight."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.tickets.errors import Invalid

MOST_DAYS = 3660
FIRST_YEAR, LAST_YEAR = 2000, 2100
BY_DAY, BY_WEEK = 31, 184
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Span(models.TextChoices):
    """What can be chosen. `custom` takes a first and a last day."""

    THIS_MONTH = "this_month", gettext_lazy("This month")
    LAST_MONTH = "last_month", gettext_lazy("Last month")
    THIS_QUARTER = "this_quarter", gettext_lazy("This quarter")
    LAST_QUARTER = "last_quarter", gettext_lazy("Last quarter")
    THIS_YEAR = "this_year", gettext_lazy("This year")
    LAST_YEAR = "last_year", gettext_lazy("Last year")
    CUSTOM = "custom", gettext_lazy("From … to …")


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included, by the clocks of `zone`."""

    span: str
    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The instant at which the first day begins (UTC)."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The instant at which the last day is over (UTC); it is no longer part of the period."""
        return midnight(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def grain(self) -> str:
        """The steps of its trend: `day`, `week` (from Monday) or `month`."""
        return "day" if self.days <= BY_DAY else "week" if self.days <= BY_WEEK else "month"

    def steps(self) -> list[date]:
        """Return the first day of each step of the trend, in order; the first and the last may reach out of it."""
        return steps_between(self.first, self.last, self.grain)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when the day begins in the zone, in UTC. Where the clocks leave midnight out: when they go on after it."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def steps_between(first: date, last: date, grain: str) -> list[date]:
    """Return the first days of the days, weeks or months that hold the days from first to last."""
    step = {"day": first, "week": first - timedelta(days=first.weekday()), "month": first.replace(day=1)}[grain]
    found = []
    while step <= last:
        found.append(step)
        step = month_after(step) if grain == "month" else step + timedelta(days=7 if grain == "week" else 1)
    return found


def month_after(day: date) -> date:
    """Return the first day of the month after the day's."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def period_of(span: str, first: str, last: str, *, today: date, zone: ZoneInfo) -> Period:
    """Return the period that was asked for; this month when nothing was.

    Raises:
        Invalid: no such choice, a day that is none, the last before the first, or more than ten years.
    """
    chosen = span or (Span.CUSTOM if first or last else Span.THIS_MONTH)
    if chosen not in Span.values:
        raise Invalid({"period": _("Choose a period from the list.")})
    if chosen == Span.CUSTOM:
        return Period(Span.CUSTOM, *_custom(first, last), zone)
    return Period(chosen, *_named(chosen, today), zone)


def _named(span: str, today: date) -> tuple[date, date]:
    if span in {Span.THIS_YEAR, Span.LAST_YEAR}:
        year = today.year - (span == Span.LAST_YEAR)
        return date(year, 1, 1), date(year, 12, 31)
    months = 1 if span in {Span.THIS_MONTH, Span.LAST_MONTH} else 3
    begins = today.replace(day=1, month=today.month - (today.month - 1) % months)
    if span in {Span.LAST_MONTH, Span.LAST_QUARTER}:
        for _month in range(months):
            begins = (begins - timedelta(days=1)).replace(day=1)
    after = begins
    for _month in range(months):
        after = month_after(after)
    return begins, after - timedelta(days=1)


def _custom(first: str, last: str) -> tuple[date, date]:
    problems = {}
    days = {}
    for name, text in (("from", first), ("to", last)):
        try:
            days[name] = _day(text)
        except ValueError:
            problems[name] = _("Give a day as year-month-day, between 2000 and 2100, such as 2026-03-31.")
    if problems:
        raise Invalid(problems)
    if days["to"] < days["from"]:
        raise Invalid({"to": _("The last day lies before the first. Swap the two.")})
    if (days["to"] - days["from"]).days >= MOST_DAYS:
        raise Invalid({"to": _("A report covers ten years at most. Choose days that lie closer together.")})
    return days["from"], days["to"]


def _day(text: str) -> date:
    if not _DAY.fullmatch(text.strip()):
        raise ValueError(text)
    day = date.fromisoformat(text.strip())
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(text)
    return day
