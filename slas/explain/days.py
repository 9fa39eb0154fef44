"""The days of a calendar between two instants: what was open of each, and what was unusual about it.

A day is the calendar's own: the span D(d) of a local date, which a clock change makes longer or shorter. Days that are
closed in a row are one line, and the middle of a long way is folded into one that still carries its open time and
names its unusual dates, so that the lines always sum up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from slas.calendars import CompiledCalendar
from slas.calendars.compiled import Span
from slas.calendars.zones import DAY, EPOCH, date_of, key_of, to_us, zone_table

MOST_DAYS = 42
SHOWN_AT_ENDS = 14
MOST_NOTES = 60
US = timedelta(microseconds=1)
NameOf = Callable[[date], str]


def nameless(day: date) -> str:
    """Return no name for any date."""
    return ""


@dataclass(frozen=True)
class Note:
    """Something unusual about a date: `holiday` (with its name), `closed`, `override`, `clock_forward`, `clock_back`
    (`shift_us` says by how much, `length_us` how long the day is), or `missing`: a date that the zone left out."""

    date: date
    kind: str
    name: str = ""
    shift_us: int = 0
    length_us: int = DAY


@dataclass(frozen=True)
class Day:
    """One date, or several in a row as one line (`last` differs from `first`): closed ones, or a folded middle, whose
    spans are not listed. Clipped to the way. All lengths are microseconds of open time."""

    first: date
    last: date
    open_us: int
    spans: tuple[Span, ...] = ()
    notes: tuple[Note, ...] = ()
    is_folded: bool = False

    @property
    def count(self) -> int:
        """How many dates the line stands for."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Way:
    """The open time of a calendar from `start` to `end`, day by day."""

    start: datetime
    end: datetime
    time_zone: str
    open_us: int
    days: tuple[Day, ...]

    @property
    def notes(self) -> list[Note]:
        """What was unusual on the way, in order."""
        return [note for day in self.days for note in day.notes]


def way(hours: CompiledCalendar, start: datetime, end: datetime, name_of: NameOf = nameless) -> Way:
    """Return the days from `start` to `end` (aware; the same instant or later). `name_of` gives dates their names.

    The work does not grow with the length of the way.

    Raises:
        CalendarError: an instant is outside the years that calendars cover.
    """
    walk = _Walk(hours, start, end, name_of)
    return Way(start, end, hours.spec.time_zone, hours.open_us(start, end), tuple(walk.lines()))


class _Walk:
    def __init__(self, hours: CompiledCalendar, start: datetime, end: datetime, name_of: NameOf) -> None:
        self.hours = hours
        self.name_of = name_of
        self.start, self.end = start, max(start, end)
        self.zone = zone_table(hours.spec.time_zone)
        self.changes = frozenset(self.zone.change_keys)
        self.first = self.zone.day_of(to_us(start))[0]
        # A way that ends at midnight has no part of the day that begins there.
        self.last = max(self.first, self.zone.day_of(max(to_us(self.end) - 1, 0))[0])

    def lines(self) -> Iterator[Day]:
        if self.last - self.first < MOST_DAYS:
            yield from self._joined(self.first, self.last)
            return
        head, tail = self.first + SHOWN_AT_ENDS, self.last - SHOWN_AT_ENDS
        yield from self._joined(self.first, head - 1)
        yield self._folded(head, tail)
        yield from self._joined(tail + 1, self.last)

    def _joined(self, first: int, last: int) -> Iterator[Day]:
        """Yield the days, closed ones in a row as one line."""
        closed: list[Day] = []
        for key in range(first, last + 1):
            day = self._day(key)
            if day.open_us == 0 and not day.notes:
                closed.append(day)
                continue
            if closed:
                yield Day(closed[0].first, closed[-1].last, 0)
                closed = []
            yield day
        if closed:
            yield Day(closed[0].first, closed[-1].last, 0)

    def _day(self, key: int) -> Day:
        day = date_of(key)
        spans = tuple(
            (max(a, self.start), min(b, self.end))
            for a, b in self.hours.day_spans(day)
            if max(a, self.start) < min(b, self.end)
        )
        open_us = sum((b - a) // US for a, b in spans)
        return Day(day, day, open_us, spans, tuple(self._notes(key)))

    def _folded(self, first: int, last: int) -> Day:
        a = EPOCH + timedelta(microseconds=self.zone.start_of(first))
        b = EPOCH + timedelta(microseconds=self.zone.start_of(last + 1))
        special = self.hours.special_dates(date_of(first), date_of(last + 1))[:MOST_NOTES]
        notes = [note for day in special for note in self._notes(key_of(day))]
        return Day(date_of(first), date_of(last), self.hours.open_us(a, b), notes=tuple(notes), is_folded=True)

    def _notes(self, key: int) -> Iterator[Note]:
        day, spec = date_of(key), self.hours.spec
        if day in spec.overrides:
            yield Note(day, "override", self.name_of(day))
        elif day in spec.closed_dates:
            name = self.name_of(day)
            yield Note(day, "holiday" if name else "closed", name)
        if key not in self.changes:
            return
        length = self.zone.start_of(key + 1) - self.zone.start_of(key)
        if length <= 0:
            yield Note(day, "missing", length_us=0)
        elif length != DAY:
            kind = "clock_forward" if length < DAY else "clock_back"
            yield Note(day, kind, shift_us=abs(DAY - length), length_us=length)
