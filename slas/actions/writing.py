"""Storing timers that were moved: all of a ticket in one statement, because every save of a ticket waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from itsm.tickets.log import as_rows
from slas.models import Timer

# The columns that a move may change, with their types.
MOVED = {
    "policy_id": "bigint",
    "goal_id": "bigint",
    "state": "text",
    "target_us": "bigint",
    "time_zone": "text",
    "calendar_version_id": "bigint",
    "chain_version_id": "bigint",
    "due_at": "timestamptz",
    "stopped_at": "timestamptz",
    "breached_at": "timestamptz",
    "retroactive": "boolean",
    "elapsed_closed_us": "bigint",
    "run_started_at": "timestamptz",
    "version": "int",
    "epoch": "int",
    "done_steps": "int[]",
    "reset_held": "boolean",
    "repeats": "jsonb",
    "acknowledged_at": "timestamptz",
    "acknowledged_by_id": "bigint",
    "touched_at": "timestamptz",
    "imported_at": "timestamptz",
}
UPDATE = (
    f"UPDATE slas_timer t SET {', '.join(f'{name} = u.{name}' for name in MOVED)}"  # noqa: S608  names of this module
    f" FROM json_to_recordset(%s) AS u (id bigint, {', '.join(f'{name} {kind}' for name, kind in MOVED.items())})"
    " WHERE t.id = u.id"
)


def update_timers(timers: Sequence[Timer]) -> None:
    """Store what moves have changed of these timers. One statement."""
    rows = [{"id": timer.pk, **{name: getattr(timer, name) for name in MOVED}} for timer in timers]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [as_rows(rows)])
