"""Incidents and the settings of their lifecycle."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incidents.major.states import MajorState
from incidents.querysets import IncidentQuerySet, OutageQuerySet
from incidents.statuses import HoldReason, ResolutionCode
from itsm.accounts.models import User, public_id
from itsm.tickets.models import Ticket
from itsm.tickets.models.ticket import TITLE_MAX

OUTAGE_TEXT_MAX = 2000


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
    # One level: a child has no children. What happens to a parent then has one origin and no cascade, and two people
    # cannot build a circle. `child_count` is kept under the parent's lock: an incident without any asks nothing.
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of")
    )
    child_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    merged_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    major_state = models.CharField(
        _("major incident"),
        max_length=20,
        choices=MajorState,
        default=MajorState.NONE,
        db_default="",
        blank=True,
        editable=False,
    )

    objects = IncidentQuerySet.as_manager()  # type: ignore[misc]  # a child has a manager of its own

    class Meta:
        verbose_name = _("incident")
        indexes = (
            models.Index("hold_reason", condition=~Q(hold_reason=""), name="incident_held"),
            models.Index("major_state", condition=~Q(major_state=""), name="incident_major"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(resolution_code="") | ~Q(resolution_notes=""), name="incident_resolution_has_notes"
            ),
            models.CheckConstraint(condition=~Q(parent=F("pk")), name="incident_not_its_own_parent"),
            models.CheckConstraint(condition=Q(parent=None) | Q(child_count=0), name="incident_family_of_one_level"),
            models.CheckConstraint(condition=~Q(merged_into=F("pk")), name="incident_not_merged_into_itself"),
        )


class Merge(models.Model):
    """An incident that was found to be the same as another, and what it was before, so that it can be undone."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    incident = models.ForeignKey(Incident, models.PROTECT, related_name="merges")
    survivor = models.ForeignKey(Incident, models.PROTECT, related_name="absorptions")
    before = models.JSONField()
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("merge")
        constraints = (
            models.UniqueConstraint(fields=("incident",), condition=Q(undone_at=None), name="merged_once_at_a_time"),
        )

    def __str__(self) -> str:
        return f"{self.incident_id} → {self.survivor_id}"


class Outage(models.Model):
    """What the portal says of an incident that many people feel. It is live while the incident is open."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    incident = models.OneToOneField(Incident, models.PROTECT, related_name="outage")
    title = models.CharField(_("title in the portal"), max_length=TITLE_MAX)
    text = models.TextField(_("text in the portal"), max_length=OUTAGE_TEXT_MAX)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = OutageQuerySet.as_manager()

    class Meta:
        verbose_name = _("known outage")

    def __str__(self) -> str:
        return self.title


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


# Tables of a part of this room, which name the incident; Django finds a room's tables in this module.
from incidents.major.models import (  # noqa: E402
    MajorDuty,
    MajorEntry,
    MajorIncident,
    MajorReview,
    MajorStakeholder,
    MajorUpdate,
)
from incidents.major.rules.models import MajorRule, MajorRuleMatch  # noqa: E402

__all__ = [
    "OUTAGE_TEXT_MAX",
    "Incident",
    "IncidentSettings",
    "MajorDuty",
    "MajorEntry",
    "MajorIncident",
    "MajorReview",
    "MajorRule",
    "MajorRuleMatch",
    "MajorStakeholder",
    "MajorUpdate",
    "Merge",
    "Outage",
    "ReplayProgress",
]
