"""What was promised when: the set-up is written down whole with every edit, and read back as of an instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from slas.models import CalendarVersion, ChainVersion, Goal, ServiceLevelPolicy, SetupVersion
from slas.plans import GoalPlan, Levels, Question, current_levels, policy_plan

POLICY_PARTS = (
    "name",
    "metric",
    "kind",
    "condition",
    "pause_condition",
    "stop_condition",
    "cancel_condition",
    "reset_condition",
    "start_from",
    "on_retarget",
    "on_reopen",
    "late_steps",
    "order",
)
GOAL_PARTS = ("order", "condition", "target_s", "target_unit", "target_count", "use_team_calendar", "zone_from")
Content = dict[str, Any]


def content_of(model: Callable[[str], Any]) -> Content:
    """Return the set-up as it stands as plain values. `model` gives a model of this room by its name.

    Three queries. Goals without hours are left out: nothing can be due by them.
    """
    goals: dict[int, list[Content]] = {}
    rows = model("Goal").objects.filter(policy__is_active=True, is_active=True, calendar__current__isnull=False)
    named = ("pk", "policy_id", "calendar__current_id", "chain__current_id", *GOAL_PARTS)
    for row in rows.order_by("policy_id", "order").values(*named):
        goals.setdefault(row.pop("policy_id"), []).append(
            {
                "id": row.pop("pk"),
                "calendar_version": row.pop("calendar__current_id"),
                "chain_version": row.pop("chain__current_id"),
                **row,
            }
        )
    policies = model("ServiceLevelPolicy").objects.filter(is_active=True).order_by("order", "pk")
    teams = model("TeamCalendar").objects.filter(calendar__current__isnull=False).order_by("team_id")
    return {
        "policies": [
            {"id": row.pop("pk"), **row, "goals": goals.get(key, [])}
            for row in policies.values("pk", *POLICY_PARTS)
            for key in [row["pk"]]
        ],
        "teams": [list(pair) for pair in teams.values_list("team_id", "calendar__current_id")],
    }


class Promised:
    """What was promised at any instant, as far as it is on record. Reads everything once, when it is first asked."""

    def __init__(self) -> None:
        self._read: dict[int, Levels] = {}

    def at(self, instant: datetime) -> Levels:
        """Return what was promised at the instant; before the first record: what that says."""
        if not self._versions:
            return self._now
        place = max(bisect_right(self._instants, instant) - 1, 0)
        if place not in self._read:
            self._read[place] = self._levels(self._versions[place].content).frozen()
        return self._read[place]

    def hours_at(self, version: CalendarVersion, instant: datetime) -> CalendarVersion:
        """Return the version of the same calendar that was its current one at the instant."""
        of_calendar = self._by_calendar[version.calendar_id]
        return of_calendar[max(bisect_right([one.valid_from for one in of_calendar], instant) - 1, 0)]

    @cached_property
    def _now(self) -> Levels:
        return current_levels().frozen()

    @cached_property
    def _versions(self) -> list[SetupVersion]:
        return list(SetupVersion.objects.order_by("at", "pk"))

    @cached_property
    def _instants(self) -> list[datetime]:
        return [version.at for version in self._versions]

    @cached_property
    def _calendars(self) -> dict[int, CalendarVersion]:
        return CalendarVersion.objects.select_related("calendar").in_bulk()

    @cached_property
    def _by_calendar(self) -> Mapping[int, list[CalendarVersion]]:
        found: dict[int, list[CalendarVersion]] = {}
        for version in sorted(self._calendars.values(), key=lambda one: one.number):
            found.setdefault(version.calendar_id, []).append(version)
        return found

    @cached_property
    def _chains(self) -> dict[int, ChainVersion]:
        return ChainVersion.objects.in_bulk()

    def _levels(self, content: Content) -> Levels:
        return Levels(
            tuple(self._policy(policy) for policy in content["policies"]),
            {team: self._calendars[version] for team, version in content["teams"]},
        )

    def _policy(self, said: Content) -> Any:
        policy = ServiceLevelPolicy(pk=said["id"], **{part: said[part] for part in POLICY_PARTS})
        goals = []
        for one in said["goals"]:
            goal = Goal(pk=one["id"], policy=policy, **{part: one[part] for part in GOAL_PARTS})
            chain = self._chains[one["chain_version"]] if one["chain_version"] is not None else None
            version = self._calendars[one["calendar_version"]]
            goals.append(GoalPlan(goal, Question(goal.condition), version, chain))
        return policy_plan(policy, goals)
