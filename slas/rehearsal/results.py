"""What came of a trial: how many clocks would have been met, beside how many were, by month, goal and team."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from slas.models import Trial, TrialRow
from slas.whatif.effects import BREACHED, NONE, OPEN

MET, MISSED, CANCELLED = "met", "missed", "cancelled"
LATE = (MISSED, BREACHED)
MOST_GOALS = 200


def counts(verdict: str) -> dict[str, Count]:
    """Return the counts that make up a compliance, of the verdicts in this column."""
    return {
        f"{verdict}_met": Count("pk", filter=Q(**{verdict: MET})),
        f"{verdict}_late": Count("pk", filter=Q(**{f"{verdict}__in": LATE})),
        f"{verdict}_open": Count("pk", filter=Q(**{verdict: OPEN})),
        f"{verdict}_cancelled": Count("pk", filter=Q(**{verdict: CANCELLED})),
        f"{verdict}_none": Count("pk", filter=Q(**{verdict: NONE})),
    }


def summary(trial: Trial) -> dict[str, Any]:
    """Return the result of a trial on past tickets as plain values. Six queries, whatever its size.

    `months`, `teams` and `goals` are lists of `{"name", "would": {...}, "did": {...}}`; a side has `met`, `late`,
    `open`, `cancelled`, `none` and `share`: met of met and late, from 0 to 1, or null where there is neither.
    """
    rows = TrialRow.objects.filter(trial=trial)
    both = {**counts("verdict"), **counts("real_verdict")}
    whole = rows.aggregate(**both)
    moved = rows.aggregate(
        gained=Count("pk", filter=Q(verdict__in=LATE) & ~Q(real_verdict__in=LATE)),
        lost=Count("pk", filter=Q(real_verdict__in=LATE) & ~Q(verdict__in=LATE)),
    )
    return {
        "whole": _line("", whole),
        "gained": moved["gained"],
        "lost": moved["lost"],
        "months": _lines(rows.values(name=F("month")).annotate(**both).order_by("month")),
        "teams": _lines(rows.values(name=F("team__name")).annotate(**both).order_by("team__name")),
        "goals": [
            *_sided(rows.exclude(goal="").values(name=F("goal")).annotate(**counts("verdict")), "would"),
        ],
        "real_goals": [
            *_sided(rows.exclude(real_goal="").values(name=F("real_goal")).annotate(**counts("real_verdict")), "did"),
        ],
    }


def _lines(found: Iterable[Any]) -> list[dict[str, Any]]:
    return [_line(str(row["name"] or ""), row) for row in found]


def _line(name: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "would": side(row, "verdict"), "did": side(row, "real_verdict")}


def _sided(found: Any, which: str) -> list[dict[str, Any]]:
    column = "verdict" if which == "would" else "real_verdict"
    return [{"name": row["name"], which: side(row, column)} for row in found.order_by("name")[:MOST_GOALS]]


def side(row: dict[str, Any], verdict: str) -> dict[str, Any]:
    """Return one side of a line."""
    names = ("met", "late", "open", "cancelled", "none")
    values: dict[str, Any] = {name: row[f"{verdict}_{name}"] for name in names}
    ended = values["met"] + values["late"]
    return {**values, "share": round(values["met"] / ended, 6) if ended else None}


def verdict_words(verdict: str) -> str:
    """Return a verdict in words."""
    words = {
        MET: _("met"),
        MISSED: _("missed"),
        BREACHED: _("late, goes on"),
        OPEN: _("goes on"),
        CANCELLED: _("cancelled"),
        NONE: _("no clock"),
    }
    return words.get(verdict, verdict)
