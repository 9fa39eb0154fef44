"""A page of tickets made ready to draw. Fifty rows are most of a queue's cost, so what repeats is made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import TicketQuerySet
from itsm.ui.templatetags.ui import avatar, priority_badge, sla_badge, status_badge
from workspace.levels import NO_LEVEL, Level, levels_of

_PLACE = "NUMBER"
ROW_FIELDS = (
    "public_id",
    "kind",
    "number",
    "title",
    "status",
    "priority",
    "opened_at",
    "updated_at",
    "resolved_at",
    "closed_at",
    "queue_due_at",
    "channel",
    "version",
    "requester__display_name",
    "requester__is_vip",
    "assignee__display_name",
    "team__name",
    "service__name",
    "category__path",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket as a list or a table shows it; badges are ready-made markup."""

    ticket: Ticket
    ref: str
    number: str
    title: str
    url: str
    preview_url: str
    requester: str
    is_vip: bool
    priority: SafeString
    status: SafeString
    owner: SafeString
    level: SafeString


def row_fields(tickets: TicketQuerySet[Ticket]) -> TicketQuerySet[Ticket]:
    """Return the query with exactly what a row shows: no descriptions, no child tables."""
    return (
        tickets.select_related("requester", "assignee", "team", "service", "category")
        .only(*ROW_FIELDS)
        .annotate(hold_reason=F("incident__hold_reason"))
    )


def rows_of(tickets: Iterable[Ticket]) -> list[Row]:
    """Return the tickets as rows, their service levels read with one query."""
    found = list(tickets)
    now, language = timezone.now(), get_language() or ""
    levels: Mapping[int, Level] = levels_of(found, now)
    rows = []
    for ticket in found:
        requester = ticket.requester
        level = levels.get(ticket.pk, NO_LEVEL)
        detail, preview = _addresses(ticket.kind)
        rows.append(
            Row(
                ticket=ticket,
                ref=ticket.public_id,
                number=ticket.number,
                title=ticket.title,
                url=detail.replace(_PLACE, ticket.number),
                preview_url=preview.replace(_PLACE, ticket.number),
                requester=requester.display_name,
                is_vip=requester.is_vip,
                priority=_priority(ticket.priority, language),
                status=_status(ticket.kind, ticket.status, getattr(ticket, "hold_reason", None) or "", language),
                owner=_owner(ticket.assignee.display_name if ticket.assignee else "", language),
                level=sla_badge(level.state, level.due_at, level.target_s, level.seconds, now=now),
            )
        )
    return rows


def ticket_url(ticket: Ticket) -> str:
    """Return the address of the ticket's page."""
    return _addresses(ticket.kind)[0].replace(_PLACE, ticket.number)


def preview_url(ticket: Ticket) -> str:
    """Return the address of the fragment that shows the ticket beside the queue."""
    return _addresses(ticket.kind)[1].replace(_PLACE, ticket.number)


@lru_cache(maxsize=32)
def _addresses(kind: str) -> tuple[str, str]:
    """A kind's page and preview with a place for the number: `reverse` for each row would cost more than the row."""
    name = kind_of(kind).url_name
    room = name.partition(":")[0]
    return reverse(name, args=[_PLACE]), reverse(f"{room}:preview", args=[_PLACE])


@lru_cache(maxsize=64)
def _priority(level: int, language: str) -> SafeString:
    return priority_badge(level, words=False)


@lru_cache(maxsize=512)
def _status(kind: str, status: str, reason: str, language: str) -> SafeString:
    return status_badge(status, reason)


@lru_cache(maxsize=4096)
def _owner(name: str, language: str) -> SafeString:
    return avatar(name or None, size="xs", named=bool(name))
