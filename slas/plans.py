"""Which promises a ticket falls under: policies and goals as they stand now, kept until their stamp changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from itsm.conditions import Condition, ConditionError, Context, Predicate, Type, to_predicate
from itsm.tickets.schema import rule_schema
from slas.calendars import CalendarError, business_days_us
from slas.calendars.tzif import zone_names
from slas.models import CalendarVersion, ChainVersion, Goal, Metric, ServiceLevelPolicy, TeamCalendar
from slas.models.policies import TargetUnit, ZoneFrom, on_hold

US = 1_000_000
QUESTIONS = ("question", "pause", "stop", "cancel", "reset")
logger = logging.getLogger(__name__)

Key = tuple[str, str]
"""Kind and metric: a ticket has at most one active timer for each."""


class Question:
    """A stored condition, asked of tickets. One that can no longer be read matches nothing."""

    def __init__(self, stored: Any) -> None:
        self._predicate: Predicate | None = None
        self._condition: Condition | None = None
        self._lasting = self._timeless = False
        try:
            self._condition = Condition.from_json(stored)
            kinds = [rule_schema().field(leaf.field).type for leaf in self._condition.leaves()]
        except ConditionError as error:
            logger.warning("A service-level condition cannot be read and matches nothing: %s", error)
            self._condition = None
            return
        # Names of teams and ages of tickets mean something else tomorrow: those are looked up each time.
        self._timeless = not {Type.DATETIME, Type.WORD} & set(kinds)
        self._lasting = self._timeless and Type.REFERENCE not in kinds

    def frozen(self) -> Question:
        """Return the same question, which looks up names of teams, services and people once and keeps them."""
        found = copy(self)
        found._lasting = found._timeless
        return found

    def matches(self, ticket: Any, at: datetime) -> bool:
        """Return whether the ticket meets the condition at this instant (aware)."""
        if self._condition is None:
            return False
        predicate = self._predicate
        if predicate is None:
            try:
                predicate = to_predicate(self._condition, rule_schema(), Context(user=None, now=at, zone=UTC))
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

    def target_us(self, version: CalendarVersion, time_zone: str, started_at: datetime) -> int:
        """Return the target of a timer that started then, in microseconds of open time by these hours.

        Business days have the length that the hours declare. The close of a business day is measured from the start;
        where the hours have no such day left, the goal's usual length counts.
        """
        goal, hours = self.goal, version.hours_in(time_zone)
        if goal.target_unit == TargetUnit.BUSINESS_DAYS:
            return business_days_us(goal.target_count or 0, version.day_minutes)
        if goal.target_unit == TargetUnit.CLOSE_OF_DAY:
            try:
                close = hours.close_of_business_day(started_at, goal.target_count or 0)
            except CalendarError:
                return goal.target_s * US
            return hours.open_us(started_at, close)
        return goal.target_s * US

    def zone_for(self, ticket: Any) -> str:
        """Return the zone by whose clocks the hours are read for the ticket; blank: the calendar's own."""
        wanted = self.goal.zone_from
        person = ticket.requester if wanted != ZoneFrom.CALENDAR else None
        if person is None:
            return ""
        place = person if wanted == ZoneFrom.REQUESTER else person.location
        zone = getattr(place, "time_zone", "") or ""
        return zone if zone in zone_names() else ""


@dataclass(frozen=True)
class PolicyPlan:
    """A policy with its questions, and its goals in order. None for a question: it is not asked."""

    policy: ServiceLevelPolicy
    question: Question
    pause: Question | None
    goals: tuple[GoalPlan, ...]
    stop: Question | None = None
    cancel: Question | None = None
    reset: Question | None = None

    def goal_for(self, ticket: Any, at: datetime) -> GoalPlan | None:
        """Return the first goal whose condition the ticket meets."""
        return next((goal for goal in self.goals if goal.question.matches(ticket, at)), None)

    def frozen(self) -> PolicyPlan:
        """Return the same policy with its names looked up once."""
        questions = {name: asked.frozen() for name in QUESTIONS if (asked := getattr(self, name)) is not None}
        goals = tuple(replace(goal, question=goal.question.frozen()) for goal in self.goals)
        return replace(self, goals=goals, **questions)

    def asks(self, what: str, ticket: Any, at: datetime) -> bool:
        """Return whether the question (`pause`, `stop`, `cancel`, `reset`) is asked and the ticket meets it."""
        question: Question | None = getattr(self, what)
        return question is not None and question.matches(ticket, at)


@dataclass(frozen=True)
class Plan:
    """What holds for one ticket and one metric."""

    policy: PolicyPlan
    goal: GoalPlan
    calendar_version: CalendarVersion
    """The hours: the goal's, or those of the ticket's team."""

    @property
    def key(self) -> Key:
        """Kind and metric."""
        return (self.policy.policy.kind, self.policy.policy.metric)


@dataclass(frozen=True)
class Levels:
    """All that was promised at one time: active policies in order, and the hours of teams that have their own.

    Nothing here needs to be stored: a draft has policies and goals with numbers of their own (negative ones do).
    """

    policies: tuple[PolicyPlan, ...]
    team_hours: Mapping[int, CalendarVersion] = field(default_factory=dict)

    def plans_for(self, ticket: Any, at: datetime) -> Mapping[Key, Plan]:
        """Return the plan of each kind and metric that applies to the ticket at this instant (aware)."""
        found: dict[Key, Plan] = {}
        for policy in self.policies:
            key = (policy.policy.kind, policy.policy.metric)
            if key in found or not policy.question.matches(ticket, at):
                continue
            goal = policy.goal_for(ticket, at)
            if goal is not None:
                found[key] = Plan(policy, goal, self.hours_of(goal, ticket))
        return found

    def frozen(self) -> Levels:
        """Return the same promises, which look up names in conditions once: for going through many tickets."""
        return replace(self, policies=tuple(policy.frozen() for policy in self.policies))

    def policy(self, policy_id: int | None) -> PolicyPlan | None:
        """Return the active policy with this id, or None."""
        return next((plan for plan in self.policies if plan.policy.pk == policy_id), None)

    def uses(self, metric: str) -> bool:
        """Return whether any policy times this metric."""
        return any(plan.policy.metric == metric for plan in self.policies)

    def hours_of(self, goal: GoalPlan, ticket: Any) -> CalendarVersion:
        """Return the hours of the goal for the ticket: its own, or those of the ticket's team."""
        if not goal.goal.use_team_calendar or ticket.team_id is None:
            return goal.calendar_version
        return self.team_hours.get(ticket.team_id, goal.calendar_version)


STAMP = "SELECT stamp FROM slas_setup WHERE id = 1"
_kept: tuple[str, Levels] | None = None


def current_levels(stamp: str | None = None) -> Levels:
    """Return what is promised now. One query, and three more when something was edited since the last call.

    `stamp`: the stamp of the set-up, where the caller has just read it; then there is no query as a rule.
    """
    global _kept  # one small read-only set-up for the process, replaced as a whole
    stamp = stamp or current_stamp()
    kept = _kept
    if stamp is not None and kept is not None and kept[0] == stamp:
        return kept[1]
    found = _read()
    if stamp is not None:
        _kept = (stamp, found)
    return found


def policies() -> tuple[PolicyPlan, ...]:
    """Return the active policies in order; queries as `current_levels`."""
    return current_levels().policies


def current_stamp() -> str | None:
    """Return the stamp of the set-up as it stands: what was kept under it still holds.

    Asked by every verb, so by hand: building the query would take thirty times as long as answering it.
    """
    with connection.cursor() as cursor:
        cursor.execute(STAMP)
        row = cursor.fetchone()
    return str(row[0]) if row else None


def plans_for(ticket: Any, at: datetime) -> Mapping[Key, Plan]:
    """Return the plan of each kind and metric that applies to the ticket now, its conditions asked at this instant."""
    return current_levels().plans_for(ticket, at)


def policy_plan(policy: ServiceLevelPolicy, goals: Iterable[GoalPlan]) -> PolicyPlan:
    """Return the policy, stored or a draft, with its questions read and these goals."""
    pause = policy.pause_condition
    if policy.metric == Metric.SUPPLIER and pause == on_hold():
        pause = None  # a supplier has a ticket only while it is on hold: its clock would never run
    return PolicyPlan(
        policy,
        Question(policy.condition),
        _question(pause),
        tuple(goals),
        stop=_question(policy.stop_condition),
        cancel=_question(policy.cancel_condition),
        reset=_question(policy.reset_condition),
    )


def _question(stored: Any) -> Question | None:
    return None if stored is None else Question(stored)


def _read() -> Levels:
    goals: dict[int, list[GoalPlan]] = {}
    rows = Goal.objects.filter(policy__is_active=True).select_related("calendar__current", "chain__current")
    for goal in rows.order_by("policy_id", "order"):
        version = goal.calendar.current
        if version is None:
            continue
        chain = goal.chain.current if goal.chain else None
        goals.setdefault(goal.policy_id, []).append(GoalPlan(goal, Question(goal.condition), version, chain))
    active = ServiceLevelPolicy.objects.filter(is_active=True)
    teams = TeamCalendar.objects.select_related("calendar__current")
    return Levels(
        tuple(policy_plan(policy, goals.get(policy.pk, ())) for policy in active),
        {row.team_id: row.calendar.current for row in teams if row.calendar.current is not None},
    )
