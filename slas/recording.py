"""Steps that happen: the one place where service-level events come into being."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from itsm.tickets.log import as_rows
from slas.models import BREACH, EventKind, Timer
from slas.steps import step_of

INSERT = """
INSERT INTO slas_slaevent (timer_id, epoch, step, repetition, kind, at, detected_at, told, retroactive)
SELECT * FROM json_to_recordset(%s)
    AS u (timer_id bigint, epoch int, step int, repetition smallint, kind text, at timestamptz, detected_at timestamptz,
          told bool, retroactive bool)
ON CONFLICT DO NOTHING
RETURNING timer_id, epoch, step, repetition
"""


@dataclass(frozen=True)
class Fired:
    """A step of a timer that happened at `at`, with the due instant of that time. `told`: whether people hear of it."""

    timer: Timer
    epoch: int
    step: int
    at: datetime
    due_at: datetime | None = None
    told: bool = True
    retroactive: bool = False
    repetition: int = 0

    @property
    def is_breach(self) -> bool:
        """Whether this is the breach itself, and not its step that comes again."""
        return self.step == BREACH and not self.repetition

    @property
    def kind(self) -> EventKind:
        """What the step was: a warning before the target, the breach, an escalation after it."""
        if self.is_breach:
            return EventKind.BREACHED
        is_after = self.step == BREACH or step_of(self.step).is_after
        return EventKind.ESCALATED if is_after else EventKind.WARNED


def record(fired: Sequence[Fired], *, detected_at: datetime) -> list[Fired]:
    """Store the steps and return those that had not been stored before, in the order given.

    The unique key decides: whoever stores a step first is the one who acts on it.
    """
    if not fired:
        return []
    rows = [
        {
            "timer_id": step.timer.pk,
            "epoch": step.epoch,
            "step": step.step,
            "repetition": step.repetition,
            "kind": step.kind,
            "at": step.at,
            "detected_at": max(step.at, detected_at),
            "told": step.told,
            "retroactive": step.retroactive,
        }
        for step in fired
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [as_rows(rows)])
        stored = set(cursor.fetchall())
    return [step for step in fired if (step.timer.pk, step.epoch, step.step, step.repetition) in stored]
