"""Windows and collisions in words."""

from __future__ import annotations

from datetime import datetime

from django.utils import formats, timezone
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from changes.models import CollisionKind, Conflict
from changes.schedule.recurrence import LAST, Recurrence, Repeat, write_minute


def stretch(start: datetime, end: datetime) -> str:
    """Return a stretch of time in the current language and zone: “Sat 28 Mar 2026 23:30 – 03:00 GMT”."""
    first, last = timezone.localtime(start), timezone.localtime(end)
    one, two = formats.date_format(first, "D j M Y H:i"), formats.date_format(last, "D j M Y H:i")
    if first.date() == last.date():
        two = formats.date_format(last, "H:i")
    # Where the clocks change in between, each end says by which clock it is.
    if first.tzname() != last.tzname():
        return f"{one} {first.tzname()} – {two} {last.tzname()}"
    return f"{one} – {two} {last.tzname()}"


def conflict_words(row: Conflict) -> str:
    """Return in what the change collides, as a sentence without its times. Reads other, window, service and person."""
    values = {
        "number": row.other.number if row.other else "",
        "window": str(row.window or ""),
        "service": str(row.service or ""),
        "person": row.person.display_name if row.person else "",
        "more": row.shared - 1,
    }
    if row.kind == CollisionKind.SAME_SERVICE:
        if row.shared > 1:
            text = ngettext(
                "%(number)s touches %(service)s and %(more)d other service of this change at the same time.",
                "%(number)s touches %(service)s and %(more)d other services of this change at the same time.",
                row.shared - 1,
            )
            return text % values
        return _("%(number)s touches %(service)s at the same time.") % values
    if row.kind == CollisionKind.RELATED_SERVICE:
        return (
            _("%(number)s touches %(service)s at the same time, part of a service of this change or the whole of it.")
            % values
        )
    if row.kind == CollisionKind.DOUBLE_BOOKED:
        return _("%(person)s is to work on %(number)s at the same time.") % values
    if row.kind == CollisionKind.FREEZE:
        return _("It is in the freeze “%(window)s”.") % values
    if row.service is not None:
        return _("It is outside the maintenance windows of %(service)s (“%(window)s”).") % values
    return _("It is outside the maintenance window “%(window)s”.") % values


def rule_words(rule: Recurrence) -> str:
    """Return when something comes: “every second Sunday of the month, 01:00 to 05:00 (Europe/London)”."""
    end = write_minute(rule.end_minute)
    if rule.end_day == 1 and rule.repeat != Repeat.ONCE:
        end = _("%(time)s the next day") % {"time": end}
    elif rule.end_day and rule.repeat != Repeat.ONCE:
        end = ngettext("%(time)s %(days)d day later", "%(time)s %(days)d days later", rule.end_day) % {
            "time": end,
            "days": rule.end_day,
        }
    values = {"when": _when(rule), "start": write_minute(rule.start_minute), "end": end, "zone": rule.time_zone}
    if rule.repeat == Repeat.ONCE:
        last = datetime.fromordinal(rule.first.toordinal() + rule.end_day).date()
        values["last"] = formats.date_format(last, "j M Y")
        return _("%(when)s %(start)s to %(last)s %(end)s (%(zone)s)") % values
    text = _("%(when)s, %(start)s to %(end)s (%(zone)s)") % values
    if rule.until is not None:
        text += ", " + _("until %(day)s") % {"day": formats.date_format(rule.until, "j M Y")}
    return text


def _when(rule: Recurrence) -> str:
    if rule.repeat == Repeat.ONCE:
        return formats.date_format(rule.first, "j M Y")
    if rule.repeat == Repeat.DAILY:
        return ngettext("every day", "every %(every)d days", rule.every) % {"every": rule.every}
    if rule.repeat == Repeat.WEEKLY:
        days = get_text_list([str(WEEKDAYS[day]) for day in rule.weekdays], _("and"))
        if rule.every == 1:
            return _("every %(days)s") % {"days": days}
        return _("every %(every)d weeks on %(days)s") % {"every": rule.every, "days": days}
    day = _nth_words(rule) if rule.nth else _day_words(rule.month_day)
    if rule.repeat == Repeat.YEARLY:
        values = {"day": day, "month": MONTHS[rule.month], "every": rule.every}
        if rule.every == 1:
            return _("every year on %(day)s of %(month)s") % values
        return _("every %(every)d years on %(day)s of %(month)s") % values
    if rule.every == 1:
        return _("every month on %(day)s") % {"day": day}
    return _("every %(every)d months on %(day)s") % {"day": day, "every": rule.every}


def _day_words(day: int) -> str:
    return _("the last day") if day == LAST else _("day %(day)d") % {"day": day}


def nth_label(nth: int) -> str:
    """Return which of the weekdays of a month it is, in words."""
    return {
        1: pgettext("weekday of a month", "first"),
        2: pgettext("weekday of a month", "second"),
        3: pgettext("weekday of a month", "third"),
        4: pgettext("weekday of a month", "fourth"),
        5: pgettext("weekday of a month", "fifth"),
        LAST: pgettext("weekday of a month", "last"),
    }[nth]


def _nth_words(rule: Recurrence) -> str:
    return _("the %(nth)s %(weekday)s") % {"nth": nth_label(rule.nth), "weekday": WEEKDAYS[rule.weekday]}
