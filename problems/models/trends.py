"""Recurring clusters of incidents, found by a job over a period and proposed as problems (feature PR-7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cmdb.models import Service
from itsm.accounts.models import User, public_id
from itsm.tickets.models import Category, Ticket
from problems.models.problem import Problem


class RunState(models.TextChoices):
    """Where a run of the trend job stands."""

    WAITING = "waiting", pgettext_lazy("trend run", "Waiting")
    RUNNING = "running", pgettext_lazy("trend run", "Running")
    DONE = "done", pgettext_lazy("trend run", "Done")
    FAILED = "failed", pgettext_lazy("trend run", "Failed")
    STOPPED = "stopped", pgettext_lazy("trend run", "Stopped")


AT_WORK = (RunState.WAITING, RunState.RUNNING)


class TrendRun(models.Model):
    """One look at the incidents of a period, worked on in batches by whoever holds the lease.

    `cursor` is the last incident that was read: its rows, the cursor and `done` are written together, so that a run
    which was interrupted goes on there. `attempts` counts the tries since the last progress.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    opened_from = models.DateTimeField(_("incidents opened from"))
    opened_until = models.DateTimeField(_("until"))
    least = models.PositiveIntegerField(_("at least this many incidents"), default=5)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.WAITING)
    created_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cursor = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    worked_ms = models.PositiveBigIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name = _("trend run")
        constraints = (
            models.UniqueConstraint(
                fields=("created_by",), condition=Q(state__in=AT_WORK), name="trend_run_one_at_work"
            ),
            models.CheckConstraint(condition=Q(done__lte=models.F("total")), name="trend_run_done_of_total"),
        )
        indexes = (models.Index("created_at", "id", condition=Q(state__in=AT_WORK), name="trend_run_at_work"),)

    def __str__(self) -> str:
        return f"{self.opened_from:%Y-%m-%d} – {self.opened_until:%Y-%m-%d} ({self.state})"

    @property
    def is_at_work(self) -> bool:
        """Whether it waits for a worker or runs."""
        return self.state in AT_WORK

    @property
    def last_moment(self) -> datetime:
        """The last moment of the period, which belongs to its last day."""
        return self.opened_until - timedelta(microseconds=1)

    @property
    def share(self) -> float:
        """How much is read, from 0 to 1."""
        return self.done / self.total if self.total else 0.0


class TrendItem(models.Model):
    """What the job knows of one incident while it runs: the words of its title, and what it cost. Gone when it is done.

    `wait_s`: how long its requester waited; `agent_s`: how long people of the desk were at it, as far as the log tells.
    """

    run = models.ForeignKey(TrendRun, models.CASCADE, related_name="items")
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", db_constraint=False)
    words = models.CharField(max_length=300)
    service = models.ForeignKey(Service, models.CASCADE, null=True, related_name="+")
    category = models.ForeignKey(Category, models.CASCADE, null=True, related_name="+")
    wait_s = models.BigIntegerField()
    agent_s = models.BigIntegerField()

    class Meta:
        verbose_name = _("trend item")
        constraints = (models.UniqueConstraint(fields=("run", "ticket"), name="trend_item_once"),)

    def __str__(self) -> str:
        return f"{self.run_id} {self.ticket_id}"


class Basis(models.TextChoices):
    """What the incidents of a candidate have in common."""

    WORDS = "words", _("Similar words")
    PLACE = "place", _("Same service and category")


class TrendCandidate(models.Model):
    """A cluster that may have one cause. `words` are those that most of its titles share; with service and category
    they say whether it is the same as one that was dismissed. `problem`: what was opened from it.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    run = models.ForeignKey(TrendRun, models.CASCADE, related_name="candidates")
    basis = models.CharField(max_length=10, choices=Basis)
    words = ArrayField(models.CharField(max_length=40), default=list)
    service = models.ForeignKey(Service, models.SET_NULL, null=True, related_name="+")
    category = models.ForeignKey(Category, models.SET_NULL, null=True, related_name="+")
    title = models.CharField(_("title"), max_length=200)
    ticket_ids = ArrayField(models.BigIntegerField())
    count = models.PositiveIntegerField(_("incidents"))
    wait_s = models.BigIntegerField(_("requester wait"))
    agent_s = models.BigIntegerField(_("agent time"))
    problem = models.ForeignKey(Problem, models.SET_NULL, null=True, related_name="+")
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("run_id", "-wait_s", "-count", "pk")
        verbose_name = _("problem candidate")
        indexes = (models.Index(fields=("run", "-wait_s"), name="trend_candidate_order"),)

    def __str__(self) -> str:
        return f"{self.title} ({self.count})"


class Dismissal(models.Model):
    """A cluster that is no problem, remembered for the runs to come."""

    basis = models.CharField(max_length=10, choices=Basis)
    words = ArrayField(models.CharField(max_length=40), default=list)
    service = models.ForeignKey(Service, models.CASCADE, null=True, related_name="+")
    category = models.ForeignKey(Category, models.CASCADE, null=True, related_name="+")
    title = models.CharField(max_length=200)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    dismissed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    dismissed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-dismissed_at", "-pk")
        verbose_name = _("dismissed candidate")

    def __str__(self) -> str:
        return self.title
