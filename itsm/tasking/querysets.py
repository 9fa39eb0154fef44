"""Questions about tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import connection
from django.db.models import F, Q

from itsm.tasking.statuses import Status
from itsm.tickets.querysets import TicketQuerySet

# Asked by every move of every ticket: composing it anew each time costs several times what it costs to run.
WAITS_BELOW = """
SELECT EXISTS (SELECT FROM tasking_task t JOIN tickets_ticket k ON k.id = t.ticket_ptr_id
                WHERE t.parent_id = %s AND k.status = %s)
"""


def any_waits_below(ticket: Any) -> bool:
    """Return whether the ticket has a task whose turn has not come."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS_BELOW, [ticket.pk, Status.PENDING.value])
        return bool(cursor.fetchone()[0])


class TaskQuerySet(TicketQuerySet[Any]):
    """Questions about tasks, beyond those that every ticket answers. `open()`: those not ended, also the waiting."""

    def below(self, ticket: Any) -> Self:
        """Return the tasks of the ticket."""
        return self.filter(parent_id=ticket.pk)

    def in_order(self) -> Self:
        """Return the tasks in the order in which they are to be done; those of one order by their planned start."""
        return self.order_by("order", F("planned_start").asc(nulls_last=True), "pk")

    def outside(self, start: datetime | None, end: datetime | None) -> Self:
        """Return the tasks whose planned window does not lie between these instants (aware; None is no bound)."""
        before = Q(planned_start__lt=start) | Q(planned_end__lte=start) if start else Q()
        after = Q(planned_end__gt=end) | Q(planned_start__gte=end) if end else Q()
        return self.filter(before | after) if before or after else self.none()
