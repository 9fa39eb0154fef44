"""The event codes of incidents and their wording."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from incidents.statuses import HoldReason, ResolutionCode
from itsm.tickets.events import Names, describe_changes, describe_opening, register_event


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def _held(data: Mapping[str, Any], names: Names) -> str:
    return _("put on hold: %(reason)s") % {"reason": _label(HoldReason, data.get("hold_reason", ""))}


def _resumed(data: Mapping[str, Any], names: Names) -> str:
    return _("resumed, because the requester replied") if data.get("because") == "reply" else _("resumed")


def _resolved(data: Mapping[str, Any], names: Names) -> str:
    return _("resolved: %(code)s") % {"code": _label(ResolutionCode, data.get("resolution_code", ""))}


def _closed(data: Mapping[str, Any], names: Names) -> str:
    return _("closed, because nobody objected") if data.get("because") == "time" else _("closed")


def _started(data: Mapping[str, Any], names: Names) -> str:
    changes = describe_changes(data, names)
    return _("started work; %(changes)s") % {"changes": changes} if changes else _("started work")


register_event("incident.opened", describe_opening, icon="plus")
register_event("incident.started", _started, icon="player-play")
register_event("incident.held", _held, icon="player-pause")
register_event("incident.resumed", _resumed, icon="player-play")
register_event("incident.resolved", _resolved, icon="check")
register_event("incident.reopened", lambda data, names: _("reopened"), icon="rotate")
register_event("incident.closed", _closed, icon="circle-check")
register_event("incident.cancelled", lambda data, names: _("cancelled"), icon="x")
register_event(
    "incident.counts_corrected",
    lambda data, names: (
        _("corrected what the import had to count: %(changes)s. Reason: %(reason)s")
        % {"changes": describe_changes(data, names), "reason": data.get("reason", "")}
    ),
    icon="calculator",
    internal=True,
)
register_event(
    "incident.followed_up",
    lambda data, names: _("replied after the end: continued in %(number)s") % {"number": data.get("number", "")},
    icon="arrow-forward-up",
)
