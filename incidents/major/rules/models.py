"""Tables of the rules, and of what each has done."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.major.models import IMPACT_MAX
from itsm.accounts.models import Team, User, public_id
from itsm.tickets.models import TicketEvent

RULE_NAME_MAX = 200
LEAST, MOST = 1, 100_000
WHY_MAX = 1500


class RuleDeed(models.TextChoices):
    """What a rule does with the incident that it matches."""

    PROPOSE = "propose", _("Propose it")
    ACCEPT = "accept", _("Accept it at once")


class MajorRuleQuerySet(models.QuerySet["MajorRule"]):
    """Questions about rules."""

    def active(self) -> MajorRuleQuerySet:
        """Return the rules that count, in the order in which they are asked."""
        return self.filter(is_active=True).order_by("order", "pk").select_related("commander", "commander_team")


class MajorRule(models.Model):
    """If an incident is like this and so many are hit, it is proposed or accepted as a major one. The first active rule
    in order that matches decides.

    `impact` is the template of the business impact, in which names in braces are filled in.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    order = models.PositiveIntegerField(_("order"), default=100)
    name = models.CharField(_("name"), max_length=RULE_NAME_MAX, unique=True)
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    min_children = models.PositiveIntegerField(
        _("at least this many incidents are part of it"),
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)],
    )
    min_people = models.PositiveIntegerField(
        _("at least this many people are affected"),
        null=True,
        blank=True,
        validators=[MinValueValidator(LEAST), MaxValueValidator(MOST)],
    )
    deed = models.CharField(_("what it does"), max_length=10, choices=RuleDeed, default=RuleDeed.PROPOSE)
    impact = models.TextField(_("business impact"), max_length=IMPACT_MAX, blank=True)
    commander = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("commander")
    )
    commander_team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("commander from on-call of")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = MajorRuleQuerySet.as_manager()

    class Meta:
        ordering = ("order", "pk")
        verbose_name = _("major incident rule")
        constraints = (
            models.CheckConstraint(
                condition=~Q(condition={}) | Q(min_children__isnull=False) | Q(min_people__isnull=False),
                name="major_rule_asks_something",
            ),
            models.CheckConstraint(
                condition=~Q(deed=RuleDeed.ACCEPT) | ~Q(impact=""), name="major_rule_acceptance_has_impact"
            ),
            models.CheckConstraint(
                condition=Q(commander=None) | Q(commander_team=None), name="major_rule_one_commander"
            ),
        )

    def __str__(self) -> str:
        return self.name


class MajorRuleMatch(models.Model):
    """That a rule acted on an incident, and why: once for each incident, whatever else happens to it."""

    incident = models.OneToOneField(
        "incidents.Incident", models.PROTECT, related_name="major_rule_match", primary_key=True
    )
    rule = models.ForeignKey(MajorRule, models.SET_NULL, null=True, related_name="matches")
    rule_name = models.CharField(max_length=RULE_NAME_MAX)
    deed = models.CharField(max_length=10, choices=RuleDeed)
    why = models.TextField(max_length=WHY_MAX)
    event = models.ForeignKey(TicketEvent, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("deed of a major incident rule")
        indexes = (models.Index(fields=("rule", "-at"), name="major_rule_match_latest"),)

    def __str__(self) -> str:
        return f"{self.rule_name} {self.incident_id}"
