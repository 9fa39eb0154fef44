"""In what a planned change collides (CH-7, CH-8). Pure but for `collisions`, which reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from changes.models import Change, CollisionKind, Weight, WindowKind
from changes.schedule.facts import Planned, Window, active_windows, planned_between, planned_of, relatives
from changes.schedule.models import ORDER
from changes.schedule.occurrences import Span, covered, joined, without

Relatives = Mapping[int, frozenset[int]]


@dataclass(frozen=True)
class Collision:
    """One thing in which a change collides, and when: ids of the other change, the window, the service, the person.

    `shared`: how many services of a pair of changes meet; `service` is the first of the other's, `own` of this one's.
    """

    kind: str
    start: datetime
    end: datetime
    other: int | None = None
    window: int | None = None
    service: int | None = None
    person: int | None = None
    shared: int = 0
    own: int | None = None

    def mirrored(self, change: int) -> Collision:
        """Return it as the other change of the pair has it; `change` is this one's id."""
        return replace(self, other=change, service=self.own, own=self.service)

    @property
    def key(self) -> str:
        """What it is, however its times move."""
        if self.kind == CollisionKind.OUTSIDE:
            return f"{self.kind}:{self.service or ''}"
        return f"{self.kind}:{self.other or self.window}:{self.person or ''}"


def collisions(change: Change) -> list[Collision]:
    """Return all in which the change collides as it is planned now, in order of time; at most eight queries.

    Nothing for a change without a planned window, and for one that was made or cancelled.
    """
    planned = planned_of(change)
    return find(planned) if planned is not None else []


def find(planned: Planned) -> list[Collision]:
    """Return all in which the change would collide if it were planned so, in order of time."""
    family = relatives()
    services = planned.services.union(*(family.get(one, frozenset()) for one in planned.services))
    people = {booking.person for booking in planned.bookings}
    others = planned_between(planned.start, planned.end, services=services, people=people, but=planned.pk)
    found = [one for other in others for one in between(planned, other, family)]
    found += with_windows(planned, active_windows())
    return sorted(found, key=lambda one: (one.start, one.key))


def between(one: Planned, other: Planned, family: Relatives) -> list[Collision]:
    """Return in what two changes collide, told of the first: it has the second as `other`."""
    start, end = max(one.start, other.start), min(one.end, other.end)
    found: list[Collision] = []
    if start < end:
        shared = one.services & other.services
        related = [(far, near) for near in one.services for far in family.get(near, ()) if far in other.services]
        if shared:
            first = min(shared)
            kind, theirs, own, count = CollisionKind.SAME_SERVICE, first, first, len(shared)
            found.append(Collision(kind, start, end, other=other.pk, service=theirs, own=own, shared=count))
        elif related:
            kind, (theirs, own), count = CollisionKind.RELATED_SERVICE, min(related), len(related)
            found.append(Collision(kind, start, end, other=other.pk, service=theirs, own=own, shared=count))
    return found + _double_booked(one, other)


def _double_booked(one: Planned, other: Planned) -> list[Collision]:
    first: dict[int, tuple[datetime, datetime]] = {}
    for mine in one.bookings:
        for theirs in other.bookings:
            start, end = max(mine.start, theirs.start), min(mine.end, theirs.end)
            if mine.person == theirs.person and start < end:
                known = first.get(mine.person)
                first[mine.person] = (start, end) if known is None else min(known, (start, end))
    return [
        Collision(CollisionKind.DOUBLE_BOOKED, start, end, other=other.pk, person=person)
        for person, (start, end) in sorted(first.items())
    ]


def with_windows(planned: Planned, windows: Iterable[Window]) -> list[Collision]:
    """Return the freezes that the change is in, and the services outside whose maintenance windows it is."""
    concerned = [one for one in windows if one.concerns(planned) and one.touches(planned.services)]
    found = []
    for window in concerned:
        if window.kind != WindowKind.FREEZE:
            continue
        hits = covered(window.rule, planned.start, planned.end)
        if hits:
            common = planned.services & window.services if window.services is not None else frozenset()
            found.append(Collision(CollisionKind.FREEZE, *hits[0], window=window.pk, service=min(common, default=None)))
    demanding = [one for one in concerned if one.kind == WindowKind.MAINTENANCE]
    return found + _outside(planned, demanding)


def _outside(planned: Planned, windows: list[Window]) -> list[Collision]:
    found: list[Collision] = []
    spans: dict[int, list[Span]] = {}
    # A change that touches no service is held to the windows that concern all of them.
    services: list[int | None] = [*sorted(planned.services)] or [None]
    for service in services:
        own = [one for one in windows if one.services is None or service in one.services]
        strictest = max(own, key=lambda one: (ORDER[Weight(one.weight)], -one.pk), default=None)
        if strictest is None:
            continue
        for one in own:
            if one.pk not in spans:
                spans[one.pk] = covered(one.rule, planned.start, planned.end)
        left = without([(planned.start, planned.end)], joined(part for one in own for part in spans[one.pk]))
        if left:
            found.append(Collision(CollisionKind.OUTSIDE, *left[0], window=strictest.pk, service=service))
    return found
