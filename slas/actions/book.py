"""The timers of one locked ticket, moved in memory and written once.

Each method is one of the moves of a timer at the book's instant; `write` stores what they did, each table in one
statement where it can be. Before a running timer is moved, the steps that were due earlier are caught up, so that
the history is the one in which the tick had come just before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.db import connection

from itsm.tickets.models import NO_TARGET
from slas.actions.effects import Effects
from slas.actions.lateness import Lateness
from slas.actions.stepping import Steps
from slas.actions.writing import insert_runs, replace_steps, update_timers
from slas.bell import ring_for
from slas.models import CalendarVersion, LateSteps, Metric, Run, State, StepDue, Timer
from slas.past import Past, StoredPast, Stretch, beginning_of
from slas.plans import Key, Plan
from slas.recording import record
from slas.timing import reached

NEXT_TARGET = "UPDATE tickets_ticket SET queue_due_at = %s WHERE id = %s"


class Book(Steps):
    """What happens to the timers of one ticket at one instant.

    The ticket's row must be locked in the current transaction, and `timers` be all of its timers, read under the lock.
    An actor with a past instant is an import: what it makes due is recorded and nobody is told.

    `for_tick`: nobody is at work on the ticket (left out: the system acts), so what an overdue step of a timer that
    goes on orders must still be done. Such a step is left to the tick, which is the one that does deeds.
    """

    @cached_property
    def past(self) -> Past:
        """What happened on the ticket before; read when it is asked for."""
        return StoredPast(self.ticket, self.at)

    def began(self, metric: str) -> datetime | None:
        """Return when that began which the metric times and which lasts; None where nothing does."""
        return beginning_of(metric, self.past.moments)

    def last(self, key: Key) -> Timer | None:
        """Return the newest cycle of this kind and metric, whatever became of it."""
        cycles = [timer for timer in self.timers if (timer.kind, timer.metric) == key]
        return max(cycles, key=lambda timer: timer.cycle_no, default=None)

    def active(self) -> list[Timer]:
        """Return the timers that run or are paused."""
        return [timer for timer in self.timers if timer.is_active]

    def attach(self, plan: Plan, *, since: datetime | None = None, stretches: Sequence[Stretch] = ()) -> Timer:
        """Start a new timer under the plan, now; or as one that has run since then, in these stretches.

        What such a timer has passed already is dealt with as the policy says of late steps.
        """
        policy, goal = plan.policy.policy, plan.goal
        last = self.last(plan.key)
        cycle_no = last.cycle_no + 1 if last is not None else 1
        timer = Timer(
            ticket_id=self.ticket.pk,
            policy=policy,
            goal=goal.goal,
            kind=policy.kind,
            metric=policy.metric,
            cycle_no=cycle_no,
            team_id=self.ticket.team_id if policy.metric == Metric.TEAM_STAY else None,
            time_zone=self.zone_under(plan, cycle_no),
            calendar_version=plan.calendar_version,
            chain_version=goal.chain_version,
            started_at=since or self.at,
            touched_at=self.at,
            reset_held=plan.policy.asks("reset", self.ticket, self.at),
        )
        timer.target_us = goal.target_us(timer.calendar_version, timer.time_zone, timer.started_at)
        timer.imported_at = self.now if self.imports else None
        self.timers.append(timer)
        self._new.append(timer)
        if since is None:
            self._open_run(timer, self.at)
        else:
            self._run_through(timer, stretches)
            self._pass_over(timer, self.at, late=policy.late_steps)
        return timer

    def zone_under(self, plan: Plan, cycle_no: int) -> str:
        """Return the zone by whose clocks the plan's hours are read for this cycle; blank: the calendar's own."""
        return plan.goal.zone_for(self.ticket)

    def pause(self, timer: Timer) -> None:
        """Let a running timer stand still; its due instant is open until it goes on."""
        at = self._begin(timer)
        self._close_run(timer, at)
        timer.state, timer.due_at = State.PAUSED, None

    def resume(self, timer: Timer) -> None:
        """Let a paused timer go on, or take up a stopped one again: the time it stood still does not count."""
        at = self._begin(timer)
        timer.state, timer.stopped_at = State.RUNNING, None
        self._open_run(timer, at)

    def take_up(self, timer: Timer, plan: Plan) -> None:
        """Take up a stopped timer again, under what holds now: the time in between does not count."""
        timer.calendar_version = plan.calendar_version
        self.resume(timer)
        if (timer.policy_id, timer.goal_id) != (plan.policy.policy.pk, plan.goal.goal.pk):
            self.retarget(timer, plan)

    def note_reset(self, timer: Timer, *, held: bool) -> None:
        """Note whether the condition to start anew holds, so that it counts once and not as long as it holds."""
        if timer.reset_held != held:
            self._begin(timer)
            timer.reset_held = held

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

    def change_calendar(self, timer: Timer, version: CalendarVersion, time_zone: str | None = None) -> None:
        """Let the timer go on by other hours, or by those of another zone, from now. What has elapsed never jumps."""
        at = self._begin(timer)
        running = timer.state == State.RUNNING
        if running:
            self._close_run(timer, at)
        timer.calendar_version = version
        timer.time_zone = timer.time_zone if time_zone is None else time_zone
        if running:
            self._open_run(timer, at)

    def retarget(self, timer: Timer, plan: Plan) -> None:
        """Put an active timer under another goal: it keeps what it has run, only the target (and the hours from now
        on) change.

        Where the new target was passed already, the breach is dated to the instant at which it was. A target that
        moves nearer fires those steps it passes that the policy says; one that moves away fires none, and undoes
        a breach that it no longer has. Steps that have happened and lie ahead again happen anew, in the next epoch.
        """
        at = self._begin(timer)
        before = timer.target_us
        zone = self.zone_under(plan, timer.cycle_no)
        if (timer.calendar_version_id, timer.time_zone) != (plan.calendar_version.pk, zone):
            self.change_calendar(timer, plan.calendar_version, zone)
        timer.policy, timer.goal = plan.policy.policy, plan.goal.goal
        timer.target_us = plan.goal.target_us(timer.calendar_version, timer.time_zone, timer.started_at)
        timer.chain_version = plan.goal.chain_version
        full = reached(timer, timer.target_us, lambda: self._runs_of(timer))
        timer.due_at = full if timer.state == State.RUNNING else None
        if full is None or full >= at:
            timer.breached_at, timer.retroactive = None, False
        else:
            timer.retroactive = timer.retroactive or timer.breached_at is None
            timer.breached_at = full
        self._redo_steps_ahead(timer, at)
        late = plan.policy.policy.late_steps if timer.target_us < before else LateSteps.NONE
        self._pass_over(timer, at, late=late)

    def settle(self, timer: Timer) -> None:
        """Record what a timer passed until it was imported, and let it go on as one of today."""
        if timer.imported_at is not None:
            self.catch_up(timer, timer.imported_at)
        self._begin(timer)
        timer.imported_at = None

    def write(self) -> None:
        """Store everything: timers, runs, steps to come, events, the ticket's next target; then tell who must know."""
        moved = list(self._moved.values())
        overdue = self._leave_to_tick()
        update_timers(moved)
        if self._new:
            Timer.objects.bulk_create(self._new)
        for run in self._runs:
            run.timer_id = run.timer.pk  # new timers have their id only now
        insert_runs(self._runs)
        waiting = [step for timer in (*self._new, *moved) for step in self._steps_due(timer, overdue)]
        replace_steps(moved, waiting)
        if waiting:
            ring_for(waiting, self.now if self.imports else self.at)
        self._set_next_target()
        if self._fired:
            happened = record(sorted(self._fired, key=lambda step: step.at), detected_at=self.now)
            # Steps that a new target put into the past were not held up by anything.
            lateness = Lateness([step for step in happened if not step.retroactive], self.now)
            Effects(self.ticket, actor=self.actor, detected_at=self.now, lateness=lateness).tell(happened)

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

    def _run_through(self, timer: Timer, stretches: Sequence[Stretch]) -> None:
        """Let a new timer have run in these stretches; where the last one has an end, it stands still now."""
        for start, end in stretches:
            self._open_run(timer, start)
            if end is not None:
                self._close_run(timer, end)
        if timer.run_started_at is None:
            timer.state, timer.due_at = State.PAUSED, None
        full = reached(timer, timer.target_us, lambda: self._runs_of(timer))
        if full is not None and full < self.at:
            timer.breached_at, timer.retroactive = full, True
            timer.due_at = full if timer.state == State.RUNNING else None

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

    def next_due(self) -> datetime:
        """Return the next target of the ticket, NO_TARGET where no timer runs."""
        due = [timer.due_at for timer in self.timers if timer.state == State.RUNNING and timer.due_at is not None]
        return min(due, default=NO_TARGET)

    def steps_to_come(self, timer: Timer) -> list[StepDue]:
        """Return the rows that should wait for the timer as it stands, overdue ones among them; stores nothing."""
        return self._steps_due(timer, {})

    def _set_next_target(self) -> None:
        soonest = self.next_due()
        if soonest != self.ticket.queue_due_at:
            with connection.cursor() as cursor:
                cursor.execute(NEXT_TARGET, [soonest, self.ticket.pk])
            self.ticket.queue_due_at = soonest
