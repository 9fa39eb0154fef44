"""What the selects of the ticket page offer, in one query for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.models import F, QuerySet, Value

from cmdb.models import Service
from incidents.models import Incident
from itsm.accounts.models import Team, User
from itsm.tickets.models import Category, Watcher

OFFERED = 50
Pair = tuple[str, str]


def _pairs(queryset: QuerySet[Any], what: str, label: str, ref: str = "public_id") -> QuerySet[Any]:
    return queryset.order_by(label).values_list(Value(what), F(ref), F(label))


def offered(incident: Incident) -> dict[str, list[Pair]]:
    """Return values and words for `team`, `service`, `category` and `assignee` (the team's people), at most 50 each,
    and the people who watch as `watcher`. Takes one query.
    """
    people = User.objects.workers().filter(memberships__team_id=incident.team_id)
    watchers = Watcher.objects.filter(ticket_id=incident.pk)
    rows = _pairs(watchers, "watcher", "user__display_name", "user__public_id").union(
        _pairs(Team.objects.active(), "team", "name")[:OFFERED],
        _pairs(Service.objects.active(), "service", "name")[:OFFERED],
        _pairs(Category.objects.active(), "category", "path")[:OFFERED],
        _pairs(people, "assignee", "display_name")[:OFFERED],
        all=True,
    )
    found: dict[str, list[Pair]] = defaultdict(list)
    for what, ref, label in rows:
        found[what].append((ref, label))
    for pairs in found.values():
        pairs.sort(key=lambda pair: pair[1].casefold())
    return found


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
