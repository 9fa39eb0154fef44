"""How the clocks stand, in figures: what the status page shows and what monitoring scrapes.

Cheap at millions of timers: large counts are the planner's estimates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from slas.calendars.tzif import tz_data_version
from slas.models import (
    Alarm,
    Audit,
    BusinessCalendar,
    CalendarVersion,
    ServiceLevelPolicy,
    State,
    StepDue,
    Timer,
)
from slas.tick import lag_seconds
from slas.watch.heartbeats import SILENT_AFTER_S

# Counted exactly up to here; beyond, the statistics of the index say how many about.
EXACT_UP_TO = 10_000

WAITING = "SELECT count(*) FROM (SELECT 1 FROM slas_stepdue WHERE parked_at IS NULL LIMIT %s) s"
DUE = """
SELECT count(*) FROM (
    SELECT 1 FROM slas_stepdue WHERE parked_at IS NULL AND fire_at <= statement_timestamp() LIMIT %s) s
"""
RUNNING = "SELECT count(*) FROM (SELECT 1 FROM slas_timer WHERE state = 'running' LIMIT %s) s"
ESTIMATE = "SELECT GREATEST(reltuples, 0)::bigint FROM pg_class WHERE oid = %s::regclass"
# To the whole second and by the database's clock, like all that is compared here.
HEARTBEATS = """
SELECT name, role, started_at, beat_at, EXTRACT(EPOCH FROM clock_timestamp() - beat_at)::bigint
  FROM slas_heartbeat ORDER BY role, name
"""


@dataclass(frozen=True)
class Amount:
    """A count, exact or about."""

    value: int
    exact: bool = True


@dataclass(frozen=True)
class Process:
    """A process that is at work on the clocks, and how long ago it said so."""

    name: str
    role: str
    started_at: Any
    beat_at: Any
    age_s: int

    @property
    def is_silent(self) -> bool:
        """Whether it has not been heard of for longer than a process that works ever is."""
        return self.age_s > SILENT_AFTER_S


@dataclass(frozen=True)
class Figures:
    """How the clocks stand at one moment. `lag_s`: the age of the oldest step that is due and has not fired."""

    lag_s: float
    running: Amount
    waiting: Amount
    due: Amount
    parked: int
    to_follow: Amount
    processes: list[Process]
    alarms: list[Alarm]
    audit: Audit | None
    tz_data: str


def figures() -> Figures:
    """Return how the clocks stand now."""
    with connection.cursor() as cursor:
        cursor.execute(HEARTBEATS)
        processes = [Process(*row) for row in cursor.fetchall()]
    return Figures(
        lag_s=lag_seconds(),
        running=_amount(RUNNING, "timer_calendar"),
        waiting=_amount(WAITING, "step_due_waiting"),
        due=_amount(DUE),
        parked=StepDue.objects.filter(parked_at__isnull=False).count(),
        to_follow=_to_follow(),
        processes=processes,
        alarms=list(Alarm.objects.filter(cleared_at__isnull=True)),
        audit=Audit.objects.first(),
        tz_data=tz_data_version(),
    )


def _amount(sql: str, index: str = "") -> Amount:
    with connection.cursor() as cursor:
        cursor.execute(sql, [EXACT_UP_TO + 1])
        counted: int = cursor.fetchone()[0]
        if counted <= EXACT_UP_TO or not index:
            return Amount(min(counted, EXACT_UP_TO), exact=counted <= EXACT_UP_TO)
        cursor.execute(ESTIMATE, [index])
        return Amount(max(counted, cursor.fetchone()[0]), exact=False)


def _to_follow() -> Amount:
    """Return how many timers have still to be moved to what was edited in calendars and policies."""
    stale = CalendarVersion.objects.exclude(pk__in=BusinessCalendar.objects.exclude(current=None).values("current"))
    old_hours = Timer.objects.filter(state=State.RUNNING, calendar_version__in=list(stale.values_list("pk", flat=True)))
    switched_off = Timer.objects.active().filter(policy__in=ServiceLevelPolicy.objects.filter(is_active=False))
    count = old_hours.order_by()[: EXACT_UP_TO + 1].count() + switched_off.order_by()[: EXACT_UP_TO + 1].count()
    return Amount(min(count, EXACT_UP_TO), exact=count <= EXACT_UP_TO)
