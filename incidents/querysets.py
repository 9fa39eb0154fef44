"""Questions about incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from incidents.statuses import Status
from itsm.tickets.querysets import TicketQuerySet


class IncidentQuerySet(TicketQuerySet[Any]):
    """Questions about incidents, beyond those that every ticket answers."""

    def unfinished(self) -> IncidentQuerySet:
        """Return incidents that are not over for their requester: still open, or resolved and not yet confirmed."""
        return self.filter(closed_at__isnull=True)

    def due_for_closing(self, now: datetime, days: int) -> IncidentQuerySet:
        """Return resolved incidents whose resolution, not last touch, lies `days` days before `now` (UTC)."""
        return self.filter(status=Status.RESOLVED, closed_at__isnull=True, resolved_at__lte=now - timedelta(days=days))
