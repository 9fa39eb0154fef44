"""The occurrences of a recurrence as instants, kept by month once they were worked out. No Django in here.

Local times become instants by the rules of business calendars (docs/calendars.md): a time that is missing as clocks go
forward means the time that much later, one that comes twice means its first pass, and an occurrence that is left with
no length that night does not happen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from changes.schedule.recurrence import Recurrence
from slas.calendars import CalendarError
from slas.calendars.errors import gettext_noop
from slas.calendars.spec import MINUTES
from slas.calendars.zones import EPOCH, FIRST_YEAR, LAST_YEAR, key_of, to_us, zone_table

LONGEST = timedelta(days=3700)
# A zone lies at most 14 hours from UTC, and a local date is moved by a day at the date line: two days are enough.
MARGIN = timedelta(days=2)
_US = timedelta(microseconds=1)

Span = tuple[datetime, datetime]
"""From (with) and until (without), aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that it happens: the local date on which it begins, which names it, and the instants in UTC."""

    day: date
    start: datetime
    end: datetime


@lru_cache(maxsize=8192)
def _begin_in(rule: Recurrence, year: int, month: int) -> tuple[Occurrence, ...]:
    """The occurrences that begin in a local month. Few months are asked for again and again: a calendar's, and those
    ahead that planned changes lie in."""
    zone, found = zone_table(rule.time_zone), []
    end_days, end_minute = divmod(rule.end, MINUTES)
    for day in rule.dates_in_month(year, month):
        key = key_of(day)
        start, end = zone.resolve(key, rule.start_minute), zone.resolve(key + end_days, end_minute)
        if start < end:
            found.append(Occurrence(day, EPOCH + start * _US, EPOCH + end * _US))
    return tuple(found)


def occurrences(rule: Recurrence, start: datetime, end: datetime) -> Iterator[Occurrence]:
    """Return the occurrences that overlap [start, end) (aware), in the order of their dates, whole (not cut to it).

    One that only touches an end is not among them. Raises CalendarError for more than about ten years at once, and for
    instants that are naive or outside 1970-2119.
    """
    to_us(start), to_us(end)
    if end - start > LONGEST:
        raise CalendarError(gettext_noop("At most ten years can be looked at at once. Choose a shorter stretch."))
    first = max((start - MARGIN).date() - timedelta(minutes=rule.end), rule.first)
    last = (end + MARGIN).date() if rule.until is None else min((end + MARGIN).date(), rule.until)
    month = first.year * 12 + first.month - 1
    while month <= last.year * 12 + last.month - 1:
        year, number = divmod(month, 12)
        if FIRST_YEAR <= year <= LAST_YEAR:
            for one in _begin_in(rule, year, number + 1):
                if one.start < end and one.end > start:
                    yield one
        month += 1


def next_occurrences(rule: Recurrence, after: datetime, count: int, *, within: timedelta) -> list[Occurrence]:
    """Return the first occurrences, `count` at most, that begin at or after the instant, as far ahead as `within`."""
    found: list[Occurrence] = []
    for one in occurrences(rule, after, after + within):
        if one.start >= after:
            found.append(one)
            if len(found) == count:
                break
    return found


def covered(rule: Recurrence, start: datetime, end: datetime) -> list[Span]:
    """Return what of [start, end) the occurrences cover: in order, cut to it, those that overlap or meet made one."""
    return joined((max(one.start, start), min(one.end, end)) for one in occurrences(rule, start, end))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, with those that overlap or meet made one, and without empty ones."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of joined `spans` when joined `taken` are cut out."""
    left: list[Span] = []
    cuts = list(taken)
    starts = [one[0] for one in cuts]
    for start, end in spans:
        at = start
        index = max(bisect_right(starts, start) - 1, 0)
        while index < len(cuts) and cuts[index][0] < end:
            cut_start, cut_end = cuts[index]
            if cut_end > at:
                if cut_start > at:
                    left.append((at, cut_start))
                at = max(at, cut_end)
            index += 1
        if at < end:
            left.append((at, end))
    return left


def within(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return what two lists of joined spans have in common."""
    one, two = list(spans), list(others)
    found, i, j = [], 0, 0
    while i < len(one) and j < len(two):
        start, end = max(one[i][0], two[j][0]), min(one[i][1], two[j][1])
        if start < end:
            found.append((start, end))
        if one[i][1] <= two[j][1]:
            i += 1
        else:
            j += 1
    return found


def overlap(spans: list[Span], start: datetime, end: datetime) -> Span | None:
    """Return the first stretch of [start, end) that the joined spans cover; None where they leave it free."""
    index = max(bisect_right(spans, start, key=lambda one: one[0]) - 1, 0)
    for begin, until in spans[index : index + 2]:
        if begin < end and until > start:
            return max(begin, start), min(until, end)
    return None
