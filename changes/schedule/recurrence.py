"""When something comes again: a rule in the local time of a zone. Checked once, then frozen. No Django in here."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from slas.calendars import CalendarError, zone_names
from slas.calendars.errors import gettext_noop
from slas.calendars.spec import MINUTES, check_date

LONGEST_DAYS = 366
MOST_EVERY = 52
MOST_EXCLUDED = 500
LAST = -1
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"(\d\d):(\d\d)", re.ASCII)
_ONE_DAY = timedelta(days=1)


class Repeat(StrEnum):
    """How often something comes again."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True)
class Recurrence:
    """Occurrences that begin at `start_minute` of a local date and end at `end_minute`, `end_day` days later.

    `first` is the first date on which one may begin, `until` the last (None: for ever); `excluded` are dates on which
    none begins. `every`: each so many days, weeks (counted from the Monday before `first`), months or years. Weekly:
    on `weekdays` (Monday 0). Monthly and yearly (in `month`): on `month_day` (1 to 31; -1: the last one; a month that
    has no such day is passed over), or, where `nth` is set, on the nth (1 to 5; -1: the last) `weekday` of the month.

    Raises CalendarError with a sentence that says what to do.
    """

    time_zone: str
    repeat: Repeat
    first: date
    start_minute: int
    end_minute: int
    end_day: int = 0
    until: date | None = None
    every: int = 1
    weekdays: tuple[int, ...] = ()
    month: int = 0
    month_day: int = 0
    nth: int = 0
    weekday: int = 0
    excluded: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not isinstance(self.time_zone, str) or self.time_zone not in zone_names():
            raise CalendarError(
                gettext_noop("“%(name)s” is not a known time zone. Choose one from the list, such as Europe/London."),
                name=str(self.time_zone)[:64],
            )
        if self.repeat not in tuple(Repeat):
            raise CalendarError(gettext_noop("Say how often it comes: once, daily, weekly, monthly or yearly."))
        object.__setattr__(self, "repeat", Repeat(self.repeat))
        object.__setattr__(self, "weekdays", tuple(sorted(set(self.weekdays))))
        object.__setattr__(self, "excluded", frozenset(self.excluded))
        self._check_dates()
        self._check_times()
        self._check_rule()
        # Asked for with every look into the store of occurrences: worked out once.
        object.__setattr__(self, "_hash", hash(tuple(getattr(self, one.name) for one in fields(self))))

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined]

    def _check_dates(self) -> None:
        for day in (self.first, *((self.until,) if self.until is not None else ()), *self.excluded):
            check_date(day)
        if self.until is not None and self.until < self.first:
            raise CalendarError(gettext_noop("The last date is before the first one. Correct one of them."))
        if len(self.excluded) > MOST_EXCLUDED:
            raise CalendarError(gettext_noop("At most %(most)d dates can be left out."), most=MOST_EXCLUDED)

    def _check_times(self) -> None:
        numbers = (self.start_minute, self.end_minute, self.end_day, self.every)
        if not all(type(one) is int for one in numbers):
            raise CalendarError(gettext_noop("Give times and counts in whole numbers."))
        if not (0 <= self.start_minute < MINUTES and 0 <= self.end_minute <= MINUTES):
            raise CalendarError(gettext_noop("It starts at 00:00 to 23:59 and ends at 24:00 at the latest."))
        if not 0 <= self.end_day <= LONGEST_DAYS:
            raise CalendarError(gettext_noop("It lasts %(most)d days at most."), most=LONGEST_DAYS)
        if self.end_day * MINUTES + self.end_minute <= self.start_minute:
            raise CalendarError(gettext_noop("The end must be after the start. Over midnight it ends on the next day."))
        if not 1 <= self.every <= MOST_EVERY:
            raise CalendarError(gettext_noop("It comes every 1 to %(most)d times."), most=MOST_EVERY)

    def _check_rule(self) -> None:
        if self.repeat == Repeat.WEEKLY and (not self.weekdays or not all(_is_in(one, 0, 6) for one in self.weekdays)):
            raise CalendarError(gettext_noop("Choose at least one day of the week."))
        if self.repeat not in (Repeat.MONTHLY, Repeat.YEARLY):
            return
        if self.repeat == Repeat.YEARLY and not _is_in(self.month, 1, 12):
            raise CalendarError(gettext_noop("Choose the month in which it comes."))
        if self.nth:
            if not (self.nth == LAST or _is_in(self.nth, 1, 5)) or not _is_in(self.weekday, 0, 6):
                raise CalendarError(
                    gettext_noop("Choose which of the weekdays of a month it is: the first to the last.")
                )
        elif not (self.month_day == LAST or _is_in(self.month_day, 1, 31)):
            raise CalendarError(gettext_noop("Choose the day of the month on which it comes."))
        elif self.repeat == Repeat.YEARLY and self.month_day > monthrange(2024, self.month)[1]:
            raise CalendarError(gettext_noop("This month has no such day. Choose another day."))

    @property
    def end(self) -> int:
        """When an occurrence ends, in minutes from the local midnight of the date on which it begins."""
        return self.end_day * MINUTES + self.end_minute

    def begins_on(self, day: date) -> bool:
        """Return whether an occurrence begins on this local date."""
        if day < self.first or (self.until is not None and day > self.until) or day in self.excluded:
            return False
        if self.repeat == Repeat.ONCE:
            return day == self.first
        if self.repeat == Repeat.DAILY:
            return (day - self.first).days % self.every == 0
        if self.repeat == Repeat.WEEKLY:
            weeks = (day.toordinal() - 1) // 7 - (self.first.toordinal() - 1) // 7
            return day.weekday() in self.weekdays and weeks % self.every == 0
        months = 12 * (day.year - self.first.year) + day.month - self.first.month
        if self.repeat == Repeat.YEARLY:
            return day.month == self.month and (day.year - self.first.year) % self.every == 0 and self._is_day(day)
        return months % self.every == 0 and self._is_day(day)

    def _is_day(self, day: date) -> bool:
        length = monthrange(day.year, day.month)[1]
        if not self.nth:
            return day.day == (length if self.month_day == LAST else self.month_day)
        if day.weekday() != self.weekday:
            return False
        return day.day + 7 > length if self.nth == LAST else (day.day - 1) // 7 + 1 == self.nth

    def dates_in_month(self, year: int, month: int) -> Iterator[date]:
        """Return the local dates of the month on which one begins, in order."""
        length = monthrange(year, month)[1]
        if self.repeat == Repeat.YEARLY and month != self.month:
            return
        if self.repeat == Repeat.ONCE and (year, month) != (self.first.year, self.first.month):
            return
        if self.repeat in (Repeat.MONTHLY, Repeat.YEARLY) and not self.nth:
            number = length if self.month_day == LAST else self.month_day
            candidates = [date(year, month, number)] if number <= length else []
        else:
            candidates = [date(year, month, number) for number in range(1, length + 1)]
        yield from (day for day in candidates if self.begins_on(day))

    @classmethod
    def from_json(cls, data: Any) -> Recurrence:
        """Build a recurrence from the form that `to_json` gives. Raises CalendarError for anything else."""
        if not isinstance(data, dict):
            raise CalendarError(
                gettext_noop("Give the times as an object with time_zone, repeat, first, start and end.")
            )
        unknown = sorted(str(name) for name in data.keys() - _NAMES)
        if unknown:
            raise CalendarError(
                gettext_noop("“%(name)s” is not part of a repetition. Use only: %(names)s."),
                name=unknown[0][:64],
                names=", ".join(sorted(_NAMES)),
            )
        excluded, weekdays = data.get("excluded", []), data.get("weekdays", [])
        if not isinstance(excluded, list) or not isinstance(weekdays, list):
            raise CalendarError(gettext_noop("Give excluded and weekdays as lists."))
        if not all(type(data.get(name, 0)) is int for name in _NUMBERS) or not all(
            type(one) is int for one in weekdays
        ):
            raise CalendarError(gettext_noop("Give times and counts in whole numbers."))
        until = data.get("until")
        return cls(
            time_zone=data.get("time_zone", ""),
            repeat=data.get("repeat", ""),
            first=read_date(data.get("first")),
            start_minute=read_minute(data.get("start")),
            end_minute=read_minute(data.get("end")),
            until=None if until is None else read_date(until),
            weekdays=tuple(weekdays),
            excluded=frozenset(read_date(day) for day in excluded),
            **{name: data[name] for name in _NUMBERS if name in data},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values in a stable order, only what the rule uses; `from_json` gives back an equal rule."""
        said: dict[str, Any] = {
            "time_zone": self.time_zone,
            "repeat": str(self.repeat),
            "first": self.first.isoformat(),
            "start": write_minute(self.start_minute),
            "end": write_minute(self.end_minute),
        }
        if self.until is not None:
            said["until"] = self.until.isoformat()
        if self.weekdays:
            said["weekdays"] = list(self.weekdays)
        if self.excluded:
            said["excluded"] = [day.isoformat() for day in sorted(self.excluded)]
        said |= {name: getattr(self, name) for name in _NUMBERS if getattr(self, name) != _NUMBERS[name]}
        return said


_NUMBERS = {"end_day": 0, "every": 1, "month": 0, "month_day": 0, "nth": 0, "weekday": 0}
_NAMES = {"time_zone", "repeat", "first", "start", "end", "until", "weekdays", "excluded", *_NUMBERS}


def _is_in(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def read_date(text: Any) -> date:
    """Return the date that the text says, such as 2026-12-25. Raises CalendarError."""
    if isinstance(text, str) and _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise CalendarError(gettext_noop("“%(text)s” is not a date. Write it as 2026-12-25."), text=str(text)[:64])


def read_minute(text: Any) -> int:
    """Return the minute of the day that the text says, such as 09:30; at most 24:00. Raises CalendarError."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is not None and int(found[2]) < 60 and int(found[1]) * 60 + int(found[2]) <= MINUTES:
        return int(found[1]) * 60 + int(found[2])
    raise CalendarError(
        gettext_noop("“%(text)s” is not a time of day. Write hours and minutes as 09:30, at most 24:00."),
        text=str(text)[:64],
    )


def write_minute(minute: int) -> str:
    """Return a minute of the day as 09:30."""
    return f"{minute // 60:02}:{minute % 60:02}"
