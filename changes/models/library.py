"""The library of templates: what is done often is planned once, approved once, and made from there (CH-2)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cmdb.models import Service
from itsm.accounts.models import Team, User, public_id


class Track(models.TextChoices):
    """What a change made from a template is."""

    NORMAL = "normal", _("Normal: each one is approved")
    STANDARD = "standard", _("Standard: approved with the template")


class VersionState(models.TextChoices):
    """The life of one version of a template."""

    PROPOSED = "proposed", _("Proposed")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    SUPERSEDED = "superseded", _("Replaced")


class TemplateQuerySet(models.QuerySet["ChangeTemplate"]):
    """Questions about templates."""

    def usable(self) -> TemplateQuerySet:
        """Return templates from which a change can be made: approved, and not retired."""
        return self.filter(current__isnull=False, retired_at__isnull=True)

    def by_ref(self, ref: str) -> TemplateQuerySet:
        """Return the template with this key or public id (at most one row)."""
        return self.filter(Q(key=ref) | Q(public_id=ref))


class ChangeTemplate(models.Model):
    """A kind of change under one name through all its versions.

    `counts_from`: from when its runs count towards becoming standard; a failure sets it anew. `offered_at` and
    `evidence`: it has earned to be standard, by these clean runs, and nobody has decided yet. `demoted_by`: the change
    whose failure took that from it.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    key = models.SlugField(_("key"), max_length=60, unique=True)
    track = models.CharField(_("what it makes"), max_length=10, choices=Track, default=Track.NORMAL)
    current = models.ForeignKey("TemplateVersion", models.PROTECT, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)
    retire_reason = models.CharField(_("reason for retiring"), max_length=1000, blank=True)
    counts_from = models.DateTimeField(default=timezone.now)
    offered_at = models.DateTimeField(_("offered as standard"), null=True, blank=True)
    evidence = models.JSONField(default=list, blank=True)
    demoted_at = models.DateTimeField(_("demoted"), null=True, blank=True)
    demoted_by = models.ForeignKey("changes.Change", models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("change template")

    def __str__(self) -> str:
        return self.name

    @property
    def is_usable(self) -> bool:
        """Whether a change can be made from it."""
        return self.current_id is not None and self.retired_at is None


class TemplateVersion(models.Model):
    """What a template says. A version is never edited: an edit proposes the next one."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    template = models.ForeignKey(ChangeTemplate, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(_("state"), max_length=10, choices=VersionState, default=VersionState.PROPOSED)
    wanted_track = models.CharField(_("proposed as"), max_length=10, choices=Track, default=Track.NORMAL)

    title = models.CharField(_("title of the change"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    justification = models.TextField(_("justification"), blank=True)
    implementation_plan = models.TextField(_("implementation plan"))
    backout_plan = models.TextField(_("back-out plan"))
    test_plan = models.TextField(_("test plan"))
    duration_minutes = models.PositiveIntegerField(_("usual length in minutes"), default=60)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("team"))
    services = models.ManyToManyField(Service, related_name="+", blank=True, verbose_name=_("affected services"))
    affected_other = ArrayField(
        models.CharField(max_length=200), verbose_name=_("also affected"), default=list, blank=True
    )
    risk_answers = models.JSONField(_("answers about the risk"), default=dict, blank=True)

    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(_("reason"), max_length=1000, blank=True)

    class Meta:
        ordering = ("template_id", "-number")
        verbose_name = _("version of a change template")
        constraints = (
            models.UniqueConstraint(fields=("template", "number"), name="template_version_once"),
            models.UniqueConstraint(
                fields=("template",), condition=Q(state=VersionState.PROPOSED), name="template_one_proposal"
            ),
            models.UniqueConstraint(
                fields=("template",), condition=Q(state=VersionState.APPROVED), name="template_one_approved"
            ),
        )

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


class TaskType(models.TextChoices):
    """What a task of a change is for."""

    PLANNING = "planning", _("Planning")
    IMPLEMENTATION = "implementation", _("Implementation")
    TEST = "test", _("Test")
    REVIEW = "review", _("Review")


class TemplateTask(models.Model):
    """A task that a change made from the template gets. Minutes count from the planned start of the change."""

    version = models.ForeignKey(TemplateVersion, models.CASCADE, related_name="tasks")
    order = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=200)
    task_type = models.CharField(_("type"), max_length=20, choices=TaskType, default=TaskType.IMPLEMENTATION)
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("team"))
    starts_after = models.PositiveIntegerField(_("starts after (minutes)"), null=True, blank=True)
    takes = models.PositiveIntegerField(_("takes (minutes)"), null=True, blank=True)

    class Meta:
        ordering = ("version_id", "order")
        verbose_name = _("task of a change template")
        constraints = (models.UniqueConstraint(fields=("version", "order"), name="template_task_order_once"),)

    def __str__(self) -> str:
        return self.title
