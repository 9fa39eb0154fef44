"""Addresses of the ticket page: every kind has its own below its room's namespace."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from itsm.tickets.kinds import kind_of


def kind_url(kind: str, page: str, *args: Any) -> str:
    """Return the address of a page of the kind that names no ticket, such as `choices`; empty: it has no pages.

    Raises:
        NoReverseMatch: its room has no page of that name. KeyError: no room registered the kind.
    """
    namespace = kind_of(kind).url_name.rpartition(":")[0]
    return reverse(f"{namespace}:{page}", args=args) if namespace else ""


def ticket_url(ticket: Any, page: str = "detail", *args: Any) -> str:
    """Return the address of a page of the ticket: `ticket_url(ticket, "move", "resolve")`.

    Anything with `kind` and `number` will do for a ticket. Empty where its kind has no pages, or where no room that
    runs here registered the kind.

    Raises:
        NoReverseMatch: its room has no page of that name.
    """
    try:
        return kind_url(ticket.kind, page, ticket.number, *args)
    except KeyError:
        return ""
