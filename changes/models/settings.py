"""The settings of change enablement."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from slas.models import BusinessCalendar


class ChangeSettings(models.Model):
    """The one row of settings for changes."""

    clean_runs = models.PositiveSmallIntegerField(
        _("clean runs after which a template is offered as standard"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    moderate_from = models.SmallIntegerField(_("moderate risk from this many points"), default=20)
    high_from = models.SmallIntegerField(_("high risk from this many points"), default=40)
    very_high_from = models.SmallIntegerField(_("very high risk from this many points"), default=60)
    success_days = models.PositiveSmallIntegerField(
        _("a team's success rate counts this many days back"),
        default=180,
        validators=[MinValueValidator(7), MaxValueValidator(1000)],
    )
    business_hours = models.ForeignKey(
        BusinessCalendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("business hours"),
    )

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(pk=1), name="change_settings_one_row"),
            models.CheckConstraint(
                condition=Q(high_from__gt=F("moderate_from"), very_high_from__gt=F("high_from")),
                name="change_settings_levels_ascend",
            ),
        )

    def __str__(self) -> str:
        return str(_("Change settings"))

    @classmethod
    def current(cls) -> ChangeSettings:
        """Return the settings, or the product's defaults when nobody has saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)
