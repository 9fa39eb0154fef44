"""Trials: what a draft of service levels would do, to open tickets or to those of the past, worked out as a job."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import Team, User, public_id
from itsm.tickets.models import Ticket
from slas.models.policies import Kind, Metric


class Purpose(models.TextChoices):
    """What a trial works out."""

    OPEN = "open", _("What an edit would change on open tickets")
    PAST = "past", _("What a draft would have meant for past tickets")


class TrialState(models.TextChoices):
    """Where a trial stands."""

    PREPARED = "prepared", pgettext_lazy("trial", "Not started")
    WAITING = "waiting", pgettext_lazy("trial", "Waiting")
    RUNNING = "running", pgettext_lazy("trial", "Running")
    DONE = "done", pgettext_lazy("trial", "Done")
    FAILED = "failed", pgettext_lazy("trial", "Failed")
    STOPPED = "stopped", pgettext_lazy("trial", "Stopped")


AT_WORK = (TrialState.WAITING, TrialState.RUNNING)


class Trial(models.Model):
    """A draft of all that is promised (`draft`, see `slas.whatif.drafts`), tried on tickets in batches by a job.

    The draft is a whole copy, so that a later edit does not change what is tried. `cursor` is the last ticket that was
    gone through: rows, cursor and `done` are written together, so a trial that was interrupted goes on there.
    `lease_until` and `lease` say whose it is while it runs; once the lease has run out, another worker takes it over.
    `attempts` counts those since the last progress.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(max_length=3, choices=Kind, blank=True)
    metric = models.CharField(max_length=20, choices=Metric, blank=True)
    draft = models.JSONField()
    focus = models.JSONField(default=dict)
    opened_from = models.DateTimeField(_("tickets opened from"), null=True, blank=True)
    opened_until = models.DateTimeField(_("until"), null=True, blank=True)
    condition = models.JSONField(_("condition"), default=dict, blank=True)
    state = models.CharField(max_length=10, choices=TrialState, default=TrialState.PREPARED)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    as_of = models.DateTimeField(null=True, blank=True)
    cursor = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    worked_ms = models.PositiveBigIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    result = models.JSONField(default=dict, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("trial")
        constraints = (
            models.UniqueConstraint(
                fields=("created_by", "purpose"), condition=Q(state__in=AT_WORK), name="trial_one_at_work"
            ),
            models.CheckConstraint(condition=Q(done__lte=models.F("total")), name="trial_done_of_total"),
        )
        indexes = (models.Index("created_at", "id", condition=Q(state__in=AT_WORK), name="trial_at_work"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"

    @property
    def is_at_work(self) -> bool:
        """Whether it waits for a worker or runs."""
        return self.state in AT_WORK

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def rate(self) -> float:
        """How many tickets were gone through a second of work."""
        return self.done * 1000 / self.worked_ms if self.worked_ms else 0.0


class TrialRow(models.Model):
    """One clock of one ticket: what it would be (`goal`, `verdict`, …) beside what it is or was (`real_*`).

    Verdicts are the states of timers; `breached` is one that runs on after its target, `none` no clock at all.
    """

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="rows")
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=3, choices=Kind)
    metric = models.CharField(max_length=20, choices=Metric)
    cycle_no = models.PositiveSmallIntegerField()
    month = models.DateField()
    change = models.CharField(max_length=20, blank=True)
    goal = models.CharField(max_length=300, blank=True)
    real_goal = models.CharField(max_length=300, blank=True)
    verdict = models.CharField(max_length=10)
    real_verdict = models.CharField(max_length=10)
    target_us = models.BigIntegerField(null=True, blank=True)
    real_target_us = models.BigIntegerField(null=True, blank=True)
    elapsed_us = models.BigIntegerField(null=True, blank=True)
    real_elapsed_us = models.BigIntegerField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    real_due_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    real_breached_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("trial_id", "ticket_id", "metric", "cycle_no")
        verbose_name = _("trial row")
        constraints = (
            models.UniqueConstraint(fields=("trial", "ticket", "kind", "metric", "cycle_no"), name="trial_row_once"),
        )
        indexes = (models.Index("trial", "verdict", "id", name="trial_row_verdict"),)

    def __str__(self) -> str:
        return f"{self.trial_id} {self.ticket_id} {self.metric} {self.cycle_no}: {self.real_verdict} → {self.verdict}"
