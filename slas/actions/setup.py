"""Setting up: calendars, chains and policies. What is saved here is checked to the end, so that no timer can fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change, state_of
from itsm.accounts.models import Team
from itsm.accounts.roles import Permission
from itsm.conditions import Condition, ConditionError, check
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.schema import ticket_schema
from itsm.tickets.texts import clean_text
from slas import defaults
from slas.actions.batches import follow_setup
from slas.actions.effects import ASSIGN_TEAM, NOTIFY, RAISE_PRIORITY, ROLES
from slas.calendars import CalendarError, CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.models import (
    BusinessCalendar,
    CalendarVersion,
    ChainVersion,
    EscalationChain,
    Goal,
    Kind,
    Metric,
    ServiceLevelPolicy,
    Setup,
)
from slas.models.policies import new_stamp, on_hold

NAME_MAX = 200
LONGEST_TARGET_S = 10 * 366 * 24 * 3600
MAX_GOALS = 100
MAX_STEPS = 20
# So many tickets follow an edit at once, while somebody waits for the page; a task moves the others.
MOVED_AT_ONCE = 200
LARGEST_PERCENT = 1000


@dataclass(frozen=True)
class GoalSpec:
    """One target as asked for: tickets that meet the condition get so many seconds of the calendar's open time."""

    target_s: int
    calendar: BusinessCalendar
    condition: Mapping[str, Any] = field(default_factory=dict)
    chain: EscalationChain | None = None


def install_defaults() -> bool:
    """Store the product's calendars, chain and policies where there is no policy; return whether it did."""
    return defaults.install(lambda name: apps.get_model("slas", name))


def save_calendar(name: str, spec: CalendarSpec | Mapping[str, Any], *, actor: Actor) -> BusinessCalendar:
    """Store what the calendar of this name says from now on, and return it. The same content makes no new version.

    Timers that run by it go on by the new hours from now; what has elapsed stays. They are moved after the calendar is
    stored, ticket by ticket: the first at once, the others by the task that follows edits.

    Raises:
        Refused: the actor does not manage service levels.
        Invalid: the calendar is not one, or a target that uses it could never be due.
    """
    _require(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    try:
        wanted = spec if isinstance(spec, CalendarSpec) else CalendarSpec.from_json(spec)
    except CalendarError as error:
        raise Invalid({"spec": _(error.template) % error.params}) from error
    with transaction.atomic():
        calendar, _is_new = BusinessCalendar.objects.select_for_update().get_or_create(name=title)
        longest = max(calendar.goals.values_list("target_s", flat=True), default=0)
        _check_can_be_due(wanted, longest, "spec")
        if calendar.current is None or calendar.current.digest != wanted.content_digest:
            number = calendar.current.number + 1 if calendar.current else 1
            before = calendar.current.spec if calendar.current else {}
            calendar.current = CalendarVersion.objects.create(
                calendar=calendar,
                number=number,
                spec=wanted.to_json(),
                digest=wanted.content_digest,
                valid_from=db_now(),
                created_by=actor.user,
            )
            calendar.save(update_fields=["current"])
            _touch_setup()
            record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, calendar, before, wanted.to_json())
    follow_setup(actor=actor, limit=MOVED_AT_ONCE)
    return calendar


@transaction.atomic
def save_chain(name: str, steps: Sequence[Mapping[str, Any]], *, actor: Actor) -> EscalationChain:
    """Store the steps of the chain of this name and return it. Timers that run keep the steps they began with.

    A step: `{"percent": 75, "actions": [{"do": "notify", "who": ["assignee", "team_lead"]}]}`; other actions are
    `{"do": "assign_team", "team": id}` and `{"do": "raise_priority"}`.

    Raises:
        Refused, Invalid.
    """
    _require(actor)
    title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    checked = _checked_steps(steps)
    chain, _is_new = EscalationChain.objects.select_for_update().get_or_create(name=title)
    if chain.current is None or chain.current.steps != checked:
        number = chain.current.number + 1 if chain.current else 1
        before = {"steps": chain.current.steps} if chain.current else {}
        chain.current = ChainVersion.objects.create(chain=chain, number=number, steps=checked)
        chain.save(update_fields=["current"])
        _touch_setup()
        record_change(actor.user, Deed.CHANGED if before else Deed.CREATED, chain, before, {"steps": checked})
    return chain


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
) -> ServiceLevelPolicy:
    """Store the policy of this name with its goals, and return it.

    `pause_condition`: when clocks stand still; None for never; left out: while the ticket is on hold. Timers that run
    keep the target they began with, until their ticket falls under another goal. Switching a policy off cancels its
    timers.

    Raises:
        Refused: the actor does not manage service levels.
        Invalid: a sentence for each value that does not fit; a calendar on which a target could never be due.
    """
    _require(actor)
    values: dict[str, Any] = {
        "metric": metric,
        "kind": kind,
        "condition": dict(condition or {}),
        "pause_condition": on_hold() if isinstance(pause_condition, str) else pause_condition,
        "order": order,
        "is_active": is_active,
        "updated_by": actor.user,
    }
    title = _check_policy(name, values, goals)
    with transaction.atomic():
        old = ServiceLevelPolicy.objects.select_for_update().filter(name=title).first()
        before = policy_state(old) if old else {}
        values["updated_at"] = db_now()
        policy, is_new = ServiceLevelPolicy.objects.update_or_create(name=title, defaults=values)
        _save_goals(policy, goals)
        _touch_setup()
        record_change(actor.user, Deed.CREATED if is_new else Deed.CHANGED, policy, before, policy_state(policy))
    follow_setup(actor=actor, limit=MOVED_AT_ONCE)
    return policy


def policy_state(policy: ServiceLevelPolicy) -> dict[str, Any]:
    """Return what a policy says, with its goals, as plain values for the change log."""
    goals = policy.goals.select_related("calendar", "chain").order_by("order")
    return {
        **state_of(policy, ("metric", "kind", "condition", "pause_condition", "order", "is_active")),
        "goals": [state_of(goal, ("condition", "target_s", "calendar", "chain")) for goal in goals],
    }


def _save_goals(policy: ServiceLevelPolicy, goals: Sequence[GoalSpec]) -> None:
    for position, goal in enumerate(goals, start=1):
        Goal.stored.update_or_create(
            policy=policy,
            order=position,
            defaults={
                "condition": dict(goal.condition),
                "target_s": goal.target_s,
                "calendar": goal.calendar,
                "chain": goal.chain,
                "is_active": True,
            },
        )
    policy.goals.filter(order__gt=len(goals)).update(is_active=False)


def _check_policy(name: str, values: Mapping[str, Any], goals: Sequence[GoalSpec]) -> str:
    problems: dict[str, str] = {}
    title = ""
    try:
        title = clean_text(name, "name", NAME_MAX, required=True, one_line=True)
    except Invalid as error:
        problems.update(error.fields)
    if values["metric"] not in Metric.values:
        problems["metric"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Metric.values)}
    if values["kind"] not in Kind.values:
        problems["kind"] = _("Choose one of: %(choices)s.") % {"choices": ", ".join(Kind.values)}
    for part in ("condition", "pause_condition"):
        if values[part] is not None:
            problems.update(_problem_of(values[part], part))
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
    if isinstance(goal.target_s, bool) or not isinstance(goal.target_s, int) or goal.target_s < 1:
        return {part: _("Give the target as at least one second.")}
    if goal.target_s > LONGEST_TARGET_S:
        return {part: _("A target is at most ten years.")}
    if goal.calendar.current is None:
        return {part: _("Give the calendar its hours first.")}
    try:
        _check_can_be_due(CalendarSpec.from_json(goal.calendar.current.spec), goal.target_s, part)
    except Invalid as error:
        return error.fields
    return _problem_of(goal.condition, part)


def _problem_of(condition: Mapping[str, Any], part: str) -> dict[str, str]:
    try:
        check(Condition.from_json(dict(condition)), ticket_schema(), predicate=True, personal=False)
    except ConditionError as error:
        return {part: str(error)}
    return {}


def _check_can_be_due(spec: CalendarSpec, target_s: int, part: str) -> None:
    if not target_s:
        return
    if not any(spec.weekly):
        # Dated hours end with the last date: from then on nothing that falls under the target could be opened.
        raise Invalid({part: _("A target needs a calendar with weekly hours. Give at least one day opening hours.")})
    try:
        compile_calendar(spec).due(db_now(), target_s * 1_000_000)
    except CalendarError as error:
        raise Invalid({part: _(error.template) % error.params}) from error


def _checked_steps(steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    if len(steps) > MAX_STEPS:
        raise Invalid({"steps": _("An escalation can have %(most)d steps.") % {"most": MAX_STEPS}})
    checked: dict[int, dict[str, Any]] = {}
    for step in steps:
        percent = step.get("percent")
        if isinstance(percent, bool) or not isinstance(percent, int) or not 1 <= percent <= LARGEST_PERCENT:
            raise Invalid({"steps": _("Give each step a percentage from 1 to %(most)d.") % {"most": LARGEST_PERCENT}})
        if percent in checked:
            raise Invalid({"steps": _("There are two steps at %(percent)d %%. Make them one.") % {"percent": percent}})
        checked[percent] = {"percent": percent, "actions": _checked_actions(step.get("actions", ()))}
    return [checked[percent] for percent in sorted(checked)]


def _checked_actions(actions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    checked: list[dict[str, Any]] = []
    for action in actions:
        do = action.get("do")
        if do == NOTIFY:
            who = action.get("who")
            if not isinstance(who, list | tuple) or not who or not set(who) <= set(ROLES):
                raise Invalid({"steps": _("Say who is told: %(roles)s.") % {"roles": ", ".join(ROLES)}})
            checked.append({"do": NOTIFY, "who": [role for role in ROLES if role in who]})
        elif do == ASSIGN_TEAM:
            if not Team.objects.active().filter(pk=action.get("team")).exists():
                raise Invalid({"steps": _("Choose the team that gets the ticket.")})
            checked.append({"do": ASSIGN_TEAM, "team": action["team"]})
        elif do == RAISE_PRIORITY:
            checked.append({"do": RAISE_PRIORITY})
        else:
            choices = f"{NOTIFY}, {ASSIGN_TEAM}, {RAISE_PRIORITY}"
            raise Invalid({"steps": _("Choose what is done: %(choices)s.") % {"choices": choices}})
    return checked


def _require(actor: Actor) -> None:
    if not actor.may(Permission.MANAGE_SERVICE_LEVELS):
        raise Refused(_("Only a service-level manager can set up service levels."))


def _touch_setup() -> None:
    Setup.objects.update_or_create(pk=1, defaults={"stamp": new_stamp()})
