"""A round of approval on a ticket: its stages, and each person who is asked in them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import User, public_id
from itsm.approvals.models.policies import AUTHORISE, Mode, PolicyVersion
from itsm.approvals.querysets import AskQuerySet, RoundQuerySet
from itsm.tickets.actors import Channel
from itsm.tickets.models import Ticket

COMMENT_MAX = 4000


class RoundState(models.TextChoices):
    """How a round stands. `superseded`: what was to be approved changed, so that everybody was asked anew."""

    OPEN = "open", pgettext_lazy("approval", "Waiting")
    PARKED = "parked", pgettext_lazy("approval", "On hold")
    APPROVED = "approved", pgettext_lazy("approval", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval", "Rejected")
    WITHDRAWN = "withdrawn", pgettext_lazy("approval", "Withdrawn")
    SUPERSEDED = "superseded", pgettext_lazy("approval", "Asked anew")


LIVE = (RoundState.OPEN, RoundState.PARKED)
ENDED = (RoundState.APPROVED, RoundState.REJECTED, RoundState.WITHDRAWN, RoundState.SUPERSEDED)


class Problem(models.TextChoices):
    """Why a round asks the fallback role instead of what a policy says."""

    NO_POLICY = "no_policy", _("No approval policy is for this ticket")
    UNREADABLE = "unreadable", _("An approval policy can no longer be read")
    ALL_SKIPPED = "all_skipped", _("No stage of the approval policy is for this ticket")


class StageState(models.TextChoices):
    """How a stage stands. `skipped`: its condition was not met when its turn came."""

    WAITING = "waiting", pgettext_lazy("approval", "Not yet asked")
    ASKED = "asked", pgettext_lazy("approval", "Waiting")
    APPROVED = "approved", pgettext_lazy("approval", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval", "Rejected")
    SKIPPED = "skipped", pgettext_lazy("approval", "Not needed")
    WITHDRAWN = "withdrawn", pgettext_lazy("approval", "Withdrawn")


class AskState(models.TextChoices):
    """What one person has answered. `not_needed`: the stage was decided without them."""

    ASKED = "asked", pgettext_lazy("approval", "Waiting")
    APPROVED = "approved", pgettext_lazy("approval", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval", "Rejected")
    NOT_NEEDED = "not_needed", pgettext_lazy("approval", "No longer needed")
    WITHDRAWN = "withdrawn", pgettext_lazy("approval", "Withdrawn")


class ApprovalRound(models.Model):
    """One time that people were asked to approve a ticket for a purpose.

    `version` null: no policy could be used, and `problem` says why; the fallback role was asked then. `among`: the ids
    of the policies among which the room let it be chosen; empty for all. `facts` is what is approved, as the ticket's
    room tells it, and `digest` its fingerprint: a decision on other facts does not count. `barred`: by person's id, why
    they may not approve, as it stood when the round began (who it is now is asked again at each decision).
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="approval_rounds")
    purpose = models.CharField(max_length=20, default=AUTHORISE)
    version = models.ForeignKey(PolicyVersion, models.PROTECT, null=True, blank=True, related_name="rounds")
    state = models.CharField(max_length=10, choices=RoundState, default=RoundState.OPEN)
    facts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    barred = models.JSONField(default=dict)
    problem = models.CharField(max_length=20, choices=Problem, blank=True)
    problem_policy = models.CharField(max_length=200, blank=True)
    among = models.JSONField(default=list)
    requested_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.TextField(max_length=COMMENT_MAX, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    successor = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = RoundQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("approval")
        constraints = (
            models.UniqueConstraint(
                fields=("ticket", "purpose"), condition=Q(state__in=("open", "parked")), name="approval_round_live_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("open", "parked"), ended_at__isnull=True)
                | (~Q(state__in=("open", "parked")) & Q(ended_at__isnull=False)),
                name="approval_round_ended_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state="parked", parked_at__isnull=False) | (~Q(state="parked") & Q(parked_at__isnull=True)),
                name="approval_round_parked_has_time",
            ),
        )
        indexes = (models.Index("ticket", "id", name="approval_round_ticket"),)

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.purpose} {self.state}"

    @property
    def is_live(self) -> bool:
        """Whether an answer is still to come: waiting or on hold."""
        return self.state in LIVE


class ApprovalStage(models.Model):
    """One step of a round: those who are asked together, and how many of them have to approve.

    `spec` is the policy's stage as it was. `needed` counts for `n_of_m`. `used_fallback`: some source gave nobody who
    may approve, so the fallback role is asked too. `left_out`: who would have been asked and may not, with the reason.
    `next_at` is the next instant at which something happens by itself (reminder or expiry); the tick looks for it.
    """

    round = models.ForeignKey(ApprovalRound, models.CASCADE, related_name="stages")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    spec = models.JSONField(default=dict)
    mode = models.CharField(max_length=10, choices=Mode)
    needed = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=StageState, default=StageState.WAITING)
    used_fallback = models.BooleanField(default=False)
    left_out = models.JSONField(default=list)
    asked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    left_us = models.BigIntegerField(null=True, blank=True)
    remind_left_us = models.BigIntegerField(null=True, blank=True)
    reminders = models.PositiveIntegerField(default=0)
    parked_us = models.BigIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("round_id", "position")
        verbose_name = _("stage of an approval")
        constraints = (
            models.UniqueConstraint(fields=("round", "position"), name="approval_stage_once"),
            models.UniqueConstraint(fields=("round",), condition=Q(state="asked"), name="approval_stage_one_at_a_time"),
        )
        indexes = (models.Index("next_at", "id", condition=Q(next_at__isnull=False), name="approval_stage_due"),)

    def __str__(self) -> str:
        return f"{self.round_id}#{self.position} {self.state}"

    @property
    def expiry(self) -> dict[str, Any]:
        """What the policy says about the stage's time; empty where it has none."""
        return self.spec.get("expires") or {}


class Ask(models.Model):
    """One person who is asked in a stage, and the answer. `groups`: the positions of the sources that named them.

    `decided_by` is who answered, `person` for whom: they differ where a delegate did. `is_escalated`: asked when the
    stage's time was over; such an answer decides the stage.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    stage = models.ForeignKey(ApprovalStage, models.CASCADE, related_name="asks")
    person = models.ForeignKey(User, models.PROTECT, related_name="approval_asks")
    groups = models.JSONField(default=list)
    is_escalated = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=AskState, default=AskState.ASKED)
    asked_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="approval_decisions")
    decided_at = models.DateTimeField(null=True, blank=True)
    channel = models.CharField(max_length=20, choices=Channel, blank=True)
    comment = models.TextField(max_length=COMMENT_MAX, blank=True)

    objects = AskQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name = _("approver")
        constraints = (
            models.UniqueConstraint(fields=("stage", "person"), name="approval_ask_once"),
            # One human counts once in a stage, for whomever they answer.
            models.UniqueConstraint(
                fields=("stage", "decided_by"), condition=Q(decided_by__isnull=False), name="approval_ask_one_voice"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("approved", "rejected"), decided_at__isnull=False, decided_by__isnull=False)
                | (~Q(state__in=("approved", "rejected")) & Q(decided_at__isnull=True, decided_by__isnull=True)),
                name="approval_ask_decided_has_time",
            ),
            models.CheckConstraint(condition=~Q(state="rejected") | ~Q(comment=""), name="approval_reject_says_why"),
        )
        indexes = (
            models.Index("person", "id", condition=Q(state="asked"), name="approval_ask_open"),
            models.Index(F("person"), F("id").desc(), name="approval_ask_person"),
        )

    def __str__(self) -> str:
        return f"{self.stage_id} {self.person_id} {self.state}"

    @property
    def is_decided(self) -> bool:
        """Whether an answer was given."""
        return self.state in (AskState.APPROVED, AskState.REJECTED)
