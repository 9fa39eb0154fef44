"""Celery tasks of service levels."""

from celery import shared_task

from slas.actions import follow_setup, follow_zone_data, refresh_holiday_sets
from slas.tick import tick as fire_due_steps

EDITED_AT_ONCE = 5000


@shared_task(name="slas.tasks.tick")
def tick() -> int:
    """Fire the steps that are due; return how many."""
    return fire_due_steps()


@shared_task(name="slas.tasks.follow_edits")
def follow_edits() -> int:
    """Bring timers to what was edited in calendars and policies; return how many were moved."""
    return follow_setup(limit=EDITED_AT_ONCE)


@shared_task(name="slas.tasks.watch_zone_data")
def watch_zone_data() -> int:
    """Bring running timers to new zone data; return how many were moved."""
    row = follow_zone_data()
    return row.timers_moved if row else 0


@shared_task(name="slas.tasks.top_up_holidays")
def top_up_holidays() -> int:
    """Keep holiday sets some years ahead; return how many changed."""
    return len(refresh_holiday_sets())
