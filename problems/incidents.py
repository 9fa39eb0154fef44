"""The incidents of a problem, read through the kernel: their room is a neighbour that is not imported."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from itsm.tickets.models import Link, LinkKind, Ticket
from itsm.tickets.querysets import TicketQuerySet
from problems.models import Problem


def incidents_of(problem: Problem) -> TicketQuerySet[Any]:
    """Return the tickets that are linked to the problem as its incidents."""
    found: TicketQuerySet[Any] = Ticket.objects.all()
    return found.filter(links_out__target=problem, links_out__kind=LinkKind.PROBLEM)


def open_incident_ids(problem: Problem) -> list[int]:
    """Return the ids of the problem's incidents on which work is still to be done, oldest link first."""
    return list(incidents_of(problem).open().order_by("pk").values_list("pk", flat=True))


def waiting_for_nothing_else(problem: Problem) -> list[int]:
    """Return the ids of the problem's open incidents that belong to no other problem which is still open."""
    others = Link.objects.filter(
        source=OuterRef("pk"),
        kind=LinkKind.PROBLEM,
        target__resolved_at__isnull=True,
        target__closed_at__isnull=True,
    ).exclude(target=problem)
    found = incidents_of(problem).open().filter(~Exists(others))
    return list(found.order_by("pk").values_list("pk", flat=True))


def counts_by_status(problem: Problem) -> list[tuple[str, int]]:
    """Return how many incidents of the problem are in each status, the most frequent first."""
    found = Link.objects.filter(target=problem, kind=LinkKind.PROBLEM).order_by()
    rows = found.values_list("source__status").annotate(count=Count("pk"))
    return sorted(((status, count) for status, count in rows), key=lambda pair: (-pair[1], pair[0]))


def with_incident_counts(problems: QuerySet[Problem]) -> QuerySet[Problem]:
    """Return the problems with `incident_count` and `open_incident_count`."""
    linked = Q(links_in__kind=LinkKind.PROBLEM)
    still_open = linked & Q(links_in__source__resolved_at__isnull=True, links_in__source__closed_at__isnull=True)
    return problems.annotate(
        incident_count=Count("links_in", filter=linked, distinct=True),
        open_incident_count=Count("links_in", filter=still_open, distinct=True),
    )
