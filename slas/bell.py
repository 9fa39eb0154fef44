"""The bell between who stores a step and the ticker that sleeps until the next one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

CHANNEL = "slas_step_soon"
# The ticker looks at least once a second by itself; a bell for everything would make commits wait for each other.
SOON = timedelta(seconds=2)


def ring_for(steps: Iterable[Any], now: datetime) -> None:
    """Wake the tickers, when the current transaction is committed, if one of the steps is due within two seconds."""
    if any(step.fire_at - now < SOON for step in steps):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
