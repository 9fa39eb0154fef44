"""Celery tasks of problems."""

from celery import shared_task

from problems.trends import running


@shared_task(name="problems.tasks.look_for_trends")
def look_for_trends() -> int:
    """Go on for a while with a trend run that waits; return how many incidents were read."""
    return running.work()


@shared_task(name="problems.tasks.clean_trends")
def clean_trends() -> int:
    """Delete trend runs that are older than they are kept; return how many."""
    return running.delete_old()
