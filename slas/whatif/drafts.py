"""Drafts: what would be promised if an edit were saved, without saving it.

`try_out` calls the very verb that would save the edit, reads what would then be promised, and takes everything back.
So a draft is checked as the edit is, and cannot mean anything else than the edit does. Kept as JSON, a draft is a
whole copy of policies, goals, calendars and escalations; its rows are nowhere stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.core import serializers
from django.db import models, transaction

from slas.actions.batches import is_trial
from slas.models import BusinessCalendar, CalendarVersion, ChainVersion, EscalationChain, ServiceLevelPolicy
from slas.plans import GoalPlan, Levels, Question, current_levels, policy_plan


class _TakenBack(Exception):
    """Ends the transaction of a trial; never leaves this module."""


def try_out(save: Callable[[], Any]) -> Levels:
    """Return what would be promised if `save` were called, which stores what an edit says. Nothing stays stored.

    Raises what `save` raises: what could not be saved cannot be tried either.
    """
    found: list[Levels] = []
    try:
        with transaction.atomic(), _trying():
            save()
            found.append(current_levels())
            raise _TakenBack
    except _TakenBack:
        return found[0]


@contextmanager
def _trying() -> Iterator[None]:
    token = is_trial.set(True)
    try:
        yield
    finally:
        is_trial.reset(token)


def draft_of(levels: Levels) -> dict[str, Any]:
    """Return the levels as plain values from which `levels_of` makes them again, whatever is edited meanwhile. One
    query."""
    goals = [plan.goal for policy in levels.policies for plan in policy.goals]
    versions = {plan.calendar_version.pk: plan.calendar_version for policy in levels.policies for plan in policy.goals}
    versions |= {version.pk: version for version in levels.team_hours.values()}
    chains = {
        plan.chain_version.pk: plan.chain_version
        for policy in levels.policies
        for plan in policy.goals
        if plan.chain_version is not None
    }
    calendars = BusinessCalendar.objects.in_bulk({version.calendar_id for version in versions.values()})
    return {
        "policies": _written([plan.policy for plan in levels.policies]),
        "goals": _written(goals),
        "versions": _written(versions.values()),
        "chains": _written(chains.values()),
        "names": {str(pk): calendars[version.calendar_id].name for pk, version in versions.items()},
        "of_goals": {
            str(plan.goal.pk): [plan.calendar_version.pk, plan.chain_version.pk if plan.chain_version else None]
            for policy in levels.policies
            for plan in policy.goals
        },
        "of_teams": {str(team): version.pk for team, version in levels.team_hours.items()},
    }


def levels_of(draft: dict[str, Any]) -> Levels:
    """Return the levels of a draft. What it names is made anew in memory; no query."""
    versions: dict[Any, CalendarVersion] = {row.pk: row for row in _read(draft["versions"])}
    for pk, version in versions.items():
        version.calendar = BusinessCalendar(pk=version.calendar_id, name=draft["names"][str(pk)])
        version.calendar.current = version
    chains: dict[Any, ChainVersion] = {row.pk: row for row in _read(draft["chains"])}
    for chain in chains.values():
        chain.chain = EscalationChain(pk=chain.chain_id, current=chain)
    goals: dict[int, list[GoalPlan]] = {}
    for goal in _read(draft["goals"]):
        version_pk, chain_pk = draft["of_goals"][str(goal.pk)]
        plan = GoalPlan(goal, Question(goal.condition), versions[version_pk], chains.get(chain_pk))
        goals.setdefault(goal.policy_id, []).append(plan)
    policies: list[ServiceLevelPolicy] = list(_read(draft["policies"]))
    return Levels(
        tuple(policy_plan(policy, goals.get(policy.pk, ())) for policy in policies),
        {int(team): versions[pk] for team, pk in draft["of_teams"].items()},
    )


def only(levels: Levels, kind: str, metric: str) -> Levels:
    """Return the levels without what is promised for other kinds and metrics."""
    return replace(
        levels,
        policies=tuple(plan for plan in levels.policies if (plan.policy.kind, plan.policy.metric) == (kind, metric)),
    )


def _written(rows: Iterable[models.Model]) -> list[Any]:
    found: list[Any] = json.loads(serializers.serialize("json", rows))
    return found


def _read(rows: Iterable[Any]) -> list[Any]:
    return [found.object for found in serializers.deserialize("python", rows, ignorenonexistent=True)]
