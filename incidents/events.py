"""The event codes of incidents and their wording."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from incidents.statuses import HoldReason, ResolutionCode
from itsm.tickets.events import Names, Wording, describe_changes, describe_opening, register_event


def _label(choices: Any, value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def _held(data: Mapping[str, Any], names: Names) -> str:
    words = _("put on hold: %(reason)s") % {"reason": _label(HoldReason, data.get("hold_reason", ""))}
    return with_parent(words, data)


def _resumed(data: Mapping[str, Any], names: Names) -> str:
    if data.get("because") == "reply":
        return _("resumed, because the requester replied")
    return with_parent(_("resumed"), data)


def with_parent(words: str, data: Mapping[str, Any]) -> str:
    """Return the words, and that the incident which this one is part of made it happen, where it did."""
    if data.get("because") != "parent":
        return words
    return _("%(words)s, with the incident that this is part of") % {"words": words}


def _resolved(data: Mapping[str, Any], names: Names) -> str:
    words = _("resolved: %(code)s") % {"code": _label(ResolutionCode, data.get("resolution_code", ""))}
    return with_parent(words, data)


def _closed(data: Mapping[str, Any], names: Names) -> str:
    if data.get("because") == "merged":
        return _("closed; it goes on in the incident that it was merged into")
    return _("closed, because nobody objected") if data.get("because") == "time" else _("closed")


def _numbered(text: str) -> Wording:
    return lambda data, names: _(text) % {"number": data.get("number", "")}


def _started(data: Mapping[str, Any], names: Names) -> str:
    changes = describe_changes(data, names)
    words = _("started work; %(changes)s") % {"changes": changes} if changes else _("started work")
    return with_parent(words, data)


register_event("incident.opened", describe_opening, icon="plus")
register_event("incident.started", _started, icon="player-play")
register_event("incident.held", _held, icon="player-pause")
register_event("incident.resumed", _resumed, icon="player-play")
register_event("incident.resolved", _resolved, icon="check")
register_event("incident.reopened", lambda data, names: with_parent(_("reopened"), data), icon="rotate")
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
register_event(
    "incident.parent_set", _numbered(gettext_noop("made part of %(number)s")), icon="git-branch", internal=True
)
register_event(
    "incident.parent_left", _numbered(gettext_noop("no longer part of %(number)s")), icon="git-branch", internal=True
)
register_event(
    "incident.child_added", _numbered(gettext_noop("%(number)s is now part of this")), icon="git-branch", internal=True
)
register_event(
    "incident.child_removed",
    _numbered(gettext_noop("%(number)s is no longer part of this")),
    icon="git-branch",
    internal=True,
)
register_event(
    "incident.children_told",
    lambda data, names: _("wrote to all %(count)d incidents that are part of this") % {"count": data.get("count", 0)},
    icon="message",
    internal=True,
)
register_event("incident.merged", _numbered(gettext_noop("merged into %(number)s; it goes on there")), icon="git-merge")
register_event("incident.unmerged", _numbered(gettext_noop("separated from %(number)s again")), icon="git-branch")
register_event("incident.absorbed", _numbered(gettext_noop("%(number)s was merged into this")), icon="git-merge")
register_event(
    "incident.released", _numbered(gettext_noop("%(number)s was separated from this again")), icon="git-branch"
)
register_event(
    "incident.split", _numbered(gettext_noop("split: %(number)s goes on by itself")), icon="git-branch", internal=True
)
register_event("incident.split_from", _numbered(gettext_noop("split from %(number)s")), icon="git-branch")
register_event(
    "incident.outage_published",
    lambda data, names: _("shown in the portal as a known outage"),
    icon="world",
)
register_event(
    "incident.outage_changed", lambda data, names: _("changed what the portal says of the outage"), icon="world"
)
register_event(
    "incident.outage_withdrawn", lambda data, names: _("no longer shown in the portal as an outage"), icon="world"
)
