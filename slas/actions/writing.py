"""Storing what moves did to a ticket's timers, each table in one statement: every save of a ticket waits for it.

By hand, because building the statements would take longer than the database takes to carry them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from itsm.tickets.log import as_rows
from slas.models import Run, StepDue, Timer

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
INSERT_RUNS = """
INSERT INTO slas_run (timer_id, started_at, ended_at, calendar_version_id, time_zone, elapsed_us)
SELECT timer_id, started_at, ended_at, calendar_version_id, time_zone, elapsed_us
  FROM json_to_recordset(%s)
    AS u (timer_id bigint, started_at timestamptz, ended_at timestamptz, calendar_version_id bigint, time_zone text,
          elapsed_us bigint, place int)
 ORDER BY place
"""
INSERT_STEPS = """
INSERT INTO slas_stepdue (timer_id, version, epoch, step, repetition, fire_at, attempts, last_error)
SELECT timer_id, version, epoch, step, repetition, fire_at, 0, ''
  FROM json_to_recordset(%s)
    AS u (timer_id bigint, version int, epoch int, step int, repetition smallint, fire_at timestamptz)
"""
RUN = ("timer_id", "started_at", "ended_at", "calendar_version_id", "time_zone", "elapsed_us")
STEP = ("timer_id", "version", "epoch", "step", "repetition", "fire_at")


def insert_runs(runs: Sequence[Run]) -> None:
    """Store stretches that were closed, in this order; their timers must be stored. One statement."""
    rows = [{"place": place, **{name: getattr(run, name) for name in RUN}} for place, run in enumerate(runs)]
    _carry_out(INSERT_RUNS, rows)


def replace_steps(timers: Sequence[Timer], steps: Sequence[StepDue]) -> None:
    """Take away what waited for these timers, and let these steps wait. At most two statements."""
    if timers:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM slas_stepdue WHERE timer_id = ANY(%s)", [[timer.pk for timer in timers]])
    _carry_out(INSERT_STEPS, [{name: getattr(step, name) for name in STEP} for step in steps])


def _carry_out(sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(sql, [as_rows(rows)])


def update_timers(timers: Sequence[Timer]) -> None:
    """Store what moves have changed of these timers. One statement."""
    _carry_out(UPDATE, [{"id": timer.pk, **{name: getattr(timer, name) for name in MOVED}} for timer in timers])
