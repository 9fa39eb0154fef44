"""Which team a new ticket goes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from itsm.accounts.models import Team
from itsm.conditions import Condition, ConditionError, Context, to_predicate
from itsm.tickets.actors import Actor
from itsm.tickets.models import RoutingRule
from itsm.tickets.schema import ticket_schema


@dataclass(frozen=True)
class Routed:
    """The team, and the name of the rule that chose it (empty: the service's or category's own team)."""

    team: Team
    rule: str = ""


def route(ticket: Any, *, actor: Actor) -> Routed | None:
    """Return where the ticket goes: the first active rule whose condition it meets, else its service's team, else its
    category's or the nearest ancestor's; None when nothing says. A rule that can no longer be read is passed over.
    """
    rules = RoutingRule.objects.filter(kind=ticket.kind, is_active=True).select_related("team")
    context = Context(user=actor.user, now=ticket.opened_at, zone=UTC)
    for rule in rules:
        try:
            matches = to_predicate(Condition.from_json(rule.condition), ticket_schema(), context)
        except ConditionError:
            continue
        if matches(ticket):
            return Routed(rule.team, rule.name)
    if ticket.service is not None and ticket.service.support_team is not None:
        return Routed(ticket.service.support_team)
    category = ticket.category
    while category is not None:
        if category.team is not None:
            return Routed(category.team)
        category = category.parent
    return None
