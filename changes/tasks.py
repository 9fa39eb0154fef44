"""Celery tasks of changes."""

from celery import shared_task

from changes.cab.actions import look_ahead
from changes.cab.models import CabBoard
from itsm.tickets.clock import db_now


@shared_task(name="changes.tasks.prepare_cab_meetings")
def prepare_cab_meetings() -> int:
    """Make the next meetings of each board and send the invitations that are due; return how many people were told."""
    return sum(look_ahead(board, db_now()) for board in CabBoard.objects.filter(is_active=True))
