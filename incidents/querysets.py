"""Questions about incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q

from incidents.major.states import MajorState
from incidents.statuses import Status
from itsm.tickets.querysets import TicketQuerySet


class IncidentQuerySet(TicketQuerySet[Any]):
    """Questions about incidents, beyond those that every ticket answers."""

    def unfinished(self) -> IncidentQuerySet:
        """Return incidents that are not over for their requester: still open, or resolved and not yet confirmed."""
        return self.filter(closed_at__isnull=True)

    def children_of(self, parent: Any) -> IncidentQuerySet:
        """Return the incidents that are part of this one."""
        return self.filter(parent_id=parent.pk)

    def undecided(self) -> IncidentQuerySet:
        """Return those that can become major ones and of which nobody has said so yet: open, part of no other, never
        proposed, accepted, rejected or demoted."""
        return self.open().filter(parent=None, major_state=MajorState.NONE)

    def due_for_closing(self, now: datetime, days: int) -> IncidentQuerySet:
        """Return resolved incidents whose resolution, not last touch, lies `days` days before `now` (UTC); a major one
        only when its review is done."""
        resolved = self.filter(
            status=Status.RESOLVED, closed_at__isnull=True, resolved_at__lte=now - timedelta(days=days)
        )
        return resolved.filter(~Q(major_state=MajorState.ACCEPTED) | Q(review__done_at__isnull=False))

    def running_majors(self) -> IncidentQuerySet:
        """Return the major incidents that are not over."""
        return self.filter(major_state=MajorState.ACCEPTED, resolved_at__isnull=True, closed_at__isnull=True)


class OutageQuerySet(models.QuerySet[Any]):
    """Questions about outages that the portal shows."""

    def live(self) -> OutageQuerySet:
        """Return those that stand: not withdrawn, and their incident is open."""
        return self.filter(
            withdrawn_at__isnull=True, incident__resolved_at__isnull=True, incident__closed_at__isnull=True
        )

    def with_joined(self) -> OutageQuerySet:
        """Return the outages with `joined`, how many people have said that they have it too (one query)."""
        return self.annotate(joined=models.F("incident__child_count"))
