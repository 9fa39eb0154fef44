"""Celery tasks of approvals."""

from celery import shared_task

from itsm.approvals.actions import fire_due


@shared_task(name="itsm.approvals.tasks.fire_due_stages")
def fire_due_stages() -> int:
    """Remind, escalate and reject what is due; return for how many stages."""
    return fire_due()
