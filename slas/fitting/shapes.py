"""The calendars among which the search chooses: weekly hours of one shape, a zone, and perhaps public holidays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from slas.calendars import CalendarSpec
from slas.calendars.holidays import closed_dates
from slas.calendars.spec import Interval

DAY = 1440
HOUR = 60
EVERY_DAY = tuple(range(7))
WORKDAYS = tuple(range(5))
WEEKS = (WORKDAYS, EVERY_DAY, tuple(range(6)), (6, 0, 1, 2, 3))
BREAK = (12 * HOUR, 13 * HOUR)
# The lengths of a day that the first, hourly grid tries.
LENGTHS = range(4 * HOUR, 17 * HOUR, HOUR)
STEPS = (HOUR, 30)
# One zone for each rule of clock changes that matters to many desks: none, Europe's, North America's.
ZONES = ("UTC", "Europe/London", "America/New_York")
COUNTRIES = ("", "BR", "DE", "FR", "GB", "IN", "PT", "US")


@dataclass(frozen=True, order=True)
class Shape:
    """Weekly hours that are the same on each of their days: `length` minutes from `start`, perhaps over midnight.

    `noon`: closed from 12:00 to 13:00. `country`: closed on its public holidays; blank for none. `elsewhere`: its zone
    is not the one in which the log is read.
    """

    start: int
    length: int
    days: tuple[int, ...]
    time_zone: str
    noon: bool = False
    country: str = ""
    elsewhere: bool = False

    @property
    def day_s(self) -> int:
        """The open seconds of one of its days."""
        return sum(end - start for start, end in self._spans()) * 60

    @property
    def cost(self) -> tuple[int, ...]:
        """How odd the shape is: of two that err equally the one that says less, in whole hours, is taken."""
        whole = self.start % HOUR == 0 and self.length % HOUR == 0
        over = self.start + self.length > DAY
        plain = self.days in (WORKDAYS, EVERY_DAY)
        return (not plain) + bool(self.country) + self.noon + over + self.elsewhere, not whole

    def spec(self, years: tuple[int, int]) -> CalendarSpec:
        """Return the calendar, with the holidays of the years from the first to the second."""
        hours = tuple((start, end if end <= DAY else end - DAY) for start, end in self._spans())
        weekly = tuple(hours if day in self.days else () for day in range(7))
        return CalendarSpec(self.time_zone, weekly, _holidays(self.country, *years))

    def neighbours(self, at: datetime, home: str) -> Iterator[Shape]:
        """Yield the shapes that differ in one thing; `home` is the zone in which the log is read.

        A change of zone keeps the hours where they were at the instant.
        """
        for step in STEPS:
            for start, length in ((step, 0), (-step, 0), (0, step), (0, -step), (step, -step), (-step, step)):
                if HOUR <= self.length + length < DAY:
                    yield replace(self, start=(self.start + start) % DAY, length=self.length + length)
        for days in WEEKS:
            yield replace(self, days=days)
        for country in COUNTRIES:
            yield replace(self, country=country)
        if self.start < BREAK[0] and self.start + self.length > BREAK[1]:
            yield replace(self, noon=not self.noon)
        for zone in dict.fromkeys((home, *ZONES)):
            offset = _offset(zone, at) - _offset(self.time_zone, at) if self.length < DAY else 0
            yield replace(self, time_zone=zone, start=(self.start + offset) % DAY, elsewhere=zone != home)

    def _spans(self) -> tuple[Interval, ...]:
        end = self.start + self.length
        if self.noon and self.start < BREAK[0] and end > BREAK[1]:
            return (self.start, BREAK[0]), (BREAK[1], end)
        return ((self.start, end),)


def plain_shapes(zone: str) -> tuple[Shape, ...]:
    """Return the few shapes by which the readings of a log are compared first."""
    return (
        Shape(0, DAY, EVERY_DAY, zone),
        Shape(0, DAY, WORKDAYS, zone),
        Shape(9 * HOUR, 8 * HOUR, WORKDAYS, zone),
        Shape(8 * HOUR, 10 * HOUR, WORKDAYS, zone),
    )


def hourly_shapes(zone: str) -> Iterator[Shape]:
    """Yield every shape of whole hours from Monday to Friday, also over midnight."""
    for start in range(0, DAY, HOUR):
        for length in LENGTHS:
            yield Shape(start, length, WORKDAYS, zone)


@lru_cache(maxsize=32)
def _holidays(country: str, first: int, last: int) -> frozenset[date]:
    return closed_dates(country, first, last) if country else frozenset()


def _offset(zone: str, at: datetime) -> int:
    offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) // 60 if offset is not None else 0
