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

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        constraints = (
            models.CheckConstraint(
                condition=Q(resolution_code="") | ~Q(resolution_notes=""), name="incident_resolution_has_notes"
            ),
        )

    @property
    def hold_reason_label(self) -> str:
        """What the incident waits for, in words; empty when it is not on hold."""
        return str(HoldReason(self.hold_reason).label) if self.hold_reason else ""


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
