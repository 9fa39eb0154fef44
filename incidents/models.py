"""Incidents and the settings of their lifecycle."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.querysets import IncidentQuerySet
from incidents.statuses import HoldReason, ResolutionCode
from itsm.accounts.models import User
from itsm.tickets.models import Ticket


class Incident(Ticket):
    """An unplanned interruption to a service, or a loss of its quality (ITIL 4)."""

    hold_reason = models.CharField(_("waiting for"), max_length=30, choices=HoldReason, blank=True)
    resolution_code = models.CharField(_("how it ended"), max_length=30, choices=ResolutionCode, blank=True)
    resolution_notes = models.TextField(_("what was done"), blank=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    cancel_reason = models.TextField(_("reason for cancelling"), blank=True)
    reopen_count = models.PositiveIntegerField(_("reopened"), default=0)
    reopened_at = models.DateTimeField(null=True, blank=True)
    reopened_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    objects = IncidentQuerySet.as_manager()  # type: ignore[misc]  # a child has a manager of its own

    class Meta:
        verbose_name = _("incident")
        indexes = (models.Index("hold_reason", condition=~Q(hold_reason=""), name="incident_held"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(resolution_code="") | ~Q(resolution_notes=""), name="incident_resolution_has_notes"
            ),
        )


class IncidentSettings(models.Model):
    """The one row of settings for incidents."""

    auto_close_days = models.PositiveSmallIntegerField(
        _("close this many days after resolution"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )
    reopen_days = models.PositiveSmallIntegerField(
        _("the requester may reopen within this many days"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="incident_settings_one_row"),)

    def __str__(self) -> str:
        return str(_("Incident settings"))

    @classmethod
    def current(cls) -> IncidentSettings:
        """Return the settings, or the product's defaults when nobody has saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class ReplayProgress(models.Model):
    """How far the rows of one source record have been replayed, written in the transaction that replays them.

    `digest` covers the replayed rows, so that a file which tells another story for the same number is noticed; `tally`
    says what became of each row, so that a report after a stop still accounts for all of them.
    """

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=100)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    tally = models.JSONField(default=dict)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("source", "external_id"), name="replay_progress_once"),)

    def __str__(self) -> str:
        return f"{self.source} {self.external_id}: {self.rows}"
