"""The registry of event codes and their wording. The log stores codes and values; words are made at display time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

Names = Mapping[int, str]
Wording = Callable[[Mapping[str, Any], Names], str]

FIELD_LABELS = {
    "title": gettext_noop("title"),
    "description": gettext_noop("description"),
    "team": gettext_noop("team"),
    "assignee": gettext_noop("assignee"),
    "requester": gettext_noop("requester"),
    "service": gettext_noop("service"),
    "category": gettext_noop("category"),
    "impact": gettext_noop("impact"),
    "urgency": gettext_noop("urgency"),
    "priority": gettext_noop("priority"),
    "external_id": gettext_noop("external id"),
    "reassignment_count": gettext_noop("reassignments"),
    "reopen_count": gettext_noop("reopenings"),
}
LEVEL_WORDS = {1: gettext_noop("High"), 2: gettext_noop("Medium"), 3: gettext_noop("Low")}
PRIORITY_WORDS = {
    1: gettext_noop("Critical"),
    2: gettext_noop("High"),
    3: gettext_noop("Moderate"),
    4: gettext_noop("Low"),
    5: gettext_noop("Planning"),
}


@dataclass(frozen=True)
class EventType:
    """What is known of a code: how it reads, its icon, and whether only the desk sees it."""

    code: str
    wording: Wording
    icon: str = "point"
    internal: bool = False


_types: dict[str, EventType] = {}


def register_event(code: str, wording: Wording, *, icon: str = "point", internal: bool = False) -> None:
    """Make a code known with its wording. `wording(data, names)` gets the event's values and people's names by id."""
    _types[code] = EventType(code, wording, icon, internal)


def event_type(code: str) -> EventType:
    """Return what is known of the code.

    Raises:
        KeyError: nobody registered it; recording it would be a programming error.
    """
    return _types[code]


def words_of(code: str, data: Mapping[str, Any], names: Names, *, inside: bool) -> str:
    """Return an event in words. For readers outside the desk the names of routing rules are left out.

    Raises:
        KeyError: nobody registered the code.
    """
    said = data if inside else {name: value for name, value in data.items() if name != "rule"}
    return event_type(code).wording(said, names)


def value_label(field: str, value: Any, names: Names) -> str:
    """Return a stored value in words: a person by name, a priority by its label, nothing as a dash."""
    if value is None or value == "":
        return _("none")
    if isinstance(value, Mapping):
        if "user" in value:
            return names.get(value["user"], _("somebody"))
        return str(value.get("label", ""))
    if field in {"impact", "urgency"}:
        return _(LEVEL_WORDS[value]) if value in LEVEL_WORDS else str(value)
    if field == "priority":
        return _(PRIORITY_WORDS[value]) if value in PRIORITY_WORDS else str(value)
    return str(value)


def people_in(data: Mapping[str, Any]) -> set[int]:
    """Return the ids of the people whose names the wording of these values needs."""
    found: set[int] = set()
    stack: list[Any] = [data]
    while stack:
        item = stack.pop()
        if isinstance(item, Mapping):
            if isinstance(item.get("user"), int):
                found.add(item["user"])
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return found


def describe_changes(data: Mapping[str, Any], names: Names) -> str:
    """Return the changed fields in words: “priority: Low → High”."""
    parts = []
    for field, pair in data.get("changes", {}).items():
        if field == "priority_reason":  # the desk's own words; its event says it to the desk
            continue
        label = _(FIELD_LABELS[field]) if field in FIELD_LABELS else field
        if field == "description":
            parts.append(_("changed the description"))
            continue
        if field == "custom":
            parts.extend(_describe_custom(*pair))
            continue
        parts.append(f"{label}: {value_label(field, pair[0], names)} → {value_label(field, pair[1], names)}")
    return ", ".join(parts)


def _describe_custom(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}: {value_label(name, old.get(name), {})} → {value_label(name, new.get(name), {})}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _assigned(data: Mapping[str, Any], names: Names) -> str:
    return _("assigned: %(changes)s") % {"changes": describe_changes(data, names)}


def describe_opening(data: Mapping[str, Any], names: Names) -> str:
    """Return how a ticket began: opened, and where it was routed by which rule."""
    team = data.get("team")
    if not team:
        return _("opened the ticket")
    words = {"team": team["label"], "rule": data.get("rule", "")}
    if words["rule"]:
        return _("opened the ticket; routed to %(team)s by rule “%(rule)s”") % words
    return _("opened the ticket for %(team)s") % words


def _linked(data: Mapping[str, Any], names: Names) -> str:
    return _("linked: %(kind)s %(number)s") % {"kind": data.get("kind_label", ""), "number": data.get("number", "")}


register_event("ticket.updated", describe_changes, icon="pencil")
register_event("ticket.assigned", _assigned, icon="user-check")
register_event(
    "ticket.priority_overridden",
    lambda data, names: (
        _("set the priority by hand: %(changes)s. Reason: %(reason)s")
        % {"changes": describe_changes(data, names), "reason": data.get("reason", "")}
    ),
    icon="flag",
    internal=True,
)
register_event("ticket.commented", lambda data, names: _("wrote a reply"), icon="message")
register_event("ticket.noted", lambda data, names: _("wrote a work note"), icon="lock", internal=True)
register_event(
    "ticket.attached",
    lambda data, names: _("attached %(name)s") % {"name": data.get("name", "")},
    icon="paperclip",
)
register_event(
    "ticket.attached_internally",
    lambda data, names: _("attached %(name)s for the desk") % {"name": data.get("name", "")},
    icon="paperclip",
    internal=True,
)
register_event("ticket.linked", _linked, icon="link", internal=True)
register_event(
    "ticket.unlinked",
    lambda data, names: _("removed the link to %(number)s") % {"number": data.get("number", "")},
    icon="unlink",
    internal=True,
)
register_event(
    "ticket.watched",
    lambda data, names: _("%(person)s now watches") % {"person": value_label("user", data.get("watcher"), names)},
    icon="eye",
    internal=True,
)
register_event(
    "ticket.unwatched",
    lambda data, names: _("%(person)s no longer watches") % {"person": value_label("user", data.get("watcher"), names)},
    icon="eye-off",
    internal=True,
)
