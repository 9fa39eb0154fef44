"""What was promised: policies with their goals, and who is told when time runs out."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import User, public_id
from slas.models.calendars import BusinessCalendar


class Metric(models.TextChoices):
    """What is timed."""

    RESPONSE = "response", pgettext_lazy("service level", "Response")
    RESOLUTION = "resolution", pgettext_lazy("service level", "Resolution")


class Kind(models.TextChoices):
    """To whom the promise was made (ITIL 4)."""

    SLA = "sla", _("Service level agreement")
    OLA = "ola", _("Operational level agreement")
    UC = "uc", _("Underpinning contract")


def on_hold() -> dict[str, Any]:
    """Return the condition under which clocks pause unless a policy says otherwise."""
    return {"field": "status", "op": "eq", "value": "on_hold"}


def new_stamp() -> str:
    """Return a stamp that was never used before."""
    return uuid4().hex


class EscalationChain(models.Model):
    """Who is told, and what is done, as a target is used up; under one name through all its versions."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    current = models.ForeignKey("ChainVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = _("escalation")

    def __str__(self) -> str:
        return self.name


class ChainVersion(models.Model):
    """The steps of a chain as they stood when timers began. Never changed; timers keep theirs.

    `steps`: `[{"percent": 75, "actions": [{"do": "notify", "who": ["assignee", "team_lead"]}]}, …]`, one entry for each
    percentage, ascending. Actions: `notify` (`who`: assignee, team_lead, team), `assign_team` (`team`: id),
    `raise_priority`.
    """

    chain = models.ForeignKey(EscalationChain, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    steps = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("chain_id", "number")
        verbose_name = _("escalation version")
        constraints = (models.UniqueConstraint(fields=("chain", "number"), name="chain_version_once"),)

    def __str__(self) -> str:
        return f"{self.chain_id} v{self.number}"


class ServiceLevelPolicy(models.Model):
    """A promise: which tickets, what is timed, when the clock stands still. Its goals say how long and by which hours.

    Of the active policies for one metric the first in `order` whose condition a ticket meets is the one that counts.
    `pause_condition` null: the clock never stands still.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    metric = models.CharField(_("what is timed"), max_length=20, choices=Metric)
    kind = models.CharField(_("kind"), max_length=3, choices=Kind, default=Kind.SLA)
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    pause_condition = models.JSONField(_("paused while"), default=on_hold, null=True, blank=True)
    order = models.PositiveIntegerField(_("order"), default=100)
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("order", "pk")
        verbose_name = _("service-level policy")
        verbose_name_plural = _("service-level policies")

    def __str__(self) -> str:
        return self.name


class ActiveGoals(models.Manager["Goal"]):
    """The goals that policies have now."""

    def get_queryset(self) -> models.QuerySet[Goal]:
        """Return the goals without those that were taken out of their policy."""
        return super().get_queryset().filter(is_active=True)


class Goal(models.Model):
    """One target of a policy: the first in `order` whose condition the ticket meets applies.

    A goal that is taken out of its policy is switched off, never deleted: timers name it, and those are written only
    under their ticket's lock. `objects`, and so `policy.goals`, leave it out; `stored` has it.
    """

    policy = models.ForeignKey(ServiceLevelPolicy, models.CASCADE, related_name="goals")
    order = models.PositiveIntegerField(_("order"))
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    target_s = models.PositiveIntegerField(_("target in seconds of open time"))
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="goals", verbose_name=_("calendar"))
    chain = models.ForeignKey(
        EscalationChain, models.PROTECT, null=True, blank=True, related_name="goals", verbose_name=_("escalation")
    )
    is_active = models.BooleanField(_("active"), default=True)

    objects = ActiveGoals()
    stored: ClassVar[models.Manager[Goal]] = models.Manager()

    class Meta:
        ordering = ("policy_id", "order")
        verbose_name = _("goal")
        constraints = (
            models.UniqueConstraint(fields=("policy", "order"), name="goal_order_once"),
            models.CheckConstraint(condition=Q(target_s__gt=0), name="goal_target"),
        )

    def __str__(self) -> str:
        return f"{self.policy_id}#{self.order} {self.target_s} s"


class Setup(models.Model):
    """One row whose stamp changes whenever calendars, chains or policies do: processes keep what they read until then.

    A stamp is never used twice, also not after a rollback, so that a kept set-up cannot be mistaken for another.
    """

    stamp = models.CharField(max_length=32, default=new_stamp)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="slas_setup_one_row"),)

    def __str__(self) -> str:
        return self.stamp
