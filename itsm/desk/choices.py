"""What stands beside the conversation: what the selects offer, who watches, what is linked; in one query for all."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast, JSONObject

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.desk.pages import page_of_kind
from itsm.tickets.models import Category, Link, Ticket, Watcher

OFFERED = 50
LINK = "link"
Pair = tuple[str, str]


def _pairs(queryset: QuerySet[Any], what: str, label: str, ref: str = "public_id") -> QuerySet[Any]:
    return queryset.order_by(label).values_list(Value(what), F(ref), F(label))


@dataclass(frozen=True)
class LinkedTicket:
    """A ticket at the other end of a link; `outward`: the link was made from this end."""

    public_id: str
    order: int
    kind: str
    outward: bool
    number: str
    title: str
    status: str
    ticket_kind: str


@dataclass(frozen=True)
class Aside:
    """Values and words by select (`team`, `service`, `category`, `assignee`: the team's people), and `watcher`s; and
    the linked tickets in the order in which they were linked.
    """

    pairs: Mapping[str, list[Pair]]
    links: list[LinkedTicket]


def aside(ticket: Any, viewer: User) -> Aside:
    """Return what stands beside the conversation, at most 50 values for each select. Takes one query."""
    people = User.objects.workers().filter(memberships__team_id=ticket.team_id)
    watchers = Watcher.objects.filter(ticket_id=ticket.pk)
    rows = _pairs(watchers, "watcher", "user__display_name", "user__public_id").union(
        _pairs(Team.objects.active(), "team", "name")[:OFFERED],
        _pairs(Service.objects.active(), "service", "name")[:OFFERED],
        _pairs(Category.objects.active(), "category", "path")[:OFFERED],
        _pairs(people, "assignee", "display_name")[:OFFERED],
        _linked(ticket, viewer, near="source", far="target"),
        _linked(ticket, viewer, near="target", far="source"),
        all=True,
    )
    pairs: dict[str, list[Pair]] = defaultdict(list)
    links: list[LinkedTicket] = []
    for what, ref, label in rows:
        if what == LINK:
            links.append(LinkedTicket(public_id=ref, **json.loads(label)))
        else:
            pairs[what].append((ref, label))
    for found in pairs.values():
        found.sort(key=lambda pair: pair[1].casefold())
    links.sort(key=lambda link: link.order)
    return Aside(pairs, links)


def _linked(ticket: Any, viewer: User, *, near: str, far: str) -> QuerySet[Any]:
    said = JSONObject(
        order=F("pk"),
        kind=F("kind"),
        outward=Value(near == "source"),
        number=F(f"{far}__number"),
        title=F(f"{far}__title"),
        status=F(f"{far}__status"),
        ticket_kind=F(f"{far}__kind"),
    )
    found = Link.objects.filter(**{near: ticket.pk, f"{far}__in": Ticket.objects.visible_to(viewer)})
    if near == "target" and (elsewhere := page_of_kind(ticket.kind).links_in_panels):
        found = found.exclude(kind__in=elsewhere)
    return found.values_list(Value(LINK), F("public_id"), Cast(said, TextField()))


def _teams(text: str, viewer: User) -> QuerySet[Any]:
    return _pairs(Team.objects.visible_to(viewer).active().filter(name__icontains=text), "team", "name")


def _services(text: str, viewer: User) -> QuerySet[Any]:
    return _pairs(Service.objects.active().filter(name__icontains=text), "service", "name")


def _categories(text: str, viewer: User) -> QuerySet[Any]:
    return _pairs(Category.objects.active().filter(path__icontains=text), "category", "path")


def _workers(text: str, viewer: User) -> QuerySet[Any]:
    return _pairs(User.objects.visible_to(viewer).workers().search(text), "assignee", "display_name")


def _people(text: str, viewer: User) -> QuerySet[Any]:
    return _pairs(User.objects.visible_to(viewer).active().search(text), "person", "display_name")


SEARCHES: dict[str, Callable[[str, User], QuerySet[Any]]] = {
    "team": _teams,
    "service": _services,
    "category": _categories,
    "assignee": _workers,
    "person": _people,
}


def search(what: str, text: str, viewer: User) -> list[Pair]:
    """Return up to 50 values and words that contain the text.

    Raises:
        KeyError: there is nothing of that name to search.
    """
    return [(ref, label) for _what, ref, label in SEARCHES[what](text, viewer)[:OFFERED]]
