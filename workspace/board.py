"""What a queue page shows, as one object for the page, its refreshes and its tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from django.db.models import Subquery
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.conditions import Condition
from itsm.tickets.models import Ticket
from itsm.tickets.paging import Page, page_of
from itsm.tickets.querysets import TicketQuerySet
from slas.models import SlaEvent
from workspace.access import person
from workspace.counts import shown
from workspace.lists import ORDERS, Queue, queue_named
from workspace.marks import Marks, marks_of
from workspace.nav import my_counts, my_teams
from workspace.preferences import Look, look_of
from workspace.rows import Row, drawn_rows, row_fields, rows_of
from workspace.schema import context_of
from workspace.search import Search, read_search, search_q

PAGE = 50


@dataclass
class Board:
    """One page of one queue for one person."""

    user: User
    queue: Queue
    search: Search
    look: Look
    cursor: str
    path: str
    asked: dict[str, str]
    tickets: TicketQuerySet[Ticket]
    counts: dict[str, int]

    @cached_property
    def page(self) -> Page:
        """The tickets of this page, with what a row shows."""
        return page_of(row_fields(self.tickets, self.columns), self.order, limit=PAGE, cursor=self.cursor or None)

    @property
    def order(self) -> Sequence[str]:
        """The columns that the queue is ordered by."""
        return ORDERS[self.look.sort].fields

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of this page."""
        return rows_of(self.page.rows, self.columns, self.marks)

    @cached_property
    def marks(self) -> Marks:
        """Who has which ticket of this page open, and where the person left a text."""
        return marks_of(self.page.rows, self.user)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are drawn; a list has fixed ones."""
        return self.look.columns if self.look.is_table else ()

    @property
    def drawn(self) -> list[SafeString]:
        """The markup of the rows of a list."""
        return drawn_rows(self.rows)

    @cached_property
    def token(self) -> str:
        """A short text that changes when the rows of this page change, or any ticket does."""
        return self._token(self.page.rows, self.marks)

    @cached_property
    def token_now(self) -> str:
        """The same text from the fewest columns: what a refresh compares before it draws anything."""
        names = [name.lstrip("-") for name in self.order]
        light = self.tickets.only("version", "queue_due_at", "public_id", *names)
        rows = page_of(light, self.order, limit=PAGE, cursor=self.cursor or None).rows
        return self._token(rows, marks_of(rows, self.user))

    def _token(self, tickets: Sequence[Any], marks: Marks) -> str:
        last_step = SlaEvent.objects.order_by("-pk").values("pk")[:1]  # a breach is no update, and yet shows in a row
        newest = Ticket.objects.order_by("-updated_at").values_list("updated_at", Subquery(last_step)).first()
        seen = [(one.pk, one.version, one.queue_due_at.timestamp(), marks.of(one)) for one in tickets]
        return hashlib.sha256(f"{seen}{newest}".encode()).hexdigest()[:20]

    @cached_property
    def total(self) -> str:
        """How many tickets there are, capped; a search is not counted beyond its first page. Empty where unknown."""
        if self.search.problem or (self.search.text and self.cursor):
            return ""
        if self.search.text:
            return f"{PAGE}+" if self.page.next_cursor else str(len(self.page.rows))
        return shown(self.counts[self.queue.key]) if self.queue.key in self.counts else ""

    def url(self, **changes: str | None) -> str:
        """Return this page's address with other parameters; None drops one. A change begins at the first page."""
        asked = {name: value for name, value in self.asked.items() if name not in ("cursor", "open")} | changes
        return f"{self.path}?{urlencode({name: value for name, value in asked.items() if value})}"

    @property
    def next_url(self) -> str:
        """The address of the page after this one, or an empty text."""
        return self.url(cursor=self.page.next_cursor) if self.page.next_cursor else ""

    @property
    def previous_url(self) -> str:
        """The address of the page before this one, or an empty text."""
        return self.url(cursor=self.page.previous_cursor) if self.page.previous_cursor else ""

    @property
    def live_url(self) -> str:
        """The address that answers whether this page has changed."""
        query = {name: value for name, value in self.asked.items() if name != "open"}
        query |= {"layout": self.look.layout, "sort": self.look.sort}
        return f"{reverse('workspace:live')}?{urlencode(query)}"

    @property
    def first_url(self) -> str:
        """The first page of what is shown."""
        return self.url()

    @property
    def clear_url(self) -> str:
        """This queue without a search."""
        return self.url(q=None)

    @property
    def plain_url(self) -> str:
        """This page without the look that its address asked for, so that a look chosen now is the one that shows."""
        return self.url(layout=None, density=None, sort=None)

    @property
    def filters_url(self) -> str:
        """The form with all filters, set as they are."""
        query = {**dict(self.kept), **({"q": self.search.text} if self.search.text else {})}
        return f"{reverse('workspace:filters')}?{urlencode(query)}"

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The parameters that a new search or filter keeps."""
        return [(name, value) for name, value in self.asked.items() if name in ("view", "sort", "layout", "density")]

    @property
    def quoted(self) -> str:
        """The search text as it stands in an address."""
        return quote(self.search.text)

    @property
    def chip_links(self) -> list[dict[str, str]]:
        """What is filtered, each part with the address of the page without it."""
        return [{"label": chip.label, "url": self.url(q=chip.without or None)} for chip in self.search.chips]

    @property
    def sort_links(self) -> list[tuple[str, str, bool]]:
        """The orders as (name, words, whether it is the present one)."""
        return [(name, str(order.label), name == self.look.sort) for name, order in ORDERS.items()]


def board_of(request: HttpRequest, *, everywhere: bool = False) -> Board:
    """Return the board that the address asks for; `everywhere` looks in all tickets, whatever queue it names.

    Raises:
        Http404: there is no such queue. Invalid: no such layout or order, or a cursor made elsewhere.
    """
    user = person(request)
    key = "all" if everywhere else request.GET.get("view", "open") or "open"
    queue = queue_named(key, my_teams(request))
    if queue is None:
        raise Http404(_("There is no such queue."))
    condition, search = _filter(request, queue.condition)
    names = ("q", "cursor", "sort", "layout", "density", "open")
    asked = {name: request.GET[name] for name in names if request.GET.get(name)}
    if not everywhere:
        asked = {"view": key, **asked}
    return Board(
        user=user,
        queue=queue,
        search=search,
        look=look_of(request, user),
        cursor=request.GET.get("cursor", ""),
        path=reverse("workspace:search" if everywhere else "workspace:queue"),
        asked=asked,
        tickets=Ticket.objects.visible_to(user).filter(condition),
        counts=my_counts(request),
    )


def _filter(request: HttpRequest, within: Condition) -> tuple[Any, Search]:
    return search_q(read_search(request.GET.get("q", "")), within, context_of(request))
