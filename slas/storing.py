"""Storing timers that were moved: one statement however many of a ticket's clocks it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db import connection

from itsm.tickets.log import as_rows
from slas.models import Timer

MOVED_FIELDS = (
    "policy",
    "goal",
    "state",
    "target_us",
    "time_zone",
    "calendar_version",
    "chain_version",
    "due_at",
    "stopped_at",
    "breached_at",
    "retroactive",
    "elapsed_closed_us",
    "run_started_at",
    "version",
    "epoch",
    "done_steps",
    "reset_held",
    "repeats",
    "acknowledged_at",
    "acknowledged_by",
    "touched_at",
    "imported_at",
)


def save_moved(timers: Iterable[Timer]) -> None:
    """Store the fields that moves change. Those that end go first: at most one clock of a kind may be active, and that
    is checked row by row."""
    moved = list(timers)
    for group in ([t for t in moved if not t.is_active], [t for t in moved if t.is_active]):
        if group:
            _update(group)


def _update(timers: Sequence[Timer]) -> None:
    statement, names = _statement()
    rows: list[dict[str, Any]] = [
        {"id": timer.pk, **{column: getattr(timer, attribute) for column, attribute in names}} for timer in timers
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, [as_rows(rows)])


@cache
def _statement() -> tuple[str, list[tuple[str, str]]]:
    """Return the statement, and for each of its columns the attribute that holds its value."""
    fields: list[Any] = [Timer._meta.get_field(name) for name in MOVED_FIELDS]
    columns = [(str(field.column), str(field.attname), str(field.db_type(connection))) for field in fields]
    sets = ", ".join(f"{column} = u.{column}" for column, _attribute, _kind in columns)
    kinds = ", ".join(f"{column} {kind}" for column, _attribute, kind in columns)
    statement = f"UPDATE slas_timer t SET {sets} FROM json_to_recordset(%s) AS u (id bigint, {kinds}) WHERE t.id = u.id"  # noqa: S608  names of columns
    return statement, [(column, attribute) for column, attribute, _kind in columns]
