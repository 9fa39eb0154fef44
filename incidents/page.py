"""What the ticket page shows of an incident to one person: the whole page, the preview and each refreshed part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents.access import desk_actor, viewer_of
from incidents.choices import LinkedTicket, Pair, aside
from incidents.conversation import conversation, folded, latest, shown_file
from incidents.fields import PROPERTIES
from incidents.forms import MoveForm, PriorityForm
from incidents.models import Incident
from incidents.sending import AND_HOLD, AND_RESOLVE
from incidents.service_levels import calls_out, service_levels
from incidents.waiting import shown_wait, wait_of
from itsm.accounts.models import User
from itsm.tickets.actors import Actor
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Level, LinkKind
from itsm.tickets.moves import Move, legal_moves
from itsm.tickets.rules import can

HOTKEYS = {"assignee": "O", "team": "T", "impact": "Y"}
MOVE_KEYS = {"resolve": "E", "hold": "H"}
TONES = {"success": "btn-resolve", "danger": "btn-danger"}


def page_context(request: HttpRequest, incident: Incident, **more: Any) -> dict[str, Any]:
    """Return the context of the page's templates. The number of queries does not depend on how long the ticket is.

    `more` replaces single values: what stands in the composer, an error of one property, and so on.
    """
    actor = desk_actor(request)
    viewer = viewer_of(request)
    entries, files = conversation(incident, viewer)
    total = len(entries)
    entries, earlier = (entries, 0) if shows_all(request) else latest(entries)
    entries = folded(entries)
    ended = incident.status in incident.kind_info.terminal_statuses
    may_edit = bool(can("ticket.edit", actor, incident)) and not ended
    works = bool(can("ticket.note", actor, incident))
    beside = aside(incident, viewer)
    watchers = beside.pairs.get("watcher", [])
    levels, next_level = service_levels(incident)
    moves = [_move(incident, move) for move in legal_moves(incident, actor)]
    return {
        "incident": incident,
        "in_preview": is_pane(request),
        "seen": f"{incident.version}.{incident.event_seq}",
        "entries": entries,
        "entry_count": total,
        "earlier": earlier,
        "starts_at_end": incident.status != incident.kind_info.initial_status,
        "files": [shown_file(file) for file in files],
        "levels": levels,
        "next_level": next_level,
        "may_acknowledge": works and any(calls_out(level) for level in levels),
        "is_acknowledged": any(level["clock"].is_acknowledged and level["clock"].is_active for level in levels),
        "wait": shown_wait(wait_of(incident, incident.shown_events, timezone.now())),
        "moves": moves,
        "main_move": next((move for move in moves if move["emphasis"] == "success"), None),
        "may_edit": may_edit,
        "works": works,
        "may_take": may_edit and incident.assignee_id != viewer.pk,
        "may_set_priority": not ended and bool(can("ticket.override_priority", actor, incident)),
        "priority_form": PriorityForm.of(incident),
        "properties": _properties(incident, beside.pairs, viewer, may_edit),
        "watchers": watchers,
        "watches": viewer.public_id in {ref for ref, _name in watchers},
        "links": [_link(link) for link in beside.links],
        "link_kinds": LinkKind.choices,
        "local_time": timezone.now().astimezone(incident.requester.zone),
        "composer": composer(incident, actor, moves),
        **more,
    }


def shows_all(request: HttpRequest) -> bool:
    """Return whether the whole conversation was asked for, by this request or by the page that it came from."""
    htmx = getattr(request, "htmx", None)
    asked = urlsplit(htmx.current_url or "").query if htmx else request.META.get("QUERY_STRING", "")
    return "all=1" in asked.split("&")


def is_pane(request: HttpRequest) -> bool:
    """Return whether the page stands in the queue's right-hand pane (the pane says so with each request)."""
    return (request.POST if request.method == "POST" else request.GET).get("pane") == "1"


def composer(incident: Incident, actor: Actor, moves: list[dict[str, Any]], **typed: Any) -> dict[str, Any]:
    """Return what the composer needs; `typed` is what a refused sending held."""
    names = {move["name"] for move in moves}
    ended = incident.status in incident.kind_info.terminal_statuses
    then = []
    if "hold" in names:
        then.append((AND_HOLD, _("Send and wait for the requester")))
    if "resolve" in names:
        then.append((AND_RESOLVE, _("Send and resolve")))
    return {
        "can_reply": bool(can("ticket.comment", actor, incident)) and not ended,
        "can_note": bool(can("ticket.note", actor, incident)),
        "then": then,
        "seen": incident.event_seq,
        "submission_key": uuid4().hex,
        **typed,
    }


def _move(incident: Incident, move: Move) -> dict[str, Any]:
    return {
        "name": move.name,
        "label": move.label,
        "icon": move.icon,
        "emphasis": move.emphasis,
        "tone": TONES.get(move.emphasis, "btn-primary"),
        "hotkey": MOVE_KEYS.get(move.name, ""),
        "url": reverse("incidents:move", args=[incident.number, move.name]),
        "dialog": f"move-{move.name}" if move.fields else "",
        "form": MoveForm(move) if move.fields else None,
    }


def _properties(
    incident: Incident, choices: Mapping[str, list[Pair]], viewer: User, may_edit: bool
) -> list[dict[str, Any]]:
    levels = [(str(value), str(label)) for value, label in Level.choices]
    offers: dict[str, list[Pair]] = {
        "impact": levels,
        "urgency": levels,
        "assignee": _including(choices.get("assignee", []), (viewer.public_id, viewer.display_name)),
        **{name: choices.get(name, []) for name in ("team", "service", "category")},
    }
    if not may_edit:
        return [
            {"name": name, "label": PROPERTIES[name].label, "words": PROPERTIES[name].show(incident)} for name in offers
        ]
    shown = []
    for name, options in offers.items():
        prop = PROPERTIES[name]
        value = prop.read(incident)
        is_level = name in {"impact", "urgency"}
        if value and not is_level:
            options = _including(options, (value, prop.show(incident)))
        none = _("Nobody") if name == "assignee" else _("None")
        shown.append(
            {
                "name": name,
                "label": prop.label,
                "value": value,
                "options": options if is_level else [("", none), *options],
                "search": "" if is_level else reverse("incidents:choices", args=[name]) + "?q=",
                "hotkey": HOTKEYS.get(name, ""),
                "words": prop.show(incident),
                "url": reverse("incidents:edit", args=[incident.number, name]),
            }
        )
    return shown


def _including(options: list[Pair], pair: Pair) -> list[Pair]:
    return options if any(ref == pair[0] for ref, _label in options) else [pair, *options]


def _link(link: LinkedTicket) -> dict[str, Any]:
    kind = kind_of(link.ticket_kind)
    return {
        "id": link.public_id,
        "words": _link_words(link.kind, link.outward),
        "number": link.number,
        "title": link.title,
        "status_label": kind.status_label(link.status),
        "url": reverse(kind.url_name, args=[link.number]) if kind.url_name else "",
    }


def _link_words(kind: str, outward: bool) -> str:
    if outward:
        return str(LinkKind(kind).label)
    return {
        LinkKind.RELATED: _("Related to"),
        LinkKind.DUPLICATE_OF: _("Has the duplicate"),
        LinkKind.FOLLOWS: _("Followed up by"),
        LinkKind.CAUSED_BY: _("Cause of"),
        LinkKind.BLOCKED_BY: _("Blocks"),
        LinkKind.PROBLEM: _("Problem of"),
        LinkKind.FIXED_BY: _("Fixes"),
    }[LinkKind(kind)]
