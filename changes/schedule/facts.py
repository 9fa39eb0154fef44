"""What a check for collisions has to know: changes as they are planned, windows, who is booked. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Count, Exists, Max, OuterRef, Q

from changes.models import AffectedService, Change, ChangeWindow
from changes.models.change import span
from changes.schedule.recurrence import Recurrence
from changes.statuses import AHEAD, Status
from cmdb.models import Service
from itsm.tasking.models import Task

LIVE = AHEAD | {Status.IMPLEMENT}
"""States in which the planned window of a change counts: it has not been made yet."""


@dataclass(frozen=True)
class Booking:
    """A person who is to work from start to end."""

    person: int
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Planned:
    """A change as far as collisions go. `services`: what it touches; `bookings`: who works on it when."""

    pk: int
    start: datetime
    end: datetime
    change_type: str
    risk: int | None
    services: frozenset[int]
    bookings: tuple[Booking, ...] = ()


@dataclass(frozen=True)
class Window:
    """A freeze or maintenance window, ready to be asked. `services` None: it concerns all."""

    pk: int
    name: str
    kind: str
    weight: str
    rule: Recurrence
    services: frozenset[int] | None
    change_types: frozenset[str]
    risks: frozenset[int]

    def concerns(self, change: Planned) -> bool:
        """Return whether it is about changes of this type and risk; a risk that is not known yet counts as any."""
        if self.change_types and change.change_type not in self.change_types:
            return False
        return not self.risks or change.risk is None or change.risk in self.risks

    def touches(self, services: frozenset[int]) -> bool:
        """Return whether it is about one of these services."""
        return self.services is None or bool(self.services & services)


_windows: tuple[tuple[Any, ...], tuple[Window, ...]] | None = None


def active_windows() -> tuple[Window, ...]:
    """Return the windows that count, by name; kept in the process until one is saved. One query, else three."""
    global _windows
    stamp = tuple(ChangeWindow.objects.aggregate(a=Max("updated_at"), b=Count("pk"), c=Max("pk")).values())
    if _windows is not None and _windows[0] == stamp:
        return _windows[1]
    rows = ChangeWindow.objects.filter(is_active=True).prefetch_related("services")
    found = tuple(window_of(row) for row in rows)
    _windows = (stamp, found)
    return found


def window_of(row: ChangeWindow) -> Window:
    """Return the window ready to be asked. Reads its services."""
    services = frozenset(one.pk for one in row.services.all())
    return Window(
        pk=row.pk,
        name=row.name,
        kind=row.kind,
        weight=row.weight,
        rule=row.recurrence,
        services=services or None,
        change_types=frozenset(row.change_types),
        risks=frozenset(row.risks),
    )


def planned_of(change: Change) -> Planned | None:
    """Return the change as it is planned; None where it has no window, or was made or cancelled. Two queries."""
    if change.planned_start is None or change.planned_end is None or change.status not in LIVE:
        return None
    services = set(AffectedService.objects.filter(change=change).values_list("service_id", flat=True))
    if change.service_id is not None:
        services.add(change.service_id)
    own = [Booking(change.assignee_id, change.planned_start, change.planned_end)] if change.assignee_id else []
    return Planned(
        pk=change.pk,
        start=change.planned_start,
        end=change.planned_end,
        change_type=change.change_type,
        risk=change.risk,
        services=frozenset(services),
        bookings=(*own, *task_bookings([change.pk]).get(change.pk, ())),
    )


def planned_between(
    start: datetime, end: datetime, *, services: Iterable[int] = (), people: Iterable[int] = (), but: int | None = None
) -> list[Planned]:
    """Return live changes whose window overlaps [start, end) and that touch one of the services or book one of the
    people. `but`: not this one. Two queries.
    """
    wanted, persons = list(services), list(people)
    touching = Exists(AffectedService.objects.filter(change=OuterRef("pk"), service__in=wanted))
    booked = _tasks_of(persons)
    rows = (
        live_changes(start, end)
        .filter(touching | Q(service__in=wanted) | Q(assignee__in=persons) | Q(pk__in=booked))
        .exclude(pk=but)
    )
    return planned_rows(rows)


def live_changes(start: datetime, end: datetime) -> Any:
    """Return the query for changes that are still to be made and whose window overlaps [start, end)."""
    return (
        Change.objects.filter(planned_start__isnull=False, status__in=LIVE)
        .alias(span=span())
        .filter(span__overlap=DateTimeTZRange(start, end))
    )


def planned_rows(rows: Any, *, with_tasks: bool = True) -> list[Planned]:
    """Return the changes of the query as they are planned. Two queries, however many they are."""
    touched = AffectedService.objects.filter(change=OuterRef("pk")).values("service_id")
    values = rows.annotate(touched=ArraySubquery(touched)).values_list(
        "pk", "planned_start", "planned_end", "change_type", "risk", "service_id", "assignee_id", "touched"
    )
    found = list(values)
    tasks = task_bookings([row[0] for row in found]) if with_tasks and found else {}
    return [
        Planned(
            pk,
            start,
            end,
            change_type,
            risk,
            frozenset([*touched_ids, *([service] if service is not None else [])]),
            (*([Booking(assignee, start, end)] if assignee is not None else []), *tasks.get(pk, ())),
        )
        for pk, start, end, change_type, risk, service, assignee, touched_ids in found
    ]


def _tasks_of(people: list[int]) -> Any:
    """Return the ids of the changes on which these people have an open task with times of its own."""
    return _open_tasks().filter(assignee__in=people).values("parent")


def task_bookings(changes: Iterable[int]) -> Mapping[int, list[Booking]]:
    """Return who is booked by the open tasks of these changes, by change. One query."""
    found: dict[int, list[Booking]] = {}
    rows = _open_tasks().filter(parent__in=list(changes)).order_by("planned_start", "pk")
    for parent, person, start, end in rows.values_list("parent", "assignee", "planned_start", "planned_end"):
        found.setdefault(parent, []).append(Booking(person, start, end))
    return found


def _open_tasks() -> Any:
    return Task.objects.open().filter(assignee__isnull=False, planned_start__isnull=False, planned_end__isnull=False)


def relatives() -> dict[int, frozenset[int]]:
    """Return for each service what it is part of and what is part of it, near and far. One query."""
    above = dict(Service.objects.values_list("pk", "part_of"))
    found: dict[int, set[int]] = {pk: set() for pk in above}
    for pk in above:
        at, seen = above[pk], {pk}
        while at is not None and at not in seen:
            found[pk].add(at)
            found.setdefault(at, set()).add(pk)
            seen.add(at)
            at = above.get(at)
    return {pk: frozenset(others) for pk, others in found.items()}
