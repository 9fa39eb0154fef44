"""After an outage: the late notices of one timer are one message. Deeds, events and webhooks stay as many as they are.

Overdue steps fire in order, perhaps in several batches. All but the last of a timer are recorded for nobody (`folded`);
the last one tells those whom all of them name, and says which steps it speaks for. Should its effects fail until it is
parked, those before it are told then (`slas.actions.parked`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from itsm.tickets.models import TicketEvent
from slas.actions.orders import next_repetition
from slas.history import CAUGHT_UP, NOTES
from slas.models import SlaEvent, StepDue, Timer
from slas.recording import Fired
from slas.steps import By, Step

# What is noticed later than this was held up: the tick looks every second.
LATE_AFTER = timedelta(minutes=2)
# How long one drain of overdue steps may take; what was noticed longer ago has been told.
ONE_DRAIN = timedelta(minutes=10)


class Lateness:
    """Which of the steps that a tick fires are late, and which of them are told together. Two queries, and none where
    nothing is late."""

    def __init__(self, happened: Sequence[Fired], now: datetime) -> None:
        self._now = now
        self._late = [step for step in happened if step.told and now - step.at > LATE_AFTER]
        self._known = {id(step) for step in self._late}
        self._last: dict[int, Fired] = {}
        self._late_of: dict[int, list[Fired]] = {}
        for step in self._late:
            self._late_of.setdefault(step.timer.pk, []).append(step)
        self._before: dict[int, list[Fired]] = {}
        if self._late:
            self._look()

    def is_late(self, step: Fired) -> bool:
        """Return whether the step is noticed long after it was due."""
        return id(step) in self._known

    def is_folded(self, step: Fired) -> bool:
        """Return whether a later overdue step of the same timer speaks for this one."""
        return self.is_late(step) and self._last.get(step.timer.pk) is not step

    def folded_into(self, step: Fired) -> list[Fired]:
        """Return the steps of the same timer for which this one speaks, in order; none where it speaks for itself."""
        if self._last.get(step.timer.pk) is not step:
            return []
        own = [one for one in self._late_of.get(step.timer.pk, ()) if one is not step]
        return [*self._before.get(step.timer.pk, []), *own]

    def _look(self) -> None:
        timers = {step.timer.pk: step.timer for step in self._late}
        waiting = set(
            StepDue.objects.filter(
                timer__in=timers, parked_at=None, retry_at=None, fire_at__lte=self._now - LATE_AFTER
            ).values_list("timer_id", flat=True)
        )
        for step in self._late:
            follows = next_repetition(step)
            if follows is not None and self._now - follows > LATE_AFTER and step.timer.acknowledged_at is None:
                waiting.add(step.timer.pk)
        self._last = {step.timer.pk: step for step in self._late if step.timer.pk not in waiting}
        mine = {(step.timer.pk, step.step, step.repetition) for step in self._late}
        earlier = SlaEvent.objects.filter(
            timer__in=self._last,
            told=True,
            retroactive=False,
            detected_at__gte=self._now - ONE_DRAIN,
            detected_at__lte=self._now,
        ).order_by("pk")
        for row in earlier:
            is_mine = (row.timer_id, row.step, row.repetition) in mine
            if row.detected_at - row.at > LATE_AFTER and row.epoch == timers[row.timer_id].epoch and not is_mine:
                fired = Fired(timers[row.timer_id], row.epoch, row.step, row.at, repetition=row.repetition)
                self._before.setdefault(row.timer_id, []).append(fired)


def left_untold(timer: Timer, now: datetime) -> list[Fired]:
    """Return the late steps of the timer that were recorded for nobody, because a later one was to speak for them, and
    for which none has spoken since; in order."""
    rows = SlaEvent.objects.filter(
        timer=timer, epoch=timer.epoch, told=True, retroactive=False, detected_at__gte=now - ONE_DRAIN
    ).order_by("pk")
    mine = {(row.at, row.step, row.repetition): row for row in rows}
    if not mine:
        return []
    notes = TicketEvent.objects.filter(
        ticket_id=timer.ticket_id, code__in=NOTES, data__metric=timer.metric, at__gte=min(key[0] for key in mine)
    ).order_by("seq")
    waiting: list[Fired] = []
    for event in notes:
        row = mine.get((event.at, _code_of(event.data), event.data.get("repetition", 0)))
        if event.code == CAUGHT_UP or (row is not None and not event.data.get("folded")):
            waiting = []
        elif row is not None:
            waiting.append(Fired(timer, row.epoch, row.step, row.at, timer.due_at, repetition=row.repetition))
    return waiting


def _code_of(data: Mapping[str, Any]) -> int:
    if "minutes" in data:
        return Step(minutes=data["minutes"], by=By(data["clock"])).code
    return int(data.get("percent", 0))
