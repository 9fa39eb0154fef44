"""Alarms: raised once when something is wrong, cleared when it is well again, whoever looks and however often."""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from itsm.tickets.clock import db_now
from slas.models import Alarm, AlarmKind, Audit, StepDue
from slas.tick import lag_seconds
from slas.watch.auditor import EVERY, audit_if_time
from slas.watch.heartbeats import SILENT_AFTER_S, silent_roles

logger = logging.getLogger(__name__)

LATE_S = 5.0
IN_TIME_S = 1.0
LOOK_EVERY_S = 10.0
LOCK = 6_175_203  # advisory; one looks at a time

RAISE = """
INSERT INTO slas_alarm (kind, raised_at, details) VALUES (%s, clock_timestamp(), %s)
ON CONFLICT (kind) WHERE cleared_at IS NULL DO UPDATE SET details = excluded.details
RETURNING xmax = 0
"""

_looked_at = float("-inf")
_began = time.monotonic()


def look(*, at_once: bool = False, audit_every: timedelta = EVERY) -> bool:
    """Audit when it is time, raise and clear alarms; return whether it was done here and now.

    Cheap to call often: a process looks each ten seconds at most (unless `at_once`), and only while no other does.
    """
    global _looked_at  # when this process looked last
    now = time.monotonic()
    if not at_once and now - _looked_at < LOOK_EVERY_S:
        return False
    _looked_at = now
    audit_if_time(audit_every)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
            if not cursor.fetchone()[0]:
                return False
        standing = set(Alarm.objects.filter(cleared_at__isnull=True).values_list("kind", flat=True))
        wrong = what_is_wrong(standing)
        for kind, details in wrong.items():
            _raise(kind, details)
        for kind in standing - wrong.keys():
            _clear(kind)
    return True


def what_is_wrong(standing: set[str]) -> dict[str, dict[str, Any]]:
    """Return each kind of alarm that there is reason for, with its details. One that stands needs less to go on
    standing, so that it does not flicker."""
    found: dict[str, dict[str, Any]] = {}
    lag = lag_seconds()
    if lag > (IN_TIME_S if AlarmKind.LATE in standing else LATE_S):
        found[AlarmKind.LATE] = {"lag_s": round(lag, 1)}
    if parked := StepDue.objects.filter(parked_at__isnull=False).count():
        found[AlarmKind.PARKED] = {"steps": parked}
    last = Audit.objects.first()
    if last is not None and last.findings:
        found[AlarmKind.DIFFERENT] = {"differences": len(last.findings), "first": last.findings[0]}
    # After a stop everybody has been silent: who has only just begun to look gives the others time to speak.
    has_waited = AlarmKind.SILENT in standing or time.monotonic() - _began > SILENT_AFTER_S
    if has_waited and (silent := silent_roles()):
        found[AlarmKind.SILENT] = {"roles": silent}
    return found


def _raise(kind: str, details: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(RAISE, [str(kind), json.dumps(details)])
        if cursor.fetchone()[0]:
            logger.error("Alarm: %s %s", AlarmKind(kind).label, details)


def _clear(kind: str) -> None:
    Alarm.objects.filter(kind=kind, cleared_at__isnull=True).update(cleared_at=db_now())
    logger.info("Well again: %s", AlarmKind(kind).label)
