"""What watches the clocks: who is at work, what checks found, which alarms stand."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Heartbeat(models.Model):
    """A process that is at work on the clocks, and when it last said so, by the database's clock.

    `role`: `ticker`, or the queue's worker (`timers`, `mail`). A process that stops in good order takes its row away.
    """

    name = models.CharField(max_length=200, unique=True)
    role = models.CharField(max_length=20)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        ordering = ("role", "name")
        verbose_name = _("heartbeat")

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at:%Y-%m-%d %H:%M:%S}"


class AlarmKind(models.TextChoices):
    """What can be wrong with the clocks."""

    LATE = "late", pgettext_lazy("clock watch", "Steps are late")
    PARKED = "parked", pgettext_lazy("clock watch", "Steps are parked")
    DIFFERENT = "different", pgettext_lazy("clock watch", "Clocks differ from their history")
    SILENT = "silent", pgettext_lazy("clock watch", "A process has gone silent")


class Alarm(models.Model):
    """Something that was wrong from `raised_at` until `cleared_at`. People are told once that it began, and once that
    it is over; `told_at` and `all_clear_at` say when."""

    kind = models.CharField(max_length=10, choices=AlarmKind)
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    details = models.JSONField(default=dict)
    told_at = models.DateTimeField(null=True, blank=True)
    all_clear_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-raised_at", "-pk")
        verbose_name = _("alarm")
        constraints = (
            models.UniqueConstraint(fields=("kind",), condition=Q(cleared_at__isnull=True), name="alarm_stands_once"),
        )
        indexes = (
            models.Index(
                "id",
                condition=Q(told_at__isnull=True) | Q(cleared_at__isnull=False, all_clear_at__isnull=True),
                name="alarm_to_tell",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.raised_at:%Y-%m-%d %H:%M:%S}"


class Audit(models.Model):
    """One look of the auditor at a sample of running timers.

    `findings`: `[{"timer": id, "ticket": number, "metric": …, "what": "due_at", "stored": …, "computed": …}, …]`, which
    are the differences that stood then, older ones among them. `up_to_ticket`: where the next sample begins.
    """

    at = models.DateTimeField()
    sampled = models.PositiveIntegerField()
    findings = models.JSONField(default=list)
    up_to_ticket = models.BigIntegerField(default=0)

    class Meta:
        ordering = ("-at", "-pk")
        verbose_name = _("audit of the clocks")
        indexes = (models.Index("at", name="audit_at"),)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.sampled}"
