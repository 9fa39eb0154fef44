"""Working the risk of a change out anew, and saying so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from changes.models import Change
from changes.risk import Assessment, assess
from changes.statuses import TERMINAL
from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.log import write


@transaction.atomic
def reassess(change: Change, *, actor: Actor, version: int | None = None) -> Change:
    """Work the risk out anew by the rules and questions of today, and return the change.

    Raises:
        Refused, Stale.
    """
    locked: Change = begin(change, "ticket.edit", actor=actor, version=version)
    if locked.status not in TERMINAL:
        reassess_locked(locked, actor=actor, at=instant_of(actor))
    return locked


def reassess_locked(locked: Any, *, actor: Actor, at: datetime) -> None:
    """Store the risk of a locked change as it is now. A change of level or points is written to the log; without one
    nothing is written."""
    found = assess(locked, at)
    if found.differs_from(locked):
        tell_risk(locked, found, actor=actor, at=at, store=True)


def tell_risk(
    locked: Any, found: Assessment, *, actor: Actor, at: datetime, store: bool, before: tuple[Any, int] | None = None
) -> None:
    """Write the event about a risk that changed; with `store` its values too. `before`: level and points until now."""
    level, points = before or (locked.risk, locked.risk_points)
    write(
        locked,
        "change.risk_assessed",
        actor=actor,
        changes=found.fields(at) if store else {},
        data={"risk": found.level, "points": found.points, "before": level, "points_before": points},
        log_changes=False,
        bump=False,
        at=at,
    )
