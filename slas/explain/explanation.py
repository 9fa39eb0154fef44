"""Why is this due then? Everything that led to a timer's due time, from its runs, its calendar and the ticket's log.

The page and the API show the same `Explanation`. All lengths are integer microseconds of open time, all instants UTC.
Numbers are computed anew from the runs: `adds_up` says whether the timer's stored row agrees to the microsecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from itsm.conditions import Condition, ConditionError
from itsm.tickets.clock import db_now
from slas.calendars import CalendarError, CompiledCalendar
from slas.clocks import Clock, clock_of
from slas.explain.choice import PolicyAsked, policies_asked
from slas.explain.days import Way, way
from slas.explain.steps import StepLine, steps_lines
from slas.explain.stretches import Being, Cause, Hours, Stretch, changes_of, stretches_of
from slas.models import Goal, Kind, Metric, Run, ServiceLevelPolicy, State, Timer


@dataclass(frozen=True)
class Leg:
    """The sum that gives the due time: target − what was used before = what is left, counted from `start`.

    `is_supposed`: the timer stands still; this is what it would be if it went on at this moment.
    """

    target_us: int
    used_us: int
    left_us: int
    start: datetime
    due_at: datetime
    hours: Hours
    way: Way
    is_supposed: bool = False


@dataclass(frozen=True)
class Explanation:
    """Everything about one timer at one instant. `considered` is asked of the ticket as it is now; `policy`, `goal` and
    `target_us` are what the timer copied when the goal was chosen."""

    at: datetime
    timer: Timer
    clock: Clock
    policy: ServiceLevelPolicy
    goal: Goal | None
    elapsed_us: int
    remaining_us: int
    considered: tuple[PolicyAsked, ...]
    stretches: tuple[Stretch, ...]
    leg: Leg | None
    steps: tuple[StepLine, ...]
    changes: tuple[Cause, ...]
    adds_up: bool

    @property
    def applies_now(self) -> PolicyAsked | None:
        """The policy under which the ticket, as it is now, would come."""
        return next((asked for asked in self.considered if asked.goal is not None and asked.outcome == "applies"), None)

    @property
    def is_under_it(self) -> bool:
        """Whether the timer runs under the policy and goal that apply now."""
        found = self.applies_now
        return found is not None and found.is_timers and found.goal is not None and found.goal.is_timers


def find_timer(ticket: Any, ref: str) -> Timer | None:
    """Return the ticket's timer of this name with all that an explanation reads, or None. One query."""
    kind, _dash, rest = ref.partition("-")
    metric, _dash, cycle = rest.rpartition("-")
    if kind not in Kind.values or metric not in Metric.values or not (cycle.isascii() and cycle.isdecimal()):
        return None
    if len(cycle) > 4:
        return None
    timers = Timer.objects.select_related(
        "policy", "goal__calendar", "calendar_version__calendar__current", "chain_version__chain", "acknowledged_by"
    )
    return timers.filter(ticket_id=ticket.pk, kind=kind, metric=metric, cycle_no=int(cycle)).first()


def explain(timer: Timer, ticket: Any, now: datetime | None = None) -> Explanation:
    """Return why the timer stands where it does at `now` (default: the database's clock). Reads only.

    `timer` as `find_timer` gives it, `ticket` with its team, service and people. A dozen queries, however long the
    ticket's history is.
    """
    at = now if now is not None else db_now()
    runs = list(Run.objects.filter(timer=timer).select_related("calendar_version__calendar").order_by("pk"))
    stretches = stretches_of(timer, runs, at)
    elapsed = sum(one.elapsed_us for one in stretches)
    leg = _leg(timer, stretches, at)
    considered = policies_asked(ticket, timer.kind, timer.metric, at, policy_id=timer.policy_id, goal_id=timer.goal_id)
    return Explanation(
        at=at,
        timer=timer,
        clock=clock_of(timer, at),
        policy=timer.policy,
        goal=timer.goal,
        elapsed_us=elapsed,
        remaining_us=timer.target_us - elapsed,
        considered=considered,
        stretches=stretches,
        leg=leg,
        steps=steps_lines(timer, runs, at),
        changes=tuple(changes_of(ticket.pk, fields_asked(timer.kind, timer.metric), timer.started_at)),
        adds_up=_adds_up(timer, runs, leg),
    )


def fields_asked(kind: str, metric: str) -> list[str]:
    """Return the fields that the policies of this kind and metric ask about: a change of one may move the target."""
    rows = ServiceLevelPolicy.objects.filter(kind=kind, metric=metric).prefetch_related("goals")
    stored = [one for row in rows for one in (row.condition, *(goal.condition for goal in row.goals.all()))]
    found: dict[str, None] = {}
    for condition in stored:
        try:
            found.update({leaf.field: None for leaf in Condition.from_json(condition).leaves()})
        except ConditionError:
            continue  # it matches nothing, so no field of it can matter
    return list(found)


def _leg(timer: Timer, stretches: Sequence[Stretch], now: datetime) -> Leg | None:
    full = timer.due_at or timer.breached_at
    if full is None:
        return _supposed(timer, now) if timer.state == State.PAUSED else None
    ran = [one for one in stretches if one.being == Being.RUNNING and one.started_at <= full]
    if not ran:
        return None
    stretch = ran[-1]
    used = min(stretch.before_us, timer.target_us)
    return Leg(
        timer.target_us,
        used,
        timer.target_us - used,
        stretch.started_at,
        full,
        stretch.hours,
        way(stretch.measure, stretch.started_at, full, stretch.version.name_of),
    )


def _supposed(timer: Timer, now: datetime) -> Leg | None:
    """Return the sum as it would be if the timer went on now, by the hours that its calendar has now."""
    version = timer.calendar_version.calendar.current or timer.calendar_version
    hours: CompiledCalendar = version.hours_in(timer.time_zone)
    used = min(timer.elapsed_closed_us, timer.target_us)
    left = timer.target_us - used
    try:
        due = hours.due(now, left)
        days = way(hours, now, due, version.name_of)
    except CalendarError:
        return None
    named = Hours(timer.calendar_version.calendar.name, version.number, hours.spec.time_zone)
    return Leg(timer.target_us, used, left, now, due, named, days, is_supposed=True)


def _adds_up(timer: Timer, runs: Sequence[Run], leg: Leg | None) -> bool:
    """Return whether the stored row follows from the stored runs: what has elapsed, and when it is due."""
    measured = all(run.hours.open_us(run.started_at, run.ended_at) == run.elapsed_us for run in runs)
    summed = sum(run.elapsed_us for run in runs) == timer.elapsed_closed_us
    return measured and summed and (leg is None or leg.way.open_us == leg.left_us)
