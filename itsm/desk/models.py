"""What somebody has written and not sent, what waits to go out, and how long one may take a reply back."""

from __future__ import annotations

from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.tickets.models import Ticket
from itsm.tickets.models.ticket import TEXT_MAX


def new_revision() -> str:
    """Return a text that no other saving of a draft has."""
    return uuid4().hex[:12]


class DraftQuerySet(models.QuerySet["StoredDraft"]):
    """Questions about drafts. They begin with `of`: nobody but the author may read one."""

    def of(self, user: Any) -> Self:
        """Return what this person wrote."""
        return self.filter(author=user)

    def unsent(self) -> Self:
        """Return drafts: neither thrown away nor on their way out."""
        return self.filter(sends_at__isnull=True, discarded_at__isnull=True)

    def held(self) -> Self:
        """Return messages that wait to go out."""
        return self.filter(sends_at__isnull=False)

    def due(self) -> Self:
        """Return held messages whose instant has come, by the database's clock; the longest due first."""
        return self.filter(sends_at__lte=Now()).order_by("sends_at", "pk")


class StoredDraft(models.Model):
    """What one person has written in one place and not sent; with `sends_at` a message on its way out.

    `place`: of a ticket the visibility, else the key of a form. `versions`: what the same person wrote elsewhere at the
    same time, as `{"body", "at"}`, the newest first. `files`: stored and waiting for their rows. `fields`: the rest of
    a form. `problem`: why it came back instead of going out. Read by its author only: no event, search or export
    mentions it.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    author = models.ForeignKey(User, models.CASCADE, related_name="drafts")
    ticket = models.ForeignKey(Ticket, models.CASCADE, null=True, related_name="drafts")
    place = models.CharField(max_length=20)
    body = models.TextField(blank=True, max_length=TEXT_MAX)
    then = models.CharField(max_length=40, blank=True)
    fields = models.JSONField(default=dict, blank=True)
    files = models.JSONField(default=list, blank=True)
    versions = models.JSONField(default=list, blank=True)
    revision = models.CharField(max_length=12, default=new_revision)
    submission_key = models.CharField(max_length=60, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    discarded_at = models.DateTimeField(null=True, blank=True)
    sends_at = models.DateTimeField(null=True, blank=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        verbose_name = _("draft")
        ordering = ("-updated_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("author", "ticket", "place"),
                condition=Q(sends_at__isnull=True, discarded_at__isnull=True, ticket__isnull=False),
                name="draft_once_per_ticket",
            ),
            models.UniqueConstraint(
                fields=("author", "place"),
                condition=Q(discarded_at__isnull=True, ticket__isnull=True),
                name="draft_once_per_form",
            ),
            models.UniqueConstraint(
                fields=("author", "ticket", "submission_key"),
                condition=~Q(submission_key=""),
                name="draft_held_once",
            ),
            models.CheckConstraint(
                condition=Q(sends_at__isnull=True) | Q(ticket__isnull=False, discarded_at__isnull=True),
                name="draft_held_on_a_ticket",
            ),
        )
        indexes = (
            models.Index("sends_at", condition=Q(sends_at__isnull=False), name="draft_due"),
            models.Index("updated_at", name="draft_age"),
        )

    def __str__(self) -> str:
        return f"{self.author_id} {self.ticket_id or ''} {self.place}"


class UndoTime(models.IntegerChoices):
    """For how many seconds a reply can be taken back."""

    OFF = 0, _("Send at once")
    SHORT = 8, _("8 seconds")
    LONG = 20, _("20 seconds")


class SendingPreference(models.Model):
    """How one person's replies go out; without a row they can be taken back for eight seconds."""

    user: Any = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="sending_preference"
    )
    undo_seconds = models.PositiveSmallIntegerField(choices=UndoTime, default=UndoTime.SHORT)

    class Meta:
        verbose_name = _("sending preference")

    def __str__(self) -> str:
        return f"{self.user_id} {self.undo_seconds}"


def undo_seconds_of(user: User) -> int:
    """Return for how many seconds the person's replies can be taken back; 0: they go out at once."""
    found = SendingPreference.objects.filter(pk=user.pk).values_list("undo_seconds", flat=True).first()
    return int(UndoTime.SHORT if found is None else found)
