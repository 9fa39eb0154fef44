"""The conversation as the desk sees it: messages as bubbles, what happened as lines, long runs of lines folded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.actors import Channel
from itsm.tickets.models import Attachment, TicketEvent
from itsm.tickets.timeline import Entry, timeline

FOLD_FROM = 4
LEFT_OPEN = 1
LATEST = 40
LEFT_OUT_FROM = 10
Item = dict[str, Any]

_ROADS: dict[str, tuple[str, Callable[[], str]]] = {
    Channel.MAIL: ("mail", lambda: _("by e-mail")),
    Channel.PORTAL: ("world", lambda: _("in the portal")),
    Channel.PHONE: ("phone", lambda: _("by phone")),
    Channel.API: ("api", lambda: _("by API")),
    Channel.WALK_UP: ("walk", lambda: _("in person")),
}


def conversation(ticket: Any, viewer: User) -> tuple[list[Item], list[Attachment]]:
    """Return the entries of the page, oldest first, and all files. Takes four queries, however long the ticket."""
    entries = timeline(ticket, viewer)
    loose: list[Attachment] = ticket.loose_files
    later = {file.sha256: file for file in loose if file.created_at != ticket.opened_at}
    files = list(loose)
    items = [_opening(ticket, [file for file in loose if file.created_at == ticket.opened_at])]
    for entry in entries:
        if entry.comment is not None:
            files.extend(entry.comment.shown_files)
            items.append(_message(entry, entry.comment, ticket))
        elif entry.event is not None:
            items.append(_happening(entry, entry.event, later))
    return items, files


def shown_file(file: Attachment) -> Item:
    """Return what a chip shows of a file."""
    return {
        "name": file.name,
        "size": file.size,
        "url": reverse("tickets:attachment", args=[file.public_id, file.name.replace("/", "_")]),
        "content_type": file.content_type,
        "internal": file.visibility != "public",
    }


def _road(channel: str) -> Item:
    if channel not in _ROADS:
        return {"via": "", "via_icon": ""}
    icon, words = _ROADS[channel]
    return {"via": words(), "via_icon": icon}


def _opening(ticket: Any, files: list[Attachment]) -> Item:
    desk_only = ticket.kind_info.desk_only  # nobody outside asked for it: who wrote it down says it
    item: Item = {
        "kind": "agent" if desk_only else "requester",
        "id": "opening",
        "author": ticket.opened_by if desk_only else ticket.requester,
        "at": ticket.opened_at,
        "body": ticket.description,
        "is_empty": not ticket.description,
        "attachments": [shown_file(file) for file in files],
        **_road(ticket.channel),
    }
    if ticket.opened_by_id != ticket.requester_id and not desk_only:
        item["via"] = _("written down by %(name)s") % {"name": ticket.opened_by}
        item["via_icon"] = "pencil"
    return item


def _message(entry: Entry, comment: Any, ticket: Any) -> Item:
    asks = comment.author_id == ticket.requester_id
    return {
        "kind": "note" if comment.is_internal else "requester" if asks else "agent",
        "is_requester": asks,
        "id": comment.public_id,
        "author": entry.actor or entry.actor_name,
        "at": entry.at,
        "body": comment.body,
        "origin": entry.origin,
        "attachments": [shown_file(file) for file in comment.shown_files],
        **_road(comment.channel),
    }


def _happening(entry: Entry, event: TicketEvent, later: dict[str, Attachment]) -> Item:
    file = later.get(event.data.get("sha256", ""))
    return {
        "kind": "event",
        "code": event.code,
        "id": f"e{event.seq}",
        "actor_name": entry.actor_name,
        "text": entry.text,
        "icon": entry.icon,
        "at": entry.at,
        "attachments": [shown_file(file)] if file else [],
    }


def latest(items: list[Item]) -> tuple[list[Item], int]:
    """Return the opening with the last forty entries, and how many between them are left out."""
    hidden = len(items) - 1 - LATEST
    return (items, 0) if hidden < LEFT_OUT_FROM else ([items[0], *items[-LATEST:]], hidden)


def folded(items: list[Item]) -> list[Item]:
    """Put each run of more than four events behind a fold, but for the last of them."""
    shown: list[Item] = []
    run: list[Item] = []
    for item in [*items, None]:
        if item is not None and item["kind"] == "event" and not item["attachments"]:
            run.append(item)
            continue
        if len(run) > FOLD_FROM:
            hidden = run[:-LEFT_OPEN]
            shown.append({"kind": "fold", "id": f"fold-{hidden[0]['id']}", "items": hidden, "count": len(hidden)})
            run = run[-LEFT_OPEN:]
        shown.extend(run)
        run = []
        if item is not None:
            shown.append(item)
    return shown
