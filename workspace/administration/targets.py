"""Targets as people type them: open time, business days, the close of a business day; and when they would be due."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from slas.calendars import CalendarError, CompiledCalendar
from slas.models import TargetUnit
from workspace.administration.hours import Unreadable, read_duration, write_duration

MOST_DAYS = 2500
_DAYS = re.compile(r"(\d{1,5})\s*(?:bd|business\s+days?|working\s+days?)", re.ASCII)
_CLOSE = re.compile(
    r"(?:end|close)\s+of\s+(?:the\s+)?(?:(?P<next>next)\s+|(?P<count>\d{1,5})(?:st|nd|rd|th)?\s+)?"
    r"(?:(?:business|working)\s+)?day(?:\s+after)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Target:
    """What was typed: seconds of open time, or a number of business days in one of their two meanings."""

    unit: str
    seconds: int = 0
    count: int | None = None


def read_target(text: str) -> Target:
    """Return the target that the text says: `4h`, `3 business days` (`3bd`), `end of the next business day`, `end of
    the 2nd business day`, `end of the business day`. Plain days are refused: they could be days of 24 hours or of 8.

    Raises:
        Unreadable.
    """
    said = " ".join(text.lower().split())
    if found := _DAYS.fullmatch(said):
        count = int(found[1])
        if not 1 <= count <= MOST_DAYS:
            raise Unreadable(_("Give 1 to %(most)d business days.") % {"most": MOST_DAYS})
        return Target(TargetUnit.BUSINESS_DAYS, count=count)
    if found := _CLOSE.fullmatch(said):
        count = 1 if found["next"] else int(found["count"] or 0)
        if count > MOST_DAYS:
            raise Unreadable(_("Give at most the end of the %(most)dth business day.") % {"most": MOST_DAYS})
        return Target(TargetUnit.CLOSE_OF_DAY, count=count)
    try:
        return Target(TargetUnit.TIME, read_duration(said))
    except Unreadable as error:
        if re.fullmatch(r"\d{1,5}\s*(?:d|days?)", said):
            text = _("Say which days are meant: “%(count)s business days”, or hours such as 48h.")
            raise Unreadable(text % {"count": re.match(r"\d+", said)[0]}) from None  # type: ignore[index]
        if re.search(r"[a-z]{3}", said):
            text = _("“%(text)s” is not a target. Write 4h, 1h 30m, 3 business days or end of the next business day.")
            raise Unreadable(text % {"text": said[:40]}) from None
        raise error


def write_target(unit: str, seconds: int, count: int | None) -> str:
    """Return a target as `read_target` takes it."""
    if unit == TargetUnit.TIME:
        return write_duration(seconds)
    days = count or 0
    if unit == TargetUnit.BUSINESS_DAYS:
        return f"{days} business day" if days == 1 else f"{days} business days"
    if days < 2:
        return "end of the next business day" if days else "end of the business day"
    return f"end of the {days}{_ordinal_ending(days)} business day"


def say_target(unit: str, seconds: int, count: int | None) -> str:
    """Return a target in the reader's words."""
    if unit == TargetUnit.TIME:
        return write_duration(seconds)
    days = count or 0
    if unit == TargetUnit.BUSINESS_DAYS:
        return ngettext("%(count)d business day", "%(count)d business days", days) % {"count": days}
    if days < 2:
        return _("end of the next business day") if days else _("end of the business day")
    return _("end of business day %(count)d after") % {"count": days}


def due_of(hours: CompiledCalendar, start: datetime, unit: str, seconds: int, count: int | None) -> datetime | None:
    """Return when a target that begins now would be due; None where the calendar does not open for so long."""
    try:
        if unit == TargetUnit.CLOSE_OF_DAY:
            return hours.close_of_business_day(start, count or 0)
        return hours.due(start, seconds * 1_000_000)
    except CalendarError:
        return None


def _ordinal_ending(number: int) -> str:
    if 10 < number % 100 < 14:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
