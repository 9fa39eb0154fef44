"""A slow calendar to hold the fast one against: the rules read aloud, by `zoneinfo`, minute by minute and date by date.

It shares no code with `slas.calendars`. It takes the raw hours, before any normalisation.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

ONE_DAY = timedelta(days=1)
US = timedelta(microseconds=1)
HOUR = 3600 * 10**6
ALL_ZONES = sorted(available_timezones() - {"localtime"})
ODD_ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "America/Asuncion",
    "America/Caracas",
    "America/Godthab",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Eucla",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Volgograd",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Enderbury",
    "Pacific/Kiritimati",
    "Pacific/Norfolk",
    "UTC",
]


@dataclass
class Raw:
    """A calendar as typed."""

    zone: str
    weekly: list[list[tuple[int, int]]]
    closed: set[date] = field(default_factory=set)
    overrides: dict[date, list[tuple[int, int]]] = field(default_factory=dict)


def resolve(zone: str, day: date, minute: int) -> datetime:
    """r(d, m)."""
    local = datetime.combine(day + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60))
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def open_minutes(raw: Raw, day: date) -> set[int]:
    """Minutes of the local day that are open, by the words of the rules."""

    def own(hours: list[tuple[int, int]]) -> set[int]:
        return {m for s, e in hours for m in range(s, e if e > s else 1440)}

    def carried(hours: list[tuple[int, int]]) -> set[int]:
        return {m for s, e in hours if e <= s for m in range(e)}

    if day in raw.overrides:
        return own(raw.overrides[day])
    if day in raw.closed:
        return set()
    before = day - ONE_DAY
    return (
        own(raw.weekly[day.weekday()]) | carried(raw.weekly[before.weekday()]) | carried(raw.overrides.get(before, []))
    )


def runs(minutes: set[int]) -> list[tuple[int, int]]:
    """Maximal runs [start, end) of a set of minutes."""
    starts = sorted(m for m in minutes if m - 1 not in minutes)
    ends = sorted(m + 1 for m in minutes if m + 1 not in minutes)
    return list(zip(starts, ends, strict=True))


def day_spans(raw: Raw, day: date) -> list[tuple[datetime, datetime]]:
    """O(d) before the union: resolved, clipped to D(d), inverted ones dropped."""
    first, last = resolve(raw.zone, day, 0), resolve(raw.zone, day, 1440)
    clipped = (
        (max(resolve(raw.zone, day, s), first), min(resolve(raw.zone, day, e), last))
        for s, e in runs(open_minutes(raw, day))
    )
    return [(a, b) for a, b in clipped if a < b]


def open_spans(raw: Raw, a: datetime, b: datetime) -> list[tuple[datetime, datetime]]:
    """Open spans within [a, b), united."""
    found: list[tuple[datetime, datetime]] = []
    day = a.date() - 3 * ONE_DAY
    spans = []
    while day <= b.date() + 3 * ONE_DAY:
        spans += day_spans(raw, day)
        day += ONE_DAY
    for start, end in sorted((max(s, a), min(e, b)) for s, e in spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def elapsed(raw: Raw, a: datetime, b: datetime) -> int:
    """Open microseconds in [a, b)."""
    return sum((e - s) // US for s, e in open_spans(raw, a, b))


@cache
def changes(zone: str) -> list[datetime]:
    """Changes of offset 1995-2037 to the second, by a daily look and halving (where to aim, no part of the proof)."""
    info, found = ZoneInfo(zone), []
    low = int(datetime(1995, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(2038, 1, 1, tzinfo=UTC).timestamp())

    def offset(second: int) -> timedelta | None:
        return datetime.fromtimestamp(second, info).utcoffset()

    while low < end:
        high = low + 86400
        if offset(low) != offset(high):
            a, b = low, high
            while b - a > 1:
                middle = (a + b) // 2
                a, b = (middle, b) if offset(middle) == offset(a) else (a, middle)
            found.append(datetime.fromtimestamp(b, UTC))
        low = high
    return found


zones = st.one_of(st.sampled_from(ODD_ZONES), st.sampled_from(ALL_ZONES))

_edge = st.sampled_from([0, 1, 30, 60, 90, 119, 120, 121, 150, 180, 240, 540, 720, 780, 1020, 1380, 1410, 1439])
_start = st.one_of(_edge, st.integers(0, 1439))
_end = st.one_of(_edge, st.just(1440), st.integers(0, 1440))
intervals = st.tuples(_start, _end).filter(lambda pair: pair[0] != pair[1])
day_hours = st.one_of(
    st.just([]),
    st.just([(0, 1440)]),
    st.just([(540, 720), (780, 1020)]),
    st.just([(1320, 360)]),
    st.lists(intervals, max_size=4),
)
weeks = st.one_of(
    st.lists(day_hours, min_size=7, max_size=7),
    st.tuples(st.integers(0, 6), st.lists(intervals, min_size=1, max_size=3)).map(
        lambda one: [one[1] if i == one[0] else [] for i in range(7)]
    ),
).filter(any)


@st.composite
def instants(draw: st.DrawFn, zone: str) -> datetime:
    """An instant of 1995-2037, more often than not within days of a clock change, whole minutes preferred."""
    near = changes(zone)
    if near and draw(st.integers(0, 3)):
        base = draw(st.sampled_from(near)) + timedelta(minutes=draw(st.integers(-3 * 1440, 3 * 1440)))
    else:
        base = datetime(1995, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 43 * 365 * 1440)))
    return base + timedelta(microseconds=draw(st.sampled_from([0, 0, 1, -1, 59_999_999, 123_456])))


@st.composite
def calendars(draw: st.DrawFn, days: int = 20) -> tuple[Raw, datetime, datetime]:
    """A raw calendar with a window of up to `days` days in which its exceptions lie."""
    zone = draw(zones)
    a = draw(instants(zone))
    b = a + timedelta(microseconds=draw(st.integers(0, days * 24 * HOUR)))
    dates = st.integers(-2, days + 2).map(lambda n: a.date() + n * ONE_DAY)
    raw = Raw(
        zone,
        draw(weeks),
        draw(st.sets(dates, max_size=4)),
        draw(st.dictionaries(dates, day_hours, max_size=3)),
    )
    return raw, a, b
