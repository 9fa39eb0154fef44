"""Who is at work on the clocks. Each process says so itself, by the database's clock."""

from __future__ import annotations

import time

from django.db import connection

EVERY_S = 5.0
SILENT_AFTER_S = 120
FORGOTTEN_AFTER_S = 24 * 3600

BEAT = """
INSERT INTO slas_heartbeat (name, role, started_at, beat_at) VALUES (%s, %s, clock_timestamp(), clock_timestamp())
ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, role = excluded.role
"""
SILENT = """
SELECT role, EXTRACT(EPOCH FROM clock_timestamp() - max(beat_at)) FROM slas_heartbeat
 GROUP BY role HAVING max(beat_at) < clock_timestamp() - %s * interval '1 s' ORDER BY role
"""

_last: dict[str, float] = {}


def beat(name: str, role: str) -> bool:
    """Say that the process is at work, once in five seconds at most; return whether it was said now."""
    now = time.monotonic()
    if now - _last.get(name, float("-inf")) < EVERY_S:
        return False
    with connection.cursor() as cursor:
        cursor.execute(BEAT, [name[:200], role[:20]])
    _last[name] = now
    return True


def leave(name: str) -> None:
    """Say that the process stops in good order, so that nobody misses it."""
    _last.pop(name, None)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM slas_heartbeat WHERE name = %s", [name[:200]])


def silent_roles() -> dict[str, float]:
    """Return the roles of which nobody has been heard for two minutes, with the seconds since; and forget those
    that have been silent for a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM slas_heartbeat WHERE beat_at < clock_timestamp() - %s * interval '1 s'", [FORGOTTEN_AFTER_S]
        )
        cursor.execute(SILENT, [SILENT_AFTER_S])
        return {role: round(float(seconds), 1) for role, seconds in cursor.fetchall()}
