"""Somebody decides for somebody else, for a while."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.approvals.querysets import DelegationQuerySet


class Delegation(models.Model):
    """`giver` lets `receiver` decide from `starts_at` until `ends_at` (not included). Ended early, it stays on record.

    `kinds`: the codes of the kinds of ticket it is for; empty for all.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    giver = models.ForeignKey(User, models.PROTECT, related_name="delegations_given")
    receiver = models.ForeignKey(User, models.PROTECT, related_name="delegations_received")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kinds = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ("starts_at", "pk")
        verbose_name = _("delegation of approvals")
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_forward"),
            models.CheckConstraint(condition=~Q(giver=F("receiver")), name="delegation_not_to_oneself"),
        )
        indexes = (
            models.Index("receiver", "ends_at", condition=Q(ended_at__isnull=True), name="delegation_received"),
            models.Index("giver", "ends_at", condition=Q(ended_at__isnull=True), name="delegation_given"),
        )

    def __str__(self) -> str:
        return f"{self.giver} → {self.receiver}"
