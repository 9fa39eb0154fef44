"""Steps that happen: the one place where service-level events come into being."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import ClassVar, NamedTuple, cast

from django.db import connection

from itsm.tickets.clock import db_now
from itsm.tickets.log import as_rows
from slas.models import BREACH, ChainVersion, EventKind, ServiceLevelPolicy, State, Timer
from slas.models.timers import whole_seconds
from slas.steps import step_of

INSERT = """
INSERT INTO slas_slaevent (timer_id, epoch, step, repetition, kind, at, detected_at, told, retroactive)
SELECT * FROM json_to_recordset(%s)
    AS u (timer_id bigint, epoch int, step int, repetition smallint, kind text, at timestamptz, detected_at timestamptz,
          told bool, retroactive bool)
ON CONFLICT DO NOTHING
RETURNING timer_id, epoch, step, repetition
"""
# All that firing writes of steps and timers, in one statement: read under the lock of the tickets, not before it. A row
# of an older version, or of a timer that stands still, goes away without effect.
TAKE = """
WITH due AS (
    DELETE FROM slas_stepdue s USING slas_timer t
     WHERE s.id = ANY(%s) AND t.id = s.timer_id
    RETURNING s.timer_id, s.epoch, s.step, s.repetition, s.fire_at,
              s.version = t.version AND t.state = 'running' AS wanted,
              t.epoch AS own_epoch, t.ticket_id, t.metric, t.target_us, t.due_at, t.retroactive,
              t.repeats <> '{}' AS repeats,
              t.acknowledged_at, t.acknowledged_by_id, t.policy_id, t.chain_version_id
), stored AS (
    INSERT INTO slas_slaevent (timer_id, epoch, step, repetition, kind, at, detected_at, told, retroactive)
    SELECT d.timer_id, d.epoch, d.step, d.repetition, k.kind, d.fire_at, GREATEST(d.fire_at, statement_timestamp()),
           true, d.retroactive AND d.step = %s AND d.repetition = 0
      FROM due d
      JOIN json_to_recordset(%s) AS k (step int, again bool, kind text)
           ON k.step = d.step AND k.again = (d.repetition > 0)
     WHERE d.wanted
     ORDER BY d.fire_at, d.timer_id, d.step, d.repetition
    ON CONFLICT DO NOTHING
    RETURNING timer_id, epoch, step, repetition, at
), noted AS (
    UPDATE slas_timer t
       SET done_steps = t.done_steps || COALESCE(f.steps, '{}'),
           breached_at = COALESCE(t.breached_at, f.breached_at),
           touched_at = GREATEST(t.touched_at, f.last)
      FROM (SELECT timer_id, array_agg(step ORDER BY at, step) FILTER (WHERE repetition = 0) AS steps, max(at) AS last,
                   max(at) FILTER (WHERE step = %s AND repetition = 0) AS breached_at
              FROM stored GROUP BY timer_id) f
     WHERE t.id = f.timer_id
)
SELECT d.timer_id, d.epoch, d.step, d.repetition, d.fire_at, d.own_epoch, d.ticket_id, d.metric, d.target_us,
       d.due_at, d.retroactive, d.repeats, d.acknowledged_at, d.acknowledged_by_id, d.policy_id, d.chain_version_id,
       statement_timestamp()
  FROM due d JOIN stored USING (timer_id, epoch, step, repetition)
 ORDER BY d.fire_at, d.timer_id, d.step, d.repetition
"""


@dataclass(frozen=True, slots=True)
class TimerFacts:
    """What a tick must know of a running timer to tell of its step: read with the step, for as many as are due.

    Reads like a timer and is no row: making many thousand objects of the model would take half of a storm's time. No
    step of it comes again: those are handed out with their whole timers.
    """

    state: ClassVar[State] = State.RUNNING
    repeats: ClassVar[Mapping[str, object]] = MappingProxyType({})

    pk: int
    epoch: int
    ticket_id: int
    metric: str
    target_us: int
    due_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by_id: int | None
    policy: ServiceLevelPolicy
    chain_version_id: int | None
    chain_version: ChainVersion | None

    @property
    def target_s(self) -> int:
        """The target in whole seconds of open time."""
        return whole_seconds(self.target_us)


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
        return kind_of(self.step, again=self.repetition > 0)


@lru_cache(maxsize=1024)
def kind_of(step: int, *, again: bool) -> EventKind:
    """Return what a step of this code is, the first time or when it comes again."""
    if step == BREACH:
        return EventKind.ESCALATED if again else EventKind.BREACHED
    return EventKind.ESCALATED if step_of(step).is_after else EventKind.WARNED


def take(waiting: Mapping[int, tuple[int, int]]) -> tuple[datetime, list[Fired]]:
    """Remove waiting rows whose tickets are locked, store the steps that are still wanted, and note them on their
    timers. Return the instant at which this was done, and the steps that had not been stored before, oldest first.

    `waiting`: step and repetition of each row, by its key.
    """
    kinds = [
        {"step": step, "again": again, "kind": kind_of(step, again=again)}
        for step, again in {(step, repetition > 0) for step, repetition in waiting.values()}
    ]
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [list(waiting), BREACH, json.dumps(kinds), BREACH])
        rows = [_Taken(*row) for row in cursor.fetchall()]
    if not rows:
        return db_now(), []
    policies = ServiceLevelPolicy.objects.only("name").in_bulk({row.policy_id for row in rows})
    chains = ChainVersion.objects.in_bulk({row.chain_id for row in rows if row.chain_id is not None})
    whole = _timers_that_repeat(rows, chains)
    found = []
    for row in rows:
        facts = whole.get(row.timer_id) or TimerFacts(
            row.timer_id,
            row.timer_epoch,
            row.ticket_id,
            row.metric,
            row.target_us,
            row.due_at,
            row.acknowledged_at,
            row.acknowledged_by_id,
            policies[row.policy_id],
            row.chain_id,
            chains[row.chain_id] if row.chain_id is not None else None,
        )
        is_breach = row.step == BREACH and not row.repetition
        found.append(
            Fired(
                cast("Timer", facts),
                row.epoch,
                row.step,
                row.at,
                row.due_at,
                retroactive=row.retroactive and is_breach,
                repetition=row.repetition,
            )
        )
    return rows[0].taken_at, found


class _Taken(NamedTuple):
    """A row of `TAKE`. `repeats`: a step of the timer is to come again."""

    timer_id: int
    epoch: int
    step: int
    repetition: int
    at: datetime
    timer_epoch: int
    ticket_id: int
    metric: str
    target_us: int
    due_at: datetime
    retroactive: bool
    repeats: bool
    acknowledged_at: datetime | None
    acknowledged_by_id: int | None
    policy_id: int
    chain_id: int | None
    taken_at: datetime


def _timers_that_repeat(rows: Iterable[_Taken], chains: Mapping[int, ChainVersion]) -> dict[int, Timer]:
    """Return the whole timers of steps that come again, by key."""
    found = {
        row.timer_id
        for row in rows
        if row.repeats or (row.chain_id is not None and chains[row.chain_id].by_code.get(row.step, {}).get("repeat"))
    }
    if not found:
        return {}
    return Timer.objects.select_related("policy", "chain_version", "calendar_version").in_bulk(found)


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
