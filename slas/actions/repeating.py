"""Steps that come again until somebody acknowledges, or as often as the chain says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from slas.actions.orders import next_repetition
from slas.models import State, StepDue, Timer
from slas.recording import Fired


def note_repetition(timer: Timer, step: Fired) -> StepDue | None:
    """Write on the timer when the step comes again, and return the row to store for it; None where it does not."""
    at = next_repetition(step) if timer.acknowledged_at is None else None
    key = str(step.step)
    if at is None:
        timer.repeats = {code: last for code, last in timer.repeats.items() if code != key}
        return None
    timer.repeats = {**timer.repeats, key: [step.repetition + 1, at.astimezone(UTC).isoformat()]}
    return StepDue(
        timer=timer,
        version=timer.version,
        epoch=timer.epoch,
        step=step.step,
        repetition=step.repetition + 1,
        fire_at=at,
    )


def repeat_fired(happened: Sequence[Fired]) -> None:
    """Store, for steps that a tick has fired, when those that come again do. No statement where none does."""
    touched: dict[int, Timer] = {}
    rows: list[StepDue] = []
    for step in happened:
        timer = step.timer
        if timer.state != State.RUNNING or (not timer.repeats and next_repetition(step) is None):
            continue
        touched[timer.pk] = timer
        if (row := note_repetition(timer, step)) is not None:
            rows.append(row)
    if touched:
        Timer.objects.bulk_update(touched.values(), ["repeats"])
    if rows:
        StepDue.objects.bulk_create(rows, ignore_conflicts=True)


def repetitions_due(timer: Timer) -> list[StepDue]:
    """Return the rows of the running timer's repetitions to come. One that fell due while the clock stood still comes
    when it goes on."""
    if timer.acknowledged_at is not None or timer.run_started_at is None:
        return []
    rows = []
    for code, (repetition, iso) in timer.repeats.items():
        at = max(datetime.fromisoformat(iso), timer.run_started_at)
        rows.append(
            StepDue(
                timer=timer,
                version=timer.version,
                epoch=timer.epoch,
                step=int(code),
                repetition=repetition,
                fire_at=at,
            )
        )
    return rows
