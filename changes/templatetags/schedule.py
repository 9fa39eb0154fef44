"""Words and shapes of the change calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.core.exceptions import FieldDoesNotExist
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from changes.models import ChangeWindow
from changes.schedule.feed import feed_title
from changes.schedule.looking import Day
from changes.schedule.recurrence import Recurrence
from changes.schedule.words import rule_words, stretch
from changes.statuses import ChangeType, Status
from itsm.tickets.kinds import kind_of
from slas.calendars import CalendarError

register = template.Library()


@register.simple_tag
def change_url(number: str) -> str:
    """Return the address of a change's page."""
    try:
        return reverse(kind_of("change").url_name, args=[number])
    except NoReverseMatch:
        return "#"


@register.filter
def type_letter(code: str) -> str:
    """Return the letter that stands for a type of change where there is no room for its word."""
    return {
        ChangeType.STANDARD: pgettext("type of change, one letter", "S"),
        ChangeType.NORMAL: pgettext("type of change, one letter", "N"),
        ChangeType.EMERGENCY: pgettext("type of change, one letter", "E"),
    }.get(ChangeType(code), "?")


@register.filter
def type_label(code: str) -> str:
    """Return the type of a change in words."""
    return str(ChangeType(code).label)


@register.filter
def change_status(code: str) -> str:
    """Return the status of a change in words."""
    return str(Status(code).label)


@register.filter
def time_of(instant: datetime) -> str:
    """Return the time of day in the viewer's zone."""
    return f"{timezone.localtime(instant):%H:%M}"


@register.simple_tag
def span_words(item: Any) -> str:
    """Return from when to when something is, in the viewer's zone."""
    return stretch(item.start, item.end)


@register.simple_tag
def span_on(item: Any, day: Day) -> SafeString:
    """Return which part of the day something takes; an arrow where it comes from or goes on to another day."""
    if item.start <= day.start and item.end >= day.end:
        return format_html("{}", _("all day"))
    words = stretch(item.start, item.end)
    first = "" if item.start < day.start else time_of(item.start)
    last = "" if item.end > day.end else "24:00" if item.end == day.end else time_of(item.end)
    short = f"{first}–{last}" if first and last else f"{first} →" if first else f"← {last}"
    return format_html(
        '<span title="{}"><span aria-hidden="true">{}</span><span class="visually-hidden">{}</span></span>',
        words,
        short,
        words,
    )


@register.filter
def clock_words(day: Day) -> str:
    """Return what the clocks do on a day, as a sentence."""
    change = day.clock_change
    if change is None:
        return ""
    values = {
        "day": date_format(day.day, "j F"),
        "before": f"{change.local_before:%H:%M}",
        "after": f"{change.local_after:%H:%M}",
    }
    if change.jump_s > 0:
        return _("On %(day)s clocks go forward from %(before)s to %(after)s.") % values
    return _("On %(day)s clocks go back from %(before)s to %(after)s.") % values


@register.filter
def clock_short(day: Day) -> str:
    """Return what the clocks do on a day, briefly."""
    change = day.clock_change
    return f"{change.local_before:%H:%M} → {change.local_after:%H:%M}" if change is not None else ""


@register.filter
def feed_words(feed: Any) -> str:
    """Return what a calendar link shows."""
    return feed_title(feed)


@register.filter
def recurrence_words(rule: Any) -> str:
    """Return when something comes, in words."""
    return rule_words(rule)


@register.filter
def field_label(name: str) -> str:
    """Return the name of a window's field in words."""
    try:
        field: Any = ChangeWindow._meta.get_field(name)
    except FieldDoesNotExist:
        return name
    return str(field.verbose_name)


@register.filter
def plain(value: Any) -> str:
    """Return a value of the change log in words: times as a sentence, lists with commas, nothing as a dash."""
    if isinstance(value, dict):
        try:
            return rule_words(Recurrence.from_json(value))
        except CalendarError:
            return str(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "–"
    return str(value) if value not in (None, "") else "–"


@register.simple_tag
def stretch_words(start: datetime, end: datetime) -> str:
    """Return a stretch of time in words, in the viewer's zone."""
    return stretch(start, end)


@register.filter
def iso(instant: datetime) -> str:
    """Return an instant as a form carries it."""
    return instant.isoformat()
