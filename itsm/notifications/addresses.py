"""The ids that hold the mails of one ticket together, and the addresses in them."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from itsm.accounts.models import User
from itsm.tickets.querysets import sees_all_tickets

PORTAL_TICKET = "portal:request"


def mail_domain() -> str:
    """Return the domain that the desk's mail comes from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or settings.PUBLIC_HOST


def message_id(public_id: str) -> str:
    """Return the Message-ID of the mail with this public id: the same at every attempt."""
    return f"<{public_id}@{mail_domain()}>"


def thread_root(ticket: Any) -> str:
    """Return the id that all mails about the ticket refer to: no mail has it, and mail programs thread by it."""
    return f"<{ticket.public_id}@{mail_domain()}>"


def absolute(path: str) -> str:
    """Return the address of a path as people reach it."""
    return f"{settings.PUBLIC_URL}{path}"


def ticket_path(ticket: Any, reader: User | None) -> str:
    """Return the path of the ticket's page for the reader (None: a team's mailbox): the desk's page or the portal's.

    An installation without that room gives its front page instead.
    """
    for_desk = reader is None or sees_all_tickets(reader)
    try:
        return reverse(ticket.kind_info.url_name if for_desk else PORTAL_TICKET, args=[ticket.number])
    except NoReverseMatch:
        return "/"
