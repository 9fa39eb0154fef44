"""What requesters really waited beside what the clocks say: medians and the slowest tenth, over resolved tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from itsm.accounts.models import User
from reports.clocks import DECIDED, clocks_of
from reports.filters import Filters
from slas.models import Metric

WAITS = """
SELECT GROUPING(policy, team, priority), policy, team, priority, count(*),
       count(*) FILTER (WHERE official_s < wall_s / 2),
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY official_s),
       percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY wall_s)
FROM (
    SELECT policy, team, priority, elapsed_us / 1e6 AS official_s, EXTRACT(epoch FROM stopped_at - opened_at) AS wall_s
    FROM ({clocks}) AS clock (verdict, counted_at, policy, team, priority, elapsed_us, stopped_at, opened_at)
) AS wait
GROUP BY GROUPING SETS ((), (policy), (team), (priority))
"""
BY = ("policy", "team", "priority")


@dataclass(frozen=True)
class Waits:
    """The waits of a group of resolved tickets in seconds: official is open time without pauses, real is every second.

    `half`: of how many the official clock shows less than half of the real wait.
    """

    count: int
    half: int
    official_median: float
    official_p90: float
    real_median: float
    real_p90: float

    @property
    def times(self) -> float | None:
        """How many times the official median the real one is; None where that is zero."""
        return self.real_median / self.official_median if self.official_median else None


@dataclass(frozen=True)
class WaitTables:
    """The waits of all, and by policy, team and priority (each by its id)."""

    total: Waits | None
    by: dict[str, dict[Any, Waits]]


def waits_of(user: User, filters: Filters, now: datetime) -> WaitTables:
    """Return the waits of the tickets whose resolution clock was stopped, counted in the period. One query.

    Real: from the opening of the ticket to the instant at which the clock stopped. It is the resolution that is
    compared, whatever metric is chosen.
    """
    clocks = (
        clocks_of(user, filters, now)
        .filter(metric=Metric.RESOLUTION, verdict__in=DECIDED, stopped_at__isnull=False)
        .order_by()
        .values_list(
            "verdict",
            "counted_at",
            "policy_id",
            F("held_by"),
            "ticket__priority",
            "elapsed_closed_us",
            "stopped_at",
            "ticket__opened_at",
        )
    )
    inner, params = clocks.query.sql_with_params()
    total = None
    by: dict[str, dict[Any, Waits]] = {name: {} for name in BY}
    with connection.cursor() as cursor:
        cursor.execute(WAITS.format(clocks=inner), params)
        for grouped, policy, team, priority, count, half, official, real in cursor:
            if not count:
                continue
            waits = Waits(count, half, *(float(value) for value in (*official, *real)))
            if grouped == 7:
                total = waits
                continue
            name = {3: "policy", 5: "team", 6: "priority"}[grouped]
            by[name][{"policy": policy, "team": team, "priority": priority}[name]] = waits
    return WaitTables(total, by)
