"""What people are told: a mail that leaves the house, a notice inside the application."""

from __future__ import annotations

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


UNSENT = Q(status__in=(MailStatus.WAITING, MailStatus.SENDING))


class Mail(models.Model):
    """One mail to one address, worded when its event was handed over; sent at least once, always under one Message-ID.

    `next_attempt_at` is the one instant at which a sender looks at the row: when a waiting mail may be tried, and when
    the lease of one that is being sent runs out because its sender died.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    event = models.ForeignKey(TicketEvent, models.PROTECT, related_name="mails")
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="mails")
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="mails")
    address = models.EmailField(_("address"), max_length=254)
    kind = models.CharField(max_length=40)
    why = models.CharField(max_length=20)
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField(_("text"))
    html = models.TextField()
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
    """A line in somebody's inbox inside the application. Its words are made when it is shown."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    event = models.ForeignKey(TicketEvent, models.PROTECT, related_name="notices")
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=40)
    why = models.CharField(max_length=20)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        constraints = (models.UniqueConstraint(fields=("event", "user"), name="notice_once"),)
        indexes = (
            models.Index("user", "created_at", "id", name="notice_of_user"),
            models.Index("user", condition=Q(read_at__isnull=True), name="notice_unread"),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind} {self.ticket_id}"
