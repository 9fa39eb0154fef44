"""How many tickets wait in each queue: one query, each count capped, so that it costs the same at any size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Func, IntegerField

from itsm.accounts.models import User
from itsm.conditions import Condition, Context, to_q
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import sees_all_tickets
from workspace.lists import Queue
from workspace.schema import queue_schema

MOST = 999
KEPT = 2048


def counts_of(queues: Sequence[Queue], context: Context) -> dict[str, int]:
    """Return the number of tickets that the person sees in each queue by its key; MOST + 1 means more.

    “Within an hour” is counted from the beginning of the present minute.
    """
    if not queues:
        return {}
    user: User = context.user
    minute = context.now.replace(second=0, microsecond=0)
    sql, params = _compiled(user, sees_all_tickets(user), tuple(queue.condition for queue in queues), minute)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone() or ()
    return {queue.key: int(count) for queue, count in zip(queues, row, strict=False)}


@lru_cache(maxsize=KEPT)
def _compiled(user: User, sees_all: bool, conditions: tuple[Condition, ...], minute: datetime) -> tuple[str, Any]:
    """The query as text. Composing it costs more than running it, and a person's rail asks it every few seconds."""
    context = Context(user=user, now=minute, zone=user.zone)
    visible = Ticket.objects.visible_to(user)
    columns = [
        Func(
            ArraySubquery(visible.filter(to_q(condition, queue_schema(), context)).order_by().values("pk")[: MOST + 1]),
            function="cardinality",
            output_field=IntegerField(),
        )
        for condition in conditions
    ]
    found: tuple[str, Any] = User.objects.filter(pk=user.pk).order_by().values_list(*columns).query.sql_with_params()
    return found


def shown(count: int) -> str:
    """Return a capped count as it is written: 42, or 999+."""
    return f"{MOST}+" if count > MOST else str(count)
