"""Problems, what was communicated of them, and the trends from which they are proposed."""

from problems.models.communication import Communication, CommunicationTarget, Told
from problems.models.problem import (
    KnownErrorRule,
    Problem,
    ProblemSettings,
    TimelineEntry,
    WorkaroundVersion,
)
from problems.models.trends import Basis, Dismissal, RunState, TrendCandidate, TrendItem, TrendRun

__all__ = [
    "Basis",
    "Communication",
    "CommunicationTarget",
    "Dismissal",
    "KnownErrorRule",
    "Problem",
    "ProblemSettings",
    "RunState",
    "TimelineEntry",
    "Told",
    "TrendCandidate",
    "TrendItem",
    "TrendRun",
    "WorkaroundVersion",
]
