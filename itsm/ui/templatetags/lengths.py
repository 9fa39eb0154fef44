"""`{% load lengths %}`: lengths of time; open time (of a calendar) and real time are written apart."""

from datetime import timedelta

from django import template
from django.utils.translation import gettext as _

from itsm.ui.words import short_duration

register = template.Library()


def _seconds(value: float | timedelta | None) -> float:
    if value is None:
        return 0.0
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


@register.filter
def open_time(value: float | timedelta | None) -> str:
    """Open time (seconds) in hours and minutes: a day of it would not be one of the calendar's days."""
    seconds = _seconds(value)
    minutes = int(seconds // 60)
    if minutes < 1 <= seconds:
        return _("%(seconds)d s") % {"seconds": int(seconds)}
    if minutes < 60:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes % 60 == 0 or minutes >= 100 * 60:
        return _("%(hours)s h") % {"hours": f"{minutes // 60:,}"}
    return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.filter
def real_time(value: float | timedelta | None) -> str:
    """Real time (seconds or a length of time) in days and hours."""
    seconds = _seconds(value)
    return _("%(seconds)d s") % {"seconds": int(seconds)} if 0 < seconds < 60 else short_duration(seconds)
