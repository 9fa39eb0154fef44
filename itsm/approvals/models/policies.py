"""Approval policies: which tickets, who is asked in which order, and what happens when nobody answers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import User, public_id
from itsm.accounts.roles import Role

AUTHORISE = "authorise"
LINK_DAYS = 7


class Mode(models.TextChoices):
    """How many of those who are asked have to approve."""

    ANY = "any", _("Any one: the first answer counts")
    ALL = "all", _("All of them: one rejection is enough")
    N_OF_M = "n_of_m", _("So many of them")
    PER_GROUP = "per_group", _("One of each group: the first answer of a group counts")


class Expiry(models.TextChoices):
    """What happens when a stage has not been decided in its time."""

    REMIND = "remind", pgettext_lazy("approval", "Remind those who were asked, and go on waiting")
    ESCALATE = "escalate", pgettext_lazy("approval", "Ask somebody else as well, whose answer decides")
    REJECT = "reject", pgettext_lazy("approval", "Reject")


class OnChange(models.TextChoices):
    """What a decision does when what is to be approved has changed since people were asked."""

    RESTART = "restart", _("Ask everybody anew")
    REFUSE = "refuse", _("Refuse decisions until the desk asks anew")


class Source(models.TextChoices):
    """Where the approvers of a stage come from."""

    PEOPLE = "people", _("Named people")
    TEAM = "team", _("Members of a team")
    ROLE = "role", _("Everybody with a role")
    TICKET_TEAM = "ticket_team", _("Members of the ticket's team")
    TEAM_LEAD = "team_lead", _("Lead of the ticket's team")
    SERVICE_OWNER = "service_owner", _("Owner of the service")
    OWNER_MANAGER = "owner_manager", _("Manager of the service's owner")
    REQUESTER_MANAGER = "requester_manager", _("Manager of the requester")
    GROUP = "group", _("A registered group, such as the CAB")


class ApprovalPolicy(models.Model):
    """A rule that says who has to agree to which tickets; under one name through all its versions.

    Of the active policies of a kind and purpose the first in `order` whose condition a ticket meets counts.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=20)
    purpose = models.CharField(_("what for"), max_length=20, default=AUTHORISE)
    order = models.PositiveIntegerField(_("order"), default=100)
    is_active = models.BooleanField(_("active"), default=True)
    current = models.ForeignKey(
        "PolicyVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("kind", "purpose", "order", "pk")
        verbose_name = _("approval policy")
        verbose_name_plural = _("approval policies")

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """What a policy said when rounds began. Never changed (a trigger refuses it): an edit makes the next version.

    `condition`: the tickets it is for. `stages`: one entry each, in order; see `itsm.approvals.specs.StageSpec`.
    """

    policy = models.ForeignKey(ApprovalPolicy, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    condition = models.JSONField(default=dict, blank=True)
    stages = models.JSONField(default=list)
    on_change = models.CharField(max_length=10, choices=OnChange, default=OnChange.RESTART)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("policy_id", "number")
        verbose_name = _("version of an approval policy")
        constraints = (models.UniqueConstraint(fields=("policy", "number"), name="approval_policy_version_once"),)

    def __str__(self) -> str:
        return f"{self.policy_id} v{self.number}"


class ApprovalSettings(models.Model):
    """What holds for all approvals: one row. `fallback_role` is asked where nobody else can be found."""

    fallback_role = models.CharField(_("asked when nobody else is found"), max_length=40, choices=Role)
    link_days = models.PositiveSmallIntegerField(_("days that a link in a mail is good for"), default=LINK_DAYS)

    class Meta:
        verbose_name = _("approval settings")
        constraints = (
            models.CheckConstraint(condition=Q(pk=1), name="approval_settings_one_row"),
            models.CheckConstraint(condition=Q(link_days__range=(1, 90)), name="approval_link_days"),
        )

    def __str__(self) -> str:
        return self.fallback_role

    @classmethod
    def current(cls) -> ApprovalSettings:
        """Return the settings that hold now."""
        return cls.objects.filter(pk=1).first() or cls(pk=1, fallback_role=Role.CHANGE_MANAGER)
