"""The auditor: takes running timers in turn, computes anew from their history what is stored, and names differences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from slas.actions.book import Book
from slas.calendars import CalendarError
from slas.models import Audit, Run, State, StepDue, Timer
from slas.timing import reached

TICKETS_AT_ONCE = 200
MOST_FINDINGS = 100
EVERY = timedelta(seconds=55)  # workers are rung each minute; the first one does it
KEPT = timedelta(days=14)

# Reads the partial index of active timers from where the last sample ended.
SAMPLE = """
SELECT DISTINCT ticket_id FROM slas_timer
 WHERE state IN ('running', 'paused') AND ticket_id > %s
 ORDER BY ticket_id LIMIT %s
"""

Finding = dict[str, Any]


def audit_if_time(every: timedelta = EVERY) -> Audit | None:
    """Audit a sample unless somebody did within that time; return what was found, None when it was not time."""
    last = Audit.objects.first()
    now = db_now()
    if last is not None and now - last.at < every:
        return None
    return audit(now)


def audit(now: datetime | None = None) -> Audit:
    """Take the next sample of running timers and what was found before, compute them anew, and store what differs.

    Reads one snapshot of the database and locks nothing. Walks through all running timers, some hundreds each time.
    """
    at = now or db_now()
    last = Audit.objects.first()
    suspects = {int(finding["ticket"]) for finding in last.findings} if last is not None else set()
    begin = last.up_to_ticket if last is not None else 0
    with _Snapshot():
        tickets = _tickets_after(begin)
        timers = _running_of(suspects | set(tickets))
        findings = [finding for timer in timers for finding in _findings(timer)]
    up_to = tickets[-1] if len(tickets) == TICKETS_AT_ONCE else 0
    Audit.objects.filter(at__lt=at - KEPT).delete()
    return Audit.objects.create(at=at, sampled=len(timers), findings=findings[:MOST_FINDINGS], up_to_ticket=up_to)


class _Snapshot:
    """A transaction that sees one state of the database; within another transaction (tests) it is that one."""

    def __enter__(self) -> None:
        self.alone = not connection.in_atomic_block
        self.block = transaction.atomic()
        self.block.__enter__()
        if self.alone:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def __exit__(self, *error: Any) -> None:
        self.block.__exit__(*error)


def _tickets_after(begin: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE, [begin, TICKETS_AT_ONCE])
        return [row[0] for row in cursor.fetchall()]


def _running_of(tickets: Iterable[int]) -> list[Timer]:
    timers = Timer.objects.filter(ticket_id__in=list(tickets), state=State.RUNNING).order_by("ticket_id", "pk")
    related = ("policy", "chain_version", "calendar_version__calendar", "runs__calendar_version", "steps_due", "ticket")
    return list(timers.prefetch_related(*related))


def _findings(timer: Timer) -> list[Finding]:
    """Return the differences; hours that can no longer be read (their zone is gone) are one, and hide no others."""
    try:
        return differences(timer)
    except CalendarError as error:
        return [_finding(timer, "hours", timer.calendar_version_id, str(error))]


def differences(timer: Timer) -> list[Finding]:
    """Return where a running timer, read with its runs and steps, is not what its history makes of it.

    What an import brings is told in the order of its source: its overdue steps have no rows, and are left out here.
    """
    found = []
    runs = sorted(timer.runs.all(), key=lambda run: run.pk)
    for run in runs:
        measured = run.hours.open_us(run.started_at, run.ended_at)
        if measured != run.elapsed_us:
            found.append(_finding(timer, "run", run.elapsed_us, measured))
    elapsed = sum(run.elapsed_us for run in runs)
    if elapsed != timer.elapsed_closed_us:
        found.append(_finding(timer, "elapsed", timer.elapsed_closed_us, elapsed))
    due = _due(timer, runs)
    if due != timer.due_at:
        found.append(_finding(timer, "due_at", timer.due_at, due))
    if not found:
        found += _step_differences(timer)
    return found


def _due(timer: Timer, runs: list[Run]) -> datetime | None:
    """Return when the target is used up, from the runs alone."""
    try:
        return reached(timer, timer.target_us, lambda: runs)
    except CalendarError:
        return None


def _step_differences(timer: Timer) -> list[Finding]:
    stored = {(row.step, row.repetition): row.fire_at for row in timer.steps_due.all() if row.version == timer.version}
    wanted = {(row.step, row.repetition): row.fire_at for row in expected_steps(timer)}
    if timer.imported_at is not None:
        wanted = {key: at for key, at in wanted.items() if at > timer.imported_at or key in stored}
    return [
        _finding(timer, f"step {step}/{repetition}", stored.get((step, repetition)), wanted.get((step, repetition)))
        for step, repetition in sorted(stored.keys() | wanted.keys())
        if stored.get((step, repetition)) != wanted.get((step, repetition))
    ]


def expected_steps(timer: Timer) -> list[StepDue]:
    """Return the rows that should wait for the timer: those that its book would write."""
    book = Book(timer.ticket, [timer], at=timer.touched_at, actor=SYSTEM)
    return book.steps_to_come(timer)


def _finding(timer: Timer, what: str, stored: Any, computed: Any) -> Finding:
    return {
        "ticket": timer.ticket_id,
        "number": timer.ticket.number,
        "timer": timer.pk,
        "metric": timer.metric,
        "what": what,
        "stored": _plain(stored),
        "computed": _plain(computed),
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
