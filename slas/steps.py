"""What a step of an escalation is known by: one number that says when it lies, so that rows and events can name it.

A percentage of the target is its own code (100 is the breach). An offset from the due time is coded by its minutes,
counted in open time or by the wall clock. Two chains that mean the same instant mean the same step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

BREACH = 100
LARGEST_PERCENT = 1000
LARGEST_OFFSET = 400_000  # minutes; about nine months


class By(StrEnum):
    """By which clock an offset is counted."""

    BUSINESS = "business"
    WALL = "wall"


_BASES = {By.BUSINESS: 1_000_000, By.WALL: 3_000_000}


@dataclass(frozen=True)
class Step:
    """When a step lies: at a percentage of the target, or so many minutes after (below zero: before) the due time."""

    percent: int | None = None
    minutes: int = 0
    by: By = By.BUSINESS

    @property
    def code(self) -> int:
        """The number that stands for the step in rows and events. No minutes from the due time: the breach itself."""
        if self.percent is not None:
            return self.percent
        return _BASES[self.by] + self.minutes if self.minutes else BREACH

    @property
    def is_breach(self) -> bool:
        """Whether this is the due time itself."""
        return self.code == BREACH

    @property
    def is_after(self) -> bool:
        """Whether it lies after the due time."""
        return self.percent > BREACH if self.percent is not None else self.minutes > 0


@lru_cache(maxsize=1024)
def step_of(code: int) -> Step:
    """Return the step that the code stands for."""
    for by, base in reversed(_BASES.items()):
        if code >= base - LARGEST_OFFSET:
            return Step(minutes=code - base, by=by)
    return Step(percent=code)


def code_of(stored: Mapping[str, Any]) -> int:
    """Return the code of a step as a chain version stores it."""
    if "percent" in stored:
        return int(stored["percent"])
    return Step(minutes=int(stored["minutes"]), by=By(stored.get("clock", By.BUSINESS))).code
