"""Acknowledging: somebody has taken over what an escalation was calling for, and it stops."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q

from itsm.tickets.actions.base import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.log import write
from slas.actions.book import Book
from slas.keeping import timers_of
from slas.models import BREACH, StepDue, Timer

ACKNOWLEDGED = "sla.acknowledged"


@transaction.atomic
def acknowledge(ticket: Any, *, actor: Actor) -> list[Timer]:
    """Stop the escalations of all the ticket's clocks, and return the timers that this concerned.

    What was due before is caught up first, as by any verb: recorded, and told to those whom it names. The steps to come
    go away, repetitions too. The clocks run on: a breach is recorded at its instant, and only the one who acknowledged
    is told. A new target that puts steps ahead again, or a new cycle, calls anew. A second call
    changes nothing.

    Raises:
        Refused: the actor does not work on tickets.
    """
    locked = begin(ticket, "ticket.note", actor=actor)
    now = db_now()
    book = Book(locked, timers_of(locked), at=now, actor=actor)
    timers = sorted((timer for timer in book.active() if timer.acknowledged_at is None), key=lambda timer: timer.pk)
    if not timers:
        return []
    for timer in timers:
        book.settle(timer)
    book.write()
    for timer in timers:
        timer.acknowledged_at = max(now, timer.touched_at)
        timer.acknowledged_by = actor.user
        timer.repeats = {}
    Timer.objects.bulk_update(timers, ["acknowledged_at", "acknowledged_by", "repeats"])
    StepDue.objects.filter(timer__in=timers).exclude(Q(step=BREACH, repetition=0)).delete()
    metrics = [timer.metric for timer in timers]
    write(locked, ACKNOWLEDGED, actor=actor, data={"metrics": metrics}, bump=False)
    return timers
