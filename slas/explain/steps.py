"""The steps of a timer's escalation: those that happened, those to come, and those that will not come any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from slas.chain_words import Names, action_words
from slas.models import Run, SlaEvent, StepDue, Timer
from slas.steps import Step, code_of, step_of
from slas.timing import instant_of, is_skipped, steps_of


class StepState(StrEnum):
    """Where a step stands. `waiting`: the timer stands still, so its instant is open. `unrecorded`: it lies in what an
    import brought, and is recorded without telling anybody when the import is settled. `skipped`: it would lie before
    the timer's start."""

    HAPPENED = "happened"
    COMING = "coming"
    WAITING = "waiting"
    UNRECORDED = "unrecorded"
    SKIPPED = "skipped"
    PASSED_OVER = "passed_over"
    NOT_REACHED = "not_reached"


@dataclass(frozen=True)
class StepLine:
    """A step with its instant (None: open) and what its chain orders, in words. `detected_at`, `told` and
    `retroactive` are of one that happened; `parked`: one that failed too often and needs an administrator."""

    code: int
    step: Step
    state: StepState
    at: datetime | None
    actions: tuple[str, ...]
    detected_at: datetime | None = None
    told: bool = True
    retroactive: bool = False
    repetition: int = 0
    parked: bool = False


def steps_lines(timer: Timer, runs: Sequence[Run], now: datetime) -> tuple[StepLine, ...]:
    """Return the timer's steps in the order in which they happen; `runs` are its closed runs. Three queries."""
    ordered = _actions_by_code(timer)
    happened = [
        StepLine(
            event.step,
            step_of(event.step),
            StepState.HAPPENED,
            event.at,
            ordered.get(event.step, ()),
            event.detected_at,
            event.told,
            event.retroactive,
            event.repetition,
        )
        for event in SlaEvent.objects.filter(timer=timer).order_by("at", "pk")
    ]
    coming = [
        StepLine(
            row.step,
            step_of(row.step),
            StepState.COMING,
            row.fire_at,
            ordered.get(row.step, ()),
            repetition=row.repetition,
            parked=row.parked_at is not None,
        )
        for row in StepDue.objects.filter(timer=timer).order_by("fire_at", "pk")
    ]
    known = {line.code for line in coming}
    recorded = {line.code for line in happened}
    rest = []
    for code in steps_of(timer):
        done = code in timer.done_steps
        if code in known or (code in recorded and done):
            continue
        at = instant_of(timer, code, lambda: runs) if timer.is_active and not done else None
        state = _state_of(timer, code, at, done=done)
        rest.append(StepLine(code, step_of(code), state, at, ordered.get(code, ())))
    return (*happened, *coming, *sorted(rest, key=lambda line: (line.at is None, line.at or now)))


def _state_of(timer: Timer, code: int, at: datetime | None, *, done: bool) -> StepState:
    if done:
        return StepState.PASSED_OVER
    if is_skipped(timer, code):
        return StepState.SKIPPED
    if not timer.is_active:
        return StepState.NOT_REACHED
    return StepState.WAITING if at is None else StepState.UNRECORDED


def _actions_by_code(timer: Timer) -> dict[int, tuple[str, ...]]:
    chain = timer.chain_version
    if chain is None:
        return {}
    names = Names(chain.steps)
    return {
        code_of(step): tuple(action_words(action, names) for action in step.get("actions", ())) for step in chain.steps
    }
