"""The best targets for given elapsed times: one sweep over the sorted values for each level, O(n log n)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

HOUR = 3600
# From the roundest: a day and night, a working day, half of it, an hour, and so down to the second.
ROUND = (24 * HOUR, 8 * HOUR, 4 * HOUR, HOUR, 1800, 900, 300, 60, 1)


@dataclass(frozen=True, slots=True)
class Fitted:
    """The target of one level. Every whole second in [low_s, high_s) errs as little; `high_s` None: without end."""

    target_s: int
    low_s: int
    high_s: int | None
    errors: int
    cases: int

    @property
    def roughness(self) -> int:
        """How far the target is from a round one: 0 is the roundest."""
        return next(place for place, step in enumerate(ROUND) if self.target_s % step == 0)


def fit_target(needed_s: Sequence[int], made: Sequence[bool], day_s: int = 0) -> Fitted:
    """Return the target that errs least, given the least target under which each case is met and what the desk says.

    Of targets that err equally it is a whole number of the calendar's days (`day_s`, 0: no such days), else the
    roundest, else the shortest.
    """
    change: defaultdict[int, int] = defaultdict(int)
    for needed, kept in zip(needed_s, made, strict=True):
        change[needed] += -1 if kept else 1
    errors = sum(made)
    ranges: list[tuple[int, int, int | None]] = []
    start = 1
    for needed in sorted(change):
        if needed > start:
            ranges.append((errors, start, needed))
        errors += change[needed]
        start = needed
    ranges.append((errors, start, None))
    least = min(ranges)[0]
    best = [(low, high) for count, low, high in _joined(ranges) if count == least]
    _rank, target, low, high = min((*_roundest(low, high, day_s), low, high) for low, high in best)
    return Fitted(target_s=target, low_s=low, high_s=high, errors=least, cases=len(needed_s))


def fit_levels(
    levels: Sequence[int], needed_s: Sequence[int], made: Sequence[bool], day_s: int = 0
) -> dict[int, Fitted]:
    """Return the best target of each level, in order of level. The levels do not depend on one another."""
    groups: defaultdict[int, tuple[list[int], list[bool]]] = defaultdict(lambda: ([], []))
    for level, needed, kept in zip(levels, needed_s, made, strict=True):
        values, outcomes = groups[level]
        values.append(needed)
        outcomes.append(kept)
    return {level: fit_target(*groups[level], day_s) for level in sorted(groups)}


def is_met(targets: Mapping[int, Fitted], level: int, needed_s: int) -> bool:
    """Return whether a case of this level is met. A level for which no target was found is never met."""
    fitted = targets.get(level)
    return fitted is not None and needed_s <= fitted.target_s


def _joined(ranges: Iterable[tuple[int, int, int | None]]) -> list[tuple[int, int, int | None]]:
    joined: list[tuple[int, int, int | None]] = []
    for count, low, high in ranges:
        if joined and joined[-1][0] == count:
            joined[-1] = (count, joined[-1][1], high)
        else:
            joined.append((count, low, high))
    return joined


def _roundest(low: int, high: int | None, day_s: int) -> tuple[int, int]:
    for rank, step in enumerate((day_s, *ROUND)):
        target = -(-low // step) * step if step else 0
        if target and (high is None or target < high):
            return rank, target
    raise ValueError("A range of targets holds at least one second.")
