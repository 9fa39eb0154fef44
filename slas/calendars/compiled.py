"""The measure of a calendar and its inverse.

F(t) is the open time before t. Elapsed is F(b) - F(a), a due time is the inverse of F: everything else about a timer is
bookkeeping. All arithmetic is in integer microseconds; nothing walks days or hours except the listing of spans.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from threading import Lock

from slas.calendars.errors import CalendarError, gettext_noop
from slas.calendars.prefix import DaySums
from slas.calendars.spec import MINUTES, CalendarSpec, Interval, check_date
from slas.calendars.zones import DAY, EPOCH, MINUTE, Shape, date_of, key_of, spans_in, to_instant, to_us, zone_table

Span = tuple[datetime, datetime]

# The longest stretch whose open spans are listed: ten years and a bit.
MAX_LISTED_DAYS = 3700

_CACHED = 256
_cache: OrderedDict[str, "CompiledCalendar"] = OrderedDict()
_lock = Lock()


class DayHours:
    """Open spans of one day, in microseconds since its start."""

    __slots__ = ("ends", "heads", "spans", "starts", "total")

    def __init__(self, spans: tuple[tuple[int, int], ...]) -> None:
        self.spans = spans
        self.starts = tuple(start for start, _ in spans)
        self.ends = tuple(end for _, end in spans)
        heads, total = [], 0
        for start, end in spans:
            heads.append(total)
            total += end - start
        self.heads = tuple(heads)
        self.total = total

    def before(self, offset: int) -> int:
        """Open time of this day before `offset`."""
        i = bisect_right(self.starts, offset) - 1
        return self.heads[i] + min(offset, self.ends[i]) - self.starts[i] if i >= 0 else 0

    def reach(self, amount: int) -> int:
        """The offset at which this day's open time reaches `amount` (0 < amount <= total)."""
        i = bisect_left(self.heads, amount) - 1
        return self.starts[i] + amount - self.heads[i]

    def is_open(self, offset: int) -> bool:
        i = bisect_right(self.starts, offset) - 1
        return i >= 0 and offset < self.ends[i]


@lru_cache(maxsize=4096)
def day_hours(hours: tuple[Interval, ...], shape: Shape = ()) -> DayHours:
    """The hours of a day on which the clock goes like this. Kept, since calendars have few different days: sharing them
    keeps calendars small and quick to make."""
    return DayHours(spans_in(shape, hours))


class CompiledCalendar:
    """A calendar ready to measure. Get one from `compile`. Instants are aware datetimes; answers are in UTC.

    Every method raises CalendarError for a naive instant or one outside 1970-2119.
    """

    def __init__(self, spec: CalendarSpec) -> None:
        self.spec = spec
        self._zone = zone_table(spec.time_zone)
        self._week = tuple(day_hours(hours) for hours in spec.week)
        own_hours = {key_of(day): spec.hours_on(day) for day in spec.exception_dates()}
        own_hours = {key: own for key, own in own_hours.items() if own != spec.week[key % 7]}
        zone = self._zone
        self._special = {key: day_hours(own, zone.shape_of(key)) for key, own in own_hours.items()}
        # A clock change moves the spans of its day; their sum only where the clock jumps within the hours.
        self._shaped = [day_hours(spec.week[weekday], shape) for shape, weekday, _ in zone.groups]
        self.is_24x7 = all(own == ((0, MINUTES),) for own in (*spec.week, *own_hours.values()))
        self._unlike: dict[int, DayHours] = {}
        for (_, weekday, keys), day in zip(zone.groups, self._shaped, strict=True):
            if day.total != self._week[weekday].total:
                self._unlike.update(dict.fromkeys(keys, day))
        self._unlike.update(self._special)
        self._time = DaySums([d.total for d in self._week], {key: d.total for key, d in self._unlike.items()})
        self._zero = self._raw(0)

    @property
    def digest(self) -> str:
        """The digest of the spec and its zone's clock changes."""
        return self.spec.digest

    @cached_property
    def _days(self) -> DaySums:
        return DaySums([d.total > 0 for d in self._week], {key: d.total > 0 for key, d in self._unlike.items()})

    def _day(self, key: int) -> DayHours:
        found = self._special.get(key)
        if found is None:
            group = self._zone.group_of.get(key)
            found = self._week[key % 7] if group is None else self._shaped[group]
        return found

    def _raw(self, us: int) -> int:
        key, start = self._zone.day_of(us)
        return self._time.before(key) + self._day(key).before(us - start)

    def _invert(self, raw: int) -> int:
        key, rest = self._time.find(raw)
        return self._zone.start_of(key) + self._day(key).reach(rest)

    def measure(self, instant: datetime) -> int:
        """F(t): open microseconds from 1970-01-01T00:00Z to `instant`."""
        us = to_us(instant)
        return us if self.is_24x7 else self._raw(us) - self._zero

    def open_us(self, start: datetime, end: datetime) -> int:
        """Open microseconds in [start, end). Negative if `end` is before `start`."""
        return self.measure(end) - self.measure(start)

    def due(self, start: datetime, open_us: int) -> datetime:
        """The first instant t >= start with `open_us` open microseconds in [start, t).

        So 8 h from 09:00 in hours 09:00-17:00 is due at 17:00 that day. Raises NeverOpen if the calendar has not that
        much open time left, CalendarError if the target is negative or its end lies past 2119.
        """
        us = to_us(start)
        if open_us < 0:
            raise CalendarError(gettext_noop("A target cannot be negative. Give a time of zero or more."))
        if not open_us:
            return to_instant(us)
        return to_instant(us + open_us if self.is_24x7 else self._invert(self._raw(us) + open_us))

    def is_open(self, instant: datetime) -> bool:
        """Whether `instant` is in an open span (spans hold their start, not their end)."""
        us = to_us(instant)
        key, start = self._zone.day_of(us)
        return self._day(key).is_open(us - start)

    def next_open(self, instant: datetime) -> datetime:
        """The first open instant at or after `instant`. Raises NeverOpen if there is none, CalendarError past 2119."""
        us = to_us(instant)
        key, start = self._zone.day_of(us)
        if self._day(key).is_open(us - start):
            return to_instant(us)
        return to_instant(self._invert(self._raw(us) + 1) - 1)

    def day_spans(self, day: date) -> tuple[Span, ...]:
        """Open spans within the local date's own span D(d), for a year view. Empty on a closed or missing date.

        Raises CalendarError for a date outside 1970-2119. The last one may end in 2120 by UTC.
        """
        check_date(day)
        begin = EPOCH + timedelta(microseconds=self._zone.start_of(key_of(day)))
        spans = self._day(key_of(day)).spans
        return tuple((begin + timedelta(microseconds=a), begin + timedelta(microseconds=b)) for a, b in spans)

    def spans(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Open spans in [start, end) in order, clipped to it, those that meet at midnight joined.

        Lazy, one day at a time. Raises CalendarError for more than MAX_LISTED_DAYS days.
        """
        first, last = to_us(start), to_us(end)
        if last - first > MAX_LISTED_DAYS * DAY:
            raise CalendarError(
                gettext_noop("Open hours can be listed for %(most)d days at most. Choose a shorter stretch."),
                most=MAX_LISTED_DAYS,
            )
        return self._spans(first, last)

    def _spans(self, first: int, last: int) -> Iterator[Span]:
        if self.is_24x7:
            if first < last:
                yield to_instant(first), to_instant(last)
            return
        begin = end = first
        key, _ = self._zone.day_of(first)
        while (start := self._zone.start_of(key)) < last:
            for a, b in self._day(key).spans:
                a, b = max(start + a, first), min(start + b, last)
                if a >= b:
                    continue
                if a > end:
                    if begin < end:
                        yield to_instant(begin), to_instant(end)
                    begin = a
                end = b
            key += 1
        if begin < end:
            yield to_instant(begin), to_instant(end)

    def close_of_business_day(self, instant: datetime, days: int) -> datetime:
        """When the `days`-th business day after the date of `instant` closes (the end of its last open span).

        A business day is a date with open time. The date of `instant` itself is not counted; with `days` 0 it is that
        date if open time is left on it, else the next business day. Raises NeverOpen, or CalendarError if `days` is
        negative.
        """
        us = to_us(instant)
        if days < 0:
            raise CalendarError(gettext_noop("A number of business days cannot be negative. Give zero or more."))
        key, start = self._zone.day_of(us)
        if days == 0:
            day = self._day(key)
            if day.before(us - start) < day.total:
                return to_instant(start + day.ends[-1])
        key, _ = self._days.find(self._days.before(key + 1) + max(days, 1))
        return to_instant(self._zone.start_of(key) + self._day(key).ends[-1])

    def special_dates(self, start: date, end: date) -> tuple[date, ...]:
        """Dates in [start, end) that differ from the plain week: closed, overridden, or with a clock change."""
        first, last = key_of(start), key_of(end)
        keys = {key for key in (*self._special, *self._zone.change_keys) if first <= key < last}
        return tuple(date_of(key) for key in sorted(keys))


def business_days_us(days: int, day_minutes: int) -> int:
    """A target of `days` business days as open microseconds: days x the calendar's declared length of a day.

    The other reading, "by the close of the nth business day", is `CompiledCalendar.close_of_business_day`.
    """
    if days < 0 or not 0 < day_minutes <= MINUTES:
        raise CalendarError(gettext_noop("Give zero or more days, and a day of 1 minute to 24 hours."))
    return days * day_minutes * MINUTE


def compile(spec: CalendarSpec) -> CompiledCalendar:  # noqa: A001 - read as calendars.compile
    """The compiled calendar of a spec, kept by digest (the 256 used last), shared between threads."""
    digest = spec.digest
    with _lock:
        if found := _cache.get(digest):
            _cache.move_to_end(digest)
            return found
    made = CompiledCalendar(spec)
    with _lock:
        _cache[digest] = made
        while len(_cache) > _CACHED:
            _cache.popitem(last=False)
    return made
