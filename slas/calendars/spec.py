"""What a calendar is: zone, weekly hours, closed dates, dated overrides. Checked and normalised once, then frozen."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from slas.calendars.errors import CalendarError, gettext_noop
from slas.calendars.tzif import zone_names
from slas.calendars.zones import FIRST_YEAR, LAST_YEAR, zone_table

# (start minute, end minute) of a local day; end up to 1440; an end at or before the start is on the next day.
Interval = tuple[int, int]

MINUTES = 1440
MAX_INTERVALS = 24
MAX_DATES = 2000
_TIME = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CalendarSpec:
    """A business calendar, equal to another when it says the same after normalisation.

    `weekly`: seven tuples of intervals, Monday first. `closed_dates`: local dates without hours. `overrides`: a date's
    own hours, which beat both; an empty tuple closes the date. `allow_never`: weekly hours may be empty.

    An overnight interval is split at midnight first, and each date then stands alone: a closed date or an override
    replaces what is open on that date, also the morning of a shift that began the evening before, and leaves the part
    on the neighbour. The morning part of an overnight override is added to the next date unless that one is closed or
    has an override itself.

    Raises CalendarError with a sentence that says what to do.
    """

    time_zone: str
    weekly: tuple[tuple[Interval, ...], ...]
    closed_dates: frozenset[date] = frozenset()
    overrides: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict, hash=False)
    allow_never: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.time_zone, str) or self.time_zone not in zone_names():
            raise CalendarError(
                gettext_noop("“%(name)s” is not a known time zone. Choose one from the list, such as Europe/London."),
                name=str(self.time_zone)[:64],
            )
        if not isinstance(self.weekly, list | tuple) or len(self.weekly) != 7:
            raise CalendarError(gettext_noop("Give the weekly hours as seven lists, one for each day from Monday on."))
        _check_count(self.closed_dates, self.overrides)
        weekly = tuple(_clean(day) for day in self.weekly)
        if not any(weekly) and not self.allow_never:
            raise CalendarError(
                gettext_noop(
                    "This calendar never opens. Give at least one day opening hours, or say that it stays closed."
                )
            )
        for day in (*self.closed_dates, *self.overrides):
            check_date(day)
        object.__setattr__(self, "weekly", weekly)
        object.__setattr__(self, "closed_dates", frozenset(self.closed_dates))
        object.__setattr__(self, "overrides", {day: _clean(self.overrides[day]) for day in sorted(self.overrides)})

    @classmethod
    def always(cls, time_zone: str = "UTC") -> "CalendarSpec":
        """The 24x7 calendar."""
        return cls(time_zone, (((0, MINUTES),),) * 7)

    @classmethod
    def from_json(cls, data: Any) -> "CalendarSpec":
        """Build a spec from the form that `to_json` gives. Raises CalendarError for anything else."""
        if not isinstance(data, dict):
            raise CalendarError(gettext_noop("Give the calendar as an object with time_zone and weekly."))
        unknown = sorted(str(name) for name in data.keys() - _NAMES)
        if unknown:
            raise CalendarError(
                gettext_noop("“%(name)s” is not part of a calendar. Use only: %(names)s."),
                name=unknown[0][:64],
                names=", ".join(sorted(_NAMES)),
            )
        weekly = data.get("weekly")
        closed = data.get("closed_dates", [])
        overrides = data.get("overrides", {})
        if not isinstance(weekly, list):
            raise CalendarError(gettext_noop("Give the weekly hours as seven lists, one for each day from Monday on."))
        if not isinstance(closed, list):
            raise CalendarError(gettext_noop("Give closed_dates as a list of dates such as 2026-12-25."))
        if not isinstance(overrides, dict):
            raise CalendarError(gettext_noop("Give overrides as an object from a date to its list of hours."))
        if not isinstance(data.get("allow_never", False), bool):
            raise CalendarError(gettext_noop("Give allow_never as true or false."))
        _check_count(closed, overrides)
        return cls(
            time_zone=data.get("time_zone", ""),
            weekly=tuple(_read_hours(day) for day in weekly),
            closed_dates=frozenset(_read_date(day) for day in closed),
            overrides={_read_date(day): _read_hours(hours) for day, hours in overrides.items()},
            allow_never=data.get("allow_never", False),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values in a stable order; `from_json` gives back an equal spec."""
        return {
            "time_zone": self.time_zone,
            "weekly": [_write_hours(day) for day in self.weekly],
            "closed_dates": [day.isoformat() for day in sorted(self.closed_dates)],
            "overrides": {day.isoformat(): _write_hours(hours) for day, hours in self.overrides.items()},
            "allow_never": self.allow_never,
        }

    @cached_property
    def content_digest(self) -> str:
        """sha256 (hex) of what people typed, normalised. Equal means: this edit changes nothing."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def digest(self) -> str:
        """sha256 (hex) of the content and of the zone's clock changes in 1970-2119.

        The changes themselves stand for the release of the zone data (`tz_data_version()` names it): the digest moves
        when an update moves this zone, and not when it moves another or when a machine stores the same data otherwise.
        """
        return hashlib.sha256(f"{self.content_digest} {zone_table(self.time_zone).fingerprint}".encode()).hexdigest()

    @cached_property
    def week(self) -> tuple[tuple[Interval, ...], ...]:
        """Hours of a plain Monday to Sunday after the split at midnight: no interval crosses it, none touch."""
        return tuple(_split_day(self.weekly[i], self.weekly[i - 1]) for i in range(7))

    @property
    def usual_day_minutes(self) -> int:
        """The most common open length of an open weekday, the longer one where two are as common; 1440 if none opens.

        An overnight shift counts whole for the day on which it begins.
        """
        lengths = [
            sum((end - start) if end > start else (MINUTES - start + end) for start, end in d) for d in self.weekly
        ]
        counts = Counter(min(length, MINUTES) for length in lengths if length)
        return max(counts, key=lambda length: (counts[length], length), default=MINUTES)

    def hours_on(self, day: date) -> tuple[Interval, ...]:
        """Local hours of one date, with closed dates and overrides applied, before clock changes."""
        if day in self.overrides:
            return join(_evening(self.overrides[day]))
        if day in self.closed_dates:
            return ()
        return join([*self.week[day.weekday()], *_morning(self.overrides.get(day - _ONE_DAY, ()))])

    def exception_dates(self) -> set[date]:
        """Dates whose hours may differ from the plain week."""
        after = {day + _ONE_DAY for day, hours in self.overrides.items() if _morning(hours)}
        return {*self.closed_dates, *self.overrides, *after}


_NAMES = {"time_zone", "weekly", "closed_dates", "overrides", "allow_never"}


def join(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Sorted intervals with those that overlap or touch made one. None of them may cross midnight."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


@lru_cache(maxsize=4096)
def _split_day(own: tuple[Interval, ...], before: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """A day's hours after the split at midnight. Most days of most calendars are alike: those are split once."""
    return join([*_evening(own), *_morning(before)])


def _evening(intervals: Iterable[Interval]) -> list[Interval]:
    return [(start, end if end > start else MINUTES) for start, end in intervals]


def _morning(intervals: Iterable[Interval]) -> list[Interval]:
    return [(0, end) for start, end in intervals if end <= start]


def _clean(raw: Any) -> tuple[Interval, ...]:
    if not isinstance(raw, list | tuple):
        raise CalendarError(gettext_noop("Give the hours of a day as a list of pairs of start and end."))
    if len(raw) > MAX_INTERVALS:
        raise CalendarError(
            gettext_noop("A day can have %(most)d spans of hours. Join some of them."), most=MAX_INTERVALS
        )
    for pair in raw:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(type(value) is int for value in pair):
            raise CalendarError(gettext_noop("Give hours as a start and an end in whole minutes."))
    return _clean_day(tuple((start, end) for start, end in raw))


@lru_cache(maxsize=4096)
def _clean_day(pairs: tuple[Interval, ...]) -> tuple[Interval, ...]:
    plain, overnight = [], set()
    for start, end in pairs:
        if not (0 <= start < MINUTES and 0 <= end <= MINUTES):
            raise CalendarError(
                gettext_noop("Hours start at 00:00 to 23:59 and end at 24:00 at the latest. Correct them.")
            )
        if start == end:
            raise CalendarError(
                gettext_noop("Hours that start and end at %(time)s are empty. For a whole day write 00:00 to 24:00."),
                time=_write_time(start),
            )
        if end == 0:
            plain.append((start, MINUTES))
        elif end < start:
            overnight.add((start, end))
        else:
            plain.append((start, end))
    return tuple(sorted([*join(plain), *overnight]))


def _check_count(closed: Any, overrides: Any) -> None:
    if len(closed) > MAX_DATES or len(overrides) > MAX_DATES:
        raise CalendarError(
            gettext_noop("A calendar can hold %(most)d closed dates and as many overrides. Remove past ones."),
            most=MAX_DATES,
        )


def check_date(day: Any) -> None:
    """Raise CalendarError unless `day` is a plain date of 1970-2119."""
    if not isinstance(day, date) or isinstance(day, datetime):
        raise CalendarError(gettext_noop("Give each closed date or override as a date without a time."))
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CalendarError(
            gettext_noop("%(day)s is outside the years that calendars cover. Give a date in %(first)d-%(last)d."),
            day=day.isoformat(),
            first=FIRST_YEAR,
            last=LAST_YEAR,
        )


def _read_date(text: Any) -> date:
    found = _date_in(text) if isinstance(text, str) else None
    if found is None:
        raise CalendarError(gettext_noop("“%(text)s” is not a date. Write it as 2026-12-25."), text=str(text)[:64])
    return found


@lru_cache(maxsize=4096)
def _date_in(text: str) -> date | None:
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_hours(raw: Any) -> tuple[Interval, ...]:
    if not isinstance(raw, list):
        raise CalendarError(gettext_noop("Give the hours of a day as a list of pairs of start and end."))
    pairs = []
    for pair in raw:
        if not isinstance(pair, list) or len(pair) != 2:
            raise CalendarError(gettext_noop('Give each span of hours as a pair such as ["09:00", "17:00"].'))
        pairs.append((_read_time(pair[0]), _read_time(pair[1])))
    return tuple(pairs)


def _read_time(text: Any) -> int:
    found = _minute_in(text) if isinstance(text, str) else None
    if found is None:
        raise CalendarError(
            gettext_noop("“%(text)s” is not a time of day. Write hours and minutes as 09:30, at most 24:00."),
            text=str(text)[:64],
        )
    return found


@lru_cache(maxsize=2048)
def _minute_in(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    if found is None or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > MINUTES:
        return None
    return int(found[1]) * 60 + int(found[2])


def _write_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _write_hours(hours: Iterable[Interval]) -> list[list[str]]:
    return [[_write_time(start), _write_time(end)] for start, end in hours]
