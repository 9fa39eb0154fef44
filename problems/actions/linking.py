"""Which incidents a problem is behind: linking many at once, each with its own line in its own log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.tickets.actions import begin
from itsm.tickets.actions.base import check_not_terminal
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import Entry, write, write_many
from itsm.tickets.models import Link, LinkKind, Ticket
from problems.models import Problem

LISTED = 20
INCIDENT = "incident"


@transaction.atomic
def link_incidents(problem: Problem, incidents: Iterable[Ticket], *, actor: Actor) -> int:
    """Link the incidents to the problem and return how many were not linked to it before.

    A call that links nothing new writes nothing. Takes a fixed number of statements, however many incidents.

    Raises:
        Invalid: a ticket that is no incident. Refused. IllegalMove: the problem is closed.
    """
    wanted = {ticket.pk: ticket for ticket in incidents}
    for ticket in wanted.values():
        if ticket.kind != INCIDENT:
            text = _("%(number)s is no incident. Give the number of an incident, for example INC0010001.")
            raise Invalid({"incidents": text % {"number": ticket.number}})
    locked: Problem = begin(problem, "ticket.link", actor=actor)
    check_not_terminal(locked)
    rows = lock_rows(wanted)
    linked = set(
        Link.objects.filter(target_id=locked.pk, kind=LinkKind.PROBLEM, source__in=wanted).values_list(
            "source_id", flat=True
        )
    )
    fresh = [row for row in rows if row.pk not in linked]
    if not fresh:
        return 0
    Link.objects.bulk_create(
        Link(source_id=row.pk, target_id=locked.pk, kind=LinkKind.PROBLEM, created_by=actor.user) for row in fresh
    )
    tell_linked(fresh, locked, actor=actor)
    numbers = [row.number for row in fresh]
    data = {"count": len(numbers), "numbers": numbers[:LISTED]}
    write(locked, "problem.incidents_linked", actor=actor, data=data, bump=False)
    return len(fresh)


def lock_rows(ids: Iterable[int]) -> list[Any]:
    """Return these tickets with their rows locked in the order of their ids, in which everybody takes several."""
    rows = Ticket.objects.select_for_update(no_key=True).filter(pk__in=list(ids)).defer("search", "description")
    return list(rows.order_by("pk"))


def tell_linked(tickets: list[Any], problem: Problem, *, actor: Actor) -> None:
    """Write into the log of each locked ticket that it is linked to the problem."""
    now = instant_of(actor)
    data = {
        "kind": str(LinkKind.PROBLEM),
        "kind_label": str(LinkKind.PROBLEM.label),
        "number": problem.number,
        "ticket": problem.public_id,
    }
    write_many([Entry(ticket, "ticket.linked", actor, now, dict(data)) for ticket in tickets])
