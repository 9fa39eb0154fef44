"""Keeping the stored collisions true: each edit of a change or a window looks again, in its own transaction (CH-7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from changes.models import Change, ChangeWindow, CollisionKind, Conflict, WindowKind
from changes.schedule.collisions import Collision, collisions, with_windows
from changes.schedule.facts import LIVE, Planned, active_windows, planned_rows
from changes.schedule.telling import tell_of_pairs, tell_of_window
from itsm.accounts.models import User
from itsm.tickets.clock import db_now
from itsm.tickets.hooks import Change as Happening

# Any number: it names the lock under which collisions are stored, one writer at a time.
LOCK = 7_340_219
WATCHED = frozenset({"planned_start", "planned_end", "change_type", "risk", "status", "assignee", "service", "team"})
OF_TASK = frozenset({"planned_start", "planned_end", "status", "assignee"})
SCOPE = frozenset({"added", "removed"})
COLUMNS = ("kind", "other_id", "window_id", "service_id", "person_id", "shared", "starts_at", "ends_at")
MOVING = ("window", "service", "shared", "starts_at", "ends_at", "overridden_by", "overridden_at", "override_reason")


def follow(happening: Happening) -> None:
    """Look again when something was done on which the collisions of a change hang."""
    ticket, at = happening.ticket, happening.event.recorded_at
    if ticket.kind == "change" and (WATCHED & set(happening.before) or SCOPE & set(happening.event.data)):
        recheck(ticket, at=at, by=happening.actor.user)
    elif ticket.kind == "task" and (OF_TASK & set(happening.before) or ticket.event_seq == 1):
        change = Change.objects.filter(pk=ticket.parent_id, status__in=LIVE).first()
        if change is not None:
            recheck(change, at=at, by=happening.actor.user)


def take_turn() -> None:
    """Wait until nobody else stores collisions, until the end of the transaction: two changes that are planned at one
    moment would not see each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def recheck(change: Change, *, at: datetime | None = None, by: User | None = None) -> list[Conflict]:
    """Store in what the change collides now, on it and on the changes it collides with, and return the new rows of the
    others. People of the others are told, but for `by`, who did it. Runs in the caller's transaction."""
    take_turn()
    now = at or db_now()
    found = collisions(change)
    mirrored = [(one.other, one.mirrored(change.pk)) for one in found if one.other is not None]
    standing = list(Conflict.objects.current().filter(Q(change=change) | Q(other=change)))
    _store([row for row in standing if row.change_id == change.pk], [(change.pk, one) for one in found], now)
    made = _store([row for row in standing if row.change_id != change.pk], mirrored, now)
    tell_of_pairs(change, made, by=by)
    return made


def recheck_window(window: ChangeWindow, *, before: frozenset[int] | None, at: datetime, by: User | None) -> int:
    """Store anew which changes ahead the window hits, after it was saved; return how many collisions are new.

    For maintenance, changes are held to all windows of a service together, so those of its services, now and `before`
    (None: all), are looked at with all windows.
    """
    take_turn()
    rows = Change.objects.filter(planned_end__gt=at, status__in=LIVE)
    services = frozenset(window.services.values_list("pk", flat=True)) or None
    if services is not None and before is not None:
        wanted = services | before
        rows = rows.filter(Q(affected_rows__service__in=wanted) | Q(service__in=wanted)).distinct()
    planned = planned_rows(rows, with_tasks=False)
    windows = active_windows()
    if window.kind == WindowKind.FREEZE:
        kind, asked = CollisionKind.FREEZE, [one for one in windows if one.pk == window.pk]
        standing = Conflict.objects.current().filter(window=window, kind=kind)
    else:
        kind, asked = CollisionKind.OUTSIDE, [one for one in windows if one.kind == WindowKind.MAINTENANCE]
        standing = Conflict.objects.current().filter(kind=kind)
    known = list(standing.filter(change__in=[one.pk for one in planned]))
    found = [(one.pk, hit) for one in planned for hit in _hits(one, asked, kind)]
    made = _store(known, found, at)
    tell_of_window(window, made, by=by)
    return len(made)


def _hits(planned: Planned, windows: Iterable[Any], kind: str) -> list[Collision]:
    return [one for one in with_windows(planned, windows) if one.kind == kind]


def _store(standing: Iterable[Conflict], found: Iterable[tuple[int, Collision]], at: datetime) -> list[Conflict]:
    """Bring rows to what was found: new ones are made, those that moved are changed, the rest is over. Return the new
    ones. Three statements at most."""
    known = {(row.change_id, row.key): row for row in standing}
    made, moved = [], []
    for change, one in found:
        row = known.pop((change, one.key), None)
        if row is None:
            made.append(Conflict(change_id=change, key=one.key, first_seen_at=at, **_columns(one)))
        elif any(getattr(row, name) != value for name, value in _columns(one).items()):
            if row.overridden_at is not None and not row.starts_at <= one.start < one.end <= row.ends_at:
                # Somebody agreed to less than this.
                row.overridden_by, row.overridden_at, row.override_reason = None, None, ""
            for name, value in _columns(one).items():
                setattr(row, name, value)
            moved.append(row)
    if known:
        Conflict.objects.filter(pk__in=[row.pk for row in known.values()]).update(gone_at=at)
    if moved:
        Conflict.objects.bulk_update(moved, MOVING, batch_size=500)
    return Conflict.objects.bulk_create(made, batch_size=1000)


def _columns(one: Collision) -> dict[str, Any]:
    values = (one.kind, one.other, one.window, one.service, one.person, one.shared, one.start, one.end)
    return dict(zip(COLUMNS, values, strict=True))
