"""What people are told: a mail that leaves the house, a notice inside the application, a call of another system."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.notifications.querysets import MailQuerySet, NoticeQuerySet
from itsm.tickets.models import Ticket, TicketEvent


class MailStatus(models.TextChoices):
    """Where a mail is on its way out."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    PARKED = "parked", _("Parked")
    SKIPPED = "skipped", _("Not needed")


UNSENT = Q(status__in=(MailStatus.WAITING, MailStatus.SENDING))


class Mail(models.Model):
    """One mail to one address, worded when its event was handed over; sent at least once, always under one Message-ID.

    `next_attempt_at` is the one instant at which a sender looks at the row: when a waiting mail may be tried, and when
    the lease of one that is being sent runs out because its sender died. `unless_read`: it is not sent any more when
    the person has read the notice of the same thing. A mail about something else than a ticket has no event; its `key`
    keeps it from being written twice. `calendar`: an iCalendar object that goes along, such as an invitation.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="mails")
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="mails")
    key = models.CharField(max_length=120, blank=True)
    unless_read = models.BooleanField(default=False)
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="mails")
    address = models.EmailField(_("address"), max_length=254)
    kind = models.CharField(max_length=40)
    why = models.CharField(max_length=20)
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField(_("text"))
    html = models.TextField()
    calendar = models.TextField(blank=True)
    status = models.CharField(_("status"), max_length=8, choices=MailStatus, default=MailStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    last_error = models.CharField(_("error"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        constraints = (
            models.UniqueConstraint(fields=("event", "address"), name="mail_once"),
            models.UniqueConstraint(fields=("key", "address"), condition=~Q(key=""), name="mail_key_once"),
            models.CheckConstraint(
                condition=Q(event__isnull=False, ticket__isnull=False, key="")
                | (Q(event__isnull=True, ticket__isnull=True) & ~Q(key="")),
                name="mail_about_something",
            ),
            models.CheckConstraint(
                condition=Q(status=MailStatus.SENT, sent_at__isnull=False)
                | (~Q(status=MailStatus.SENT) & Q(sent_at__isnull=True)),
                name="mail_sent_has_time",
            ),
        )
        indexes = (
            models.Index("next_attempt_at", "id", condition=UNSENT, name="mail_unsent"),
            models.Index("created_at", "id", name="mail_newest"),
            models.Index("created_at", "id", condition=Q(status=MailStatus.PARKED), name="mail_parked"),
        )

    def __str__(self) -> str:
        return f"{self.subject} → {self.address}"


class Notice(models.Model):
    """A line in somebody's inbox inside the application. Its words are made when it is shown.

    One about something else than a ticket has no event: its `text` and `path` are stored, and `key` keeps it from being
    written twice. `created_at` may lie ahead, for somebody who is told in their hours only: it is not shown before.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, related_name="notices")
    ticket = models.ForeignKey(Ticket, models.PROTECT, null=True, related_name="notices")
    key = models.CharField(max_length=120, blank=True)
    text = models.CharField(max_length=300, blank=True)
    path = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=40)
    why = models.CharField(max_length=20)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        constraints = (
            models.UniqueConstraint(fields=("event", "user"), name="notice_once"),
            models.UniqueConstraint(fields=("key", "user"), condition=~Q(key=""), name="notice_key_once"),
            models.CheckConstraint(
                condition=Q(event__isnull=False, ticket__isnull=False, key="")
                | (Q(event__isnull=True, ticket__isnull=True) & ~Q(key="")),
                name="notice_about_something",
            ),
        )
        indexes = (
            models.Index("user", "created_at", "id", name="notice_of_user"),
            models.Index("user", condition=Q(read_at__isnull=True), name="notice_unread"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.ticket_id or self.key}"


def default_order() -> list[str]:
    """Return how people are reached who chose nothing: in the application and by mail, both at once."""
    return ["inbox", "mail"]


def default_days() -> list[int]:
    """Return Monday to Friday."""
    return [0, 1, 2, 3, 4]


class ContactPreference(models.Model):
    """How one person wants to be told. Who has none is told at once, in the application and by mail.

    `order`: codes of providers; each one after the first waits `wait_minutes` longer, and goes out only if the notice
    has not been read by then. The hours are local minutes of the weekdays in `days` (Monday 0); `hours_to` at or before
    `hours_from` lies on the next day. `holds_back`: outside them only what is urgent goes out, if
    `urgent_breaks_through`. `remind_minutes`: so long before a shift a reminder comes; null for none.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="contact")
    order = ArrayField(models.CharField(max_length=20), default=default_order)
    wait_minutes = models.PositiveSmallIntegerField(default=0)
    webhook_url = models.URLField(max_length=500, blank=True)
    webhook_secret = models.CharField(max_length=80, blank=True)
    hours_from = models.PositiveSmallIntegerField(default=480)
    hours_to = models.PositiveSmallIntegerField(default=1080)
    days = ArrayField(models.PositiveSmallIntegerField(), default=default_days)
    holds_back = models.BooleanField(default=False)
    urgent_breaks_through = models.BooleanField(default=True)
    remind_minutes = models.PositiveIntegerField(null=True, blank=True, default=60)

    class Meta:
        verbose_name = _("contact preference")
        constraints = (
            models.CheckConstraint(condition=Q(hours_from__lt=1440, hours_to__lte=1440), name="contact_hours"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.order}"


class Endpoint(models.Model):
    """An address of another system that escalations may call. Calls are signed with the secret (Standard Webhooks)."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    url = models.URLField(_("address"), max_length=500)
    secret = models.CharField(max_length=80)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("webhook")

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One call to make by a provider: claimed, made, marked, as mails are. Each attempt bears the same `message_id`."""

    key = models.CharField(max_length=120, unique=True)
    message_id = models.CharField(max_length=60)
    provider = models.CharField(max_length=20)
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, null=True, blank=True, related_name="deliveries")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, blank=True, related_name="deliveries")
    body = models.TextField()
    status = models.CharField(max_length=8, choices=MailStatus, default=MailStatus.WAITING)
    unless_read = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("delivery")
        indexes = (models.Index("next_attempt_at", "id", condition=UNSENT, name="delivery_unsent"),)

    def __str__(self) -> str:
        return f"{self.key} {self.status}"


class DeliveryAttempt(models.Model):
    """One attempt at a delivery and what came of it."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="tries")
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField(default=timezone.now)
    took_ms = models.PositiveIntegerField(default=0)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("delivery_id", "number")
        constraints = (models.UniqueConstraint(fields=("delivery", "number"), name="delivery_try_once"),)

    def __str__(self) -> str:
        return f"{self.delivery_id} #{self.number}: {self.status_code or self.error}"
