"""Questions about mails and notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from itsm.accounts.roles import Permission
from itsm.tickets.models import Ticket
from itsm.tickets.querysets import sees_all_tickets

if TYPE_CHECKING:
    from itsm.accounts.models import User


class MailQuerySet(models.QuerySet[Any]):
    """Questions about mails."""

    def visible_to(self, user: User | AnonymousUser) -> MailQuerySet:
        """Return the mails the person may read: all for those who look after the outbox, none for others."""
        return self if user.is_authenticated and user.may(Permission.VIEW_OUTBOX) else self.none()

    def with_ticket(self) -> MailQuerySet:
        """Return the mails with what a row of the outbox shows, without their long texts."""
        return self.select_related("ticket").defer("text", "html", "ticket__description")


class NoticeQuerySet(models.QuerySet[Any]):
    """Questions about notices."""

    def visible_to(self, user: User | AnonymousUser) -> NoticeQuerySet:
        """Return the person's own notices about tickets and events that they may still see."""
        if not user.is_authenticated:
            return self.none()
        own = self.filter(user=user, created_at__lte=Now())
        if sees_all_tickets(user):
            return own
        about_tickets = Q(event__internal=False, ticket__in=Ticket.objects.visible_to(user))
        return own.filter(about_tickets | Q(event__isnull=True))

    def unread(self) -> NoticeQuerySet:
        """Return what has not been read."""
        return self.filter(read_at__isnull=True)

    def with_event(self) -> NoticeQuerySet:
        """Return the notices with everything that their words need, in one query."""
        return self.select_related("event__actor", "ticket").defer("ticket__description")
