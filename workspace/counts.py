"""How many tickets wait in each queue: one query, each count capped, so that it costs the same at any size."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField

from itsm.accounts.models import User
from itsm.conditions import Context, to_q
from itsm.tickets.models import Ticket
from workspace.lists import Queue
from workspace.schema import queue_schema

MOST = 999


def counts_of(queues: Sequence[Queue], context: Context) -> dict[str, int]:
    """Return the number of tickets that the person sees in each queue by its key; MOST + 1 means more."""
    if not queues:
        return {}
    user: User = context.user
    visible = Ticket.objects.visible_to(user)
    columns = {
        f"n{at}": Func(
            ArraySubquery(
                visible.filter(to_q(queue.condition, queue_schema(), context)).order_by().values("pk")[: MOST + 1]
            ),
            function="cardinality",
            output_field=IntegerField(),
        )
        for at, queue in enumerate(queues)
    }
    row = User.objects.filter(pk=user.pk).values_list(*columns.values()).first() or ()
    return {queue.key: int(count) for queue, count in zip(queues, row, strict=False)}


def shown(count: int) -> str:
    """Return a capped count as it is written: 42, or 999+."""
    return f"{MOST}+" if count > MOST else str(count)
