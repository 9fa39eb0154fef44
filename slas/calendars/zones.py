"""Local dates of a zone as instants: day spans, and the resolution of a local time.

Instants are integer microseconds since 1970-01-01T00:00Z. Dates are day keys: days since Monday 1969-12-29, so that
`key % 7` is the weekday (Monday 0).
"""

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from zoneinfo import ZoneInfo

from slas.calendars import tzif
from slas.calendars.errors import CalendarError, gettext_noop

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 86400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Years that a calendar can measure. Zone data before 1970 are not kept up by IANA; a rule far ahead is a guess.
FIRST_YEAR, LAST_YEAR = 1970, 2119
HORIZON = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)

# The clock changes of one day: (local second of the day from which, by how many seconds it differs from midnight's).
Shape = tuple[tuple[int, int], ...]

_KEY_0 = date(1969, 12, 29).toordinal()
_EPOCH_KEY = date(1970, 1, 1).toordinal() - _KEY_0
# Days known beyond both ends of the horizon, so that the local dates at its edges are whole in every zone.
_MARGIN = 3 * 86400


def key_of(day: date) -> int:
    """The day key of a local date."""
    return day.toordinal() - _KEY_0


def date_of(key: int) -> date:
    """The local date of a day key."""
    return date.fromordinal(key + _KEY_0)


def to_us(instant: datetime) -> int:
    """Microseconds of an aware datetime since the epoch. Raises CalendarError if it is naive or outside 1970-2119."""
    if instant.tzinfo is None:
        raise CalendarError(gettext_noop("%(instant)s has no time zone. Give an instant in UTC."), instant=instant)
    since = instant - EPOCH
    us = since.days * DAY + since.seconds * SECOND + since.microseconds
    if not 0 <= us < HORIZON:
        raise CalendarError(
            gettext_noop(
                "%(instant)s is outside the years that calendars cover. Give an instant in %(first)d-%(last)d."
            ),
            instant=instant.isoformat(),
            first=FIRST_YEAR,
            last=LAST_YEAR,
        )
    return us


def to_instant(us: int) -> datetime:
    """The UTC datetime of an instant. Raises CalendarError past the last year covered."""
    if us >= HORIZON:
        raise CalendarError(
            gettext_noop("This time falls after %(last)d, beyond what calendars cover. Choose a shorter target."),
            last=LAST_YEAR,
        )
    return EPOCH + timedelta(microseconds=us)


@dataclass(frozen=True)
class ClockChange:
    """An instant at which a zone's clocks jump: from so many seconds east of UTC to so many."""

    instant: datetime
    before_s: int
    after_s: int

    @property
    def jump_s(self) -> int:
        """By how many seconds clocks go forward; negative: back."""
        return self.after_s - self.before_s

    @property
    def local_before(self) -> datetime:
        """What clocks show as it happens, without a zone."""
        return (self.instant + timedelta(seconds=self.before_s)).replace(tzinfo=None)

    @property
    def local_after(self) -> datetime:
        """What they show from then on, without a zone."""
        return (self.instant + timedelta(seconds=self.after_s)).replace(tzinfo=None)


class ZoneTable:
    """A zone over the whole horizon as runs of plain 24-hour days, broken by the dates on which the clock changes.

    `change_keys`: day keys of those dates, in order. `groups`: those dates by how the clock goes in them and weekday,
    as (shape, weekday, keys): a zone has few, and what a calendar makes of one it makes of all its dates. `group_of`: a
    date's place in `groups`. `fingerprint`: sha256 over the changes themselves; two releases of the zone data, or two
    encodings of one release, that give this zone the same changes give the same fingerprint. `clock_changes`: all of
    them, in order.
    """

    def __init__(self, name: str) -> None:
        data = tzif.zone_bytes(name)
        first = -_MARGIN
        last = HORIZON // SECOND + _MARGIN
        start = datetime.fromtimestamp(first, ZoneInfo.from_file(BytesIO(data), key=name)).utcoffset()
        if start is None:
            raise ValueError(f"zone {name} has no offset")
        offset = start.days * 86400 + start.seconds
        self.name = name
        self._walls, self._offsets = array("q"), array("l", [offset])
        changes = [(first, offset)]
        self.clock_changes: list[ClockChange] = []
        for instant, after in tzif.read_changes(data, first + 1, last):
            if after != offset:
                # Up to this wall reading the former offset holds: in a gap the time moves on by the gap's length, in a
                # fold the first pass is meant (RFC 5545; `fold=0` in Python).
                self._walls.append(instant + max(offset, after))
                self._offsets.append(after)
                changes.append((instant, after))
                self.clock_changes.append(ClockChange(EPOCH + timedelta(seconds=instant), offset, after))
                offset = after
        self.fingerprint = hashlib.sha256(repr(changes).encode()).hexdigest()
        # A wall reading at exactly midnight makes the date before it special: that date's end is moved.
        self.change_keys = tuple(sorted({(wall - 1) // 86400 + _EPOCH_KEY for wall in self._walls}))
        self._keys, self._starts = array("q"), array("q")
        run = _EPOCH_KEY - 2
        for key in (*self.change_keys, None):
            if run != key:
                self._add(run)
            if key is not None:
                self._add(key)
                run = key + 1
        # A closing entry, so that every lookup has a next one.
        self._keys.append(self._keys[-1] + 1_000_000)
        grouped: dict[tuple[Shape, int], list[int]] = {}
        for key in self.change_keys:
            grouped.setdefault((self.shape_of(key), key % 7), []).append(key)
        self.groups = [(shape, weekday, tuple(keys)) for (shape, weekday), keys in grouped.items()]
        self.group_of = {key: i for i, (_, _, keys) in enumerate(self.groups) for key in keys}

    def _add(self, key: int) -> None:
        self._keys.append(key)
        self._starts.append(self.resolve(key, 0))

    def resolve(self, key: int, minute: int) -> int:
        """r(d, m): the instant of local date `key` at `minute` of the day (1440 is the next midnight)."""
        local = (key - _EPOCH_KEY) * 86400 + minute * 60
        return (local - self._offsets[bisect_right(self._walls, local)]) * SECOND

    def day_of(self, us: int) -> tuple[int, int]:
        """The date whose span D(d) holds this instant, and the start of that span."""
        i = bisect_right(self._starts, us) - 1
        days = (us - self._starts[i]) // DAY
        # The 25 hours of a fold are one date.
        days = min(days, self._keys[i + 1] - self._keys[i] - 1)
        return self._keys[i] + days, self._starts[i] + days * DAY

    def start_of(self, key: int) -> int:
        """The start of the day span D(d)."""
        i = bisect_right(self._keys, key, 0, len(self._starts)) - 1
        return self._starts[i] + (key - self._keys[i]) * DAY

    def shape_of(self, key: int) -> Shape:
        """How the clock goes on a local date; empty where it does not change."""
        midnight = (key - _EPOCH_KEY) * 86400
        first, last = bisect_right(self._walls, midnight), bisect_right(self._walls, midnight + 86400)
        offset = self._offsets[first]
        return tuple((self._walls[i] - midnight, self._offsets[i + 1] - offset) for i in range(first, last))


def spans_in(shape: Shape, hours: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Open spans O(d), relative to the start of D(d): each interval resolved, clipped to D(d), overlaps joined.

    `hours` as `CalendarSpec.hours_on` gives them: in order, none crosses midnight.
    """
    if not shape:
        return tuple((start * MINUTE, end * MINUTE) for start, end in hours)

    def since_start(minute: int) -> int:
        second = minute * 60
        moved = next((by for wall, by in reversed(shape) if wall <= second), 0)
        return (second - moved) * SECOND

    length = since_start(1440)
    spans: list[tuple[int, int]] = []
    for begin, end in sorted((max(0, since_start(a)), min(length, since_start(b))) for a, b in hours):
        if begin >= end:
            continue
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return tuple(spans)


@lru_cache(maxsize=256)
def zone_table(name: str) -> ZoneTable:
    """The table of a zone, read once per process. Raises CalendarError for an unknown name."""
    return ZoneTable(name)


def clock_changes(name: str, start: datetime, end: datetime) -> list[ClockChange]:
    """The clock changes of a zone in [start, end), within 1970-2119. Raises CalendarError for an unknown name."""
    found = zone_table(name).clock_changes
    first = bisect_left(found, start, key=lambda change: change.instant)
    return found[first : bisect_left(found, end, key=lambda change: change.instant)]


def local_day(name: str, instant: datetime) -> date:
    """The local date whose span D(d) holds an instant; where clocks go back over midnight it is one date throughout.

    Raises CalendarError for an unknown name, and for an instant that is naive or outside 1970-2119.
    """
    return date_of(zone_table(name).day_of(to_us(instant))[0])
