"""New zone data: governments move clocks, and with them due times that were computed before.

Due times are stored. When a new release of the zone data changes a zone that running timers count by, those whose due
time it moves are brought to it, and a row says so for administrators.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import db_now
from slas.actions.batches import move_timers
from slas.actions.book import Book
from slas.calendars import CalendarError, tz_data_version
from slas.calendars.zones import zone_table
from slas.models import BusinessCalendar, State, Sweep, Timer, ZoneRelease
from slas.querysets import TimerQuerySet

logger = logging.getLogger(__name__)
READ_AT_ONCE = 2000


def follow_zone_data(*, actor: Actor = SYSTEM) -> ZoneRelease | None:
    """Notice zones in use whose clock changes differ from those seen before, and bring running timers to them.

    Returns the row that says so, or None where nothing differs. The first call has nothing to compare with and moves
    nothing. A zone that is used for the first time is noted and moves nothing either. Ends sooner or later whatever
    happens: a crash before the row is written lets the next call do it again, which moves nothing twice.
    """
    known = ZoneRelease.objects.first()
    seen: dict[str, str] = dict(known.fingerprints) if known else {}
    present = {name: fingerprint for name in sorted(_zones_in_use()) if (fingerprint := _fingerprint(name))}
    moved = sorted(name for name, fingerprint in present.items() if seen.get(name, fingerprint) != fingerprint)
    if known is not None and seen | present == seen:
        return None
    row = ZoneRelease(release=tz_data_version(), fingerprints=seen | present, moved_zones=moved, noticed_at=db_now())
    if moved:
        changed = _due_otherwise(frozenset(moved), row)
        which = Timer.objects.filter(state=State.RUNNING, pk__in=changed)
        row.timers_moved = move_timers(which, _measure_anew, actor=actor, why=Sweep.Why.ZONES) if changed else 0
        logger.warning(
            "New zone data (%s) move the clocks of %s: %d of %d running timers got another due time, by up to %d s.",
            row.release,
            ", ".join(moved),
            row.timers_moved,
            row.timers_checked,
            row.largest_s,
        )
    row.save()
    return row


def _zones_in_use() -> set[str]:
    specs = BusinessCalendar.objects.exclude(current=None).values_list("current__spec__time_zone", flat=True)
    running = Timer.objects.filter(state=State.RUNNING)
    own = running.exclude(time_zone="").values_list("time_zone", flat=True).distinct()
    older = running.filter(time_zone="").values_list("calendar_version__spec__time_zone", flat=True).distinct()
    return {*specs, *own, *older}


def _fingerprint(name: str) -> str:
    try:
        return zone_table(name).fingerprint
    except CalendarError:
        # A zone that is gone from the data; its calendars say so when they are measured.
        return ""


def _due_otherwise(zones: frozenset[str], row: ZoneRelease) -> list[int]:
    """Return the running timers whose stored due time is no longer what their hours give; count them in the row."""
    found = []
    largest = timedelta(0)
    for timer in _running_in(zones):
        row.timers_checked += 1
        if timer.breached_at is not None or timer.run_started_at is None or timer.due_at is None:
            continue
        try:
            due = timer.hours.due(timer.run_started_at, max(timer.target_us - timer.elapsed_closed_us, 0))
        except CalendarError:
            # Not due in the years covered any more; the timer keeps what it has.
            continue
        if due != timer.due_at:
            found.append(timer.pk)
            largest = max(largest, abs(due - timer.due_at))
    row.largest_s = -(-largest // timedelta(seconds=1))
    return found


def _running_in(zones: frozenset[str]) -> Iterator[Timer]:
    running: TimerQuerySet = Timer.objects.filter(state=State.RUNNING)
    last = 0
    while True:
        part = list(running.filter(pk__gt=last).select_related("calendar_version").order_by("pk")[:READ_AT_ONCE])
        if not part:
            return
        last = part[-1].pk
        for timer in part:
            if (timer.time_zone or timer.calendar_version.spec["time_zone"]) in zones:
                yield timer


def _measure_anew(book: Book, timer: Timer) -> None:
    """Close the run that is open and begin another under the same hours: what is left counts by the new clocks."""
    book.change_calendar(timer, timer.calendar_version)
