"""Reading notices, and giving a parked mail another chance."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.db.models.functions import Now

from itsm.accounts.models import User
from itsm.notifications.models import Mail, MailStatus, Notice
from itsm.tickets.models import TicketEvent

SEEN_AFTER = timedelta(seconds=30)


def notices_for(user: User | AnonymousUser) -> QuerySet[Notice]:
    """Return the notices the person may read, with all that their words need."""
    return Notice.objects.visible_to(user).with_event()


def unread_count(user: User | AnonymousUser) -> int:
    """Return how many notices the person has not read."""
    return Notice.objects.visible_to(user).unread().count()


def mark_read(user: User, public_id: str) -> int:
    """Mark one notice of the person as read; return 1, or 0 when it was read before or is not theirs."""
    return Notice.objects.filter(user=user, public_id=public_id).unread().update(read_at=Now())


def mark_ticket_read(user: User, event: TicketEvent) -> int:
    """Mark what the person was told about the event's ticket before the event as read; return how many.

    What came only seconds before stays unread: it may not have reached the page from which they acted.
    """
    earlier = Notice.objects.filter(user=user, ticket_id=event.ticket_id, created_at__lt=event.at - SEEN_AFTER)
    return earlier.unread().update(read_at=Now())


def mark_all_read(user: User) -> int:
    """Mark everything in the person's inbox as read; return how many.

    What is held back until their hours is not in it yet: read unseen, it would reach nobody, its mail neither.
    """
    return Notice.objects.filter(user=user, created_at__lte=Now()).unread().update(read_at=Now())


def retry(mail: Mail) -> bool:
    """Let a parked mail be tried again from the start; return whether it was parked."""
    parked = Mail.objects.filter(pk=mail.pk, status=MailStatus.PARKED)
    return bool(parked.update(status=MailStatus.WAITING, attempts=0, next_attempt_at=Now()))
