"""What the ticket page of one kind has that others have not: ways of sending, keys, properties left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

WriteDraft = Callable[..., Any]  # (ticket, itsm.desk.drafts.Draft, files, *, actor, version)


@dataclass(frozen=True)
class WayToSend:
    """A way of sending beside the plain one, offered while the move `move` is legal.

    With `write` (called as `write(ticket, draft, files, actor=…, version=…)`) that verb is called instead of a reply.
    Without, a plain reply is sent and then the move's dialog opens, its field `fills` holding what was written.
    `said`: what the toast says.
    """

    name: str
    label: str | Promise
    move: str
    said: str | Promise = ""
    write: WriteDraft | None = None
    fills: str = ""


@dataclass(frozen=True)
class TicketPage:
    """The page of one kind.

    `related`: its own foreign keys that the page shows, read in the same query. `properties`: names of the properties
    of every ticket that it shows, in order; what is registered for the kind comes after them. `has_replies`: False
    where nobody outside the desk reads the tickets: work notes only. `move_keys`: letters that press a move's button.
    `links_in_panels`: kinds of links from others that a panel of its own shows, which “Linked” leaves out: there may be
    thousands.
    """

    related: tuple[str, ...] = ()
    ways: tuple[WayToSend, ...] = ()
    move_keys: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[str, ...] = ("impact", "urgency", "assignee", "team", "service", "category")
    has_replies: bool = True
    links_in_panels: tuple[str, ...] = ()

    def way(self, name: str) -> WayToSend | None:
        """Return the way of sending with that name."""
        return next((way for way in self.ways if way.name == name), None)


_pages: dict[str, TicketPage] = {}
_PLAIN = TicketPage()


def register_page(kind: str, page: TicketPage) -> None:
    """Say what the ticket page of the kind has of its own. Called by its room's `AppConfig.ready`."""
    _pages[kind] = page


def page_of_kind(kind: str) -> TicketPage:
    """Return what was registered for the kind, or a page with nothing of its own."""
    return _pages.get(kind, _PLAIN)
