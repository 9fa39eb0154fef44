"""The steps of the timers of one locked ticket: which happen as the timers are moved, and which are left to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from slas.actions.repeating import note_repetition, repetitions_due
from slas.models import BREACH, LateSteps, Run, State, StepDue, Timer
from slas.recording import Fired
from slas.timing import instant_of, is_skipped, steps_of


class Steps:
    """The steps of the timers in a book: where they lie, which of them happened, which wait.

    `_new` and `_moved` are the timers that the book has begun and moved, `_runs` the stretches that it closed, `_fired`
    the steps that happened by it.
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

    def catch_up(self, timer: Timer, before: datetime) -> None:
        """Fire the steps of a running timer that were due before the instant and have not happened."""
        if timer.state != State.RUNNING:
            return
        waiting = {step: self._instant_of(timer, step) for step in steps_of(timer) if step not in timer.done_steps}
        due = [(at, step) for step, at in waiting.items() if at is not None and at < before]
        for at, step in sorted(due):
            self._fire(timer, step, at)

    def _runs_of(self, timer: Timer) -> Sequence[Run]:
        return [*self._stored_runs(timer), *(run for run in self._runs if run.timer is timer)]

    def _stored_runs(self, timer: Timer) -> Sequence[Run]:
        if timer in self._new:
            return ()
        if timer.pk not in self._closed:
            rows = Run.objects.filter(timer=timer).select_related("calendar_version").order_by("pk")
            self._closed[timer.pk] = list(rows)
        return self._closed[timer.pk]

    def _instant_of(self, timer: Timer, step: int) -> datetime | None:
        return instant_of(timer, step, lambda: self._runs_of(timer))

    def _fire(self, timer: Timer, step: int, at: datetime, *, retroactive: bool = False) -> None:
        brought = timer.imported_at is not None and at <= timer.imported_at
        timer.done_steps = [*timer.done_steps, step]
        if step == BREACH:
            timer.breached_at = at
        fired = Fired(
            timer,
            timer.epoch,
            step,
            at,
            due_at=timer.due_at if step != BREACH else at,
            told=not (self.imports or brought),
            retroactive=retroactive,
        )
        self._fired.append(fired)
        if fired.told:
            note_repetition(timer, fired)

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
            # What was acknowledged was another target's: the steps that come anew call anew.
            timer.acknowledged_at, timer.acknowledged_by, timer.repeats = None, None, {}
            timer.done_steps = [step for step in timer.done_steps if step not in ahead]

    def _pass_over(self, timer: Timer, at: datetime, *, late: str) -> None:
        """Deal with the steps that a new target, or an early start, puts into the past; the breach always fires."""
        instants = {step: self._instant_of(timer, step) for step in steps_of(timer) if step not in timer.done_steps}
        passed = {step: instant for step, instant in instants.items() if instant is not None and instant < at}
        in_order = sorted(passed.items(), key=lambda item: (item[1], item[0]))
        for step, instant in in_order:
            highest = late == LateSteps.HIGHEST and step == in_order[-1][0]
            if highest or late == LateSteps.ALL or step == BREACH:
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
            fired.timer.repeats = {code: last for code, last in fired.timer.repeats.items() if code != str(fired.step)}
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
        return [*rows, *repetitions_due(timer)]
