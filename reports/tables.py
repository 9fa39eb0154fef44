"""Figures as the pages show them: each with the address of the clocks behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from reports.chart import step_days
from reports.clocks import Verdict
from reports.compliance import Compliance, Counts, Line
from reports.filters import Choices, Filters
from reports.period import Span


@dataclass(frozen=True)
class Cell:
    """A figure and where the clocks behind it are listed (blank: there are none)."""

    value: int
    url: str


@dataclass(frozen=True)
class Shown:
    """A line of a compliance table."""

    label: str
    per_cent: float | None
    fraction: float
    state: str
    cells: list[Cell]


def behind(filters: Filters, verdict: str, **changes: str) -> str:
    """Return the address of the list of clocks behind a figure."""
    return f"{reverse('reports:clocks')}?{filters.query(verdict=verdict, **changes)}"


def state_of(counts: Counts, target: float = 95) -> str:
    """Return the look of a share: met from 95 % up, at risk from 85 %, below that late. The number stands beside it."""
    if counts.per_cent is None:
        return "paused"
    return "met" if counts.per_cent >= target else "at_risk" if counts.per_cent >= target - 10 else "breached"


def shown(lines: Iterable[Line], filters: Filters, name: str) -> list[Shown]:
    """Return the lines of a table; `name`: which filter a line's reference belongs to, or `month`."""
    found = []
    for line in lines:
        changes = {name: line.ref}
        if line.first is not None and line.last is not None:
            changes = {"period": str(Span.CUSTOM), "from": line.first.isoformat(), "to": line.last.isoformat()}
        found.append(
            Shown(
                label=line.label,
                per_cent=line.counts.per_cent,
                fraction=line.counts.share or 0.0,
                state=state_of(line.counts),
                cells=cells_of(line.counts, filters, **changes),
            )
        )
    return found


def cells_of(counts: Counts, filters: Filters, **changes: str) -> list[Cell]:
    """Return the counts in the order of `Verdict`."""
    values = [(str(verdict), getattr(counts, verdict)) for verdict in Verdict.values]
    return [Cell(value, behind(filters, verdict, **changes) if value else "") for verdict, value in values]


def sections(figures: Compliance, filters: Filters) -> list[dict[str, Any]]:
    """Return the four tables of the overview: key (of the export), lines."""
    return [
        {"key": key, "lines": shown(lines, filters, name)}
        for key, name, lines in (
            ("policies", "policy", figures.policies),
            ("teams", "team", figures.teams),
            ("services", "service", figures.services),
            ("months", "month", figures.months),
        )
    ]


def step_rows(figures: Compliance, filters: Filters) -> list[tuple[Any, Counts, str]]:
    """Return the trend as a table: first day of the step, counts, address of the decided clocks."""
    rows = []
    for step, counts in figures.steps:
        first, last = step_days(step, filters.period.grain)
        part = filters.within(first, last)
        rows.append((step, counts, behind(part, "decided") if counts.decided else ""))
    return rows


def names(choices: Choices, name: str) -> dict[int | None, str]:
    """Return the words of a filter's options by their id; None has the words for nothing."""
    return {option.pk: option.label for option in choices.of(name)}
