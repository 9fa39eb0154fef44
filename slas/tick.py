"""The tick: fires the steps that are due, exactly once each, whoever else ticks at the same time (sla.md §6).

The ticket's row is the only lock, and a ticket in use is skipped rather than awaited. Everything a step does happens in
the transaction that takes its row away: killed at any point, it leaves the step for the next tick.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from itsm.tickets.actors import SYSTEM
from itsm.tickets.log import Entry, write_many
from itsm.tickets.models import Ticket
from slas.actions.effects import Effects
from slas.actions.lateness import Lateness
from slas.actions.orders import has_deeds
from slas.actions.parked import tell_instead
from slas.actions.recipients import Recipients
from slas.actions.repeating import repeat_fired
from slas.locked import LockedTicket, People
from slas.recording import Fired, take

logger = logging.getLogger(__name__)

# Tickets of a batch are locked until it is stored, so a batch that took long is followed by smaller ones.
BATCH = 1000
FIRST_BATCH = 200
LONGEST_BATCH_S = 0.5
MANY = 400
# Beginnings of error codes (PostgreSQL, appendix A): connections, resources, shutting down, the system.
LOST = ("08", "53", "57P", "58")
MAX_ATTEMPTS = 5
FIRST_RETRY_S = 1
WAIT_S = 0.05
MAX_WAITS = 10
LONGEST_S = 30.0

# Of the ticket, too: a row that is locked is returned as it then is, however old the statement's snapshot.
# Without the key: as much of a lock as a verb takes, and whoever only refers to the ticket (a notice) need not wait.
# `statement_timestamp()` is a bound of the index scan; the volatile `clock_timestamp()` would read every waiting row.
CLAIMED = """
SELECT s.id, s.step, s.repetition, k.id, k.public_id, k.event_seq, k.event_hash, k.team_id, k.assignee_id,
       k.requester_id
  FROM slas_stepdue s
  JOIN slas_timer t ON t.id = s.timer_id
  JOIN tickets_ticket k ON k.id = t.ticket_id
"""
CLAIM = f"""{CLAIMED}
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
CLAIM_THESE = f"""{CLAIMED}
 WHERE s.id = ANY(%s) AND s.parked_at IS NULL
 ORDER BY s.fire_at, s.id
   FOR NO KEY UPDATE OF k SKIP LOCKED
"""
# A step whose effects failed waits on its own; it is not what a sleeper is to be woken for.
SECONDS_TO_NEXT = """
SELECT EXTRACT(EPOCH FROM min(fire_at) - clock_timestamp())
  FROM slas_stepdue WHERE parked_at IS NULL AND retry_at IS NULL
"""
LOCK = """
SELECT k.id
  FROM slas_stepdue s JOIN slas_timer t ON t.id = s.timer_id JOIN tickets_ticket k ON k.id = t.ticket_id
 WHERE s.id = %s
   FOR NO KEY UPDATE OF k SKIP LOCKED
"""
PARK = """
UPDATE slas_stepdue
   SET attempts = attempts + 1, last_error = %s,
       retry_at = clock_timestamp() + %s * power(2, attempts) * interval '1 s',
       parked_at = CASE WHEN %s AND attempts + 1 >= %s THEN clock_timestamp() END
 WHERE id = %s
RETURNING parked_at IS NOT NULL
"""


@dataclass(frozen=True)
class Claimed:
    """Steps that were due when asked, as step and repetition by row, and their tickets, whose rows are now locked."""

    steps: dict[int, tuple[int, int]]
    tickets: dict[int, LockedTicket]


class Failed(Exception):
    """A batch could not be fired as a whole; nothing of it happened."""

    def __init__(self, steps: list[int]) -> None:
        super().__init__(steps)
        self.steps = steps


def tick(*, stopping: Callable[[], bool] = lambda: False, with_help: bool = False) -> int:
    """Fire every step that is due and return how many were; come back after half a minute at the latest, or after the
    batch in which `stopping` begins to say yes.

    While something is due but its ticket is in use by somebody else, waits 50 ms, ten times at most. A step whose
    effects fail is left alone for a second, then two, four and eight, and parked when they fail for the fifth time.
    `with_help`: where very many are due, a second thread with a connection of its own fires along. Half of the work is
    the database's, and neither has to wait for the other.
    """
    fired = 0
    waits = 0
    size = min(FIRST_BATCH, BATCH)
    started = time.monotonic()
    helper: Helper | None = None
    try:
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
                if with_help and helper is None and count >= MANY:
                    helper = Helper(stopping)
                    helper.start()
                size = max(size // 2, 1) if time.monotonic() - began > LONGEST_BATCH_S else min(2 * size, BATCH)
                continue
            if waits >= MAX_WAITS:
                break
            waits += 1
            time.sleep(WAIT_S)
    finally:
        if helper is not None:
            fired += helper.finish()
    return fired


class Helper(threading.Thread):
    """Fires along with a tick, until nothing is due or the tick is through. The rows decide who fires what, as between
    any two ticks."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        super().__init__(name="tick helper", daemon=True)
        self._stopping = stopping
        self._done = threading.Event()
        self._fired = 0

    def run(self) -> None:
        """Tick on a connection of this thread's own, which is closed again."""
        try:
            self._fired = tick(stopping=lambda: self._stopping() or self._done.is_set())
        except (DatabaseError, InterfaceError) as error:
            # The tick itself meets the same, and says so.
            logger.warning("The second connection of a tick failed (%s)", type(error).__name__)
        finally:
            connection.close()

    def finish(self) -> int:
        """Let it end after the batch that it is at, and return how many steps it has fired."""
        self._done.set()
        self.join()
        return self._fired


def _fire_batch(sql: str, arguments: list[Any]) -> int | None:
    """Claim steps and fire them in one transaction; return how many fired, None when there was nothing to take.

    Raises:
        Failed: nothing of the batch happened.
        DatabaseError: nothing could be claimed.
    """
    claimed = Claimed({}, {})
    try:
        with transaction.atomic():
            claimed = _rows_to_claim(sql, arguments)
            return _fire(claimed) if claimed.steps else None
    except Exception as error:
        if not claimed.steps or _is_lost(error):
            raise  # no step's fault: trying again at once, and in parts, would only turn in circles
        raise Failed(list(claimed.steps)) from error


def _is_lost(error: Exception) -> bool:
    """Return whether the database is away or has no room, so that every step would fail alike. A statement that took
    too long, or waited too long for a lock, may be one ticket's."""
    if isinstance(error, InterfaceError):
        return True
    state = getattr(error.__cause__, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(LOST))


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
    """Note the failure on the step's row, and park it after too many; those that it was to speak for are told then. For
    that the ticket is locked; while somebody else has it, the step is not parked yet."""
    said = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [step])
        is_free = cursor.fetchone() is not None
        cursor.execute(PARK, [said, FIRST_RETRY_S, is_free, MAX_ATTEMPTS, step])
        row = cursor.fetchone()
        if row and row[0]:
            logger.error("Service-level step %s failed %d times and is parked", step, MAX_ATTEMPTS, exc_info=error)
            try:
                with transaction.atomic():
                    tell_instead(step)
            except Exception:
                logger.exception("Nobody could be told of the steps for which step %s was to speak", step)


def _rows_to_claim(sql: str, arguments: list[Any]) -> Claimed:
    people = People()
    claimed = Claimed({}, {})
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        for pk, step, repetition, *ticket in cursor.fetchall():
            claimed.steps[pk] = (step, repetition)
            if ticket[0] not in claimed.tickets:
                claimed.tickets[ticket[0]] = people.of(LockedTicket(people, *ticket))
    return claimed


def _anything_due() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(ANY_DUE)
        found: bool = cursor.fetchone()[0]
    return found


def _fire(claimed: Claimed) -> int:
    """Fire claimed steps whose tickets are locked: take the rows anew, store the events, do what the chains order."""
    now, happened = take(claimed.steps)
    if not happened:
        return 0
    repeat_fired(happened)
    recipients, lateness = Recipients(), Lateness(happened, now)
    told: list[Entry] = []
    by_ticket = _by_ticket(happened)
    moved = Ticket.objects.in_bulk([pk for pk, steps in by_ticket.items() if any(has_deeds(step) for step in steps)])
    for pk, steps in by_ticket.items():
        ticket = moved.get(pk) or claimed.tickets[pk]
        effects = Effects(ticket, actor=SYSTEM, detected_at=now, recipients=recipients, lateness=lateness)
        if pk in moved:
            effects.carry_out(steps)
        else:
            told += effects.entries(steps)
    write_many(told)
    return len(happened)


def _by_ticket(happened: Sequence[Fired]) -> dict[int, list[Fired]]:
    found: dict[int, list[Fired]] = {}
    for step in happened:
        found.setdefault(step.timer.ticket_id, []).append(step)
    return found


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
