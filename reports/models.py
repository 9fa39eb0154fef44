"""Why a target was missed, as somebody who looked into it says."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from slas.models import Timer

REMARK_MAX = 1000


class Reason(models.TextChoices):
    """Why a target was missed."""

    REQUESTER = "requester", _("Information from the requester came late")
    SUPPLIER = "supplier", _("The supplier was late")
    CAPACITY = "capacity", _("Nobody was free in time")
    HAND_OVER = "hand_over", _("It went through too many hands")
    WRONG_TEAM = "wrong_team", _("It lay with the wrong team")
    PRIORITY = "priority", _("The priority was wrong")
    DIFFICULTY = "difficulty", _("The fault was hard to find or to mend")
    CHANGE = "change", _("The fix had to wait for a change")
    RECORDING = "recording", _("Done in time, recorded late")
    TARGET = "target", _("The target does not fit this kind of work")
    OTHER = "other", _("Another reason")


class BreachReason(models.Model):
    """The reason and the remark for one clock that missed its target, as they stand now; the event log has them all.

    Written by `reports.actions.explain_breach` under the ticket's row lock.
    """

    timer = models.OneToOneField(Timer, models.PROTECT, related_name="breach_reason")
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    remark = models.CharField(_("remark"), max_length=REMARK_MAX, blank=True)
    given_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = _("reason of a breach")
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(reason="other") | ~models.Q(remark=""), name="breach_other_has_remark"
            ),
        )

    def __str__(self) -> str:
        return f"{self.timer_id}: {self.reason}"
