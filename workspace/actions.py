"""What an agent does from a list rather than on one ticket: take the next one, change many. Loops over single verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import assign
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Refused, VerbError
from itsm.tickets.kinds import nothing_to_do
from itsm.tickets.models import Ticket
from itsm.tickets.models.ticket import QUEUE_ORDER

HELD = "on_hold"


@transaction.atomic
def take_next(user: User) -> Ticket | None:
    """Give the person the ticket of their teams that is due first and has no owner, begin work on it, and return it.

    Two people who ask at the same instant get two tickets: a row that somebody else is taking is skipped, not waited
    for. None when nothing is left. A ticket on hold is not offered, nor a task whose turn has not come: there is
    nothing to do on it now.

    Raises:
        Refused: the person does not work on tickets.
    """
    if not user.may(Permission.WORK_TICKETS):
        raise Refused(_("You may look at tickets, but not work on them."))
    teams = list(Team.objects.of(user).values_list("pk", flat=True))
    free = (
        Ticket.objects.visible_to(user)
        .open()
        .filter(team__in=teams, assignee__isnull=True)
        .exclude(status=HELD)
        .exclude(nothing_to_do())
        .order_by(*QUEUE_ORDER)
        .select_for_update(skip_locked=True, of=("self",))
    )
    ticket = free.first()
    if ticket is None:
        return None
    actor = Actor(user, Channel.DESK)
    begins_with = ticket.kind_info.begins_with
    if begins_with and ticket.status in ticket.kind_info.moves[begins_with].sources:
        ticket = ticket.kind_info.perform(ticket, begins_with, actor=actor)
    taken: Ticket = assign(ticket, actor=actor, assignee=user)
    return taken


@dataclass
class BulkResult:
    """What became of each ticket: those changed, and those that were not, with the reason."""

    changed: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def each(tickets: Iterable[Ticket], verb: Callable[[Ticket], Any]) -> BulkResult:
    """Do the verb to every ticket by itself, so that one refusal stops no other, and say what became of each."""
    result = BulkResult()
    for ticket in tickets:
        try:
            verb(ticket)
        except VerbError as error:
            result.refused.append((ticket.number, error.message))
        else:
            result.changed.append(ticket.number)
    return result
