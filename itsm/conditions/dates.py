"""Instants as people write them: dates, times, named days, and ages such as `2h`.

A written date or time is a span: `2026-11-01` is that whole day in the reader's zone, `2026-11-01T10:00` that minute,
`2026-11` that month. So `opened:2026-11-01` means within the day, `<` before it begins, `<=` before it ends, `>` after
it ended and `>=` since it began.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils.translation import gettext as _

from .errors import ConditionError, hint, shorten

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
LONGEST = timedelta(days=36_525)
FIRST_YEAR, LAST_YEAR = 1900, 2199
DURATION = re.compile(r"([0-9]{1,7})([mhdw])")
MOMENT = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
NAMED = ("today", "yesterday", "tomorrow", "this_week", "last_week", "this_month", "last_month")

type Span = tuple[datetime, datetime]


def duration(text: str) -> timedelta | None:
    """The length of time that `text` (`90m`, `2h`, `3d`, `1w`) says, or None when it says none.

    Raises ConditionError when it is longer than a hundred years.
    """
    match = DURATION.fullmatch(text)
    if not match:
        return None
    length = int(match[1]) * UNITS[match[2]]
    if length > LONGEST:
        raise ConditionError(
            _("“%(word)s” is too long a time. Use at most a hundred years.") % {"word": text}, word=text
        )
    return length


def span(text: str, now: datetime, zone: tzinfo) -> Span:
    """The first instant of what `text` says and the first one after it, both in UTC.

    `now` is aware; `zone` says where days begin when `text` names no offset. Raises ConditionError.
    """
    if text in NAMED:
        return _named(text, now, zone)
    match = MOMENT.fullmatch(text)
    if not match:
        raise not_a_moment(text)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise ConditionError(
            _("“%(word)s” lies too far away. Use a year from %(first)d to %(last)d.")
            % {"word": shorten(text), "first": FIRST_YEAR, "last": LAST_YEAR},
            word=text,
        )
    try:
        if hour is None:
            start = datetime.combine(date(int(year), int(month or 1), int(day or 1)), time())
            return _utc(start, zone), _utc(_next(start, month=month is not None, day=day is not None), zone)
        place = zone if offset is None else datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo
        micro = int((fraction or "").ljust(6, "0"))
        clock = time(int(hour), int(minute), int(second or 0), micro)
        start = datetime.combine(date(int(year), int(month), int(day)), clock)
    except ValueError:
        raise not_a_moment(text) from None
    first = _utc(start, place or zone)
    step = timedelta(microseconds=10 ** (6 - len(fraction))) if fraction else timedelta(seconds=1 if second else 60)
    return first, first + step


def not_a_moment(text: str) -> ConditionError:
    """The error for a text that says neither a date nor a length of time."""
    near = hint(text, NAMED) if text[:1].isalpha() else ""
    return ConditionError(
        _("“%(word)s” is not a date. Write 2026-11-01, 2026-11-01T10:00, today, or an age such as <2h or >3d. %(hint)s")
        % {"word": shorten(text), "hint": near},
        word=text,
    )


def _utc(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _next(start: datetime, *, month: bool, day: bool) -> datetime:
    if day:
        return start + timedelta(days=1)
    if month:
        return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    return start.replace(year=start.year + 1)


def _named(text: str, now: datetime, zone: tzinfo) -> Span:
    day = now.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
    monday = day - timedelta(days=day.weekday())
    month = day.replace(day=1)
    spans = {
        "today": (day, day + timedelta(days=1)),
        "yesterday": (day - timedelta(days=1), day),
        "tomorrow": (day + timedelta(days=1), day + timedelta(days=2)),
        "this_week": (monday, monday + timedelta(weeks=1)),
        "last_week": (monday - timedelta(weeks=1), monday),
        "this_month": (month, _next(month, month=True, day=False)),
        "last_month": ((month - timedelta(days=1)).replace(day=1), month),
    }
    start, end = spans[text]
    return _utc(start, zone), _utc(end, zone)


def check_moment(text: str) -> None:
    """Raise ConditionError unless `text` says a date, whatever the day and zone are."""
    span(text, datetime(2000, 1, 1, tzinfo=UTC), UTC)


def day(text: str) -> date:
    """The calendar day that `text` (`2026-11-01`) names. Raises ConditionError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise not_a_moment(text) from None
