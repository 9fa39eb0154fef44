"""Going through a ticket's past in memory: which clocks it has, or would have had, under what was or could be promised.

It is the book and the rules of production (`slas.actions`) that are driven; only nothing is read or stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from itsm.tickets.actors import SYSTEM
from itsm.tickets.models import NO_TARGET
from slas.actions.book import Book
from slas.actions.following import follow_state, happening_at
from slas.history import Moment
from slas.models import Run, Timer
from slas.past import KnownPast, answers
from slas.plans import Key, Levels, Plan
from slas.recording import Fired

LevelsAt = Callable[[datetime], Levels]
Zones = Callable[[Key, int, datetime], str | None]
"""The zone of a cycle (by kind and metric, and number) from the instant on, where it is known."""


def unknown(key: Key, cycle_no: int, at: datetime) -> None:
    """Know of no zone: the goals say it."""


@dataclass
class Simulated:
    """What came of a ticket's clocks: the timers, the closed stretches of each, and the steps that happened.

    No row of it is stored. `runs` and `events` are in the order in which they came about.
    """

    timers: list[Timer] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    events: list[Fired] = field(default_factory=list)

    def runs_of(self, timer: Timer) -> list[Run]:
        """Return the closed stretches of the timer in order."""
        return [run for run in self.runs if run.timer is timer]

    def events_of(self, timer: Timer) -> list[Fired]:
        """Return the steps of the timer that happened, in order."""
        return [event for event in self.events if event.timer is timer]


class MemoryBook(Book):
    """A book of timers that are nowhere stored."""

    def __init__(
        self, ticket: Any, simulated: Simulated, *, at: datetime, past: KnownPast, now: datetime, zones: Zones
    ) -> None:
        super().__init__(ticket, simulated.timers, at=at, actor=SYSTEM, for_tick=False)
        self._simulated = simulated
        self._zones = zones
        self.past = past
        self.now = now

    def zone_under(self, plan: Plan, cycle_no: int) -> str:
        """Return the zone that is known of the cycle, else what the plan says."""
        known = self._zones(plan.key, cycle_no, self.at)
        return known if known is not None else super().zone_under(plan, cycle_no)

    def write(self) -> None:
        """Hand over what happened to the simulation."""
        self._simulated.timers[:] = self.timers
        self._simulated.runs += self._runs
        self._simulated.events += sorted(self._fired, key=lambda fired: fired.at)
        self.ticket.queue_due_at = self.next_due()

    def _stored_runs(self, timer: Timer) -> Sequence[Run]:
        return self._simulated.runs_of(timer)


def simulate(
    moments: Iterable[Moment],
    levels: Levels | LevelsAt,
    *,
    until: datetime,
    zones: Zones = unknown,
    between: Mapping[int, Sequence[Callable[[Book], None]]] | None = None,
) -> Simulated:
    """Return the clocks of a ticket with this past, as they stand at `until` (aware).

    `levels`: what is promised all the time, or a function that says it for the instant at which a moment was recorded.
    `zones`: the zone of a cycle, where it is known from elsewhere. `between`: moves that no event tells of, by the
    number of the event before them; each is given a book at the moment of that event and may set its `at`.

    Nothing is read from the database except by conditions that name teams, services or people, which `Levels.frozen`
    look up once; nothing is stored.
    """
    simulated = Simulated()
    gone: list[Moment] = []
    answered = False
    next_due = NO_TARGET
    for moment in moments:
        if moment.at > until:
            break
        gone.append(moment)
        answered = answered or answers(moment)
        past = KnownPast(gone, answered=answered)
        moment.ticket.queue_due_at = next_due

        def book(at: datetime, moment: Moment = moment, past: KnownPast = past) -> MemoryBook:
            return MemoryBook(moment.ticket, simulated, at=at, past=past, now=until, zones=zones)

        if moment.concerns_clocks:
            at_hand = book(moment.at)
            follow_state(at_hand, happening_at(moment), levels(moment.recorded_at) if callable(levels) else levels)
            at_hand.write()
        for move in (between or {}).get(moment.seq, ()):
            at_hand = book(moment.at)
            move(at_hand)
            at_hand.write()
        next_due = moment.ticket.queue_due_at
    _catch_up(simulated, gone, until)
    return simulated


def _catch_up(simulated: Simulated, moments: Sequence[Moment], until: datetime) -> None:
    if not moments:
        return
    book = MemoryBook(
        moments[-1].ticket, simulated, at=until, past=KnownPast(moments, answered=False), now=until, zones=unknown
    )
    for timer in book.active():
        book.catch_up(timer, until)
    book.write()
