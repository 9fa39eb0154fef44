"""Which promises a ticket falls under: policies and goals as they stand now, kept until their stamp changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from itsm.conditions import Condition, ConditionError, Context, Predicate, Type, to_predicate
from itsm.tickets.schema import ticket_schema
from slas.models import CalendarVersion, ChainVersion, Goal, ServiceLevelPolicy

logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Kind and metric: a ticket has at most one active timer for each."""


class Question:
    """A stored condition, asked of tickets. One that can no longer be read matches nothing."""

    def __init__(self, stored: Any) -> None:
        self._predicate: Predicate | None = None
        self._condition: Condition | None = None
        self._lasting = False
        try:
            self._condition = Condition.from_json(stored)
            kinds = [ticket_schema().field(leaf.field).type for leaf in self._condition.leaves()]
        except ConditionError as error:
            logger.warning("A service-level condition cannot be read and matches nothing: %s", error)
            self._condition = None
            return
        # Names of teams and ages of tickets mean something else tomorrow: those are looked up each time.
        self._lasting = not {Type.REFERENCE, Type.DATETIME, Type.WORD} & set(kinds)

    def matches(self, ticket: Any, at: datetime) -> bool:
        """Return whether the ticket meets the condition at this instant (aware)."""
        if self._condition is None:
            return False
        predicate = self._predicate
        if predicate is None:
            try:
                predicate = to_predicate(self._condition, ticket_schema(), Context(user=None, now=at, zone=UTC))
            except ConditionError as error:
                logger.warning("A service-level condition cannot be read and matches nothing: %s", error)
                return False
            if self._lasting:
                self._predicate = predicate
        return predicate(ticket)


@dataclass(frozen=True)
class GoalPlan:
    """A goal with the versions that a timer copies from it."""

    goal: Goal
    question: Question
    calendar_version: CalendarVersion
    chain_version: ChainVersion | None


@dataclass(frozen=True)
class PolicyPlan:
    """A policy with its goals in order."""

    policy: ServiceLevelPolicy
    question: Question
    pause: Question | None
    goals: tuple[GoalPlan, ...]

    def goal_for(self, ticket: Any, at: datetime) -> GoalPlan | None:
        """Return the first goal whose condition the ticket meets."""
        return next((goal for goal in self.goals if goal.question.matches(ticket, at)), None)


@dataclass(frozen=True)
class Plan:
    """What holds for one ticket and one metric."""

    policy: PolicyPlan
    goal: GoalPlan


_kept: tuple[str, tuple[PolicyPlan, ...]] | None = None


def policies() -> tuple[PolicyPlan, ...]:
    """Return the active policies in order. One query, and two more when something was edited since the last call."""
    global _kept  # one small read-only set-up for the process, replaced as a whole
    stamp = current_stamp()
    kept = _kept
    if stamp is not None and kept is not None and kept[0] == stamp:
        return kept[1]
    found = _read()
    if stamp is not None:
        _kept = (stamp, found)
    return found


def current_stamp() -> str | None:
    """Return the stamp of the set-up as it stands: what was kept under it still holds.

    Asked twice by every verb, so by hand: building the query would take thirty times as long as answering it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT stamp FROM slas_setup WHERE id = 1")
        row = cursor.fetchone()
    return str(row[0]) if row else None


def plans_for(ticket: Any, at: datetime) -> Mapping[Key, Plan]:
    """Return the plan of each kind and metric that applies to the ticket at this instant (aware)."""
    found: dict[Key, Plan] = {}
    for policy in policies():
        key = (policy.policy.kind, policy.policy.metric)
        if key in found or not policy.question.matches(ticket, at):
            continue
        goal = policy.goal_for(ticket, at)
        if goal is not None:
            found[key] = Plan(policy, goal)
    return found


def _read() -> tuple[PolicyPlan, ...]:
    goals: dict[int, list[GoalPlan]] = {}
    rows = Goal.objects.filter(policy__is_active=True).select_related("calendar__current", "chain__current")
    for goal in rows.order_by("policy_id", "order"):
        version = goal.calendar.current
        if version is None:
            continue
        chain = goal.chain.current if goal.chain else None
        goals.setdefault(goal.policy_id, []).append(GoalPlan(goal, Question(goal.condition), version, chain))
    return tuple(
        PolicyPlan(
            policy,
            Question(policy.condition),
            None if policy.pause_condition is None else Question(policy.pause_condition),
            tuple(goals.get(policy.pk, ())),
        )
        for policy in ServiceLevelPolicy.objects.filter(is_active=True)
    )
