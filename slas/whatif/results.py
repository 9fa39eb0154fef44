"""What an edit would change on open tickets, counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from slas.models import Trial, TrialRow
from slas.whatif.effects import Effect, Effected


def counted(found: Iterable[Effected]) -> dict[str, int]:
    """Return how many clocks move, end, begin, keep their old target; how many breaches are gained and lost; and how
    many tickets are touched. Those that keep their target count for nothing else."""
    listed = list(found)
    now = [one for one in listed if one.effect != Effect.KEEPS]
    return {
        **{str(effect): sum(one.effect == effect for one in listed) for effect in Effect},
        "gained": sum(one.gains_breach for one in now),
        "lost": sum(one.loses_breach for one in now),
        "tickets": len({one.ticket.pk for one in now}),
    }


def summary_of_effects(trial: Trial) -> dict[str, Any]:
    """Return the same counts from the rows of a trial. Two queries."""
    rows = TrialRow.objects.filter(trial=trial)
    now = ~Q(change=Effect.KEEPS)
    counts = {str(effect): Count("pk", filter=Q(change=effect)) for effect in Effect}
    return dict(
        rows.aggregate(
            **counts,
            gained=Count("pk", filter=now & Q(breached_at__isnull=False, real_breached_at__isnull=True)),
            lost=Count("pk", filter=now & Q(breached_at__isnull=True, real_breached_at__isnull=False)),
            tickets=Count("ticket_id", filter=now, distinct=True),
        )
    )
