"""Saving policies with their goals. What is saved is checked to the end, so that no timer can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, check_seen, record_change, state_of
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.texts import clean_text
from slas import defaults
from slas.actions.batches import follow_setup
from slas.actions.calendars import usual_length_s
from slas.actions.setting_up import MOVED_AT_ONCE, NAME_MAX, check_can_be_due, problem_of, require_manager, touch_setup
from slas.calendars import CalendarSpec
from slas.calendars.spec import MINUTES
from slas.models import (
    BusinessCalendar,
    EscalationChain,
    Goal,
    Kind,
    LateSteps,
    Metric,
    OnReopen,
    OnRetarget,
    ServiceLevelPolicy,
    StartFrom,
    TargetUnit,
    ZoneFrom,
)
from slas.models.policies import on_hold

LONGEST_TARGET_S = 10 * 366 * 24 * 3600
MAX_GOALS = 100
MOST_DAYS = 2500
LARGEST_ORDER = 100_000
CONDITIONS = ("condition", "pause_condition", "stop_condition", "cancel_condition", "reset_condition")
CHOICES = {
    "metric": Metric,
    "kind": Kind,
    "start_from": StartFrom,
    "on_retarget": OnRetarget,
    "on_reopen": OnReopen,
    "late_steps": LateSteps,
}
POLICY_PARTS = (*CHOICES, *CONDITIONS, "order", "is_active")
GOAL_PARTS = (
    "condition",
    "target_s",
    "target_unit",
    "target_count",
    "calendar",
    "use_team_calendar",
    "zone_from",
    "chain",
)


@dataclass(frozen=True)
class GoalSpec:
    """One target as asked for: tickets that meet the condition get so many seconds of the calendar's open time.

    With another `target_unit` than open time `target_count` says how many business days, and `target_s` is not read.
    """

    target_s: int
    calendar: BusinessCalendar
    condition: Mapping[str, Any] = field(default_factory=dict)
    chain: EscalationChain | None = None
    target_unit: str = TargetUnit.TIME
    target_count: int | None = None
    use_team_calendar: bool = False
    zone_from: str = ZoneFrom.CALENDAR

    @property
    def length_s(self) -> int:
        """The target in seconds of open time; for one in business days its usual length by the calendar's days."""
        if self.target_unit == TargetUnit.TIME:
            return self.target_s
        day_minutes = self.calendar.current.day_minutes if self.calendar.current else MINUTES
        return usual_length_s(self.target_unit, self.target_count or 0, day_minutes)


@dataclass(frozen=True)
class Rules:
    """When the clocks of a policy stop, begin anew or end beside what the metric has (None: no more), from when they
    count, and what becomes of them when the target changes or the ticket is taken up again."""

    stop_condition: Mapping[str, Any] | None = None
    cancel_condition: Mapping[str, Any] | None = None
    reset_condition: Mapping[str, Any] | None = None
    start_from: str = StartFrom.ATTACH
    on_retarget: str = OnRetarget.KEEP
    on_reopen: str = OnReopen.RESUME
    late_steps: str = LateSteps.HIGHEST


def install_defaults() -> bool:
    """Store the product's calendars, chain and policies where there is no policy; return whether it did."""
    return defaults.install(lambda name: apps.get_model("slas", name))


def save_policy(
    name: str,
    *,
    metric: str,
    goals: Sequence[GoalSpec],
    actor: Actor,
    condition: Mapping[str, Any] | None = None,
    pause_condition: Mapping[str, Any] | str | None = "on_hold",
    kind: str = Kind.SLA,
    order: int = 100,
    is_active: bool = True,
    rules: Rules | None = None,
    seen: str = "",
) -> ServiceLevelPolicy:
    """Store the policy of this name with its goals, and return it.

    `pause_condition`: when clocks stand still; None for never; left out: while the ticket is on hold. `rules` left out:
    the plain ones. Timers that run keep the target they began with, until their ticket falls under another goal.
    Switching a policy off cancels its timers. `seen`: the fingerprint of the `policy_state` that the caller saw.

    Raises:
        Refused: the actor does not manage service levels.
        ChangedMeanwhile: it is not what the caller saw.
        Invalid: a sentence for each value that does not fit; a calendar on which a target could never be due.
    """
    require_manager(actor)
    values: dict[str, Any] = {
        "metric": metric,
        "kind": kind,
        "condition": dict(condition or {}),
        "pause_condition": on_hold() if isinstance(pause_condition, str) else pause_condition,
        "order": order,
        "is_active": is_active,
        "updated_by": actor.user,
        **asdict(rules or Rules()),
    }
    title = _check_policy(name, values, goals)
    with transaction.atomic():
        old = ServiceLevelPolicy.objects.select_for_update().filter(name=title).first()
        before = policy_state(old) if old else {}
        if old:
            check_seen(before, seen)
        values["updated_at"] = db_now()
        policy, is_new = ServiceLevelPolicy.objects.update_or_create(name=title, defaults=values)
        _save_goals(policy, goals)
        touch_setup()
        record_change(actor.user, Deed.CREATED if is_new else Deed.CHANGED, policy, before, policy_state(policy))
    follow_setup(actor=actor, limit=MOVED_AT_ONCE)
    return policy


def policy_state(policy: ServiceLevelPolicy) -> dict[str, Any]:
    """Return what a policy says, with its goals, as plain values for the change log."""
    goals = policy.goals.select_related("calendar", "chain").order_by("order")
    return {
        **state_of(policy, POLICY_PARTS),
        "goals": [state_of(goal, GOAL_PARTS) for goal in goals],
    }


def _save_goals(policy: ServiceLevelPolicy, goals: Sequence[GoalSpec]) -> None:
    """Store the goals in their order. A goal whose condition stays is the same one wherever it stands now, so that a
    goal put before it does not bring its timers under another."""
    stored = list(Goal.stored.filter(policy=policy).order_by("order"))
    rows = _rows_for(goals, stored)
    # Out of the way first: no two goals may stand at one place, not even for a moment.
    Goal.stored.filter(policy=policy).update(order=F("order") + len(stored) + len(goals))
    for position, (goal, row) in enumerate(zip(goals, rows, strict=True), start=1):
        values = {
            "order": position,
            "condition": dict(goal.condition),
            "target_s": goal.length_s,
            "target_unit": goal.target_unit,
            "target_count": None if goal.target_unit == TargetUnit.TIME else goal.target_count,
            "calendar": goal.calendar,
            "use_team_calendar": goal.use_team_calendar,
            "zone_from": goal.zone_from,
            "chain": goal.chain,
            "is_active": True,
        }
        if row is None:
            Goal.stored.create(policy=policy, **values)
        else:
            Goal.stored.filter(pk=row.pk).update(**values)
    kept = {row.pk for row in rows if row is not None}
    left = [row for row in stored if row.pk not in kept]
    for position, row in enumerate(left, start=len(goals) + 1):
        Goal.stored.filter(pk=row.pk).update(order=position, is_active=False)


def _rows_for(goals: Sequence[GoalSpec], stored: Sequence[Goal]) -> list[Goal | None]:
    """Return the row of each goal: the one with its condition, else the one at its place, else None for a new one."""
    found: list[Goal | None] = []
    free = list(stored)
    for goal in goals:
        row = next((one for one in free if one.is_active and one.condition == dict(goal.condition)), None)
        found.append(row)
        if row is not None:
            free.remove(row)
    for place, row in enumerate(found):
        at_place = next((one for one in free if one.order == place + 1), None)
        if row is None and at_place is not None:
            found[place] = at_place
            free.remove(at_place)
    return found


def _check_policy(name: str, values: Mapping[str, Any], goals: Sequence[GoalSpec]) -> str:
    problems: dict[str, str] = {}
    title = ""
    try:
        title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    except Invalid as error:
        problems.update(error.fields)
    for part, choices in CHOICES.items():
        if values[part] not in choices.values:
            problems[part] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(choices.values)}
    for part in CONDITIONS:
        if values[part] is not None:
            problems.update(problem_of(values[part], part))
    for part in ("stop_condition", "cancel_condition", "reset_condition"):
        if values[part] == {}:
            problems[part] = _("This would hold for every ticket at once. Say when, or leave it out.")
    if not isinstance(values["order"], int) or not 1 <= values["order"] <= LARGEST_ORDER:
        problems["order"] = _("Give the order as a number from 1 to %(most)d.") % {"most": LARGEST_ORDER}
    if not goals:
        problems["goals"] = _("A policy needs at least one goal.")
    if len(goals) > MAX_GOALS:
        problems["goals"] = _("A policy can have %(most)d goals.") % {"most": MAX_GOALS}
    for position, goal in enumerate(goals[:MAX_GOALS], start=1):
        problems.update(_goal_problems(goal, f"goal {position}"))
    if problems:
        raise Invalid(problems)
    return title


def _goal_problems(goal: GoalSpec, part: str) -> dict[str, str]:
    if goal.target_unit not in TargetUnit.values:
        return {part: _("Choose one of: %(choices)s.") % {"choices": ", ".join(TargetUnit.values)}}
    if goal.zone_from not in ZoneFrom.values:
        return {part: _("Choose one of: %(choices)s.") % {"choices": ", ".join(ZoneFrom.values)}}
    if goal.target_unit == TargetUnit.TIME:
        if isinstance(goal.target_s, bool) or not isinstance(goal.target_s, int) or goal.target_s < 1:
            return {part: _("Give the target as at least one second.")}
    else:
        least = 1 if goal.target_unit == TargetUnit.BUSINESS_DAYS else 0
        count = goal.target_count
        if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= MOST_DAYS:
            return {part: _("Give %(least)d to %(most)d business days.") % {"least": least, "most": MOST_DAYS}}
    if goal.calendar.current is None:
        return {part: _("Give the calendar its hours first.")}
    if goal.length_s > LONGEST_TARGET_S:
        return {part: _("A target is at most ten years.")}
    try:
        check_can_be_due(CalendarSpec.from_json(goal.calendar.current.spec), goal.length_s, part)
    except Invalid as error:
        return error.fields
    return problem_of(goal.condition, part)
