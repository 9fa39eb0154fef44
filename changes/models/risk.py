"""What the risk of a change is made of: rules over what is known of it, and questions that a person answers (CH-5)."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id

POINTS_MAX = 100


class RiskRule(models.Model):
    """A condition over what is known of a change, and the points that it gives where it holds (below 0: it takes)."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    order = models.PositiveIntegerField(_("order"), default=100)
    name = models.CharField(_("name"), max_length=200, unique=True)
    condition = models.JSONField(_("condition"), default=dict)
    points = models.SmallIntegerField(
        _("points"), validators=[MinValueValidator(-POINTS_MAX), MaxValueValidator(POINTS_MAX)]
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("order", "pk")
        verbose_name = _("risk rule")

    def __str__(self) -> str:
        return self.name


class Questionnaire(models.Model):
    """The questions about the risk of a change, in one version. An edit makes the next; the highest number is asked.

    `questions`: a list of `{"key", "text", "answers": [{"key", "label", "points"}]}`.
    """

    number = models.PositiveIntegerField(unique=True)
    questions = models.JSONField(default=list)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-number",)
        verbose_name = _("risk questionnaire")

    def __str__(self) -> str:
        return f"v{self.number}"

    @classmethod
    def current(cls) -> Questionnaire | None:
        """Return the version that is asked now; None where there is none."""
        return cls.objects.order_by("-number").first()
