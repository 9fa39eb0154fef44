"""What the ticket page shows of a ticket to one person: the whole page, the preview and each refreshed part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.desk.access import desk_actor, viewer_of
from itsm.desk.choices import LinkedTicket, Pair, aside
from itsm.desk.conversation import conversation, folded, latest, shown_file
from itsm.desk.drafts import drafts_on, stored_text
from itsm.desk.forms import MoveForm, PriorityForm
from itsm.desk.links import kind_url, ticket_url
from itsm.desk.models import StoredDraft
from itsm.desk.pages import page_of_kind
from itsm.desk.panels import panels_of
from itsm.desk.presence import Person, others, token_of, with_senders
from itsm.desk.properties import Property, listed_properties
from itsm.desk.service_levels import calls_out, service_levels
from itsm.tickets.actors import Actor
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import LinkKind, Visibility
from itsm.tickets.moves import Move, legal_moves
from itsm.tickets.rules import can

TONES = {"success": "btn-resolve", "danger": "btn-danger"}


def page_context(request: HttpRequest, ticket: Any, **more: Any) -> dict[str, Any]:
    """Return the context of the page's templates. The number of queries does not depend on how long the ticket is.

    `more` replaces single values: what stands in the composer, an error of one property, and so on.
    """
    actor = desk_actor(request)
    viewer = viewer_of(request)
    entries, files = conversation(ticket, viewer)
    total = len(entries)
    entries, earlier = (entries, 0) if shows_all(request) else latest(entries)
    entries = folded(entries)
    ended = has_ended(ticket)
    may_edit = bool(can("ticket.edit", actor, ticket)) and not ended
    works = bool(can("ticket.note", actor, ticket))
    beside = aside(ticket, viewer)
    watchers = beside.pairs.get("watcher", [])
    levels, next_level = service_levels(ticket)
    own, held, senders = drafts_on(ticket, viewer)
    people = more.pop("people", None)
    present = with_senders(others(ticket, viewer) if people is None else people, senders)
    moves = [_move(ticket, move) for move in legal_moves(ticket, actor)]
    panels = panels_of(request, ticket)
    main = [panel for panel in panels if panel.place == "main"]
    return {
        "ticket": ticket,
        "kind": ticket.kind_info,
        "in_preview": is_pane(request),
        "seen": f"{ticket.version}.{ticket.event_seq}",
        "entries": entries,
        "entry_count": total,
        "earlier": earlier,
        "starts_at_end": ticket.status != ticket.kind_info.initial_status and not any(panel.shown for panel in main),
        "files": [shown_file(file) for file in files],
        "levels": levels,
        "next_level": next_level,
        "may_acknowledge": works and any(calls_out(level) for level in levels),
        "is_acknowledged": any(level["clock"].is_acknowledged and level["clock"].is_active for level in levels),
        "moves": moves,
        "main_move": next((move for move in moves if move["emphasis"] == "success"), None),
        "has_ended": ended,
        "may_edit": may_edit,
        "works": works,
        "may_take": may_edit and ticket.assignee_id != viewer.pk,
        "may_set_priority": not ended and bool(can("ticket.override_priority", actor, ticket)),
        "priority_form": PriorityForm.of(ticket),
        "properties": _properties(ticket, beside.pairs, actor, viewer, may_edit=may_edit),
        "panels_main": main,
        "panels_above": [panel for panel in panels if panel.place == "aside" and panel.order < 0],
        "panels_aside": [panel for panel in panels if panel.place == "aside" and panel.order >= 0],
        "watchers": watchers,
        "watches": viewer.public_id in {ref for ref, _name in watchers},
        "links": [_link(link) for link in beside.links],
        "link_kinds": LinkKind.choices,
        "local_time": timezone.now().astimezone(ticket.requester.zone),
        **present_context(present),
        "drafts": own,
        "held": held,
        "composer": composer(ticket, actor, moves, own),
        **more,
    }


def present_context(present: list[Person]) -> dict[str, Any]:
    """Return what the templates show of the people who have the ticket open."""
    writers = [person for person in present if person.is_writing]
    return {"present": present, "present_token": token_of(present), "writers": writers}


def has_ended(ticket: Any) -> bool:
    """Return whether the ticket's life is over, by the statuses of its kind."""
    return ticket.status in ticket.kind_info.terminal_statuses


def shows_all(request: HttpRequest) -> bool:
    """Return whether the whole conversation was asked for, by this request or by the page that it came from."""
    htmx = getattr(request, "htmx", None)
    asked = urlsplit(htmx.current_url or "").query if htmx else request.META.get("QUERY_STRING", "")
    return "all=1" in asked.split("&")


def is_pane(request: HttpRequest) -> bool:
    """Return whether the page stands in the queue's right-hand pane (the pane says so with each request)."""
    return (request.POST if request.method == "POST" else request.GET).get("pane") == "1"


def composer(
    ticket: Any, actor: Actor, moves: list[dict[str, Any]], drafts: Mapping[str, StoredDraft], **typed: Any
) -> dict[str, Any]:
    """Return what the composer needs: the draft written last, unless `typed` says what a refused sending held."""
    names = {move["name"] for move in moves}
    page = page_of_kind(ticket.kind)
    can_reply = page.has_replies and bool(can("ticket.comment", actor, ticket)) and not has_ended(ticket)
    can_note = bool(can("ticket.note", actor, ticket))
    places: dict[str, bool] = {Visibility.PUBLIC: can_reply, Visibility.INTERNAL: can_note}
    own = {place: drafts[place] for place, allowed in places.items() if allowed and place in drafts}
    tab = typed.get("visibility") or max(own, key=lambda place: own[place].updated_at, default="")
    draft = own.get(tab)
    ways = [(way.name, way.label) for way in page.ways if way.move in names]
    return {
        "can_reply": can_reply,
        "can_note": can_note,
        "then": ways,
        "chosen": next((way for way in ways if draft is not None and way[0] == draft.then), None),
        "seen": ticket.event_seq,
        "submission_key": uuid4().hex,
        "visibility": tab,
        "body": draft.body if draft is not None else "",
        "draft": draft,
        # A reply to a ticket that has ended is shown too: nothing that was written disappears without a word.
        "stranded": drafts.get(Visibility.PUBLIC) if not can_reply else None,
        "stored": stored_text(own),
        **typed,
    }


def _move(ticket: Any, move: Move) -> dict[str, Any]:
    return {
        "name": move.name,
        "label": move.label,
        "icon": move.icon,
        "emphasis": move.emphasis,
        "tone": TONES.get(move.emphasis, "btn-primary"),
        "hotkey": page_of_kind(ticket.kind).move_keys.get(move.name, ""),
        "url": ticket_url(ticket, "move", move.name),
        "dialog": f"move-{move.name}" if move.fields else "",
        "form": MoveForm(move, ticket=ticket) if move.fields else None,
    }


def _properties(
    ticket: Any, choices: Mapping[str, list[Pair]], actor: Actor, viewer: User, *, may_edit: bool
) -> list[dict[str, Any]]:
    shown = []
    for prop in listed_properties(ticket.kind):
        one: dict[str, Any] = {"name": prop.name, "label": prop.label, "words": prop.show(ticket)}
        if may_edit and (prop.rule is None or prop.rule(actor, ticket)):
            value = prop.read(ticket)
            one |= {
                "value": value,
                "input": prop.input,
                "options": _options(ticket, prop, value, choices, viewer) if prop.input == "select" else [],
                "search": kind_url(ticket.kind, "choices", prop.search) + "?q=" if prop.search else "",
                "hotkey": prop.hotkey,
                "url": ticket_url(ticket, "edit", prop.name),
            }
        shown.append(one)
    return shown


def _options(ticket: Any, prop: Property, value: str, choices: Mapping[str, list[Pair]], viewer: User) -> list[Pair]:
    if prop.options is not None:
        return prop.options(ticket)
    options = choices.get(prop.name, [])
    if prop.name == "assignee":
        options = _including(options, (viewer.public_id, viewer.display_name))
    if value:
        options = _including(options, (value, prop.show(ticket)))
    return [("", _("Nobody") if prop.name == "assignee" else _("None")), *options]


def _including(options: list[Pair], pair: Pair) -> list[Pair]:
    return options if any(ref == pair[0] for ref, _label in options) else [pair, *options]


def _link(link: LinkedTicket) -> dict[str, Any]:
    kind = kind_of(link.ticket_kind)
    return {
        "id": link.public_id,
        "words": _link_words(link.kind, link.outward),
        "number": link.number,
        "title": link.title,
        "icon": kind.icon,
        "kind_label": kind.label,
        "status_label": kind.status_label(link.status),
        "url": kind_url(link.ticket_kind, "detail", link.number),
    }


def _link_words(kind: str, outward: bool) -> str:
    if outward:
        return str(LinkKind(kind).label)
    return {
        LinkKind.RELATED: _("Related to"),
        LinkKind.DUPLICATE_OF: _("Has the duplicate"),
        LinkKind.FOLLOWS: _("Followed up by"),
        LinkKind.SPLIT_FROM: _("Split off"),
        LinkKind.CAUSED_BY: _("Cause of"),
        LinkKind.BLOCKED_BY: _("Blocks"),
        LinkKind.PROBLEM: _("Problem of"),
        LinkKind.FIXED_BY: _("Fixes"),
    }[LinkKind(kind)]
