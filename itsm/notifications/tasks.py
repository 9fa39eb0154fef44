"""Celery tasks of notices; beat rings them, and the tables say what there is to do."""

from celery import shared_task

from itsm.notifications.actions import deliver_due, send_due
from itsm.tickets.outbox import dispatch


@shared_task(name="itsm.notifications.tasks.dispatch_outbox")
def dispatch_outbox() -> int:
    """Hand waiting events to their consumers; return how many."""
    return dispatch()


@shared_task(name="itsm.notifications.tasks.send_mail_due")
def send_mail_due() -> int:
    """Send the mails that are due; return how many went out."""
    return send_due()


@shared_task(name="itsm.notifications.tasks.deliver_due")
def call_others() -> int:
    """Make the calls of webhooks that are due; return how many succeeded."""
    return deliver_due()
