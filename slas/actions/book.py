"""The timers of one locked ticket, moved in memory and written once.

Each method is one of the moves of a timer at the book's instant; `write` stores what they did, each table in one
statement where it can be. Before a running timer is moved, the steps that were due earlier are caught up, so that
the history is the one in which the tick had come just before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.models import NO_TARGET, Ticket
from slas.actions.effects import Effects
from slas.bell import ring_for
from slas.models import BREACH, CalendarVersion, Run, State, StepDue, Timer
from slas.models.timers import STOPPED
from slas.plans import Plan
from slas.recording import Fired, record
from slas.timing import instant_of, is_skipped, reached, steps_of

US = 1_000_000
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
    "repeats",
    "acknowledged_at",
    "acknowledged_by",
    "touched_at",
    "imported_at",
)


class Book:
    """What happens to the timers of one ticket at one instant.

    The ticket's row must be locked in the current transaction, and `timers` be all of its timers, read under the lock.
    An actor with a past instant is an import: what it makes due is recorded and nobody is told.

    `for_tick`: nobody is at work on the ticket (left out: the system acts), so what an overdue step of a timer that
    goes on orders must still be done. Such a step is left to the tick, which is the one that does deeds.
    """

    def __init__(
        self, ticket: Any, timers: Iterable[Timer], *, at: datetime, actor: Actor, for_tick: bool | None = None
    ) -> None:
        self.ticket = ticket
        self.timers = list(timers)
        self.at = at
        self.actor = actor
        self._for_tick = actor.is_system if for_tick is None else for_tick
        self._new: list[Timer] = []
        self._moved: dict[int, Timer] = {}
        self._runs: list[Run] = []
        self._fired: list[Fired] = []
        self._closed: dict[int, list[Run]] = {}

    @property
    def imports(self) -> bool:
        """Whether this is history being brought in."""
        return self.actor.at is not None

    @cached_property
    def now(self) -> datetime:
        """The database's clock, asked once: `at` is a past instant in an import."""
        return db_now()

    def of(self, kind: str, metric: str) -> list[Timer]:
        """Return the ticket's timers of this kind and metric that were not cancelled, oldest cycle first."""
        return [t for t in self.timers if (t.kind, t.metric) == (kind, metric) and t.state != State.CANCELLED]

    def active(self) -> list[Timer]:
        """Return the timers that run or are paused."""
        return [timer for timer in self.timers if timer.is_active]

    def attach(self, plan: Plan) -> Timer:
        """Start a new timer under the plan."""
        policy, goal = plan.policy.policy, plan.goal
        cycles = [t.cycle_no for t in self.timers if (t.kind, t.metric) == (policy.kind, policy.metric)]
        timer = Timer(
            ticket_id=self.ticket.pk,
            policy=policy,
            goal=goal.goal,
            kind=policy.kind,
            metric=policy.metric,
            cycle_no=max(cycles, default=0) + 1,
            target_us=goal.goal.target_s * US,
            calendar_version=goal.calendar_version,
            chain_version=goal.chain_version,
            started_at=self.at,
            touched_at=self.at,
        )
        self._open_run(timer, self.at)
        timer.imported_at = self.now if self.imports else None
        self.timers.append(timer)
        self._new.append(timer)
        return timer

    def pause(self, timer: Timer) -> None:
        """Let a running timer stand still; its due instant is open until it goes on."""
        at = self._begin(timer)
        self._close_run(timer, at)
        timer.state, timer.due_at = State.PAUSED, None

    def resume(self, timer: Timer) -> None:
        """Let a paused timer go on, or take up a stopped one again: the time it stood still does not count."""
        at = self._begin(timer)
        current = timer.calendar_version.calendar.current
        if current is not None:
            timer.calendar_version = current
        timer.state, timer.stopped_at = State.RUNNING, None
        self._open_run(timer, at)

    def stop(self, timer: Timer) -> None:
        """End an active timer: met when this is not after its due instant, else missed. A paused one ends as if it had
        gone on in the same instant."""
        at = self._begin(timer)
        if timer.state == State.PAUSED:
            self._open_run(timer, at)
        self._close_run(timer, at)
        timer.state = State.MET if timer.breached_at is None else State.MISSED
        timer.stopped_at = at

    def cancel(self, timer: Timer) -> None:
        """End an active timer because what was promised no longer applies."""
        at = self._begin(timer)
        if timer.state == State.RUNNING:
            self._close_run(timer, at)
        timer.state, timer.stopped_at = State.CANCELLED, at

    def change_calendar(self, timer: Timer, version: CalendarVersion) -> None:
        """Let the timer go on by other hours from now. What has elapsed never jumps."""
        at = self._begin(timer)
        running = timer.state == State.RUNNING
        if running:
            self._close_run(timer, at)
        timer.calendar_version = version
        if running:
            self._open_run(timer, at)

    def retarget(self, timer: Timer, plan: Plan) -> None:
        """Put an active timer under another goal: it keeps what it has run, only the target (and the hours from now
        on) change.

        Where the new target was passed already, the breach is dated to the instant at which it was. A target that
        moves nearer fires the highest step it passes, once; one that moves away fires none, and undoes a breach that it
        no longer has. Steps that have happened and lie ahead again will happen anew, in the next epoch.
        """
        at = self._begin(timer)
        before = timer.target_us
        if timer.calendar_version.pk != plan.goal.calendar_version.pk:
            self.change_calendar(timer, plan.goal.calendar_version)
        timer.policy, timer.goal = plan.policy.policy, plan.goal.goal
        timer.target_us, timer.chain_version = plan.goal.goal.target_s * US, plan.goal.chain_version
        full = reached(timer, timer.target_us, lambda: self._runs_of(timer))
        timer.due_at = full if timer.state == State.RUNNING else None
        if full is None or full >= at:
            timer.breached_at, timer.retroactive = None, False
        else:
            timer.retroactive = timer.retroactive or timer.breached_at is None
            timer.breached_at = full
        self._redo_steps_ahead(timer, at)
        self._pass_over(timer, at, nearer=timer.target_us < before)

    def settle(self, timer: Timer) -> None:
        """Record what a timer passed until it was imported, and let it go on as one of today."""
        if timer.imported_at is not None:
            self.catch_up(timer, timer.imported_at)
        self._begin(timer)
        timer.imported_at = None

    def catch_up(self, timer: Timer, before: datetime) -> None:
        """Fire the steps of a running timer that were due before the instant and have not happened."""
        if timer.state != State.RUNNING:
            return
        waiting = {step: self._instant_of(timer, step) for step in steps_of(timer) if step not in timer.done_steps}
        due = [(at, step) for step, at in waiting.items() if at is not None and at < before]
        for at, step in sorted(due):
            self._fire(timer, step, at)

    def write(self) -> None:
        """Store everything: timers, runs, steps to come, events, the ticket's next target; then tell who must know."""
        moved = list(self._moved.values())
        overdue = self._leave_to_tick()
        for timer in moved:
            timer.save(update_fields=MOVED_FIELDS)
        if self._new:
            Timer.objects.bulk_create(self._new)
        if self._runs:
            Run.objects.bulk_create(self._runs)
        if moved:
            StepDue.objects.filter(timer__in=moved).delete()
        waiting = [step for timer in (*self._new, *moved) for step in self._steps_due(timer, overdue)]
        if waiting:
            StepDue.objects.bulk_create(waiting)
            ring_for(waiting, self.now if self.imports else self.at)
        self._set_next_target()
        if self._fired:
            happened = record(sorted(self._fired, key=lambda step: step.at), detected_at=self.now)
            Effects(self.ticket, actor=self.actor, detected_at=self.now).tell(happened)

    def _begin(self, timer: Timer) -> datetime:
        """Note that the timer is moved and return at which instant: the book's, but never before its last event."""
        at = max(self.at, timer.touched_at)
        self.catch_up(timer, at)
        if timer.pk is not None and timer.pk not in self._moved:
            self._moved[timer.pk] = timer
            timer.version += 1
        timer.touched_at = at
        timer.imported_at = self.now if self.imports else None
        return at

    def _open_run(self, timer: Timer, at: datetime) -> None:
        timer.run_started_at = at
        left = timer.target_us - timer.elapsed_closed_us
        if timer.breached_at is not None:
            timer.due_at = timer.breached_at
        else:
            timer.due_at = timer.hours.due(at, max(left, 0))

    def _close_run(self, timer: Timer, at: datetime) -> None:
        started_at = timer.run_started_at
        if started_at is None:
            return
        run = Run(
            timer=timer,
            started_at=started_at,
            ended_at=at,
            calendar_version=timer.calendar_version,
            time_zone=timer.time_zone,
            elapsed_us=timer.hours.open_us(started_at, at),
        )
        self._runs.append(run)
        timer.elapsed_closed_us += run.elapsed_us
        timer.run_started_at = None

    def _runs_of(self, timer: Timer) -> Sequence[Run]:
        if timer.pk is not None and timer.pk not in self._closed:
            rows = Run.objects.filter(timer=timer).select_related("calendar_version").order_by("pk")
            self._closed[timer.pk] = list(rows)
        stored = self._closed.get(timer.pk, []) if timer.pk is not None else []
        return [*stored, *(run for run in self._runs if run.timer is timer)]

    def _instant_of(self, timer: Timer, step: int) -> datetime | None:
        return instant_of(timer, step, lambda: self._runs_of(timer))

    def _fire(self, timer: Timer, step: int, at: datetime, *, retroactive: bool = False) -> None:
        brought = timer.imported_at is not None and at <= timer.imported_at
        timer.done_steps = [*timer.done_steps, step]
        if step == BREACH:
            timer.breached_at = at
        self._fired.append(
            Fired(
                timer,
                timer.epoch,
                step,
                at,
                due_at=timer.due_at if step != BREACH else at,
                told=not (self.imports or brought),
                retroactive=retroactive,
            )
        )

    def _redo_steps_ahead(self, timer: Timer, at: datetime) -> None:
        """Let steps that have happened, and that a new target puts into the future, happen again."""
        ahead = set()
        for step in timer.done_steps:
            if is_skipped(timer, step):
                continue
            instant = self._instant_of(timer, step)
            if timer.breached_at is None if step == BREACH else instant is None or instant > at:
                ahead.add(step)
        if ahead:
            timer.epoch += 1
            timer.done_steps = [step for step in timer.done_steps if step not in ahead]

    def _pass_over(self, timer: Timer, at: datetime, *, nearer: bool) -> None:
        """Deal with the steps that a new target puts into the past."""
        instants = {step: self._instant_of(timer, step) for step in steps_of(timer) if step not in timer.done_steps}
        passed = {step: instant for step, instant in instants.items() if instant is not None and instant < at}
        in_order = sorted(passed.items(), key=lambda item: (item[1], item[0]))
        for step, instant in in_order:
            if (nearer and step == in_order[-1][0]) or step == BREACH:
                self._fire(timer, step, instant, retroactive=True)
            else:
                timer.done_steps = [*timer.done_steps, step]

    def _leave_to_tick(self) -> dict[tuple[int, int], datetime]:
        """Take back the steps that the tick is to fire, and return their instants by timer and step.

        Those of an earlier epoch, of a timer that no longer runs, or of a chain that no longer applies could not wait:
        they stay as recorded here.
        """
        if not self._for_tick:
            return {}
        left = [
            fired
            for fired in self._fired
            if fired.told
            and (fired.timer.state, fired.timer.epoch) == (State.RUNNING, fired.epoch)
            and fired.step in steps_of(fired.timer)
        ]
        for fired in left:
            fired.timer.done_steps = [step for step in fired.timer.done_steps if step != fired.step]
        self._fired = [fired for fired in self._fired if fired not in left]
        return {(fired.timer.pk, fired.step): fired.at for fired in left}

    def _steps_due(self, timer: Timer, overdue: Mapping[tuple[int, int], datetime]) -> list[StepDue]:
        """Return the rows of a running timer's steps to come, and of those that are overdue and left to the tick.

        In an import those that are past by the database's clock get none: the next import may still tell that the
        timer was stopped before. They are caught up by it, by the next verb, or by `settle_imported`.
        """
        if timer.state != State.RUNNING:
            return []
        rows = []
        for step in steps_of(timer):
            if step in timer.done_steps:
                continue
            at = overdue.get((timer.pk, step)) or self._instant_of(timer, step)
            if at is None or (self.imports and at <= self.now):
                continue
            rows.append(StepDue(timer=timer, version=timer.version, epoch=timer.epoch, step=step, fire_at=at))
        return rows

    def steps_to_come(self, timer: Timer) -> list[StepDue]:
        """Return the rows that should wait for the timer as it stands, overdue ones among them; stores nothing."""
        return self._steps_due(timer, {})

    def _set_next_target(self) -> None:
        due = [timer.due_at for timer in self.timers if timer.state == State.RUNNING and timer.due_at is not None]
        soonest = min(due, default=NO_TARGET)
        if soonest != self.ticket.queue_due_at:
            Ticket.objects.filter(pk=self.ticket.pk).update(queue_due_at=soonest)
            self.ticket.queue_due_at = soonest


def stopped(timers: Iterable[Timer]) -> Timer | None:
    """Return the last of the timers that ended by being met or missed."""
    return next((timer for timer in reversed(list(timers)) if timer.state in STOPPED), None)
