"""A page of tickets made ready to draw. Fifty rows are most of a queue's cost, so what repeats is made once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from django.db.models import OuterRef, Subquery
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from incidents.models import Incident
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import TicketQuerySet
from itsm.ui.templatetags.ui import avatar, icon, priority_badge, status_badge
from itsm.ui.words import has_look
from workspace.levels import NO_LEVEL, drawn_level, levels_of
from workspace.marks import NO_MARKS, Marks

KEPT_ROWS = 4096
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
    "queue_due_at",
    "channel",
    "version",
    "requester__display_name",
    "requester__is_vip",
    "assignee__display_name",
)
MORE_FIELDS = {"team": "team__name", "service": "service__name", "category": "category__path"}


@dataclass(frozen=True, slots=True)
class Row:
    """One ticket as a list or a table shows it; badges are ready-made markup. Equal rows look alike."""

    pk: int
    ref: str
    version: int
    number: str
    title: str
    url: str
    preview_url: str
    kind: SafeString
    requester: str
    is_vip: bool
    priority: SafeString
    status: SafeString
    owner: SafeString
    level: SafeString
    team: str
    service: str
    category: str
    channel_label: str
    opened_at: datetime
    updated_at: datetime
    has_draft: bool = False
    opened_by: str = ""

    @property
    def stamp(self) -> str:
        """A text that differs where the browser must draw the row anew."""
        return f"{self.version}{'d' if self.has_draft else ''}{self.opened_by}"


def row_fields(tickets: TicketQuerySet[Ticket], columns: Collection[str] = ()) -> TicketQuerySet[Any]:
    """Return the query with exactly what a row shows, and of these columns only those that are asked for.

    Each table more is a longer plan: planning seven joins costs the database more than reading fifty rows. What an
    incident waits for is asked for each row of the page alone, so that a bad guess of their number never reads all.
    """
    more = [name for name in MORE_FIELDS if name in columns]
    waiting = Incident.objects.filter(pk=OuterRef("pk")).values("hold_reason")[:1]
    return (
        tickets.select_related("requester", "assignee", *more)
        .only(*ROW_FIELDS, *(MORE_FIELDS[name] for name in more))
        .annotate(waits_for=Subquery(waiting))
    )


def rows_of(tickets: Iterable[Ticket], columns: Collection[str] = (), marks: Marks = NO_MARKS) -> list[Row]:
    """Return the tickets as rows, their service levels read with one query."""
    found = list(tickets)
    now, language = timezone.now(), get_language() or ""
    levels = levels_of(found, now)
    rows = []
    for ticket in found:
        requester = ticket.requester
        has_draft, opened_by = marks.of(ticket)
        detail, preview = _addresses(ticket.kind)
        rows.append(
            Row(
                pk=ticket.pk,
                ref=ticket.public_id,
                version=ticket.version,
                number=ticket.number,
                title=ticket.title,
                url=detail.replace(_PLACE, ticket.number),
                preview_url=preview.replace(_PLACE, ticket.number),
                kind=_kind(ticket.kind, language),
                requester=requester.display_name,
                is_vip=requester.is_vip,
                priority=_priority(ticket.priority, language),
                status=_status(ticket.kind, ticket.status, getattr(ticket, "waits_for", None) or "", language),
                owner=_owner(ticket.assignee.display_name if ticket.assignee else "", language),
                level=drawn_level(levels.get(ticket.pk, NO_LEVEL), now, language),
                team=ticket.team.name if "team" in columns and ticket.team else "",
                service=ticket.service.name if "service" in columns and ticket.service else "",
                category=ticket.category.path if "category" in columns and ticket.category else "",
                channel_label=ticket.get_channel_display() if "channel" in columns else "",
                opened_at=ticket.opened_at,
                updated_at=ticket.updated_at,
                has_draft=has_draft,
                opened_by=opened_by,
            )
        )
    return rows


def drawn_rows(rows: Iterable[Row]) -> list[SafeString]:
    """Return the markup of each row of the list."""
    language = get_language() or ""
    return [_drawn(row, language) for row in rows]


@lru_cache(maxsize=KEPT_ROWS)
def _drawn(row: Row, language: str) -> SafeString:
    """A row is a pure function of what it shows, so the same row is drawn once, for whomever it is shown to."""
    return cast(SafeString, get_template("workspace/row.html").render({"r": row}))


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
    if not name:  # a kind without a page is found in the queue
        return f"{reverse('workspace:queue')}?view=all&q={_PLACE}", ""
    room = name.partition(":")[0]
    return reverse(name, args=[_PLACE]), reverse(f"{room}:preview", args=[_PLACE])


@lru_cache(maxsize=64)
def _kind(kind: str, language: str) -> SafeString:
    return icon(kind_of(kind).icon, "kind-mark", str(kind_of(kind).label))


@lru_cache(maxsize=64)
def _priority(level: int, language: str) -> SafeString:
    return priority_badge(level, words=False)


@lru_cache(maxsize=512)
def _status(kind: str, status: str, reason: str, language: str) -> SafeString:
    return status_badge(status, reason, "" if has_look(status) else kind_of(kind).status_label(status))


@lru_cache(maxsize=KEPT_ROWS)
def _owner(name: str, language: str) -> SafeString:
    return avatar(name or None, size="xs", named=bool(name))
