"""What the clocks of a ticket should say, from the list of what happened alone: no book, no rows, no conditions.

Everything is computed anew from the beginning at every question. Instants are those of the events; `later` moves all of
them into the past together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from slas.calendars import CompiledCalendar

US = 1_000_000
HOUR = 3600
TARGET = 3 * HOUR * US
RESOLUTION = {True: 4 * HOUR * US, False: 8 * HOUR * US}
NEVER_PAUSED = ("update", "supplier")


@dataclass
class Cycle:
    """One clock: when it began and ended, the stretches in which it ran, and with which team."""

    metric: str
    start: datetime
    stretches: list[tuple[datetime, datetime, CompiledCalendar]] = field(default_factory=list)
    stop: datetime | None = None
    team: int | None = None
    cancelled: bool = False

    def elapsed(self) -> int:
        return sum(hours.open_us(a, b) for a, b, hours in self.stretches)

    def used_up_at(self, target: int) -> datetime | None:
        """Return the first instant within a stretch at which the target is used up."""
        left = target
        for a, b, hours in self.stretches:
            length = hours.open_us(a, b)
            instant = hours.due(a, left) if length >= left else b
            if instant < b:
                return instant
            left -= length
        return None


@dataclass
class Said:
    """What the naive model says of a clock."""

    metric: str
    state: str
    started_at: datetime
    stopped_at: datetime | None
    elapsed: int
    late_since: datetime | None
    team: int | None


class Naive:
    """The list of what happened, as `(what, when, value)`, and the hours."""

    def __init__(self, hours: CompiledCalendar) -> None:
        self.first_hours = hours
        self.events: list[tuple[str, datetime, Any]] = []

    def add(self, what: str, when: datetime, value: Any = None) -> None:
        self.events.append((what, when, value))

    def later(self, by: timedelta) -> None:
        """Let it all have happened earlier."""
        self.events = [(what, when - by, value) for what, when, value in self.events]

    def tell(self, now: datetime) -> list[Said]:
        """Return every clock that the ticket has had, as it stands now."""
        walk = Walk(self.first_hours)
        for what, when, value in self.events:
            walk.until(when)
            walk.happen(what, when, value)
        walk.until(now)
        return [walk.said(cycle) for cycle in walk.cycles]


class Walk:
    """Going through the list once."""

    def __init__(self, hours: CompiledCalendar) -> None:
        self.cycles: list[Cycle] = []
        self.hours = hours
        self.now: datetime | None = None
        self.urgent = self.held = self.answered = self.ended = False
        self.team: int | None = None

    def active(self, metric: str) -> Cycle | None:
        return next((one for one in self.cycles if one.metric == metric and one.stop is None), None)

    def last(self, metric: str) -> Cycle | None:
        return next((one for one in reversed(self.cycles) if one.metric == metric), None)

    def until(self, now: datetime) -> None:
        """Let time go on: clocks run unless they stand still."""
        if self.now is not None:
            for cycle in self.cycles:
                if cycle.stop is None and (not self.held or cycle.metric in NEVER_PAUSED):
                    cycle.stretches.append((self.now, now, self.hours))
        self.now = now

    def start(self, metric: str, when: datetime) -> None:
        self.cycles.append(Cycle(metric, when, team=self.team if metric == "team_stay" else None))

    def stop(self, metric: str, when: datetime) -> None:
        cycle = self.active(metric)
        if cycle is not None:
            cycle.stop = when

    def happen(self, what: str, when: datetime, value: Any) -> None:
        getattr(self, f"on_{what}")(when, value)

    def on_open(self, when: datetime, value: Any) -> None:
        self.start("response", when)
        self.start("resolution", when)

    def on_answer(self, when: datetime, value: Any) -> None:
        self.answered = True
        if self.ended:
            return
        for metric in ("response", "next_response", "update"):
            self.stop(metric, when)
        self.start("update", when)

    def on_ask(self, when: datetime, value: Any) -> None:
        if not self.ended and self.answered and self.active("next_response") is None:
            self.start("next_response", when)

    def on_hold(self, when: datetime, value: Any) -> None:
        self.held = True
        if value == "awaiting_vendor":
            self.start("supplier", when)

    def on_resume(self, when: datetime, value: Any) -> None:
        self.held = False
        self.stop("supplier", when)

    def on_priority(self, when: datetime, value: Any) -> None:
        self.urgent = value == 1

    def on_team(self, when: datetime, value: Any) -> None:
        self.team = value
        if self.ended:
            return
        self.stop("team_stay", when)
        if value is not None:
            self.start("team_stay", when)

    def on_resolve(self, when: datetime, value: Any) -> None:
        self.answered = self.ended = True
        self.held = False
        for cycle in self.cycles:
            cycle.stop = cycle.stop or when

    def on_reopen(self, when: datetime, value: Any) -> None:
        self.ended = False
        resolution, stay = self.last("resolution"), self.last("team_stay")
        if resolution is not None:
            resolution.stop = None
        if stay is not None and stay.team == self.team:
            stay.stop = None
        elif self.team is not None:
            self.start("team_stay", when)
        self.start("update", when)
        if value == "ask":
            self.on_ask(when, None)
        if value == "answer":
            # The message that came with the reopening: an update that begins and a response long given.
            self.answered = True

    def on_cancel(self, when: datetime, value: Any) -> None:
        self.ended = True
        for cycle in self.cycles:
            if cycle.stop is None:
                cycle.stop, cycle.cancelled = when, True

    def on_hours(self, when: datetime, value: CompiledCalendar) -> None:
        self.hours = value

    def said(self, cycle: Cycle) -> Said:
        target = RESOLUTION[self.urgent] if cycle.metric == "resolution" else TARGET
        late = cycle.used_up_at(target)
        if cycle.cancelled:
            state = "cancelled"
        elif cycle.stop is not None:
            state = "missed" if late is not None else "met"
        else:
            state = "paused" if self.held and cycle.metric not in NEVER_PAUSED else "running"
        return Said(cycle.metric, state, cycle.start, cycle.stop, cycle.elapsed(), late, cycle.team)
