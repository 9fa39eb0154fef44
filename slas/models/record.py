"""What must be on record so that timers can be made anew from their logs: the past of the set-up and of jobs."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.tickets.models import Ticket


class SetupVersion(models.Model):
    """All that was promised from an instant on: policies with their goals, and teams with their hours. Append-only.

    `content` names versions of calendars and escalations, which never change. Written with every edit (`touch_setup`).
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    content = models.JSONField()

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("version of the service levels")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class Sweep(models.Model):
    """A move of a ticket's timers that no event of the ticket tells of. Append-only.

    `after_seq` is the number of the ticket's last event before it; `at` the instant of the move, `recorded_at` when the
    row was written, as of events. `timers`: which were moved, each as kind, metric and number of the cycle.
    """

    class Why(models.TextChoices):
        """What the timers were brought to."""

        EDIT = "edit", _("an edit of the service levels")
        SETTLED = "settled", _("the end of an import")
        ZONES = "zones", _("new data of time zones")

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    after_seq = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=10, choices=Why)
    timers = models.JSONField(default=list)

    class Meta:
        ordering = ("ticket_id", "pk")
        verbose_name = _("move of timers by a job")

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.why} {self.at:%Y-%m-%d %H:%M:%S}"


class Correction(models.Model):
    """A difference between what was stored and what the log gives, corrected by a rebuild. Append-only.

    `part`: the column, or what else of the timer differed. A run that was replaced stands here whole: the database
    writes it down when it lets it go.
    """

    at = models.DateTimeField(default=timezone.now)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+", null=True, db_index=False)
    timer_id = models.BigIntegerField(null=True)
    part = models.CharField(max_length=40)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)

    class Meta:
        ordering = ("pk",)
        verbose_name = _("correction of a timer")
        indexes = (models.Index(fields=("ticket",), name="correction_ticket"),)

    def __str__(self) -> str:
        return f"{self.timer_id} {self.part}"
