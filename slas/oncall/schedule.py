"""Who is on call at an instant, the shifts of a stretch of time, and what is wrong with them.

At one level the first of these who is there counts: an override (the one made last first), then the layers from the
last to the first. Somebody who is away or whose account is closed is passed over, and a warning says so.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slas.calendars import CompiledCalendar
from slas.oncall.plan import Plan, RotaSpec


@dataclass(frozen=True)
class Cover:
    """An override: this person has the level from start to end, whatever the layers say. `ref` names its row."""

    person: int
    start: datetime
    end: datetime
    level: int = 1
    ref: int = 0


@dataclass(frozen=True)
class Absence:
    """Somebody is away."""

    person: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class OnCall:
    """Who is on call at one level, and where that comes from: the number of the layer, or the override's `ref`."""

    person: int
    level: int
    layer: int | None
    cover: int | None = None


@dataclass(frozen=True)
class Shift:
    """A stretch in which one person has one level, from one source."""

    start: datetime
    end: datetime
    on_call: OnCall

    @property
    def person(self) -> int:
        """Who."""
        return self.on_call.person

    @property
    def level(self) -> int:
        """On which level."""
        return self.on_call.level


class Warned(StrEnum):
    """What can be wrong with a schedule."""

    NOBODY = "nobody"
    UNPLANNED = "unplanned"
    AWAY = "away"
    INACTIVE = "inactive"
    TWICE = "twice"


@dataclass(frozen=True)
class Alert:
    """Something that somebody should see to: about a person (None: nobody is on call), and who has it instead."""

    kind: Warned
    start: datetime
    end: datetime
    level: int
    person: int | None = None
    covered_by: int | None = None


Claim = tuple[datetime, datetime, OnCall]


class Schedule:
    """A rota with its overrides and everybody's absences. `closed`: people whose accounts are deactivated."""

    def __init__(
        self,
        spec: RotaSpec,
        *,
        covers: Iterable[Cover] = (),
        absences: Iterable[Absence] = (),
        closed: Iterable[int] = (),
        calendars: Mapping[int, CompiledCalendar] | None = None,
    ) -> None:
        self.spec = spec
        self.plan = Plan(spec, calendars or {})
        self.covers = tuple(covers)
        self.absences = tuple(absences)
        self.closed = frozenset(closed)
        self.levels = tuple(sorted({one.level for one in spec.layers} | {one.level for one in self.covers}))

    def at(self, instant: datetime, level: int = 1) -> OnCall | None:
        """Return who is on call at the instant on this level; None where nobody is."""
        return next((found for found in self._claimants_at(instant, level) if self._is_there(found, instant)), None)

    def everybody_at(self, instant: datetime) -> list[OnCall]:
        """Return who is on call at the instant on each level, the first level first."""
        return [found for level in self.levels if (found := self.at(instant, level)) is not None]

    def shifts(self, start: datetime, end: datetime, level: int = 1) -> list[Shift]:
        """Return the shifts of the level in [start, end), clipped to it, in order; joined where nothing changes."""
        claims = [self._without_absent(claims) for claims in self._claims(start, end, level)]
        return list(_joined(_first_of(claims)))

    def all_shifts(self, start: datetime, end: datetime) -> list[Shift]:
        """Return the shifts of all levels in [start, end), in order of time."""
        found = [shift for level in self.levels for shift in self.shifts(start, end, level)]
        return sorted(found, key=lambda shift: (shift.start, shift.level))

    def layer_turns(self, number: int, start: datetime, end: datetime) -> list[Shift]:
        """Return the turns that the layer alone has in [start, end), whoever is away or overridden."""
        layer = self.plan.layers[number]
        return [Shift(a, b, OnCall(who, layer.spec.level, number)) for a, b, who in layer.turns(start, end)]

    def gaps(self, start: datetime, end: datetime, level: int = 1) -> list[tuple[datetime, datetime]]:
        """Return the stretches of [start, end) in which nobody has the level."""
        return _rest(start, end, self.shifts(start, end, level))

    def warnings(self, start: datetime, end: datetime) -> list[Alert]:
        """Return what somebody should see to in [start, end): nobody on call although a layer plans somebody; on the
        first level also where no layer does; people away or gone from their turn; one person on two levels."""
        found: list[Alert] = []
        shifts = {level: self.shifts(start, end, level) for level in self.levels or (1,)}
        for level, own in shifts.items():
            found += self._gap_warnings(start, end, level, own)
            found += self._missing_people(start, end, level, own)
        found += self._on_two_levels(shifts)
        return sorted(found, key=lambda one: (one.start, one.level, one.kind))

    def _gap_warnings(self, start: datetime, end: datetime, level: int, own: Sequence[Shift]) -> Iterator[Alert]:
        planned = [claim for claims in self._claims(start, end, level) for claim in claims]
        for gap in _rest(start, end, own):
            met = _met(gap, planned)
            for a, b in met:
                yield Alert(Warned.NOBODY, a, b, level)
            if level == 1:
                for a, b in _between(gap, met):
                    yield Alert(Warned.UNPLANNED, a, b, level)

    def _missing_people(self, start: datetime, end: datetime, level: int, own: Sequence[Shift]) -> list[Alert]:
        """Where the one who would come first is not there: who has it instead."""
        meant = _joined(_first_of(self._claims(start, end, level)))
        found: list[Alert] = []
        for shift in meant:
            spans: list[tuple[datetime, datetime, Warned]] = []
            if shift.person in self.closed:
                spans.append((shift.start, shift.end, Warned.INACTIVE))
            else:
                away = [(one.start, one.end) for one in self.absences if one.person == shift.person]
                spans += [(a, b, Warned.AWAY) for a, b in _union(away, shift.start, shift.end)]
            for a, b, kind in spans:
                others = [one for one in own if one.start < b and one.end > a]
                instead = others[0].person if others and not _rest(a, b, others) else None
                found.append(Alert(kind, a, b, level, shift.person, instead))
        return found

    def _on_two_levels(self, shifts: Mapping[int, Sequence[Shift]]) -> list[Alert]:
        found = []
        levels = sorted(shifts)
        for i, lower in enumerate(levels):
            for upper in levels[i + 1 :]:
                for one in shifts[lower]:
                    for other in shifts[upper]:
                        a, b = max(one.start, other.start), min(one.end, other.end)
                        if a < b and one.person == other.person:
                            found.append(Alert(Warned.TWICE, a, b, upper, one.person))
        return found

    def _claimants_at(self, instant: datetime, level: int) -> Iterator[OnCall]:
        for cover in self._covers_of(level):
            if cover.start <= instant < cover.end:
                yield OnCall(cover.person, level, None, cover.ref)
        for number, layer in reversed(list(enumerate(self.plan.layers))):
            if layer.spec.level == level and (who := layer.person_at(instant)) is not None:
                yield OnCall(who, level, number)

    def _claims(self, start: datetime, end: datetime, level: int) -> list[list[Claim]]:
        """Return who would have the level, one list for each source, the one that wins first."""
        claims: list[list[Claim]] = []
        for cover in self._covers_of(level):
            a, b = max(cover.start, start), min(cover.end, end)
            if a < b:
                claims.append([(a, b, OnCall(cover.person, level, None, cover.ref))])
        for number, layer in reversed(list(enumerate(self.plan.layers))):
            if layer.spec.level == level:
                claims.append([(a, b, OnCall(who, level, number)) for a, b, who in layer.turns(start, end)])
        return claims

    def _covers_of(self, level: int) -> list[Cover]:
        own = [cover for cover in self.covers if cover.level == level]
        return sorted(own, key=lambda cover: cover.ref, reverse=True)

    def _is_there(self, found: OnCall, instant: datetime) -> bool:
        if found.person in self.closed:
            return False
        return not any(one.person == found.person and one.start <= instant < one.end for one in self.absences)

    def _without_absent(self, claims: Iterable[Claim]) -> list[Claim]:
        found: list[Claim] = []
        for start, end, who in claims:
            if who.person in self.closed:
                continue
            away = [(one.start, one.end) for one in self.absences if one.person == who.person]
            found += [(a, b, who) for a, b in _between((start, end), _union(away, start, end))]
        return found


def _first_of(sources: Sequence[Sequence[Claim]]) -> Iterator[Shift]:
    """Yield for each stretch between two changes the claim of the first source that has one."""
    edges = sorted({edge for claims in sources for start, end, _who in claims for edge in (start, end)})
    at = [0] * len(sources)
    for start, end in itertools.pairwise(edges):
        for number, claims in enumerate(sources):
            while at[number] < len(claims) and claims[at[number]][1] <= start:
                at[number] += 1
            if at[number] < len(claims) and claims[at[number]][0] <= start:
                yield Shift(start, end, claims[at[number]][2])
                break


def _joined(shifts: Iterable[Shift]) -> Iterator[Shift]:
    last: Shift | None = None
    for shift in shifts:
        if last is not None and last.end == shift.start and last.on_call == shift.on_call:
            last = Shift(last.start, shift.end, last.on_call)
            continue
        if last is not None:
            yield last
        last = shift
    if last is not None:
        yield last


def _rest(start: datetime, end: datetime, shifts: Iterable[Shift]) -> list[tuple[datetime, datetime]]:
    """What of [start, end) none of the shifts (in order) holds."""
    return _between((start, end), _union([(shift.start, shift.end) for shift in shifts], start, end))


def _union(
    spans: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """The spans joined, in order, and clipped to [start, end)."""
    joined: list[tuple[datetime, datetime]] = []
    for a, b in sorted((max(a, start), min(b, end)) for a, b in spans):
        if a >= b:
            continue
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], b))
        else:
            joined.append((a, b))
    return joined


def _met(span: tuple[datetime, datetime], claims: Iterable[Claim]) -> list[tuple[datetime, datetime]]:
    return _union([(a, b) for a, b, _who in claims], *span)


def _between(
    span: tuple[datetime, datetime], taken: Iterable[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """What of the span none of the others (in order, apart) holds."""
    found, at = [], span[0]
    for a, b in taken:
        if at < a:
            found.append((at, a))
        at = b
    if at < span[1]:
        found.append((at, span[1]))
    return found
