"""Questions about changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db.models import Exists, OuterRef

from changes.statuses import AHEAD, Status
from itsm.tickets.querysets import TicketQuerySet

STANDING = (*sorted(AHEAD), Status.IMPLEMENT, Status.REVIEW)


class ChangeQuerySet(TicketQuerySet[Any]):
    """Questions about changes, beyond those that every ticket answers."""

    def with_people(self) -> Self:
        """Return the changes with everything that a list row shows, and with the services that they touch."""
        return super().with_people().prefetch_related("affected_services")

    def planned_between(self, start: datetime, end: datetime) -> ChangeQuerySet:
        """Return changes whose planned window overlaps these instants (aware); windows that only touch do not."""
        return self.filter(planned_start__lt=end, planned_end__gt=start)

    def standing(self) -> ChangeQuerySet:
        """Return changes that are neither closed nor cancelled."""
        return self.filter(status__in=STANDING)

    def with_collides(self) -> ChangeQuerySet:
        """Return them with `collides`: whether a collision stands that nobody waved through."""
        from changes.schedule.models import Conflict  # the models import this module

        standing = Conflict.objects.current().filter(change=OuterRef("pk"), overridden_at__isnull=True)
        return self.annotate(collides=Exists(standing))

    def ended(self) -> ChangeQuerySet:
        """Return changes that were closed with a code; cancelled ones were never made."""
        return self.filter(status=Status.CLOSED)
