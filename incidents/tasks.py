"""Celery tasks of incidents."""

from celery import shared_task

from incidents.closing import close_resolved as close_all_resolved
from incidents.major.actions import alarm_overdue


@shared_task(name="incidents.tasks.close_resolved")
def close_resolved() -> int:
    """Close incidents whose time after resolution is over; return how many."""
    return close_all_resolved()


@shared_task(name="incidents.tasks.alarm_overdue_updates")
def alarm_overdue_updates() -> int:
    """Tell commanders of updates on major incidents that are overdue; return how many."""
    return alarm_overdue()
