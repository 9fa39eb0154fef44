"""The event codes of service levels and their wording. All are internal: the desk's clocks are not the requester's."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from itsm.tickets.events import Names, register_event
from slas.models import Metric
from slas.steps import By, Step, step_of


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


def step_words(step: Step) -> str:
    """Return when a step lies, in words: “75 % of the target”, “30 min before it is due”."""
    if step.percent is not None:
        return _("%(percent)d %% of the target") % {"percent": step.percent}
    if step.by == By.WALL:
        words = _("%(time)s after it was due") if step.is_after else _("%(time)s before it is due")
    elif step.is_after:
        words = _("%(time)s of working time after it was due")
    else:
        words = _("%(time)s of working time before it is due")
    return words % {"time": duration_words(abs(step.minutes) * 60)}


def _words(data: Mapping[str, Any]) -> dict[str, Any]:
    metric = data.get("metric", "")
    due = data.get("due_at")
    return {
        "metric": str(Metric(metric).label).lower() if metric in Metric.values else metric,
        "target": duration_words(int(data.get("target_s", 0))),
        "percent": data.get("percent", 0),
        "when": step_words(Step(minutes=data["minutes"], by=By(data["clock"]))) if "minutes" in data else "",
        "due": date_format(timezone.localtime(datetime.fromisoformat(due)), "DATETIME_FORMAT") if due else _("now"),
    }


def _with_more(said: str, data: Mapping[str, Any]) -> str:
    """Add what is unusual about the step: that it comes again, that it is late, that nobody was there to be told."""
    more = []
    if data.get("repetition"):
        more.append(_("once more, number %(number)d") % {"number": data["repetition"]})
    if data.get("late") or data.get("folded"):
        detected = date_format(timezone.localtime(datetime.fromisoformat(data["detected_at"])), "DATETIME_FORMAT")
        more.append(_("late: noticed only %(detected)s") % {"detected": detected})
    if data.get("late_steps"):
        count = len(data["late_steps"])
        words = ngettext("also for %(count)d earlier step", "also for %(count)d earlier steps", count)
        more.append(words % {"count": count})
    if (data.get("notify") or {}).get("no_recipient"):
        more.append(_("nobody whom the step names was there, so others are told"))
    return said + (f" ({'; '.join(more)})" if more else "")


def _warned(data: Mapping[str, Any], names: Names) -> str:
    if "minutes" in data:
        words = _("%(when)s: the %(metric)s target (%(target)s), due %(due)s")
    else:
        words = _("%(percent)s %% of the %(metric)s target (%(target)s) is used; due %(due)s")
    return _with_more(words % _words(data), data)


def _breached(data: Mapping[str, Any], names: Names) -> str:
    return _with_more(_("missed the %(metric)s target (%(target)s), due %(due)s") % _words(data), data)


def _escalated(data: Mapping[str, Any], names: Names) -> str:
    if "minutes" in data:
        words = _("%(when)s: the %(metric)s target (%(target)s), which was due %(due)s")
    else:
        words = _("%(percent)s %% of the %(metric)s target (%(target)s) is used, which was due %(due)s")
    return _with_more(words % _words(data), data)


def _acknowledged(data: Mapping[str, Any], names: Names) -> str:
    return _("acknowledged the escalation: no more steps follow")


def _caught_up(data: Mapping[str, Any], names: Names) -> str:
    steps = [step_words(step_of(code)) for code, _repetition in data.get("late_steps", ())]
    words = _(
        "late, since the step that was to tell of it could not be done: %(steps)s; %(metric)s target (%(target)s)"
    )
    return words % {**_words(data), "steps": ", ".join(steps)}


register_event("sla.warned", _warned, icon="clock", internal=True)
register_event("sla.breached", _breached, icon="alert-triangle", internal=True)
register_event("sla.escalated", _escalated, icon="alert-triangle", internal=True)
register_event("sla.caught_up", _caught_up, icon="clock", internal=True)
register_event("sla.acknowledged", _acknowledged, icon="check", internal=True)
