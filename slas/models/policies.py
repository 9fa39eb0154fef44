"""What was promised: policies with their goals, and who is told when time runs out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import User, public_id
from slas.models.calendars import BusinessCalendar
from slas.steps import code_of


class Metric(models.TextChoices):
    """What is timed."""

    RESPONSE = "response", pgettext_lazy("service level", "Response")
    NEXT_RESPONSE = "next_response", pgettext_lazy("service level", "Next response")
    UPDATE = "update", pgettext_lazy("service level", "Periodic update")
    RESOLUTION = "resolution", pgettext_lazy("service level", "Resolution")
    TEAM_STAY = "team_stay", pgettext_lazy("service level", "Time with the team")
    SUPPLIER = "supplier", pgettext_lazy("service level", "Time with the supplier")


class Kind(models.TextChoices):
    """To whom the promise was made (ITIL 4)."""

    SLA = "sla", _("Service level agreement")
    OLA = "ola", _("Operational level agreement")
    UC = "uc", _("Underpinning contract")


class StartFrom(models.TextChoices):
    """From when a timer counts that starts late, because its policy came to apply only then."""

    ATTACH = "attach", _("When the policy comes to apply")
    OPENED = "opened", _("When the ticket was opened, with the pauses since")


class OnRetarget(models.TextChoices):
    """What becomes of a running timer when another goal or policy of the same metric comes to apply."""

    KEEP = "keep", _("Keep the time used; only the target changes")
    RESTART = "restart", _("Start anew: a new cycle from zero")
    RETROACTIVE = "retroactive", _("Count from when the ticket was opened, with the pauses since")


class OnReopen(models.TextChoices):
    """What becomes of a stopped timer when its ticket is taken up again."""

    RESUME = "resume", _("Go on with the same clock; the time in between does not count")
    NEW_CYCLE = "new_cycle", _("Start a new clock; the old one stays as it ended")


class LateSteps(models.TextChoices):
    """Which of the steps happen that a new target has put into the past. A breach is recorded in any case."""

    HIGHEST = "highest", _("Only the highest, once")
    NONE = "none", _("None")
    ALL = "all", _("All, in order")


class TargetUnit(models.TextChoices):
    """How a target is meant."""

    TIME = "time", _("Open time")
    BUSINESS_DAYS = "business_days", _("Business days of the calendar's length of day")
    CLOSE_OF_DAY = "close_of_day", _("The close of the nth business day after")


class ZoneFrom(models.TextChoices):
    """Whose clock the hours of a goal's calendar are read by."""

    CALENDAR = "calendar", _("The calendar's own zone")
    LOCATION = "location", _("The requester's location, else the calendar's")
    REQUESTER = "requester", _("The requester's zone")


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
    step. A step lies at a percentage of the target, or at `{"minutes": -30, "clock": "business"|"wall"}` from the due
    time; `slas.steps` gives each its code. `"repeat": {"minutes": 15, "most": 4, "clock": "wall"}` does it again.
    Actions: see `slas.actions.chains.save_chain`, which checks them.
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

    @cached_property
    def by_code(self) -> Mapping[int, Mapping[str, Any]]:
        """The steps by their codes; of two that mean the same instant the first."""
        return {code_of(step): step for step in reversed(self.steps)}


class ServiceLevelPolicy(models.Model):
    """A promise: which tickets, what is timed, when the clock stands still. Its goals say how long and by which hours.

    Of the active policies of one kind for one metric the first in `order` whose condition a ticket meets counts.
    `pause_condition` null: the clock never stands still. `stop_condition`, `cancel_condition` and
    `reset_condition` null: as the metric has it (a resolution stops when the ticket is resolved), no more. Read in this
    order: cancel, stop, reset, pause (ServiceNow's two passes, sla.md §4).
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    metric = models.CharField(_("what is timed"), max_length=20, choices=Metric)
    kind = models.CharField(_("kind"), max_length=3, choices=Kind, default=Kind.SLA)
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    pause_condition = models.JSONField(_("paused while"), default=on_hold, null=True, blank=True)
    stop_condition = models.JSONField(_("stopped when"), null=True, blank=True)
    cancel_condition = models.JSONField(_("cancelled when"), null=True, blank=True)
    reset_condition = models.JSONField(_("started anew when"), null=True, blank=True)
    start_from = models.CharField(_("counts from"), max_length=10, choices=StartFrom, default=StartFrom.ATTACH)
    on_retarget = models.CharField(
        _("when the target changes"), max_length=12, choices=OnRetarget, default=OnRetarget.KEEP
    )
    on_reopen = models.CharField(_("when reopened"), max_length=10, choices=OnReopen, default=OnReopen.RESUME)
    late_steps = models.CharField(
        _("steps that are past already"), max_length=8, choices=LateSteps, default=LateSteps.HIGHEST
    )
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

    `target_s` is the target where it is meant as open time, and its usual length where `target_unit` says otherwise:
    then `target_count` business days count, and a timer gets its own length when it starts.

    A goal that is taken out of its policy is switched off, never deleted: timers name it, and those are written only
    under their ticket's lock. `objects`, and so `policy.goals`, leave it out; `stored` has it.
    """

    policy = models.ForeignKey(ServiceLevelPolicy, models.CASCADE, related_name="goals")
    order = models.PositiveIntegerField(_("order"))
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    target_s = models.PositiveIntegerField(_("target in seconds of open time"))
    target_unit = models.CharField(
        _("how the target is meant"), max_length=13, choices=TargetUnit, default=TargetUnit.TIME
    )
    target_count = models.PositiveSmallIntegerField(_("number of business days"), null=True, blank=True)
    calendar = models.ForeignKey(BusinessCalendar, models.PROTECT, related_name="goals", verbose_name=_("calendar"))
    use_team_calendar = models.BooleanField(_("use the team's calendar where it has one"), default=False)
    zone_from = models.CharField(_("time zone"), max_length=9, choices=ZoneFrom, default=ZoneFrom.CALENDAR)
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
            models.CheckConstraint(
                condition=Q(target_unit=TargetUnit.TIME, target_count__isnull=True)
                | (~Q(target_unit=TargetUnit.TIME) & Q(target_count__isnull=False)),
                name="goal_count_fits_unit",
            ),
        )

    def __str__(self) -> str:
        return f"{self.policy_id}#{self.order} {self.target_s} s"


class Setup(models.Model):
    """One row whose stamp changes whenever calendars, chains or policies do: processes keep what they read until then.

    A stamp is never used twice, also not after a rollback, so that a kept set-up cannot be mistaken for another.
    `followed`: the stamp up to which running clocks were all brought to the hours of their teams.
    """

    stamp = models.CharField(max_length=32, default=new_stamp)
    followed = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="slas_setup_one_row"),)

    def __str__(self) -> str:
        return self.stamp
