"""Handing events to their consumers: at least once, in order of age, whatever fails in between."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from itsm.tickets.clock import db_now
from itsm.tickets.hooks import consumer_named
from itsm.tickets.models import OutboxEntry

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 1000
LONGEST_RUN_S = 0.8
MAX_ATTEMPTS = 10
LONGEST_WAIT = timedelta(hours=1)
READ_AT_ONCE = 25

CLAIM = """
SELECT attempts FROM tickets_outboxentry
 WHERE id = %s AND parked_at IS NULL AND next_attempt_at <= statement_timestamp()
   FOR UPDATE SKIP LOCKED
"""
REMOVE = "DELETE FROM tickets_outboxentry WHERE id = %s"


def dispatch(limit: int = MOST_AT_ONCE) -> int:
    """Hand waiting events to their consumers until none is due, `limit` were handed or 0.8 s are over; return how many.
    It stops that soon because the worker that does this also watches the clocks.

    Each entry is claimed with SKIP LOCKED, handed over and removed in one transaction, so that several workers share
    the work and a crash hands the entry over again: consumers know an event by its id and do nothing twice. A consumer
    that fails is tried again after 2, 4, 8 … seconds, and parked with its error after ten tries; the others go on.
    """
    handed = 0
    until = time.monotonic() + LONGEST_RUN_S
    while handed < limit and time.monotonic() < until:
        before = handed
        for entry in _next(min(READ_AT_ONCE, limit - handed)):
            if time.monotonic() >= until:
                break
            handed += _dispatch_one(entry)
        if handed == before:
            break
    return handed


@transaction.atomic
def _next(count: int) -> list[OutboxEntry]:
    """Return the oldest entries that are due and that nobody has in hand, with what consumers ask of their tickets.

    Read together, because building that query takes longer than handing over an event. They are claimed one by one.
    """
    due = OutboxEntry.objects.filter(parked_at__isnull=True, next_attempt_at__lte=Now())
    entries = due.select_for_update(skip_locked=True, of=("self",)).select_related("event__ticket", "event__actor")
    around = entries.prefetch_related(*(f"event__ticket__{name}" for name in ("requester", "assignee", "team")))
    return list(around.order_by("next_attempt_at", "pk")[:count])


def _dispatch_one(entry: OutboxEntry) -> bool:
    """Claim the entry and hand it over; return whether it was still to be had."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Nothing waits for the disk: if the database falls over, the entry is there again and nothing of it was done.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(CLAIM, [entry.pk])
        claimed = cursor.fetchone()
        if claimed is None:
            return False
        entry.attempts = claimed[0]
        consumer = consumer_named(entry.consumer)
        try:
            if consumer is not None:
                with transaction.atomic():
                    consumer(entry.event)
        except Exception as error:
            logger.exception("Outbox entry %s failed for %s", entry.pk, entry.consumer)
            _put_back(entry, error)
        else:
            cursor.execute(REMOVE, [entry.pk])
        return True


def _put_back(entry: OutboxEntry, error: Exception) -> None:
    entry.attempts += 1
    now = db_now()
    entry.next_attempt_at = now + min(timedelta(seconds=2**entry.attempts), LONGEST_WAIT)
    entry.last_error = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
    if entry.attempts >= MAX_ATTEMPTS:
        entry.parked_at = now
    entry.save(update_fields=["attempts", "next_attempt_at", "last_error", "parked_at"])


def unpark() -> int:
    """Let every parked entry be tried again from the start; return how many."""
    return OutboxEntry.objects.filter(parked_at__isnull=False).update(parked_at=None, attempts=0, next_attempt_at=Now())


def waiting_and_parked() -> tuple[int, int]:
    """Return how many entries wait to be handed over, and how many were parked."""
    parked = OutboxEntry.objects.filter(parked_at__isnull=False).count()
    return OutboxEntry.objects.filter(parked_at__isnull=True).count(), parked
