"""Problems, and what is found out about them."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.tickets.models import Ticket
from problems.querysets import ProblemQuerySet
from problems.statuses import OutcomeCode

NOTES_MAX = 20_000
WHYS_MAX = 10
WHY_MAX = 1000


class Problem(Ticket):
    """A cause, or possible cause, of incidents (ITIL 4).

    `whys` is the chain of the five-whys method: `[{"why": …, "answer": …}, …]` in order. `workaround` is the newest
    version's text. What is published to the portal are the three `public_…` texts and nothing else.
    """

    cause_notes = models.TextField(_("cause"), max_length=NOTES_MAX, blank=True)
    fix_notes = models.TextField(_("fix"), max_length=NOTES_MAX, blank=True)
    workaround = models.TextField(_("workaround"), max_length=NOTES_MAX, blank=True)
    workaround_version = models.PositiveIntegerField(_("version of the workaround"), default=0)
    whys = models.JSONField(_("five whys"), default=list, blank=True)
    is_known_error = models.BooleanField(_("known error"), default=False)
    known_error_at = models.DateTimeField(null=True, blank=True)
    known_error_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    public_title = models.CharField(_("title in the portal"), max_length=200, blank=True)
    public_symptoms = models.TextField(_("symptoms in the portal"), max_length=NOTES_MAX, blank=True)
    public_workaround = models.TextField(_("workaround in the portal"), max_length=NOTES_MAX, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    resolution_code = models.CharField(_("how it ended"), max_length=20, choices=OutcomeCode, blank=True)
    close_notes = models.TextField(_("closing notes"), max_length=NOTES_MAX, blank=True)
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", verbose_name=_("duplicate of")
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    workaround_communicated_at = models.DateTimeField(_("workaround communicated"), null=True, blank=True)
    fix_communicated_at = models.DateTimeField(_("fix communicated"), null=True, blank=True)
    is_major = models.BooleanField(_("major problem"), default=False)
    review_went_well = models.TextField(_("what went well"), max_length=NOTES_MAX, blank=True)
    review_went_wrong = models.TextField(_("what went wrong"), max_length=NOTES_MAX, blank=True)
    review_prevention = models.TextField(_("how it will not happen again"), max_length=NOTES_MAX, blank=True)
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    found = models.GeneratedField(
        expression=SearchVector("cause_notes", "workaround", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    public_found = models.GeneratedField(
        expression=SearchVector("public_title", "public_symptoms", "public_workaround", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ProblemQuerySet.as_manager()  # type: ignore[misc]  # a child has a manager of its own

    class Meta:
        verbose_name = _("problem")
        indexes = (
            models.Index("known_error_at", condition=Q(is_known_error=True), name="problem_known_error"),
            models.Index("published_at", condition=Q(published_at__isnull=False), name="problem_published"),
            GinIndex(fields=["found"], name="problem_found"),
            GinIndex(fields=["public_found"], name="problem_public_found"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(resolution_code=OutcomeCode.FIX_APPLIED) | (~Q(cause_notes="") & ~Q(fix_notes="")),
                name="problem_fix_has_notes",
            ),
            models.CheckConstraint(
                condition=~Q(resolution_code=OutcomeCode.RISK_ACCEPTED) | (~Q(cause_notes="") & ~Q(close_notes="")),
                name="problem_risk_has_notes",
            ),
            models.CheckConstraint(
                condition=~Q(resolution_code=OutcomeCode.CANCELLED) | ~Q(close_notes=""),
                name="problem_cancelled_has_notes",
            ),
            models.CheckConstraint(
                condition=Q(resolution_code=OutcomeCode.DUPLICATE, duplicate_of__isnull=False)
                | (~Q(resolution_code=OutcomeCode.DUPLICATE) & Q(duplicate_of__isnull=True)),
                name="problem_duplicate_of_one",
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | ~Q(public_title=""), name="problem_published_has_title"
            ),
        )

    @property
    def has_review(self) -> bool:
        """Whether all three questions of the review are answered."""
        return bool(self.review_went_well and self.review_went_wrong and self.review_prevention)


class WorkaroundVersion(models.Model):
    """The workaround as somebody wrote it at one time. Never changed, never deleted: the database refuses both."""

    problem = models.ForeignKey(Problem, models.PROTECT, related_name="workaround_versions")
    number = models.PositiveIntegerField()
    text = models.TextField(max_length=NOTES_MAX, blank=True)
    author = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("problem_id", "-number")
        verbose_name = _("version of a workaround")
        constraints = (models.UniqueConstraint(fields=("problem", "number"), name="workaround_version_once"),)

    def __str__(self) -> str:
        return f"{self.problem_id} v{self.number}"


class TimelineEntry(models.Model):
    """What happened, as the investigation found it: an instant and a sentence. The ticket's log is another thing."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    problem = models.ForeignKey(Problem, models.PROTECT, related_name="timeline_entries")
    at = models.DateTimeField(_("when"))
    text = models.CharField(_("what happened"), max_length=1000)
    author = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("at", "pk")
        verbose_name = _("timeline entry")

    def __str__(self) -> str:
        return f"{self.problem_id} {self.at:%Y-%m-%d %H:%M}"


class KnownErrorRule(models.TextChoices):
    """What a known error needs: ITIL v3 asked for cause and workaround, ITIL 4 asks that the problem was analysed."""

    CAUSE_AND_WORKAROUND = "cause_and_workaround", _("Cause and workaround")
    ANALYSIS = "analysis", _("Analysis only: the cause")


class ProblemSettings(models.Model):
    """The one row of settings for problems."""

    known_error_needs = models.CharField(
        _("a known error needs"),
        max_length=20,
        choices=KnownErrorRule,
        default=KnownErrorRule.CAUSE_AND_WORKAROUND,
    )
    accepted_risk_closes = models.BooleanField(_("an accepted risk closes the problem at once"), default=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="problem_settings_one_row"),)

    def __str__(self) -> str:
        return str(_("Problem settings"))

    @classmethod
    def current(cls) -> ProblemSettings:
        """Return the settings, or the product's defaults when nobody has saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
