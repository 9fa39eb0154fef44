"""Which policy and goal a ticket falls under for one metric, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from slas.explain.verdicts import Verdict, verdict
from slas.models import Goal, ServiceLevelPolicy


class Outcome(StrEnum):
    """What became of a policy or goal when the ticket was held against it."""

    APPLIES = "applies"
    OFF = "off"
    NOT_MET = "condition_not_met"
    NO_GOAL = "no_goal_met"
    LATER = "later_in_order"


@dataclass(frozen=True)
class GoalAsked:
    """A goal of a policy, asked of the ticket. `is_timers`: the timer runs under it."""

    order: int
    target_s: int
    calendar: str
    outcome: Outcome
    condition: Verdict
    is_timers: bool


@dataclass(frozen=True)
class PolicyAsked:
    """A policy, asked of the ticket. Its goals are listed where its condition is met. `is_timers`: as for goals."""

    name: str
    public_id: str
    order: int
    outcome: Outcome
    condition: Verdict
    goals: tuple[GoalAsked, ...]
    is_timers: bool

    @property
    def goal(self) -> GoalAsked | None:
        """The goal that applies, where the policy does."""
        return next((goal for goal in self.goals if goal.outcome == Outcome.APPLIES), None)


def policies_asked(
    ticket: Any, kind: str, metric: str, at: datetime, *, policy_id: int | None, goal_id: int | None
) -> tuple[PolicyAsked, ...]:
    """Return every policy of this kind and metric in the order in which they are asked, with what the ticket, as it is
    now, makes of each. `policy_id` and `goal_id` are the timer's. Two queries, and those of the conditions' names.
    """
    rows = ServiceLevelPolicy.objects.filter(kind=kind, metric=metric).order_by("order", "pk")
    goals: dict[int, list[Goal]] = {}
    for goal in Goal.objects.filter(policy__in=rows).select_related("calendar").order_by("policy_id", "order"):
        goals.setdefault(goal.policy_id, []).append(goal)
    found: list[PolicyAsked] = []
    taken = False
    for row in rows:
        asked = _policy(row, goals.get(row.pk, ()), ticket, at, taken=taken, goal_id=goal_id, policy_id=policy_id)
        taken = taken or asked.outcome == Outcome.APPLIES
        found.append(asked)
    return tuple(found)


def _policy(
    row: ServiceLevelPolicy,
    goals: Sequence[Goal],
    ticket: Any,
    at: datetime,
    *,
    taken: bool,
    policy_id: int | None,
    goal_id: int | None,
) -> PolicyAsked:
    condition = verdict(row.condition, ticket, at)
    asked = _goals(goals, ticket, at, goal_id) if condition.met else ()
    if not row.is_active:
        outcome = Outcome.OFF
    elif not condition.met:
        outcome = Outcome.NOT_MET
    elif taken:
        outcome = Outcome.LATER
    elif not any(goal.outcome == Outcome.APPLIES for goal in asked):
        outcome = Outcome.NO_GOAL
    else:
        outcome = Outcome.APPLIES
    return PolicyAsked(row.name, row.public_id, row.order, outcome, condition, asked, row.pk == policy_id)


def _goals(goals: Iterable[Goal], ticket: Any, at: datetime, goal_id: int | None) -> tuple[GoalAsked, ...]:
    found: list[GoalAsked] = []
    taken = False
    for goal in goals:
        condition = verdict(goal.condition, ticket, at)
        outcome = Outcome.NOT_MET if not condition.met else Outcome.LATER if taken else Outcome.APPLIES
        taken = taken or condition.met
        found.append(GoalAsked(goal.order, goal.target_s, goal.calendar.name, outcome, condition, goal.pk == goal_id))
    return tuple(found)
