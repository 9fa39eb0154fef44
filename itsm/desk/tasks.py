"""Celery tasks of the ticket page; the tables say what there is to do."""

from celery import shared_task

from itsm.desk import holding, keeping


@shared_task(name="itsm.desk.tasks.send_held")
def send_held() -> int:
    """Send the replies that nobody has taken back; return how many went out."""
    return holding.release_due()


@shared_task(name="itsm.desk.tasks.clean_drafts")
def clean_drafts() -> int:
    """Delete old drafts and those thrown away; return how many."""
    return keeping.clean_drafts()
