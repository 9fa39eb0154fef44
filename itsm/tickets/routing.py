"""Which team a new ticket goes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.models import Team
from itsm.conditions import Condition, ConditionError, Context, to_predicate
from itsm.tickets.actors import Actor
from itsm.tickets.models import RoutingRule
from itsm.tickets.schema import rule_schema


@dataclass(frozen=True)
class Routed:
    """The team, and the name of the rule that chose it (empty: the service's or category's own team)."""

    team: Team
    rule: str = ""


@dataclass(frozen=True)
class Tried:
    """One rule asked of one ticket: whether it matches, or why it cannot be asked."""

    rule: RoutingRule
    matches: bool
    problem: str = ""


def tried_rules(ticket: Any, *, actor: Actor) -> Iterator[Tried]:
    """Ask the active rules for the ticket's kind in order. One that can no longer be read matches nothing, nor does
    one whose team is no longer active.
    """
    rules = RoutingRule.objects.filter(kind=ticket.kind, is_active=True).select_related("team")
    context = Context(user=actor.user, now=ticket.opened_at, zone=UTC)
    for rule in rules:
        try:
            matches = to_predicate(Condition.from_json(rule.condition), rule_schema(), context)(ticket)
        except ConditionError as error:
            yield Tried(rule, False, error.message)
            continue
        if not rule.team.is_active:
            yield Tried(rule, False, _("The team “%(team)s” is no longer active.") % {"team": rule.team})
            continue
        yield Tried(rule, matches)


def route(ticket: Any, *, actor: Actor) -> Routed | None:
    """Return where the ticket goes: the first active rule whose condition it meets, else its service's team, else its
    category's or the nearest ancestor's; None when nothing says. Teams that are no longer active get nothing.
    """
    for tried in tried_rules(ticket, actor=actor):
        if tried.matches:
            return Routed(tried.rule.team, tried.rule.name)
    return default_team(ticket)


def default_team(ticket: Any) -> Routed | None:
    """Return where the ticket goes when no rule matches: its service's team, else its category's or an ancestor's."""
    if ticket.service is not None and ticket.service.support_team is not None and ticket.service.support_team.is_active:
        return Routed(ticket.service.support_team)
    category = ticket.category
    while category is not None:
        if category.team is not None and category.team.is_active:
            return Routed(category.team)
        category = category.parent
    return None
