"""Questions about timers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models


class TimerQuerySet(models.QuerySet[Any]):
    """Questions about timers."""

    def of_tickets(self, tickets: Iterable[Any]) -> TimerQuerySet:
        """Return the timers of these tickets, those that were cancelled included, in a fixed order."""
        return self.filter(ticket_id__in=[ticket.pk for ticket in tickets]).order_by(
            "ticket_id", "metric", "kind", "cycle_no"
        )

    def active(self) -> TimerQuerySet:
        """Return timers that run or are paused."""
        return self.filter(state__in=("running", "paused"))

    def to_work_on(self) -> TimerQuerySet:
        """Return the timers with all that a verb needs to move them, in one query."""
        return self.select_related("policy", "calendar_version__calendar__current", "chain_version")

    def to_show(self) -> TimerQuerySet:
        """Return the timers with all that a reader is shown, in one query. A calendar's hours are left out: they are
        read once in each process, when they are first needed."""
        return self.select_related("policy", "team", "calendar_version__calendar").defer("calendar_version__spec")
