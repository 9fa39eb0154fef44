"""Tables of major incidents. The state itself is on the incident: lists, rules and moves ask it without a join."""

from __future__ import annotations

from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.major.querysets import MajorIncidentQuerySet
from incidents.major.states import MajorRole
from itsm.accounts.models import Team, User, public_id
from itsm.tickets.models import TicketEvent
from itsm.tickets.models.ticket import TITLE_MAX

REASON_MAX = 2000
IMPACT_MAX = 4000
UPDATE_MAX = 2000
ENTRY_MAX = 2000
REVIEW_MAX = 20_000
CADENCE_MIN, CADENCE_MAX = 5, 24 * 60
DEFAULT_CADENCE = 60


class MajorIncident(models.Model):
    """What is known of an incident that was proposed as a major one, and the plan of what is told.

    `next_update_at` stands while it is accepted, open and has a cadence. `alarmed_for` is the instant for which the
    commander has been told that the update is overdue: another due instant is another alarm.
    """

    incident = models.OneToOneField("incidents.Incident", models.PROTECT, related_name="major", primary_key=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    proposal = models.TextField(_("why it is a major one"), max_length=REASON_MAX, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.TextField(_("reason for the decision"), max_length=REASON_MAX, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    impact = models.TextField(_("business impact"), max_length=IMPACT_MAX, blank=True)
    cadence_minutes = models.PositiveSmallIntegerField(
        _("minutes between updates"),
        null=True,
        blank=True,
        default=DEFAULT_CADENCE,
        validators=[MinValueValidator(CADENCE_MIN), MaxValueValidator(CADENCE_MAX)],
    )
    to_portal = models.BooleanField(_("banner in the portal"), default=True)
    to_requesters = models.BooleanField(_("requesters"), default=True)
    to_stakeholders = models.BooleanField(_("stakeholders"), default=True)
    template = models.TextField(_("template of an update"), max_length=UPDATE_MAX, blank=True)
    next_update_at = models.DateTimeField(null=True, blank=True)
    alarmed_for = models.DateTimeField(null=True, blank=True)

    objects = MajorIncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("major incident")
        indexes = (models.Index("next_update_at", condition=~Q(next_update_at=None), name="major_next_update"),)

    def __str__(self) -> str:
        return f"{self.incident_id}"

    def is_overdue(self, now: datetime) -> bool:
        """Return whether an update is due at this moment and was not sent."""
        return self.next_update_at is not None and self.next_update_at <= now


class MajorDuty(models.Model):
    """Who has, or had, a role in a major incident: a handover ends one row and begins another."""

    incident = models.ForeignKey("incidents.Incident", models.PROTECT, related_name="major_duties")
    role = models.CharField(max_length=20, choices=MajorRole)
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("role in a major incident")
        ordering = ("since", "pk")
        constraints = (
            models.UniqueConstraint(fields=("incident", "role"), condition=Q(until=None), name="major_role_of_one"),
        )

    def __str__(self) -> str:
        return f"{self.role} {self.person_id}"


class MajorStakeholder(models.Model):
    """A person or a team that is told of each update."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    incident = models.ForeignKey("incidents.Incident", models.PROTECT, related_name="stakeholders")
    person = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("stakeholder")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(person=None, team__isnull=False) | Q(person__isnull=False, team=None),
                name="major_stakeholder_person_or_team",
            ),
            models.UniqueConstraint(
                fields=("incident", "person"), condition=~Q(person=None), name="major_stakeholder_person_once"
            ),
            models.UniqueConstraint(
                fields=("incident", "team"), condition=~Q(team=None), name="major_stakeholder_team_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.person or self.team)


class MajorUpdate(models.Model):
    """An update as it was sent: public words, and to whom."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    incident = models.ForeignKey("incidents.Incident", models.PROTECT, related_name="major_updates")
    headline = models.CharField(_("headline"), max_length=TITLE_MAX)
    text = models.TextField(_("what people should know"), max_length=UPDATE_MAX)
    to_portal = models.BooleanField(default=False)
    to_requesters = models.BooleanField(default=False)
    to_stakeholders = models.BooleanField(default=False)
    sent_at = models.DateTimeField()
    sent_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # NULL, not blank, where there is none: the constraint lets any number of NULLs stand side by side.
    submission_key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001

    class Meta:
        verbose_name = _("update of a major incident")
        ordering = ("-sent_at", "-pk")
        constraints = (
            models.UniqueConstraint(fields=("incident", "submission_key"), name="major_update_submission_once"),
        )

    def __str__(self) -> str:
        return self.headline


class MajorEntry(models.Model):
    """What somebody made of the automatic timeline: an edited or hidden line of an event, or a line of its own.

    The event that it stands beside is untouched; `text` empty: as the event says it.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    incident = models.ForeignKey("incidents.Incident", models.PROTECT, related_name="major_entries")
    event = models.ForeignKey(TicketEvent, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    text = models.TextField(max_length=ENTRY_MAX, blank=True)
    is_hidden = models.BooleanField(default=False)
    is_decision = models.BooleanField(default=False)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("timeline entry")
        ordering = ("at", "pk")
        constraints = (
            models.UniqueConstraint(fields=("incident", "event"), name="major_entry_event_once"),
            models.CheckConstraint(condition=~Q(event=None) | ~Q(text=""), name="major_entry_says_something"),
        )

    def __str__(self) -> str:
        return self.text[:60]


class MajorReview(models.Model):
    """The review after a major incident. It is a draft until it is done; the incident is not closed before."""

    incident = models.OneToOneField("incidents.Incident", models.PROTECT, related_name="review", primary_key=True)
    overview = models.TextField(_("overview"), max_length=REVIEW_MAX, blank=True)
    findings = models.TextField(_("findings"), max_length=REVIEW_MAX, blank=True)
    went_well = models.TextField(_("what went well"), max_length=REVIEW_MAX, blank=True)
    went_badly = models.TextField(_("what went badly"), max_length=REVIEW_MAX, blank=True)
    resolution = models.TextField(_("resolution"), max_length=REVIEW_MAX, blank=True)
    edition = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("review of a major incident")

    def __str__(self) -> str:
        return f"{self.incident_id}"
