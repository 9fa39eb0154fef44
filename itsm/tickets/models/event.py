"""The event log, which is timeline, audit trail and outbox at once."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from itsm.tickets.actors import Channel
from itsm.tickets.models.ticket import Ticket
from itsm.tickets.querysets import EventQuerySet


class TicketEvent(models.Model):
    """One thing that happened to a ticket. Never changed, never deleted: a database trigger refuses both.

    `at` is when it happened (the database's clock, or an import's past instant), `recorded_at` when the row was
    written. `hash` covers the row and the hash before it in the same ticket, so that a changed row shows.
    """

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="events", db_index=False)  # `event_seq_once` has it
    seq = models.PositiveIntegerField()
    code = models.CharField(max_length=60)
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=20, choices=Channel)
    internal = models.BooleanField(default=False)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    prev_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("ticket_id", "seq")
        verbose_name = _("event")
        constraints = (models.UniqueConstraint(fields=("ticket", "seq"), name="event_seq_once"),)

    def __str__(self) -> str:
        return f"{self.ticket_id}#{self.seq} {self.code}"


class OutboxEntry(models.Model):
    """An event that one consumer has still to be handed. Written with the event, removed when the consumer has it."""

    event = models.ForeignKey(
        TicketEvent, models.CASCADE, related_name="outbox", db_index=False
    )  # `outbox_once` has it
    consumer = models.CharField(max_length=40)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    parked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("outbox entry")
        constraints = (models.UniqueConstraint(fields=("event", "consumer"), name="outbox_once"),)
        indexes = (
            models.Index("next_attempt_at", "id", condition=models.Q(parked_at__isnull=True), name="outbox_waiting"),
        )

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id}"
