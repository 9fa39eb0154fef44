"""The event codes of changes and their wording."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from changes.gates import moment
from changes.statuses import ChangeType, CloseCode, Risk
from itsm.tickets.events import Names, describe_changes, describe_opening, register_event

TEXTS = ("justification", "implementation_plan", "backout_plan", "test_plan", "review_notes")
TIMES = ("planned_start", "planned_end", "actual_start", "actual_end")


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value)


def _closed(data: Mapping[str, Any], names: Names) -> str:
    return _("closed: %(code)s") % {"code": _label(CloseCode, data.get("close_code", ""))}


def _held(data: Mapping[str, Any], names: Names) -> str:
    return _("put on hold: %(reason)s") % {"reason": data.get("hold_reason", "")}


def _started(data: Mapping[str, Any], names: Names) -> str:
    changes = describe_changes(data, names)
    return _("started the change; %(changes)s") % {"changes": changes} if changes else _("started the change")


def _when(value: Any) -> str:
    return moment(datetime.fromisoformat(value)) if value else _("none")


def _edited(data: Mapping[str, Any], names: Names) -> str:
    """Say what was edited: the window with its times, long texts by their names only, lists by what came and went."""
    labels = {
        "justification": _("justification"),
        "implementation_plan": _("implementation plan"),
        "backout_plan": _("back-out plan"),
        "test_plan": _("test plan"),
        "review_notes": _("review"),
        "planned_start": _("planned start"),
        "planned_end": _("planned end"),
        "actual_start": _("actual start"),
        "actual_end": _("actual end"),
        "change_type": _("type"),
        "affected": _("affected"),
        "is_retroactive": _("recorded after the act"),
        "is_unauthorised": _("made without authorisation"),
    }
    parts = []
    for field, (old, new) in data.get("changes", {}).items():
        label = labels.get(field, field)
        if field in TEXTS:
            parts.append(_("wrote: %(label)s") % {"label": label})
        elif field in TIMES:
            parts.append(f"{label}: {_when(old)} → {_when(new)}")
        elif field == "change_type":
            parts.append(f"{label}: {_label(ChangeType, old)} → {_label(ChangeType, new)}")
        elif field in {"is_retroactive", "is_unauthorised"}:
            parts.append(f"{label}: {_('yes') if new else _('no')}")
        else:
            parts.append(f"{label}: {old} → {new}")
    for name, words in (("added", _("affected, added: %(what)s")), ("removed", _("affected, removed: %(what)s"))):
        if data.get(name):
            parts.append(words % {"what": ", ".join(data[name])})
    return "; ".join(parts)


def _risk(data: Mapping[str, Any], names: Names) -> str:
    said = {
        "level": _label(Risk, data.get("risk")),
        "points": data.get("points", 0),
        "before": _label(Risk, data["before"]) if data.get("before") else "",
    }
    if said["before"] and said["before"] != said["level"]:
        return _("risk: %(before)s → %(level)s (%(points)s points)") % said
    return _("risk: %(level)s (%(points)s points)") % said


def _reverted(data: Mapping[str, Any], names: Names) -> str:
    return _("took it back to New: %(reason)s") % {"reason": data.get("reason", "")}


def _rejected(data: Mapping[str, Any], names: Names) -> str:
    if data.get("reason"):
        return _("rejected, back to New: %(reason)s") % {"reason": data["reason"]}
    return _("rejected: back to New")


def _template(words: str) -> Any:
    return lambda data, names: _(words) % {"template": data.get("template", ""), "runs": data.get("runs", "")}


register_event("change.opened", describe_opening, icon="plus")
register_event("change.edited", _edited, icon="pencil", internal=True)
register_event("change.risk_assessed", _risk, icon="gauge", internal=True)
register_event(
    "change.assessment_requested", lambda data, names: _("asked for approval (assessment)"), icon="send", internal=True
)
register_event(
    "change.authorisation_requested",
    lambda data, names: _("asked for approval (authorisation)"),
    icon="send",
    internal=True,
)
register_event("change.assessed", lambda data, names: _("assessed: goes on to be authorised"), icon="check")
register_event("change.authorised", lambda data, names: _("authorised and scheduled"), icon="check")
register_event(
    "change.authorised_afterwards", lambda data, names: _("authorised after the act; a review follows"), icon="check"
)
register_event("change.rejected", _rejected, icon="x")
register_event("change.reverted", _reverted, icon="arrow-back-up", internal=True)
register_event("change.scheduled", lambda data, names: _("scheduled"), icon="calendar")
register_event("change.started", _started, icon="player-play")
register_event("change.finished", lambda data, names: _("made the change; a review follows"), icon="flag")
register_event("change.closed", _closed, icon="circle-check")
register_event("change.held", _held, icon="player-pause", internal=True)
register_event("change.resumed", lambda data, names: _("resumed"), icon="player-play", internal=True)
register_event("change.cancelled", lambda data, names: _("cancelled"), icon="x")
register_event(
    "change.template_offered",
    _template("“%(template)s” has earned to be a standard change: %(runs)s clean runs"),
    icon="award",
    internal=True,
)
register_event(
    "change.template_demoted",
    _template("“%(template)s” is no standard change any more, because this one failed"),
    icon="trending-down",
    internal=True,
)
