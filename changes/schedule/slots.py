"""When a change could be made instead: the next times that nothing stands against (CH-8)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from django.utils import timezone

from changes.models import AffectedService, Change, Weight, WindowKind
from changes.schedule.facts import (
    Booking,
    Planned,
    Window,
    active_windows,
    planned_between,
    relatives,
    task_bookings,
)
from changes.schedule.occurrences import Span, covered, joined, within, without
from slas.models import TimeOff

AHEAD = timedelta(days=60)
LONGEST = timedelta(days=30)
USUAL = timedelta(hours=1)
MOST = 20
STEP = timedelta(minutes=5)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Slot:
    """A time at which the change could be made."""

    start: datetime
    end: datetime


def length_of(change: Change) -> timedelta:
    """Return how long the change is to take: as planned, else as its template says, else an hour."""
    if change.planned_start is not None and change.planned_end is not None:
        return change.planned_end - change.planned_start
    version = change.template_version
    return timedelta(minutes=version.duration_minutes) if version is not None else USUAL


def free_slots(
    change: Change, *, after: datetime, length: timedelta | None = None, count: int = 5, ahead: timedelta = AHEAD
) -> list[Slot]:
    """Return the next times of this length (default: `length_of`), at most one for each day of the current zone and
    none in another, that begin at or after the instant: in no freeze, within the maintenance windows of every service
    of the change, at no time at which another change touches these services or what they are part of, and while nobody
    who makes it is booked or away. On each day it is the time closest to the time of day that is planned now. Nine
    queries at most.
    """
    wanted = length if length is not None else length_of(change)
    until = after + ahead + wanted
    planned = _wished(change, after, until)
    free = open_stretches(planned, after, until)
    zone = timezone.get_current_timezone()
    clock = (change.planned_start or after).astimezone(zone).time().replace(second=0, microsecond=0)
    return _one_a_day(free, wanted, clock, zone, count)


def _wished(change: Change, start: datetime, end: datetime) -> Planned:
    """The change as if it were to be made at any time of the stretch."""
    services = set(AffectedService.objects.filter(change=change).values_list("service_id", flat=True))
    if change.service_id is not None:
        services.add(change.service_id)
    people = {one.person for one in task_bookings([change.pk]).get(change.pk, ())}
    if change.assignee_id is not None:
        people.add(change.assignee_id)
    return Planned(
        change.pk,
        start,
        end,
        change.change_type,
        change.risk,
        frozenset(services),
        tuple(Booking(one, start, end) for one in sorted(people)),
    )


def open_stretches(planned: Planned, start: datetime, end: datetime) -> list[Span]:
    """Return the stretches of [start, end) in which nothing stands against the change, in order."""
    windows = [one for one in active_windows() if one.concerns(planned) and one.touches(planned.services)]
    windows = [one for one in windows if one.weight != Weight.NOTE]
    allowed = _allowed(planned, [one for one in windows if one.kind == WindowKind.MAINTENANCE], start, end)
    taken = [
        span for one in windows if one.kind == WindowKind.FREEZE for span in covered(one.rule, start, end)
    ] + _taken(planned, start, end)
    return without(allowed, joined(taken))


def _allowed(planned: Planned, windows: list[Window], start: datetime, end: datetime) -> list[Span]:
    allowed: list[Span] = [(start, end)]
    spans = {one.pk: covered(one.rule, start, end) for one in windows}
    services: list[int | None] = [*planned.services] or [None]
    for service in services:
        own = [one for one in windows if one.services is None or service in one.services]
        if own:
            allowed = within(allowed, joined(part for one in own for part in spans[one.pk]))
    return allowed


def _taken(planned: Planned, start: datetime, end: datetime) -> list[Span]:
    family = relatives()
    near = planned.services.union(*(family.get(one, frozenset()) for one in planned.services))
    people = {one.person for one in planned.bookings}
    taken: list[Span] = []
    for other in planned_between(start, end, services=near, people=people, but=planned.pk):
        if near & other.services:
            taken.append((other.start, other.end))
        taken += [(one.start, one.end) for one in other.bookings if one.person in people]
    away = TimeOff.objects.filter(person__in=people, starts_at__lt=end, ends_at__gt=start) if people else []
    return taken + [(one.starts_at, one.ends_at) for one in away]


def _one_a_day(free: list[Span], length: timedelta, clock: time, zone: tzinfo, count: int) -> list[Slot]:
    found: list[Slot] = []
    starts = [(start, end - length) for start, end in free if end - start >= length]
    if not starts:
        return found
    day = starts[0][0].astimezone(zone).date()
    last = starts[-1][1].astimezone(zone).date()
    while day <= last and len(found) < count:
        begins = _begins_on(day, starts, clock, zone, found[-1].end if found else None)
        if begins is not None:
            found.append(Slot(begins, begins + length))
        day += _ONE_DAY
    return found


def _begins_on(
    day: date, starts: list[Span], clock: time, zone: tzinfo, taken_until: datetime | None
) -> datetime | None:
    """The possible start on the local day that is closest to the time of day; None: there is none."""
    first = datetime.combine(day, time(), zone).astimezone(starts[0][0].tzinfo)
    end = datetime.combine(day + _ONE_DAY, time(), zone).astimezone(starts[0][0].tzinfo)
    ideal = datetime.combine(day, clock, zone).astimezone(starts[0][0].tzinfo)
    best: datetime | None = None
    index = bisect_left(starts, first, key=lambda one: one[1])
    while index < len(starts) and starts[index][0] < end:
        earliest = _stepped(max(starts[index][0], first, taken_until or first))
        latest = min(starts[index][1], end - timedelta(microseconds=1))
        if earliest <= latest:
            begins = min(max(ideal, earliest), latest)
            if best is None or abs(begins - ideal) < abs(best - ideal):
                best = begins
        index += 1
    return best


def _stepped(instant: datetime) -> datetime:
    """The instant, or the next full five minutes."""
    beyond = timedelta(minutes=instant.minute % 5, seconds=instant.second, microseconds=instant.microsecond)
    return instant if not beyond else instant - beyond + STEP
