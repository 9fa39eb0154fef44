"""Which policy is for a ticket, and whether its stages are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from itsm.approvals.models import ApprovalPolicy, PolicyVersion, Problem
from itsm.conditions import Condition, ConditionError, Context, to_predicate
from itsm.tickets.schema import rule_schema


@dataclass(frozen=True)
class Chosen:
    """The version that is for the ticket; None with the reason, and the policy that the reason is about."""

    version: PolicyVersion | None
    problem: str = ""
    policy: str = ""


def choose_policy(ticket: Any, purpose: str, *, among: Sequence[int], now: datetime) -> Chosen:
    """Return the first active policy for the ticket's kind and the purpose whose condition the ticket meets.

    A policy that can no longer be read ends the search: it may have been the one that was meant, and a weaker one
    further down must not take its place unseen.
    """
    policies = ApprovalPolicy.objects.filter(kind=ticket.kind, purpose=purpose, is_active=True, current__isnull=False)
    if among:
        policies = policies.filter(pk__in=among)
    for policy in policies.select_related("current"):
        version = policy.current
        try:
            if version is not None and meets(ticket, version.condition, now):
                return Chosen(version)
        except ConditionError:
            return Chosen(None, Problem.UNREADABLE, policy.name)
    return Chosen(None, Problem.NO_POLICY)


def meets(ticket: Any, condition: Mapping[str, Any], now: datetime) -> bool:
    """Return whether the ticket meets the condition; an empty one is met by every ticket.

    Raises:
        ConditionError: it can no longer be asked.
    """
    context = Context(user=None, now=now, zone=UTC)
    return to_predicate(Condition.from_json(dict(condition)), rule_schema(), context)(ticket)


def stage_is_for(ticket: Any, condition: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a stage's turn comes: its condition is met, or can no longer be read, for then nobody may say
    that it is not needed."""
    try:
        return meets(ticket, condition, now)
    except ConditionError:
        return True
