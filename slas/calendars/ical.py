"""Closed dates from an iCalendar file: its all-day events, of one day or more, also those that come every year."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar
from icalendar.error import BrokenCalendarProperty

from slas.calendars.errors import CalendarError, gettext_noop
from slas.calendars.spec import MAX_DATES
from slas.calendars.zones import FIRST_YEAR

LARGEST_FILE = 1_000_000
# Events beyond these are not looked at: a feed of holidays has some hundreds.
MAX_EVENTS = 5000
MAX_DAYS = 200_000
LONGEST_EVENT = 366
LONGEST_NAME = 200
# The parts of a rule have at most so many values that differ: seven weekdays, each plain or counted from both ends.
MOST_VALUES = 7 * 11
_ONE_DAY = timedelta(days=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def closed_dates_of(data: bytes, first: date, last: date) -> dict[date, str]:
    """Return the dates in [first, last] that all-day events of the file cover, each with the event's title.

    Events with a time of day say nothing about closed days and are left out, as are cancelled ones and those that are
    marked as free time only. Of repeating events those are read that come every year.

    Raises:
        CalendarError: no iCalendar file, too large, with too many dates, or without an all-day event in those years.
    """
    if len(data) > LARGEST_FILE:
        raise CalendarError(gettext_noop("This file is larger than %(most)d bytes."), most=LARGEST_FILE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CalendarError(gettext_noop("This file is not UTF-8, as iCalendar files are.")) from None
    if "BEGIN:VCALENDAR" not in text[:2000].upper():
        raise CalendarError(gettext_noop("This is no iCalendar file (.ics): it does not begin with BEGIN:VCALENDAR."))
    found: dict[date, str] = {}
    for day, name in _days(_events(text), first, last):
        found.setdefault(day, name)
        if len(found) > MAX_DATES:
            raise CalendarError(gettext_noop("This file closes more than %(most)d dates."), most=MAX_DATES)
    if not found:
        raise CalendarError(
            gettext_noop("There is no all-day event from %(first)s to %(last)s in this file."),
            first=first.isoformat(),
            last=last.isoformat(),
        )
    return dict(sorted(found.items()))


def _events(text: str) -> list[Any]:
    try:
        parts = [event for part in Calendar.from_ical(text, multiple=True) for event in part.walk("VEVENT")]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        # What the parser raises for broken files is many things.
        raise CalendarError(gettext_noop("This iCalendar file is broken and cannot be read.")) from None
    if len(parts) > MAX_EVENTS:
        raise CalendarError(gettext_noop("This file has more than %(most)d events."), most=MAX_EVENTS)
    return parts


def _days(events: list[Any], first: date, last: date) -> Iterator[tuple[date, str]]:
    budget = _Budget(MAX_DAYS)
    for event in events:
        start = _plain_date(event, "DTSTART")
        if start is None or str(event.get("STATUS", "")).upper() == "CANCELLED" or start.year < FIRST_YEAR:
            continue
        end = _plain_date(event, "DTEND")
        length = end - start if end is not None else _length(event)
        days = min(max(length, _ONE_DAY), LONGEST_EVENT * _ONE_DAY).days
        name = " ".join(str(event.get("SUMMARY", "")).split())[:LONGEST_NAME]
        starts = _yearly(event["RRULE"], start, first, last, budget) if "RRULE" in event else [start]
        skipped = _skipped(event) if "EXDATE" in event else set()
        for begin in starts:
            budget.take(days)
            if begin not in skipped:
                yield from ((day, name) for day in _covered(begin, days) if first <= day <= last)


def _covered(begin: date, days: int) -> Iterator[date]:
    return (begin + n * _ONE_DAY for n in range(days))


def _plain_date(event: Any, name: str) -> date | None:
    try:
        value = getattr(event.get(name), "dt", None)
    except BrokenCalendarProperty:
        raise CalendarError(
            gettext_noop("An event in this file has no readable %(part)s. Write it as %(part)s;VALUE=DATE:20261225."),
            part=name,
        ) from None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _length(event: Any) -> timedelta:
    try:
        value = getattr(event.get("DURATION"), "dt", None)
    except BrokenCalendarProperty:
        value = None
    return value if isinstance(value, timedelta) else _ONE_DAY


class _Budget:
    """So many days are looked at for one file, so that none takes for ever."""

    def __init__(self, days: int) -> None:
        self._left = days

    def take(self, days: int) -> None:
        self._left -= days
        if self._left < 0:
            raise CalendarError(gettext_noop("The events of this file cover too many days. Save it with fewer."))


def _yearly(rules: Any, start: date, first: date, last: date, budget: _Budget) -> list[date]:
    """The starts that matter of an event that comes every year; the first one alone for a repetition of days to months.

    Raises CalendarError for rules that holidays do not have, rather than close other days than they say.
    """
    parts = {name.upper(): [str(value).upper() for value in rules[name]] for name in rules}
    if parts.pop("FREQ", []) != ["YEARLY"]:
        return [start]
    parts.pop("WKST", None)
    if unread := parts.keys() - {"UNTIL", "COUNT", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY"}:
        raise CalendarError(
            gettext_noop("A repeating event in this file has %(part)s, which is not read. Save it with single days."),
            part=min(unread)[:40],
        )
    if any(len(values) > MOST_VALUES for values in parts.values()):
        raise CalendarError(gettext_noop("A repeating event in this file has a broken rule."))
    try:
        every, most = int(parts.get("INTERVAL", ["1"])[0]), int(parts.get("COUNT", [str(MAX_DATES)])[0])
        until = min(_until(rules, last), last)
        # Without a count the years long past need not be walked; what began the year before may go on in the first one.
        skipped = 0 if "COUNT" in parts else max(first.year - 2 - start.year, 0) // every * every
        years = range(start.year + skipped, until.year + 1, every)
    except (ValueError, ZeroDivisionError, TypeError, AttributeError, IndexError):
        raise CalendarError(gettext_noop("A repeating event in this file has a broken rule.")) from None
    # Of a year the days of one to twelve months.
    budget.take(31 * len(years) * max(len(parts.get("BYMONTH", ())), 1))
    try:
        found = [day for year in years for day in _days_of_year(year, parts, start) if start <= day <= until]
    except ValueError:
        raise CalendarError(gettext_noop("A repeating event in this file has a broken rule.")) from None
    return found[:most]


def _until(rules: Any, last: date) -> date:
    listed = rules.get("UNTIL", [last])
    value = listed[0] if isinstance(listed, list) else listed
    return value.date() if isinstance(value, datetime) else value


def _days_of_year(year: int, parts: dict[str, list[str]], start: date) -> list[date]:
    months = sorted({int(month) for month in parts.get("BYMONTH", [str(start.month)])})
    if "BYDAY" in parts and "BYMONTH" not in parts:
        # The nth weekday of a whole year; no holiday is said so.
        raise ValueError("BYDAY without BYMONTH")
    found = []
    for month in months:
        length = monthrange(year, month)[1]
        numbers = {int(number) for number in parts.get("BYMONTHDAY", [])}
        if not numbers and "BYDAY" not in parts:
            numbers = {start.day}
        days = [
            day
            for day in range(1, length + 1)
            if (not numbers or day in numbers or day - length - 1 in numbers)
            and ("BYDAY" not in parts or _is_weekday(date(year, month, day), length, parts["BYDAY"]))
        ]
        found += [date(year, month, day) for day in days]
    return found


def _is_weekday(day: date, length: int, wanted: list[str]) -> bool:
    name = _WEEKDAYS[day.weekday()]
    nth, from_end = (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)
    return bool({name, f"{nth}{name}", f"+{nth}{name}", f"{from_end}{name}"} & set(wanted))


def _skipped(event: Any) -> set[date]:
    listed = event.get("EXDATE", [])
    found = set()
    for group in listed if isinstance(listed, list) else [listed]:
        for one in getattr(group, "dts", []):
            found.add(one.dt.date() if isinstance(one.dt, datetime) else one.dt)
    return found
