"""Business hours and targets as people type them, and what a calendar says in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from slas.calendars import CalendarError, CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.calendars.spec import MINUTES

MOST_LINES = 2000
LONGEST_NAME = 200
FRIDAY = 4
_SPAN = re.compile(r"(\d{1,2})(?::(\d\d))?\s*(?:-|–|—|to)\s*(\d{1,2})(?::(\d\d))?", re.ASCII)
_PART = re.compile(r"(\d{1,5})\s*(h|m|min|s)", re.ASCII)
_SECONDS = {"h": 3600, "m": 60, "min": 60, "s": 1}


class Unreadable(ValueError):
    """What was typed is no hours, date or duration; the message says how to write it."""


def read_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of one day in minutes, from a text such as `09:00-12:00, 13-17`; an empty text is a closed day.

    Raises:
        Unreadable.
    """
    spans = []
    for part in filter(None, (piece.strip() for piece in re.split(r"[,;]", text))):
        found = _SPAN.fullmatch(part)
        if found is None:
            raise Unreadable(_("“%(part)s” is not a span of hours. Write it as 09:00-17:00.") % {"part": part[:40]})
        h1, m1, h2, m2 = (int(value or 0) for value in found.groups())
        if m1 > 59 or m2 > 59 or h1 * 60 + m1 >= MINUTES or h2 * 60 + m2 > MINUTES:
            raise Unreadable(_("“%(part)s” is outside a day. Hours go from 00:00 to 24:00.") % {"part": part[:40]})
        spans.append((h1 * 60 + m1, h2 * 60 + m2))
    return spans


def write_spans(spans: Iterable[tuple[int, int]]) -> str:
    """Return spans as `read_spans` takes them."""
    return ", ".join(f"{a // 60:02}:{a % 60:02}-{b // 60:02}:{b % 60:02}" for a, b in spans)


class Dates(NamedTuple):
    """Dates as typed: closed ones, those with their own hours, and what some of them are called."""

    closed: set[date]
    special: dict[date, tuple[tuple[int, int], ...]]
    names: dict[date, str]


def read_dates(text: str) -> Dates:
    """Return closed dates and dates with their own hours, from lines such as `2026-12-25 # Christmas Day` or
    `2026-12-24 09:00-12:00`. The last line of a date counts.

    Raises:
        Unreadable: with the line's number.
    """
    closed: set[date] = set()
    special: dict[date, tuple[tuple[int, int], ...]] = {}
    names: dict[date, str] = {}
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        raise Unreadable(_("At most %(most)d dates fit. Remove those that are past.") % {"most": MOST_LINES})
    for number, line in enumerate(lines, start=1):
        said, _mark, name = line.partition("#")
        day_text, _space, rest = said.strip().partition(" ")
        if not day_text:
            continue
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", day_text, re.ASCII):
                raise ValueError
            day = date.fromisoformat(day_text)
        except ValueError:
            words = {"number": number, "text": day_text[:40]}
            raise Unreadable(_("Line %(number)d: “%(text)s” is not a date. Write it as 2026-12-25.") % words) from None
        try:
            spans = read_spans(rest)
        except Unreadable as error:
            raise Unreadable(_("Line %(number)d: %(problem)s") % {"number": number, "problem": error}) from None
        closed.discard(day)
        special.pop(day, None)
        names.pop(day, None)
        if spans:
            special[day] = tuple(spans)
        else:
            closed.add(day)
        if name := " ".join(name.split()):
            names[day] = name[:LONGEST_NAME]
    return Dates(closed, special, names)


def write_dates(
    closed: Iterable[date], special: Mapping[date, Iterable[tuple[int, int]]], names: Mapping[date, str] | None = None
) -> str:
    """Return the dates as `read_dates` takes them, in order."""
    lines = {day: day.isoformat() for day in closed}
    lines |= {day: f"{day.isoformat()} {write_spans(spans)}".strip() for day, spans in special.items()}
    named = names or {}
    return "\n".join(f"{lines[day]} # {named[day]}" if named.get(day) else lines[day] for day in sorted(lines))


def read_duration(text: str) -> int:
    """Return seconds from a text such as `4h`, `30m` or `1h 30m`. Days are refused: a business day has no fixed length.

    Raises:
        Unreadable.
    """
    left = text.strip().lower()
    total = 0
    while left:
        found = _PART.match(left)
        if found is None:
            raise Unreadable(
                _("“%(text)s” is not a time. Write hours and minutes as 4h, 30m or 1h 30m.") % {"text": text[:40]}
            )
        total += int(found[1]) * _SECONDS[found[2]]
        left = left[found.end() :].strip()
    if not total:
        raise Unreadable(_("Give a time of at least one second, such as 4h."))
    return total


def write_duration(seconds: int) -> str:
    """Return seconds as `read_duration` takes them."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return " ".join(f"{value}{unit}" for value, unit in ((hours, "h"), (minutes, "m"), (left, "s")) if value)


def due_in(spec: CalendarSpec, start: datetime, seconds: int) -> datetime | None:
    """Return when that much open time is used up, or None when the calendar never opens for so long."""
    try:
        return compile_calendar(spec).due(start, seconds * 1_000_000)
    except CalendarError:
        return None


def sentences(spec: CalendarSpec, now: datetime) -> list[str]:
    """Return what the calendar means, in sentences that somebody can check: 8 hours from Friday 16:00, and from now."""
    zone = ZoneInfo(spec.time_zone)
    local = now.astimezone(zone)
    friday = local.date() + timedelta(days=(FRIDAY - local.weekday()) % 7)
    found = []
    for hours, start in ((8, datetime.combine(friday, time(16), zone)), (1, local), (8, local)):
        due = due_in(spec, start.astimezone(UTC), hours * 3600)
        words: dict[str, Any] = {"hours": hours, "start": moment_words(start)}
        if due is None:
            found.append(
                ngettext(
                    "%(hours)d business hour from %(start)s is never over: there are no open hours.",
                    "%(hours)d business hours from %(start)s are never over: there are no open hours.",
                    hours,
                )
                % words
            )
        else:
            words["due"] = moment_words(due.astimezone(zone))
            found.append(
                ngettext(
                    "%(hours)d business hour from %(start)s ends on %(due)s.",
                    "%(hours)d business hours from %(start)s end on %(due)s.",
                    hours,
                )
                % words
            )
    return found


def moment_words(moment: datetime) -> str:
    """Return a moment as people say it: weekday, day and time of its own zone."""
    return f"{date_format(moment, 'l')} {date_format(moment, 'j M')}, {moment:%H:%M}"
