"""Compliance: how many clocks were met and how many were not, by policy, team, service and month."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import TruncDate, TruncMonth, TruncWeek
from django.utils.formats import date_format

from itsm.accounts.models import User
from reports.clocks import Verdict, clocks_of
from reports.filters import Filters, Option
from reports.period import month_after, steps_between

TRUNCATED = {"day": TruncDate, "week": TruncWeek, "month": TruncMonth}
BY = ("policy", "team", "service", "month", "step")


@dataclass
class Counts:
    """How many clocks there are of each verdict, in the order of `Verdict`."""

    met: int = 0
    missed: int = 0
    late_open: int = 0
    running: int = 0
    cancelled: int = 0
    cancelled_late: int = 0

    @property
    def late(self) -> int:
        """How many were late: missed, or late and still open."""
        return self.missed + self.late_open

    @property
    def decided(self) -> int:
        """How many count for compliance."""
        return self.met + self.late

    @property
    def share(self) -> float | None:
        """Compliance from 0 to 1: met ÷ (met + missed + late and open), cancelled left out; None: nothing decided."""
        return self.met / self.decided if self.decided else None

    @property
    def per_cent(self) -> float | None:
        """Compliance in per cent, rounded down to a tenth, so that 100.0 stands for all and nothing else."""
        return None if self.share is None else self.met * 1000 // self.decided / 10


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is about, its counts, and the reference that leads to the clocks behind it.

    `first` and `last`: the days of a line that is a month.
    """

    ref: str
    label: str
    counts: Counts
    first: date | None = None
    last: date | None = None


@dataclass
class Compliance:
    """All figures of the overview. `steps`: the trend's, one for each day, week or month of the period."""

    total: Counts = field(default_factory=Counts)
    policies: list[Line] = field(default_factory=list)
    teams: list[Line] = field(default_factory=list)
    services: list[Line] = field(default_factory=list)
    months: list[Line] = field(default_factory=list)
    steps: list[tuple[date, Counts]] = field(default_factory=list)


def compliance_of(user: User, filters: Filters, now: datetime) -> Compliance:
    """Return the figures: one pass over the clocks of the period in one query, however many there are."""
    period = filters.period
    clocks = (
        clocks_of(user, filters, now)
        .annotate(
            by_month=TruncMonth("counted_at", tzinfo=period.zone),
            by_step=TRUNCATED[period.grain]("counted_at", tzinfo=period.zone),
        )
        .order_by()
        .values_list("verdict", "policy_id", F("held_by"), F("ticket__service_id"), "by_month", "by_step")
    )
    inner, params = clocks.query.sql_with_params()
    counts = ", ".join(f"count(*) FILTER (WHERE verdict = '{verdict}')" for verdict in Verdict.values)
    columns = ", ".join(BY)
    query = f"""
SELECT GROUPING({columns}), {columns}, {counts} FROM ({inner}) AS clock (verdict, {columns})
GROUP BY GROUPING SETS ((), (policy), (team), (service), (month), (step))
"""  # noqa: S608  constants and a query of the ORM, whose values stay parameters
    found: dict[str, dict[Any, Counts]] = {name: {} for name in ("total", *BY)}
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        for row in cursor:
            name, key = _group(row)
            found[name][key] = Counts(*row[len(BY) + 1 :])
    return _arranged(found, filters)


def _group(row: Any) -> tuple[str, Any]:
    """Return which column a row of the grouped answer is grouped by, and its value there; days as dates."""
    for at, name in enumerate(BY):
        if not row[0] & 1 << (len(BY) - 1 - at):
            value = row[at + 1]
            return name, value.date() if isinstance(value, datetime) else value
    return "total", None


def _arranged(found: dict[str, dict[Any, Counts]], filters: Filters) -> Compliance:
    choices, period = filters.choices, filters.period
    months = []
    for first in steps_between(period.first, period.last, "month"):
        part = filters.within(first, month_after(first) - timedelta(days=1)).period
        counts = found["month"].get(first, Counts())
        months.append(Line(first.isoformat(), date_format(first, "F Y"), counts, part.first, part.last))
    return Compliance(
        total=found["total"].get(None, Counts()),
        policies=_lines(found["policy"], choices.policies),
        teams=_lines(found["team"], choices.teams),
        services=_lines(found["service"], choices.services),
        months=months,
        steps=[(step, found["step"].get(step, Counts())) for step in period.steps()],
    )


def _lines(found: dict[Any, Counts], options: list[Option]) -> list[Line]:
    """Return a line for each option that has clocks: the most late ones first, then by name."""
    lines = [Line(option.ref, option.label, found[option.pk]) for option in options if option.pk in found]
    return sorted(lines, key=lambda line: (-line.counts.late, line.label.casefold()))
