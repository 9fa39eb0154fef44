"""The event codes of service levels and their wording. All are internal: the desk's clocks are not the requester's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from itsm.tickets.events import Names, register_event
from slas.models import Metric


def duration_words(seconds: int) -> str:
    """Return a length of time as “2 h 30 min”; seconds only where it is below a minute or not whole minutes."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = []
    if hours:
        parts.append(_("%(hours)d h") % {"hours": hours})
    if minutes:
        parts.append(_("%(minutes)d min") % {"minutes": minutes})
    if left or not parts:
        parts.append(_("%(seconds)d s") % {"seconds": left})
    return " ".join(parts)


def _words(data: Mapping[str, Any]) -> dict[str, Any]:
    metric = data.get("metric", "")
    due = data.get("due_at")
    return {
        "metric": str(Metric(metric).label).lower() if metric in Metric.values else metric,
        "target": duration_words(int(data.get("target_s", 0))),
        "percent": data.get("percent", 0),
        "due": date_format(timezone.localtime(datetime.fromisoformat(due)), "DATETIME_FORMAT") if due else _("now"),
    }


def _warned(data: Mapping[str, Any], names: Names) -> str:
    return _("%(percent)s %% of the %(metric)s target (%(target)s) is used; due %(due)s") % _words(data)


def _breached(data: Mapping[str, Any], names: Names) -> str:
    return _("missed the %(metric)s target (%(target)s), due %(due)s") % _words(data)


def _escalated(data: Mapping[str, Any], names: Names) -> str:
    return _("%(percent)s %% of the %(metric)s target (%(target)s) is used, which was due %(due)s") % _words(data)


register_event("sla.warned", _warned, icon="clock", internal=True)
register_event("sla.breached", _breached, icon="alert-triangle", internal=True)
register_event("sla.escalated", _escalated, icon="alert-triangle", internal=True)
