"""What differs between two versions of a calendar, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from slas.calendars import CalendarSpec
from slas.models import CalendarVersion
from workspace.administration.hours import write_duration, write_spans

MOST_NAMED = 6


def differences(old: CalendarVersion | None, new: CalendarVersion) -> list[str]:
    """Return what the newer version says otherwise; for the first one that it is the first."""
    if old is None:
        return [_("The first version.")]
    before, after = CalendarSpec.from_json(old.spec), CalendarSpec.from_json(new.spec)
    found = []
    if before.time_zone != after.time_zone:
        found.append(_("Time zone: %(new)s instead of %(old)s.") % {"new": after.time_zone, "old": before.time_zone})
    for day in range(7):
        if before.weekly[day] != after.weekly[day]:
            words = {"day": WEEKDAYS[day], "new": _hours(after.weekly[day]), "old": _hours(before.weekly[day])}
            found.append(_("%(day)s: %(new)s instead of %(old)s.") % words)
    found += _dates(after.closed_dates - before.closed_dates, new, closed=True)
    found += _dates(before.closed_dates - after.closed_dates, old, closed=False)
    for at in sorted(before.overrides.keys() | after.overrides.keys()):
        one, other = before.overrides.get(at), after.overrides.get(at)
        if one != other:
            said = {"date": _date(at), "new": _hours(other) if other is not None else _("the usual hours")}
            found.append(_("%(date)s: %(new)s.") % said)
    if old.day_minutes != new.day_minutes:
        lengths = {"new": write_duration(new.day_minutes * 60), "old": write_duration(old.day_minutes * 60)}
        found.append(_("A business day is %(new)s instead of %(old)s.") % lengths)
    if old.sources != new.sources:
        names = ", ".join(new.sources) or _("none")
        found.append(_("Holidays from: %(names)s.") % {"names": names})
    return found or [_("Only names of dates changed.")]


def _dates(days: Iterable[date], version: CalendarVersion, *, closed: bool) -> list[str]:
    listed = sorted(days)
    if not listed:
        return []
    named = [f"{_date(day)} ({name})" if (name := version.name_of(day)) else _date(day) for day in listed[:MOST_NAMED]]
    words = {"dates": ", ".join(named), "more": len(listed) - MOST_NAMED}
    if words["more"] > 0:  # type: ignore[operator]
        words["dates"] = (
            ngettext("%(dates)s and %(more)d more", "%(dates)s and %(more)d more", len(listed) - MOST_NAMED) % words
        )
    return [(_("Closed: %(dates)s.") if closed else _("No longer closed: %(dates)s.")) % words]


def _date(day: date) -> str:
    return date_format(day, "j M Y")


def _hours(spans: Iterable[tuple[int, int]]) -> str:
    return write_spans(spans) or _("closed")
