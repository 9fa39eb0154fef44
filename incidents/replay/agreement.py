"""How far a rule agrees with what the log says: in numbers, and case by case where it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from incidents.replay.verdicts import Verdict, Verdicts
from incidents.statuses import Status
from slas.calendars import compile as compile_calendar
from slas.fitting import Rule

NEAR_S = 120
# What may explain a disagreement; the first that holds is named.
KINDS: dict[str, Promise] = {
    "reopened": _("reopened after it was resolved or closed"),
    "closed_again": _("saved again after it was closed"),
    "new_priority": _("its priority changed on the way"),
    "near": _("within two minutes of the target: the log's times have no seconds"),
    "other": _("nothing in the log explains it"),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """The four counts of a rule against the log: what the log says, then what the rule says."""

    kept_kept: int
    kept_missed: int
    missed_kept: int
    missed_missed: int

    @property
    def total(self) -> int:
        """How many incidents were judged."""
        return self.kept_kept + self.kept_missed + self.missed_kept + self.missed_missed

    @property
    def agreed(self) -> int:
        """How many of them the rule judges as the log does."""
        return self.kept_kept + self.missed_missed

    @property
    def guessed(self) -> int:
        """How many would be right if all were given the outcome that the log has more often."""
        return max(self.kept_kept + self.kept_missed, self.missed_kept + self.missed_missed)

    def as_plain(self) -> dict[str, Any]:
        """Return the counts and shares as plain values; a share of nothing is None."""
        return {
            "incidents": self.total,
            "log_kept_rule_kept": self.kept_kept,
            "log_kept_rule_missed": self.kept_missed,
            "log_missed_rule_kept": self.missed_kept,
            "log_missed_rule_missed": self.missed_missed,
            "agreement": share(self.agreed, self.total),
            "majority_guess": share(self.guessed, self.total),
            "of_kept": share(self.kept_kept, self.kept_kept + self.kept_missed),
            "of_missed": share(self.missed_missed, self.missed_kept + self.missed_missed),
        }


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One incident that the rule judges otherwise than the log; times in seconds of open time."""

    number: str
    made: bool
    needed_s: int
    target_s: int | None
    kind: str
    held_out: bool

    def as_plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "number": self.number,
            "made_sla": self.made,
            "needed_s": self.needed_s,
            "target_s": self.target_s,
            "kind": self.kind,
            "held_out": self.held_out,
        }


def compare(
    rule: Rule, verdicts: Verdicts, places: Sequence[int], *, held_out: bool
) -> tuple[Agreement, list[Disagreement]]:
    """Return how the rule agrees with the log on the incidents at these places, and each that it judges otherwise."""
    met = rule.judge(places)
    counts = Counter(zip((verdicts.kept[place].made for place in places), met, strict=True))
    others = [place for place, kept in zip(places, met, strict=True) if kept != verdicts.kept[place].made]
    needed = rule.clock.needed_s(compile_calendar(rule.spec), others)
    differing = [
        _disagreement(rule, verdicts.kept[place], rule.levels.of[place], needed_s, held_out)
        for place, needed_s in zip(others, needed, strict=True)
    ]
    agreement = Agreement(counts[True, True], counts[True, False], counts[False, True], counts[False, False])
    return agreement, differing


def share(part: int, whole: int) -> float | None:
    """Return the part of the whole, to six places; None of nothing."""
    return round(part / whole, 6) if whole else None


def _disagreement(rule: Rule, verdict: Verdict, level: int, needed_s: int, held_out: bool) -> Disagreement:
    fitted = rule.targets.get(level)
    target_s = fitted.target_s if fitted else None
    kind = _kind(verdict, needed_s, target_s)
    return Disagreement(verdict.number, verdict.made, needed_s, target_s, kind, held_out)


def _kind(verdict: Verdict, needed_s: int, target_s: int | None) -> str:
    tests: dict[str, Callable[[], bool]] = {
        "reopened": lambda: verdict.times_in(Status.RESOLVED) > 1 or verdict.times_in(Status.CLOSED) > 1,
        "closed_again": lambda: verdict.saves_in(Status.CLOSED) > 1,
        "new_priority": lambda: len(set(verdict.priorities)) > 1,
        "near": lambda: target_s is not None and abs(needed_s - target_s) <= NEAR_S,
    }
    return next((kind for kind, holds in tests.items() if holds()), "other")
