"""What of a problem was told to the requesters of its incidents: once for each incident and edition of the text."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.tickets.models import Spread, Ticket
from problems.models.problem import NOTES_MAX, Problem


class Told(models.TextChoices):
    """What is communicated."""

    WORKAROUND = "workaround", _("Workaround")
    FIX = "fix", _("Fix")


class Communication(models.Model):
    """One press of “Communicate”: who, when, what, and to how many incidents.

    `edition` counts the texts that differ from the one before: the same text again reaches only incidents that have not
    had it. `spread` names the work that carries it out (`itsm.tickets.spreading`).
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    problem = models.ForeignKey(Problem, models.PROTECT, related_name="communications")
    what = models.CharField(max_length=10, choices=Told)
    edition = models.PositiveIntegerField()
    text = models.TextField(max_length=NOTES_MAX)
    author = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    count = models.PositiveIntegerField()
    spread = models.ForeignKey(Spread, models.PROTECT, null=True, related_name="+")

    order: Spread | None  # the spread with its tally; set by the page

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("communication")
        indexes = (models.Index(fields=("problem", "what", "-edition"), name="communication_edition"),)

    def __str__(self) -> str:
        return f"{self.problem_id} {self.what} {self.edition}"


class CommunicationTarget(models.Model):
    """One incident that an edition was sent to. The constraint is what makes it once."""

    communication = models.ForeignKey(Communication, models.PROTECT, related_name="targets")
    problem = models.ForeignKey(Problem, models.PROTECT, related_name="+")
    what = models.CharField(max_length=10, choices=Told)
    edition = models.PositiveIntegerField()
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("told incident")
        constraints = (
            models.UniqueConstraint(fields=("problem", "what", "edition", "ticket"), name="communicated_once"),
        )

    def __str__(self) -> str:
        return f"{self.communication_id} {self.ticket_id}"
