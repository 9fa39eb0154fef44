"""Celery tasks of service levels."""

from celery import shared_task

from slas.tick import tick as fire_due_steps


@shared_task(name="slas.tasks.tick")
def tick() -> int:
    """Fire the steps that are due; return how many."""
    return fire_due_steps()
