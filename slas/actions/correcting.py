"""Bringing stored timers to what their tickets' logs give. Every difference is put on record; no history is lost."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.models import NO_TARGET, Ticket
from slas.actions.book import Book
from slas.models import Correction, Run, State, StepDue, Timer
from slas.promised import Promised
from slas.rebuild import COLUMNS, MISSING, QUEUE, RUNS, Difference, Rebuilt, differences, rebuild
from slas.recording import Fired, record
from slas.timing import steps_of

REPLACES_RUNS = "SET LOCAL slas.rebuilds = 'yes'"
KEEPS_RUNS = "SET LOCAL slas.rebuilds = 'no'"


@transaction.atomic
def correct(ticket_id: int, promised: Promised) -> list[Difference]:
    """Make the ticket's timers what its log gives, under its lock, and return what differed.

    Side effects in order: corrections (the audit), runs, timers, steps that wait, events that had been missed (for
    nobody: it is long past), the ticket's next target. A timer that the log does not give is cancelled, not removed.
    """
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket_id)
    now = db_now()
    (rebuilt,) = rebuild([ticket], promised, now=now)
    found = differences(rebuilt)
    if not found:
        return []
    _put_on_record(rebuilt, found, now)
    different = {difference.cycle for difference in found if difference.cycle is not None}
    anew = rebuilt.anew
    # Those that end come first: at most one clock of a kind and metric may be active.
    for cycle in sorted(different, key=lambda one: (one in anew and anew[one].is_active, one)):
        old, new = rebuilt.stored.get(cycle), anew.get(cycle)
        parts = {difference.part for difference in found if difference.cycle == cycle}
        if new is None and old is not None:
            _cancel(old)
        elif new is not None:
            _bring_to(old or new, new, rebuilt, parts, now)
    queue_due_at = [difference.new for difference in found if difference.part == QUEUE]
    if queue_due_at:
        Ticket.objects.filter(pk=ticket.pk).update(queue_due_at=queue_due_at[0] or NO_TARGET)
    return found


def _put_on_record(rebuilt: Rebuilt, found: Iterable[Difference], now: datetime) -> None:
    ids = {cycle: timer.pk for cycle, timer in rebuilt.stored.items()}
    Correction.objects.bulk_create(
        Correction(
            at=now,
            ticket=rebuilt.ticket,
            timer_id=ids.get(one.cycle) if one.cycle else None,
            part=one.part,
            old=_plain(one.old),
            new=_plain(one.new),
        )
        for one in found
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _cancel(timer: Timer) -> None:
    timer.state, timer.stopped_at = State.CANCELLED, timer.stopped_at or timer.touched_at
    timer.run_started_at = None
    timer.version += 1
    timer.save(update_fields=["state", "stopped_at", "run_started_at", "version"])
    StepDue.objects.filter(timer=timer).delete()


def _bring_to(timer: Timer, new: Timer, rebuilt: Rebuilt, parts: set[str], now: datetime) -> None:
    runs, fired = rebuilt.simulated.runs_of(new), rebuilt.simulated.events_of(new)
    if timer is new:
        timer.save(force_insert=True)
    else:
        for name in COLUMNS:
            setattr(timer, name, getattr(new, name))
        # What happened stays: the tick and the verbs have recorded it.
        listed = set(steps_of(timer))
        missed = [step for step in new.done_steps if step in listed and step not in timer.done_steps]
        kept = [step for step in timer.done_steps if step in new.done_steps or step not in listed]
        timer.done_steps = [*kept, *missed]
        timer.version += 1
        timer.save()
    if RUNS in parts or MISSING in parts:
        _replace_runs(timer, runs)
    StepDue.objects.filter(timer=timer).delete()
    StepDue.objects.bulk_create(Book(rebuilt.ticket, [timer], at=now, actor=SYSTEM).steps_to_come(timer))
    past = [Fired(timer, timer.epoch, one.step, one.at, one.due_at, told=False) for one in fired]
    record([one for one in past if one.step in timer.done_steps], detected_at=now)


def _replace_runs(timer: Timer, runs: Iterable[Run]) -> None:
    """Put these stretches in the place of the stored ones, which the database writes down among the corrections."""
    with connection.cursor() as cursor:
        cursor.execute(REPLACES_RUNS)
        cursor.execute("DELETE FROM slas_run WHERE timer_id = %s", [timer.pk])
        cursor.execute(KEEPS_RUNS)
    for run in runs:
        run.timer = timer
    Run.objects.bulk_create(runs)
