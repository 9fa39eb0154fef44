"""The search: which clock, which level and which hours reproduce what the desk says about its targets.

1. Every reading of the log (clock x level) by a few plain calendars.
2. Every shape of whole hours by the best readings.
3. From the best of them, one difference at a time (hours, weekdays, noon, holidays, zone) while that errs less; ties go
   to what says less and to rounder targets.
4. Every reading again by the calendar found, and from 2 once more if another reading now errs less.

Targets are not searched: for given elapsed times `slas.fitting.targets` has the best ones exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from slas.calendars import CalendarSpec, compile  # noqa: A004 - the calendars' own word
from slas.fitting.cases import Clock, Levels, Log
from slas.fitting.shapes import Shape, hourly_shapes, plain_shapes
from slas.fitting.targets import Fitted, fit_levels, is_met

READINGS_SEARCHED = 2
SHAPES_REFINED = 6
ROUNDS = 3

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Rule:
    """A complete rule, and how many of the cases that it was fitted on it judges otherwise than the desk."""

    clock: Clock
    levels: Levels
    shape: Shape
    spec: CalendarSpec
    targets: dict[int, Fitted]

    @property
    def errors(self) -> int:
        """Return the number of cases that it was fitted on and judges otherwise."""
        return sum(fitted.errors for fitted in self.targets.values())

    @property
    def rank(self) -> tuple[object, ...]:
        """Return what rules are compared by: fewer errors, then fewer words, then rounder targets."""
        roughness = sum(fitted.roughness for fitted in self.targets.values())
        return self.errors, self.clock.cost + self.levels.cost, self.shape.cost, roughness, self.shape

    def judge(self, cases: Sequence[int]) -> list[bool]:
        """Return for each of the cases whether this rule says that its target was kept."""
        needed = self.clock.needed_s(compile(self.spec), cases)
        return [is_met(self.targets, self.levels.of[case], value) for case, value in zip(cases, needed, strict=True)]


@dataclass
class Found:
    """The best rule and every other that was tried, best first."""

    best: Rule
    tried: list[Rule]


@dataclass
class _Search:
    log: Log
    cases: Sequence[int]
    zone: str
    years: tuple[int, int]
    middle: datetime
    progress: Progress
    made: list[bool] = field(init=False)
    known: dict[tuple[str, str, CalendarSpec], Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.made = [self.log.cases[case].made for case in self.cases]

    def try_out(self, clock: Clock, readings: Iterable[Levels], shape: Shape) -> list[Rule]:
        """Return the rule for each reading of the level; one measuring serves them all."""
        spec = shape.spec(self.years)
        needed: list[int] | None = None
        rules = []
        for levels in readings:
            key = (clock.name, levels.name, spec)
            rule = self.known.get(key)
            if rule is None or rule.shape.cost > shape.cost:
                if needed is None:
                    needed = clock.needed_s(compile(spec), self.cases)
                of = [levels.of[case] for case in self.cases]
                rule = Rule(clock, levels, shape, spec, fit_levels(of, needed, self.made, shape.day_s))
                self.known[key] = rule
                self.progress(len(self.known))
            rules.append(rule)
        return rules

    def compare_readings(self, shapes: Iterable[Shape]) -> list[Rule]:
        """Return the best rule of each reading by these shapes, best first."""
        best: dict[tuple[str, str], Rule] = {}
        for shape in shapes:
            for clock in self.log.clocks:
                for rule in self.try_out(clock, self.log.levels, shape):
                    key = (clock.name, rule.levels.name)
                    best[key] = min(best.get(key, rule), rule, key=lambda one: one.rank)
        return sorted(best.values(), key=lambda one: one.rank)

    def find_hours(self, reading: Rule) -> Rule:
        """Return the best rule with the reading of the given one, from the hourly grid on."""
        clock, levels = reading.clock, (reading.levels,)
        shapes = {reading.shape, *hourly_shapes(self.zone)}
        rules = sorted((self.try_out(clock, levels, shape)[0] for shape in shapes), key=lambda one: one.rank)
        return min((self.descend(rule) for rule in rules[:SHAPES_REFINED]), key=lambda one: one.rank)

    def descend(self, rule: Rule) -> Rule:
        """Return the rule at which no single difference of the hours helps any more."""
        while True:
            shapes = rule.shape.neighbours(self.middle, self.zone)
            near = (self.try_out(rule.clock, (rule.levels,), shape)[0] for shape in shapes)
            best = min(near, key=lambda one: one.rank)
            if best.rank >= rule.rank:
                return rule
            rule = best


def search(log: Log, cases: Sequence[int], *, zone: str, span: tuple[datetime, datetime], progress: Progress) -> Found:
    """Return the rule that judges the cases most as the desk does; `zone` is where the search of hours begins.

    `span`: the first and the last instant of the log. `progress` is told how many rules have been tried. Raises
    ValueError where there are no cases, no clocks or no levels.
    """
    if not (cases and log.clocks and log.levels):
        raise ValueError("A rule can be found only from cases with clocks and levels.")
    years = (span[0].year, span[1].year)
    work = _Search(log, cases, zone, years, span[0] + (span[1] - span[0]) / 2, progress)
    readings = work.compare_readings(plain_shapes(zone))
    best = min((work.find_hours(reading) for reading in readings[:READINGS_SEARCHED]), key=lambda one: one.rank)
    for _round in range(ROUNDS):
        again = work.compare_readings([best.shape])[0]
        if again.rank >= best.rank:
            break
        best = min(again, work.find_hours(again), key=lambda one: one.rank)
    return Found(best, sorted(work.known.values(), key=lambda one: one.rank))
