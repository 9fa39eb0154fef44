"""Celery tasks of incidents."""

from celery import shared_task

from incidents.closing import close_resolved as close_all_resolved


@shared_task(name="incidents.tasks.close_resolved")
def close_resolved() -> int:
    """Close incidents whose time after resolution is over; return how many."""
    return close_all_resolved()
