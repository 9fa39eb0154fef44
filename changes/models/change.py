"""The change itself, and the services that it touches."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from changes.models.library import TemplateVersion
from changes.models.risk import Questionnaire
from changes.querysets import ChangeQuerySet
from changes.statuses import ChangeType, CloseCode, Risk
from cmdb.models import Service
from itsm.accounts.models import User
from itsm.tickets.models import Ticket

PLAN_MAX = 50_000


def span() -> models.Func:
    """Return the planned window as a range of instants, the end left out, as the index has it. Not for changes without
    one: an empty start or end would mean for ever."""
    return models.Func("planned_start", "planned_end", function="tstzrange", output_field=DateTimeRangeField())


OTHERS_MAX = 50


class Change(Ticket):
    """Something added, altered or removed that could affect a service (ITIL 4).

    Its risk is what `changes.risk` worked out last: `risk_factors` holds each factor with its points and the inputs it
    was worked out from. `planned_start` and `planned_end` are the window in which it may be made, `actual_start` and
    `actual_end` when it was. `is_retroactive`: an emergency written down after the act. `is_unauthorised`: made without
    anybody's leave.
    """

    change_type = models.CharField(_("type"), max_length=10, choices=ChangeType, default=ChangeType.NORMAL)
    is_on_hold = models.BooleanField(_("on hold"), default=False)
    hold_reason = models.CharField(_("what it waits for"), max_length=1000, blank=True)

    justification = models.TextField(_("justification"), max_length=PLAN_MAX, blank=True)
    implementation_plan = models.TextField(_("implementation plan"), max_length=PLAN_MAX, blank=True)
    backout_plan = models.TextField(_("back-out plan"), max_length=PLAN_MAX, blank=True)
    test_plan = models.TextField(_("test plan"), max_length=PLAN_MAX, blank=True)

    planned_start = models.DateTimeField(_("planned start"), null=True, blank=True)
    planned_end = models.DateTimeField(_("planned end"), null=True, blank=True)
    actual_start = models.DateTimeField(_("actual start"), null=True, blank=True)
    actual_end = models.DateTimeField(_("actual end"), null=True, blank=True)

    affected_services = models.ManyToManyField(
        Service, through="AffectedService", related_name="changes", blank=True, verbose_name=_("affected services")
    )
    affected_other = ArrayField(
        models.CharField(max_length=200), verbose_name=_("also affected"), default=list, blank=True, size=OTHERS_MAX
    )

    risk = models.PositiveSmallIntegerField(_("risk"), choices=Risk, null=True, blank=True)
    risk_points = models.IntegerField(_("risk points"), default=0)
    risk_factors = models.JSONField(_("risk factors"), default=list, blank=True)
    risk_answers = models.JSONField(_("answers about the risk"), default=dict, blank=True)
    questionnaire = models.ForeignKey(
        Questionnaire, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    risk_assessed_at = models.DateTimeField(null=True, blank=True, editable=False)

    close_code = models.CharField(_("how it ended"), max_length=20, choices=CloseCode, blank=True)
    close_notes = models.TextField(_("what was done"), blank=True)
    cancel_reason = models.TextField(_("reason for cancelling"), blank=True)
    review_notes = models.TextField(_("review"), blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    is_retroactive = models.BooleanField(_("recorded after the act"), default=False)
    is_unauthorised = models.BooleanField(_("made without authorisation"), default=False)
    template_version = models.ForeignKey(
        TemplateVersion, models.PROTECT, null=True, blank=True, related_name="changes", verbose_name=_("template")
    )

    objects = ChangeQuerySet.as_manager()  # type: ignore[misc]  # a child has a manager of its own

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        constraints = (
            models.CheckConstraint(
                condition=Q(planned_start__isnull=True, planned_end__isnull=True)
                | Q(planned_start__isnull=False, planned_end__isnull=False, planned_end__gt=F("planned_start")),
                name="change_window",
            ),
            models.CheckConstraint(
                condition=Q(actual_end__isnull=True) | Q(actual_end__gte=F("actual_start")), name="change_actual_times"
            ),
            models.CheckConstraint(condition=Q(is_on_hold=False) | ~Q(hold_reason=""), name="change_hold_has_reason"),
            models.CheckConstraint(condition=Q(close_code="") | ~Q(close_notes=""), name="change_close_has_notes"),
            models.CheckConstraint(
                condition=~Q(change_type=ChangeType.STANDARD) | Q(template_version__isnull=False),
                name="change_standard_has_template",
            ),
            models.CheckConstraint(
                condition=Q(is_retroactive=False) | Q(change_type=ChangeType.EMERGENCY),
                name="change_retroactive_is_emergency",
            ),
            models.CheckConstraint(condition=Q(risk__isnull=True) | Q(risk__range=(1, 4)), name="change_risk_level"),
        )
        indexes = (
            models.Index(
                "planned_start", "planned_end", condition=Q(planned_start__isnull=False), name="change_planned"
            ),
            # Changes ahead that overlap a stretch of time: what every check for collisions asks.
            GistIndex(span(), condition=Q(planned_start__isnull=False), name="change_span"),
            models.Index("change_type", name="change_type"),
            models.Index("template_version", "close_code", name="change_template_runs"),
        )

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        """The planned window (aware, UTC), or None where there is none yet."""
        return (self.planned_start, self.planned_end) if self.planned_start and self.planned_end else None

    @property
    def is_from_template(self) -> bool:
        """Whether it was made from a template of the library."""
        return self.template_version_id is not None

    @property
    def needs_review(self) -> bool:
        """Whether it cannot be closed without a review, whatever came of it (CH-12)."""
        return self.change_type == ChangeType.EMERGENCY or self.is_unauthorised


class AffectedService(models.Model):
    """A service that a change touches."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="affected_rows")
    service = models.ForeignKey(Service, models.PROTECT, related_name="affected_by_changes")
    added_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("affected service")
        constraints = (models.UniqueConstraint(fields=("change", "service"), name="affected_service_once"),)

    def __str__(self) -> str:
        return f"{self.change_id} · {self.service_id}"
