"""Celery tasks of service levels."""

from celery import shared_task

from slas.actions import follow_setup
from slas.actions.reminders import remind
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


@shared_task(name="slas.tasks.remind_of_shifts")
def remind_of_shifts() -> int:
    """Remind people of shifts that begin soon; return how many reminders went out."""
    return remind()
