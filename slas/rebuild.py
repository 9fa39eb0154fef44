"""Making a ticket's timers anew from its event log, and finding where the stored rows differ from them.

The log says what happened on the ticket, `SetupVersion` what was promised then, `Sweep` what jobs did in between. The
zone of a requester is on record only in the timers and runs themselves, so it is taken from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from slas.actions.book import Book
from slas.history import Moment, histories_of
from slas.models import BREACH, Run, State, StepDue, Sweep, Timer
from slas.models.timers import STOPPED
from slas.plans import Key
from slas.promised import Promised
from slas.simulation import Simulated, simulate

COLUMNS = (
    "policy_id",
    "goal_id",
    "state",
    "target_us",
    "team_id",
    "time_zone",
    "calendar_version_id",
    "chain_version_id",
    "started_at",
    "due_at",
    "stopped_at",
    "breached_at",
    "retroactive",
    "elapsed_closed_us",
    "run_started_at",
    "reset_held",
)
RUN_COLUMNS = ("started_at", "ended_at", "calendar_version_id", "time_zone", "elapsed_us")
MISSING, RUNS, STEPS, QUEUE = "timer", "runs", "steps", "queue_due_at"
Cycle = tuple[str, str, int]


@dataclass(frozen=True)
class Difference:
    """One place where what is stored of a ticket's timers is not what its log gives. `part`: a column, `runs`, `steps`
    (those that wait), `timer` (there is none, or should be none), or `queue_due_at` of the ticket (no cycle)."""

    number: str
    cycle: Cycle | None
    part: str
    old: Any
    new: Any

    def __str__(self) -> str:
        which = "{1} {2} ({0})".format(*self.cycle) if self.cycle else "ticket"
        return f"{self.number} {which} {self.part}: {told(self.old)} → {told(self.new)}"


def told(value: Any) -> str:
    """Return a value as a line of the report shows it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(told(one) for one in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(told(one) for one in value) + ")"
    return "none" if value is None else str(value)


@dataclass
class Rebuilt:
    """A ticket with its timers as stored and as its log gives them."""

    ticket: Any
    stored: dict[Cycle, Timer]
    simulated: Simulated

    @property
    def anew(self) -> dict[Cycle, Timer]:
        """The timers that the log gives, by kind, metric and number of the cycle."""
        return {cycle_of(timer): timer for timer in self.simulated.timers}


def cycle_of(timer: Timer) -> Cycle:
    """Return what a timer is known by on its ticket: kind, metric, number of the cycle."""
    return (str(timer.kind), str(timer.metric), timer.cycle_no)


def rebuild(tickets: Iterable[Any], promised: Promised, *, now: datetime) -> list[Rebuilt]:
    """Return each ticket with its timers as stored and as they come out anew. Nine queries for all of them."""
    wanted = list(tickets)
    moments = histories_of(wanted)
    stored: dict[int, dict[Cycle, Timer]] = {ticket.pk: {} for ticket in wanted}
    rows = Timer.objects.of_tickets(wanted).to_work_on().prefetch_related("runs__calendar_version", "steps_due")
    for timer in rows:
        stored[timer.ticket_id][cycle_of(timer)] = timer
    sweeps: dict[int, list[Sweep]] = defaultdict(list)
    for sweep in Sweep.objects.filter(ticket__in=wanted).order_by("pk"):
        sweeps[sweep.ticket_id].append(sweep)
    return [
        _rebuilt(ticket, moments[ticket.pk], stored[ticket.pk], sweeps[ticket.pk], promised, now) for ticket in wanted
    ]


def _rebuilt(
    ticket: Any,
    moments: list[Moment],
    stored: dict[Cycle, Timer],
    sweeps: Iterable[Sweep],
    promised: Promised,
    now: datetime,
) -> Rebuilt:
    between: dict[int, list[Callable[[Book], None]]] = defaultdict(list)
    for sweep in sweeps:
        between[sweep.after_seq].append(_move_of(sweep, promised))

    def zone(key: Key, cycle_no: int, at: datetime) -> str | None:
        timer = stored.get((*key, cycle_no))
        if timer is None:
            return None
        later = (run.time_zone for run in _runs_of(timer) if run.ended_at > at)
        return next(later, timer.time_zone)

    return Rebuilt(ticket, stored, simulate(moments, promised.at, until=now, zones=zone, between=between))


def _move_of(sweep: Sweep, promised: Promised) -> Callable[[Book], None]:
    """Return what the job did to the timers in a book."""
    deeds = {str(Sweep.Why.SETTLED): _settle, str(Sweep.Why.ZONES): _measure_anew}
    deed = deeds.get(sweep.why, _follow_edit)
    moved = {tuple(cycle) for cycle in sweep.timers}

    def move(book: Book) -> None:
        book.at = sweep.at
        for timer in book.active():
            if cycle_of(timer) in moved:
                deed(book, timer, sweep, promised)

    return move


def _settle(book: Book, timer: Timer, sweep: Sweep, promised: Promised) -> None:
    book.settle(timer)


def _measure_anew(book: Book, timer: Timer, sweep: Sweep, promised: Promised) -> None:
    book.change_calendar(timer, timer.calendar_version)


def _follow_edit(book: Book, timer: Timer, sweep: Sweep, promised: Promised) -> None:
    levels = promised.at(sweep.recorded_at)
    policy = levels.policy(timer.policy_id)
    if policy is None:
        book.cancel(timer)
        return
    goal = next((one for one in policy.goals if one.goal.pk == timer.goal_id), None)
    by_team = goal is not None and goal.goal.use_team_calendar
    hours = levels.hours_of(goal, book.ticket) if goal is not None and by_team else None
    version = hours or promised.hours_at(timer.calendar_version, sweep.recorded_at)
    if version.pk != timer.calendar_version_id:
        book.change_calendar(timer, version)


def _runs_of(timer: Timer) -> list[Run]:
    return sorted(timer.runs.all(), key=lambda run: run.pk)


def differences(rebuilt: Rebuilt) -> list[Difference]:
    """Return where the stored timers differ from those that the log gives.

    What a tick has still to do is no difference: a step that waits may be due already. Nor is what an import has not
    settled.
    """
    found = []
    number, anew = rebuilt.ticket.number, rebuilt.anew
    for cycle in sorted(rebuilt.stored.keys() | anew.keys()):
        old, new = rebuilt.stored.get(cycle), anew.get(cycle)
        if old is None or new is None:
            found.append(Difference(number, cycle, MISSING, old and str(old.state), new and str(new.state)))
            continue
        found += [Difference(number, cycle, *values) for values in _of_timer(old, new, rebuilt.simulated)]
    due = [timer.due_at for timer in rebuilt.simulated.timers if timer.state == State.RUNNING and timer.due_at]
    soonest = min(due, default=None)
    if soonest != rebuilt.ticket.next_target_at:
        found.append(Difference(number, None, QUEUE, rebuilt.ticket.next_target_at, soonest))
    return found


def _of_timer(old: Timer, new: Timer, simulated: Simulated) -> Iterator[tuple[str, Any, Any]]:
    unnoticed = old.breached_at is None and _is_unnoticed(old, new)
    for name in COLUMNS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after and not (name == "breached_at" and unnoticed):
            yield name, before, after
    before_runs = [tuple(getattr(run, name) for name in RUN_COLUMNS) for run in _runs_of(old)]
    after_runs = [tuple(getattr(run, name) for name in RUN_COLUMNS) for run in simulated.runs_of(new)]
    if before_runs != after_runs:
        yield RUNS, before_runs, after_runs
    before_steps, after_steps = _waiting(old), _to_wait(old)
    if before_steps != after_steps:
        yield STEPS, sorted(before_steps.items()), sorted(after_steps.items())


def _is_unnoticed(old: Timer, new: Timer) -> bool:
    """Return whether the breach is one that nobody has noticed yet: its step waits, or an import is not settled."""
    if new.breached_at is None or old.state in STOPPED:
        return False
    return old.imported_at is not None or any(row.step == BREACH for row in old.steps_due.all())


def _waiting(timer: Timer) -> dict[int, datetime]:
    rows: Iterable[StepDue] = timer.steps_due.all()
    return {row.step: row.fire_at for row in rows if row.version == timer.version and row.repetition == 0}


class StoredBook(Book):
    """A book of one stored timer whose runs have been read, to ask what should wait for it. Writes nothing."""

    def __init__(self, timer: Timer) -> None:
        super().__init__(None, [timer], at=timer.touched_at, actor=SYSTEM)

    def _stored_runs(self, timer: Timer) -> list[Run]:
        return _runs_of(timer)


def _to_wait(timer: Timer) -> Mapping[int, datetime]:
    """Return the steps that should wait for the timer as it is stored, with their instants."""
    rows = {row.step: row.fire_at for row in StoredBook(timer).steps_to_come(timer) if row.repetition == 0}
    if timer.imported_at is None:
        return rows
    waiting = _waiting(timer)
    return {step: at for step, at in rows.items() if at > timer.imported_at or step in waiting}


@dataclass(frozen=True)
class Looked:
    """A batch of tickets that was looked at: how many, how many timers, and what differs, by ticket id."""

    tickets: int
    timers: int
    differences: Mapping[int, list[Difference]]


def suspects(tickets: QuerySet[Any], promised: Promised, *, size: int) -> Iterator[Looked]:
    """Go through the tickets by id, so many at a time, and give what differs in each batch; changes nothing.

    Each batch is read from one state of the database and locks nothing.
    """
    last = 0
    while True:
        with snapshot():
            batch = list(tickets.filter(pk__gt=last).order_by("pk")[:size])
            rebuilt = rebuild(batch, promised, now=db_now()) if batch else []
        if not batch:
            return
        last = batch[-1].pk
        found = {one.ticket.pk: differences(one) for one in rebuilt}
        timers = sum(len(one.stored) for one in rebuilt)
        yield Looked(len(batch), timers, {ticket: listed for ticket, listed in found.items() if listed})


@contextmanager
def snapshot() -> Iterator[None]:
    """Read one state of the database; within another transaction (tests) it is that one."""
    alone = not connection.in_atomic_block
    with transaction.atomic():
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
