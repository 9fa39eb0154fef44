"""A timer's life as stretches: when it ran and by which hours, when it stood still and who or what made it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q

from itsm.accounts.models import User
from itsm.tickets.events import event_type, people_in
from itsm.tickets.models import TicketEvent
from slas.calendars import CompiledCalendar
from slas.explain.days import Way, way
from slas.models import CalendarVersion, Run, State, Timer

ENDINGS = ("resolved", "closed", "cancelled")
OWN_EVENTS = "sla."
MOST_EVENTS = 300


class Being(StrEnum):
    """What a timer does in a stretch."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Cause:
    """The event of the ticket's log with which a stretch began."""

    seq: int
    code: str
    at: datetime
    text: str
    actor: str
    icon: str


@dataclass(frozen=True)
class Hours:
    """The hours that a stretch is measured by."""

    calendar: str
    version: int
    time_zone: str


@dataclass(frozen=True)
class Stretch:
    """A stretch from `started_at` to `ended_at` (None: it goes on). `elapsed_us` is the open time that counted: none
    while it stood still, when `open_us` says how much open time passed without counting. `before_us`: what had
    counted when it began. `way` lists the days of a stretch in which it ran."""

    being: Being
    started_at: datetime
    ended_at: datetime | None
    elapsed_us: int
    open_us: int
    before_us: int
    hours: Hours
    cause: Cause | None
    measure: CompiledCalendar = field(repr=False, compare=False)
    version: CalendarVersion = field(repr=False, compare=False)
    way: Way | None = None


def stretches_of(timer: Timer, runs: Sequence[Run], now: datetime) -> tuple[Stretch, ...]:
    """Return the timer's stretches in order, gaps between runs included, as they stand at `now`.

    `runs` are its closed runs in order with their calendar versions. Two queries: the events, and the people they name.
    """
    parts = _parts(timer, runs, now)
    causes = causes_at(timer.ticket_id, [start for start, _end, _hours, _ran in parts])
    found: list[Stretch] = []
    before = 0
    for start, end, measured, ran in parts:
        version, compiled, elapsed = measured
        cause = causes.get(start)
        ended = end if end is not None else max(now, start)
        being = Being.RUNNING if ran else _standing(cause, found, timer, end)
        found.append(
            Stretch(
                being,
                start,
                end,
                elapsed,
                elapsed if ran else compiled.open_us(start, ended),
                before,
                Hours(version.calendar.name, version.number, compiled.spec.time_zone),
                cause,
                compiled,
                version,
                way(compiled, start, ended, version.name_of) if ran else None,
            )
        )
        before += elapsed
    return tuple(found)


Measured = tuple[CalendarVersion, CompiledCalendar, int]
Part = tuple[datetime, datetime | None, Measured, bool]


def _parts(timer: Timer, runs: Iterable[Run], now: datetime) -> list[Part]:
    parts: list[Part] = []
    reached = timer.started_at
    last: tuple[CalendarVersion, CompiledCalendar] = (timer.calendar_version, timer.hours)
    for run in runs:
        if run.started_at > reached:
            parts.append((reached, run.started_at, (*last, 0), False))
        last = (run.calendar_version, run.hours)
        parts.append((run.started_at, run.ended_at, (*last, run.elapsed_us), True))
        reached = run.ended_at
    if timer.run_started_at is not None:
        if timer.run_started_at > reached:
            parts.append((reached, timer.run_started_at, (*last, 0), False))
        current = (timer.calendar_version, timer.hours)
        so_far = timer.hours.open_us(timer.run_started_at, max(now, timer.run_started_at))
        parts.append((timer.run_started_at, None, (*current, so_far), True))
    elif timer.state == State.PAUSED:
        parts.append((reached, None, (*last, 0), False))
    elif timer.stopped_at is not None and timer.stopped_at > reached:
        parts.append((reached, timer.stopped_at, (*last, 0), False))
    return parts


def _standing(cause: Cause | None, before: Sequence[Stretch], timer: Timer, end: datetime | None) -> Being:
    """Return whether a gap is a pause, or the time between an ending and a reopening."""
    ended = cause is not None and cause.code.rpartition(".")[2] in ENDINGS
    return Being.STOPPED if ended and end is not None and before else Being.PAUSED


def causes_at(ticket_id: int, instants: Iterable[datetime]) -> dict[datetime, Cause]:
    """Return for each instant the event of the ticket that happened then, if any: the first that was not the clock's
    own. Two queries."""
    wanted = list(dict.fromkeys(instants))
    events = TicketEvent.objects.filter(ticket_id=ticket_id, at__in=wanted).exclude(code__startswith=OWN_EVENTS)
    return _by_instant(list(events.select_related("actor").order_by("seq")[:MOST_EVENTS]))


def changes_of(ticket_id: int, fields: Iterable[str], since: datetime) -> list[Cause]:
    """Return the events from `since` on that changed one of these fields of the ticket, oldest first. Two queries."""
    asked = Q()
    for name in fields:
        asked |= Q(data__changes__has_key=name)
    if not asked:
        return []
    events = TicketEvent.objects.filter(asked, ticket_id=ticket_id, at__gt=since)
    found = list(events.select_related("actor").order_by("seq")[:MOST_EVENTS])
    names = _names(found)
    return [_cause(event, names) for event in found]


def _by_instant(events: Sequence[TicketEvent]) -> dict[datetime, Cause]:
    names = _names(events)
    found: dict[datetime, Cause] = {}
    for event in events:
        found.setdefault(event.at, _cause(event, names))
    return found


def _names(events: Iterable[TicketEvent]) -> dict[int, str]:
    people: set[int] = set().union(*(people_in(event.data) for event in events))
    return dict(User.objects.filter(pk__in=people).values_list("pk", "display_name")) if people else {}


def _cause(event: TicketEvent, names: Mapping[int, str]) -> Cause:
    known: Any = event_type(event.code)
    actor = event.actor.display_name if event.actor else ""
    return Cause(event.seq, event.code, event.at, known.wording(event.data, names), actor, known.icon)
