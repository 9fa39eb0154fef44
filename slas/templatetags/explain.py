"""`{% load explain %}`: lengths of open time in words, and instants with the calendar's clock beside the viewer's."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from slas.events import duration_words
from slas.explain.days import Day, Note
from slas.steps import By, Step

register = template.Library()
SECOND = 1_000_000


@register.filter
def open_time(us: int) -> str:
    """Microseconds as “2 h 30 min”, to the second, towards zero; “−” before what is below zero."""
    words = duration_words(abs(us) // SECOND)
    return f"\u2212{words}" if us < 0 and abs(us) >= SECOND else words


@register.filter
def seconds_time(seconds: int) -> str:
    """Whole seconds as “2 h 30 min”."""
    return duration_words(int(seconds))


@register.filter
def over_time(us: int) -> str:
    """A negative remainder without its sign, rounded up: what the target was overrun by, as it is shown."""
    return duration_words(-(us // SECOND))


@register.simple_tag
def step_words(step: Step) -> str:
    """When a step lies: “75 % of the target”, “30 min before the due time (open time)”."""
    if step.is_breach:
        return _("The due time itself")
    if step.percent is not None:
        return _("%(percent)d %% of the target") % {"percent": step.percent}
    words = {
        "length": duration_words(abs(step.minutes) * 60),
        "by": _("open time") if step.by == By.BUSINESS else _("by the clock on the wall"),
    }
    if step.minutes < 0:
        return _("%(length)s before the due time, %(by)s") % words
    return _("%(length)s after the due time, %(by)s") % words


@register.filter
def left_time(target_us: int, used_us: int) -> str:
    """What is left of the target, so that used and left, as both are shown, add up to it."""
    return open_time((target_us // SECOND - used_us // SECOND) * SECOND)


def _said(local: datetime) -> str:
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{date_format(local, 'D j M Y')}, {clock}"


@register.simple_tag
def instant(value: datetime | None, zone: str = "") -> SafeString:
    """`<time>` in the viewer's zone; where the calendar's clock shows another time, that stands beside it."""
    if value is None:
        return SafeString("–")
    mine = timezone.localtime(value)
    iso = value.astimezone(UTC).isoformat()
    shown = format_html('<time class="nowrap" datetime="{}" title="{}">{}</time>', iso, iso, _said(mine))
    if not zone:
        return shown
    theirs = value.astimezone(ZoneInfo(zone))
    if theirs.utcoffset() == mine.utcoffset():
        return shown
    words = f"{theirs:%H:%M}" if theirs.date() == mine.date() else _said(theirs)
    return format_html('{} <span class="other-zone">{}</span>', shown, _in_zone(words, zone))


@register.simple_tag
def span_words(start: datetime, end: datetime, zone: str) -> SafeString:
    """An open span by the calendar's own clock: “09:00–17:00”, with both instants for programs."""
    a, b = start.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
    return format_html(
        '<span class="nowrap"><time datetime="{}">{}</time>–<time datetime="{}">{}</time></span>',
        start.astimezone(UTC).isoformat(), _clock(a),
        end.astimezone(UTC).isoformat(), "24:00" if (b.hour, b.minute, b.second) == (0, 0, 0) else _clock(b),
    )  # fmt: skip


def _clock(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


@register.filter
def day_words(day: Day) -> str:
    """The date of a line, or its first and last: “Fri 6 Mar”, “Sat 7 – Sun 8 Mar 2026”."""
    if day.count == 1:
        return str(date_format(day.first, "D j M Y"))
    return f"{date_format(day.first, 'D j M')} – {date_format(day.last, 'D j M Y')}"


@register.simple_tag
def note_words(note: Note, zone: str) -> str:
    """What is unusual about a date, as a sentence."""
    words = {
        "day": date_format(note.date, "D j M Y"),
        "name": note.name,
        "zone": zone,
        "shift": open_time(note.shift_us),
        "length": open_time(note.length_us),
    }
    match note.kind:
        case "holiday":
            return _("%(day)s is closed: %(name)s") % words
        case "closed":
            return _("%(day)s is closed") % words
        case "override" if note.name:
            return _("%(day)s has hours of its own: %(name)s") % words
        case "override":
            return _("%(day)s has hours of its own") % words
        case "clock_forward":
            return _("%(day)s: clocks go forward %(shift)s in %(zone)s; this day has %(length)s") % words
        case "clock_back":
            return _("%(day)s: clocks go back %(shift)s in %(zone)s; this day has %(length)s") % words
        case _:
            return _("%(day)s does not exist in %(zone)s: its clocks left it out") % words


def _in_zone(words: str, zone: str) -> str:
    return _("%(time)s in %(zone)s") % {"time": words, "zone": zone}
