"""The tick: fires the steps that are due, exactly once each, whoever else ticks at the same time (sla.md §6).

The ticket's row is the only lock, and a ticket in use is skipped rather than awaited. Everything a step does happens in
the transaction that takes its row away: killed at any point, it leaves the step for the next tick.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.log import Entry, as_rows, write_many
from itsm.tickets.models import Ticket
from slas.actions.effects import Effects
from slas.actions.lateness import Lateness
from slas.actions.orders import has_deeds
from slas.actions.recipients import Recipients
from slas.actions.repeating import repeat_fired
from slas.models import BREACH, Timer
from slas.recording import Fired, record

logger = logging.getLogger(__name__)

# Tickets of a batch are locked until it is stored, so a batch that took long is followed by smaller ones.
BATCH = 500
FIRST_BATCH = 100
LONGEST_BATCH_S = 0.5
MAX_ATTEMPTS = 5
FIRST_RETRY_S = 1
WAIT_S = 0.05
MAX_WAITS = 10
LONGEST_S = 30.0
TOLD_FIELDS = (
    "public_id", "kind", "priority", "team", "assignee", "updated_at", "event_seq", "event_hash", "version",
)  # fmt: skip

# Without the key: as much of a lock as a verb takes, and whoever only refers to the ticket (a notice) need not wait.
# `statement_timestamp()` is a bound of the index scan; the volatile `clock_timestamp()` would read every waiting row.
CLAIM = """
SELECT s.id, t.ticket_id
  FROM slas_stepdue s
  JOIN slas_timer t ON t.id = s.timer_id
  JOIN tickets_ticket k ON k.id = t.ticket_id
 WHERE s.parked_at IS NULL AND s.fire_at <= statement_timestamp()
   AND (s.retry_at IS NULL OR s.retry_at <= statement_timestamp())
 ORDER BY s.fire_at, s.id
 LIMIT %s
   FOR NO KEY UPDATE OF k SKIP LOCKED
"""
ANY_DUE = """
SELECT EXISTS (
    SELECT 1 FROM slas_stepdue s
     WHERE s.parked_at IS NULL AND s.fire_at <= statement_timestamp()
       AND (s.retry_at IS NULL OR s.retry_at <= statement_timestamp())
)
"""
CLAIM_THESE = """
SELECT s.id, t.ticket_id
  FROM slas_stepdue s JOIN slas_timer t ON t.id = s.timer_id JOIN tickets_ticket k ON k.id = t.ticket_id
 WHERE s.id = ANY(%s) AND s.parked_at IS NULL
 ORDER BY s.fire_at, s.id
   FOR NO KEY UPDATE OF k SKIP LOCKED
"""
# A row of an older version, or of a timer that stands still, goes away without effect.
TAKE = """
DELETE FROM slas_stepdue s USING slas_timer t
 WHERE s.id = ANY(%s) AND t.id = s.timer_id
RETURNING s.timer_id, s.epoch, s.step, s.repetition, s.fire_at, s.version = t.version AND t.state = 'running'
"""
NOTE = """
UPDATE slas_timer t
   SET done_steps = t.done_steps || COALESCE(f.steps, '{}'),
       breached_at = COALESCE(t.breached_at, f.breached_at),
       touched_at = GREATEST(t.touched_at, f.last)
  FROM (SELECT timer_id, array_agg(step) FILTER (WHERE repetition = 0) AS steps, max(at) AS last,
               max(at) FILTER (WHERE step = %s AND repetition = 0) AS breached_at
          FROM json_to_recordset(%s) AS u (timer_id bigint, step int, repetition int, at timestamptz)
         GROUP BY timer_id) f
 WHERE t.id = f.timer_id
"""
# A step whose effects failed waits on its own; it is not what a sleeper is to be woken for.
SECONDS_TO_NEXT = """
SELECT EXTRACT(EPOCH FROM min(fire_at) - clock_timestamp())
  FROM slas_stepdue WHERE parked_at IS NULL AND retry_at IS NULL
"""
PARK = """
UPDATE slas_stepdue
   SET attempts = attempts + 1, last_error = %s,
       retry_at = clock_timestamp() + %s * power(2, attempts) * interval '1 s',
       parked_at = CASE WHEN attempts + 1 >= %s THEN clock_timestamp() END
 WHERE id = %s
RETURNING parked_at IS NOT NULL
"""


@dataclass(frozen=True)
class Claimed:
    """Steps that were due when asked, on tickets whose rows are now locked."""

    steps: list[int]
    tickets: list[int]


class Failed(Exception):
    """A batch could not be fired as a whole; nothing of it happened."""

    def __init__(self, steps: list[int]) -> None:
        super().__init__(steps)
        self.steps = steps


def tick(*, stopping: Callable[[], bool] = lambda: False) -> int:
    """Fire every step that is due and return how many were; come back after half a minute at the latest, or after the
    batch in which `stopping` begins to say yes.

    While something is due but its ticket is in use by somebody else, waits 50 ms, ten times at most. A step whose
    effects fail is left alone for a second, then two, four and eight, and parked when they fail for the fifth time.
    """
    fired = 0
    waits = 0
    size = min(FIRST_BATCH, BATCH)
    started = time.monotonic()
    while time.monotonic() - started < LONGEST_S and not stopping() and _anything_due():
        began = time.monotonic()
        try:
            count = _fire_batch(CLAIM, [size])
        except Failed as batch:
            logger.exception("A batch of %d service-level steps failed; it is tried in parts", len(batch.steps))
            fired += _fire_parts(batch.steps)
            continue
        if count is not None:
            fired += count
            size = max(size // 2, 1) if time.monotonic() - began > LONGEST_BATCH_S else min(2 * size, BATCH)
            continue
        if waits >= MAX_WAITS:
            break
        waits += 1
        time.sleep(WAIT_S)
    return fired


def _fire_batch(sql: str, arguments: list[Any]) -> int | None:
    """Claim steps and fire them in one transaction; return how many fired, None when there was nothing to take.

    Raises:
        Failed: nothing of the batch happened.
        DatabaseError: nothing could be claimed.
    """
    claimed = Claimed([], [])
    try:
        with transaction.atomic():
            claimed = _rows_to_claim(sql, arguments)
            return _fire(claimed) if claimed.steps else None
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if not claimed.steps:
            raise  # no step's fault: trying again at once, and in parts, would only turn in circles
        raise Failed(claimed.steps) from error


def _fire_parts(steps: Sequence[int]) -> int:
    """Fire the steps of a batch that failed, in halves, so that a bad one among many is soon alone; its failure is
    noted on its row."""
    fired = 0
    middle = len(steps) // 2
    for part in (steps[:middle], steps[middle:]):
        if not part:
            continue
        try:
            fired += _fire_batch(CLAIM_THESE, [list(part)]) or 0
        except Failed as failure:
            if len(part) > 1:
                fired += _fire_parts(part)
            else:
                _note_failure(part[0], failure.__cause__)
    return fired


def _note_failure(step: int, error: BaseException | None) -> None:
    said = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
    with connection.cursor() as cursor:
        cursor.execute(PARK, [said, FIRST_RETRY_S, MAX_ATTEMPTS, step])
        row = cursor.fetchone()
    if row and row[0]:
        logger.error("Service-level step %s failed %d times and is parked", step, MAX_ATTEMPTS, exc_info=error)


def _rows_to_claim(sql: str, arguments: list[Any]) -> Claimed:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        rows: list[tuple[int, int]] = cursor.fetchall()
    return Claimed([step for step, _ticket in rows], list(dict.fromkeys(ticket for _step, ticket in rows)))


def _anything_due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(ANY_DUE)
        found: bool = cursor.fetchone()[0]
    return found


def _fire(claimed: Claimed) -> int:
    """Fire claimed steps whose tickets are locked: take the rows anew, store the events, do what the chains order."""
    wanted = _take(claimed.steps)
    if not wanted:
        return 0
    now = db_now()
    happened = record(wanted, detected_at=now)
    _note(happened)
    repeat_fired(happened)
    tickets = _tickets_of(claimed)
    recipients, lateness = Recipients(), Lateness(happened, now)
    told: list[Entry] = []
    for ticket_id, steps in _by_ticket(happened).items():
        effects = Effects(tickets[ticket_id], actor=SYSTEM, detected_at=now, recipients=recipients, lateness=lateness)
        if any(has_deeds(step) for step in steps):
            effects.carry_out(steps)
        else:
            told += effects.entries(steps)
    write_many(told)
    return len(happened)


def _tickets_of(claimed: Claimed) -> dict[int, Any]:
    """Return the locked tickets by id, with what telling needs. People and teams are read once for the batch, however
    many tickets are theirs; a verb reads its ticket anew."""
    tickets = Ticket.objects.filter(pk__in=claimed.tickets).only(*TOLD_FIELDS)
    return tickets.prefetch_related("assignee", "team__lead").in_bulk()


def _by_ticket(happened: Sequence[Fired]) -> dict[int, list[Fired]]:
    found: dict[int, list[Fired]] = {}
    for step in happened:
        found.setdefault(step.timer.ticket_id, []).append(step)
    return found


def _take(steps: Sequence[int]) -> list[Fired]:
    """Remove the rows and return the steps that are still wanted, oldest first: read under the lock, not before it."""
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [list(steps)])
        rows: list[tuple[int, int, int, int, datetime, bool]] = cursor.fetchall()
    wanted = [row for row in rows if row[5]]
    timers = Timer.objects.prefetch_related("policy", "chain_version").in_bulk({row[0] for row in wanted})
    found = [
        Fired(
            timers[timer],
            epoch,
            step,
            at,
            due_at=timers[timer].due_at,
            retroactive=step == BREACH and not repetition and timers[timer].retroactive,
            repetition=repetition,
        )
        for timer, epoch, step, repetition, at, _wanted in wanted
    ]
    return sorted(found, key=lambda step: (step.at, step.timer.pk, step.step, step.repetition))


def _note(happened: Sequence[Fired]) -> None:
    """Write on the timers which of their steps are done, and that they are breached."""
    if not happened:
        return
    rows = [
        {"timer_id": step.timer.pk, "step": step.step, "repetition": step.repetition, "at": step.at}
        for step in happened
    ]
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [BREACH, as_rows(rows)])


def seconds_to_next() -> float | None:
    """Return how long it is until the next step is due, below zero where it is overdue; None when none waits."""
    with connection.cursor() as cursor:
        cursor.execute(SECONDS_TO_NEXT)
        found = cursor.fetchone()[0]
    return None if found is None else float(found)


def lag_seconds() -> float:
    """Return how late the tick is: the age of the oldest step that is due and has not fired; 0 when none is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT GREATEST(EXTRACT(EPOCH FROM statement_timestamp() - min(fire_at)), 0) "
            "FROM slas_stepdue WHERE parked_at IS NULL"
        )
        found = cursor.fetchone()[0]
    return float(found or 0)
