"""Acknowledging: somebody has taken over what an escalation was calling for, and it stops."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q

from itsm.tickets.actions.base import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.log import write
from slas.models import BREACH, StepDue, Timer

ACKNOWLEDGED = "sla.acknowledged"


@transaction.atomic
def acknowledge(ticket: Any, *, actor: Actor) -> list[Timer]:
    """Stop the escalations of all the ticket's clocks, and return the timers that this concerned.

    The steps to come go away, repetitions too. The clocks run on: a breach is recorded at its instant, and only the one
    who acknowledged is told. A new target that puts steps ahead again, or a new cycle, calls anew. A second call
    changes nothing.

    Raises:
        Refused: the actor does not work on tickets.
    """
    locked = begin(ticket, "ticket.note", actor=actor)
    timers = list(
        Timer.objects.filter(ticket_id=locked.pk, acknowledged_at=None).active().select_related("policy").order_by("pk")
    )
    if not timers:
        return []
    now = db_now()
    for timer in timers:
        timer.acknowledged_at = max(now, timer.touched_at)
        timer.acknowledged_by = actor.user
        timer.repeats = {}
    Timer.objects.bulk_update(timers, ["acknowledged_at", "acknowledged_by", "repeats"])
    StepDue.objects.filter(timer__in=timers).exclude(Q(step=BREACH, repetition=0)).delete()
    metrics = [timer.metric for timer in timers]
    write(locked, ACKNOWLEDGED, actor=actor, data={"metrics": metrics}, bump=False)
    return timers
