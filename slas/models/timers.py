"""Timers, the stretches they ran, the steps that wait and the events that happened."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from itsm.accounts.models import Team, User
from itsm.tickets.models import Ticket
from slas.calendars import CompiledCalendar
from slas.models.calendars import CalendarVersion
from slas.models.policies import ChainVersion, Goal, Kind, Metric, ServiceLevelPolicy
from slas.querysets import TimerQuerySet


class State(models.TextChoices):
    """Where a timer stands. Whether it was breached is a fact beside it (`breached_at`)."""

    RUNNING = "running", pgettext_lazy("timer", "Running")
    PAUSED = "paused", pgettext_lazy("timer", "Paused")
    MET = "met", pgettext_lazy("timer", "Met")
    MISSED = "missed", pgettext_lazy("timer", "Missed")
    CANCELLED = "cancelled", pgettext_lazy("timer", "Cancelled")


def whole_seconds(target_us: int) -> int:
    """Return a target in whole seconds, rounded up; never below one."""
    return max(-(-target_us // 1_000_000), 1)


ACTIVE = (State.RUNNING, State.PAUSED)
STOPPED = (State.MET, State.MISSED)


class Timer(models.Model):
    """One clock on one ticket. Written only under the ticket's row lock.

    The truth is the list of runs (`runs`, and the open one from `run_started_at`); the other columns follow from it.
    `target_us`, `chain_version`, `calendar_version` and `time_zone` (blank: the calendar's own) are copies of what the
    policy said when the goal was chosen. `team`: whose stay is timed, where the metric is the time with the team.
    `version` grows whenever the due instants may move, so that a step of an older version is known as stale. `epoch`
    grows when a longer target puts steps that have happened ahead again: they then happen anew. `done_steps` are the
    codes of the steps (`slas.steps`) that have fired, or were passed over, in this epoch; `repeats` maps the code of
    one that comes again to `[repetition to come, ISO instant of the last]`. `reset_held`: the
    policy's condition to start anew held when the ticket was last followed, so that it counts once.
    `acknowledged_at`: somebody has taken over what the chain was calling for, and nothing but the breach itself is
    recorded from then on. `imported_at`: an import moved it, and what was due until then is recorded without telling
    anybody. `touched_at`: its last event; no later
    one lies before it.
    """

    # Every step and every verb writes here, so no index stands that another begins with, or that nobody asks: versions
    # of calendars and chains are never deleted, and are not looked up from here.
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="timers", db_index=False)
    policy = models.ForeignKey(ServiceLevelPolicy, models.PROTECT, related_name="timers")
    goal = models.ForeignKey(Goal, models.SET_NULL, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=3, choices=Kind)
    metric = models.CharField(max_length=20, choices=Metric)
    cycle_no = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    target_us = models.BigIntegerField()
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True, related_name="+")
    time_zone = models.CharField(max_length=64, blank=True)
    calendar_version = models.ForeignKey(CalendarVersion, models.PROTECT, related_name="+", db_index=False)
    chain_version = models.ForeignKey(
        ChainVersion, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    breached_at = models.DateTimeField(null=True, blank=True)
    retroactive = models.BooleanField(default=False)
    elapsed_closed_us = models.BigIntegerField(default=0)
    run_started_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    epoch = models.PositiveIntegerField(default=0)
    done_steps = ArrayField(models.PositiveIntegerField(), default=list)
    reset_held = models.BooleanField(default=False)
    repeats = models.JSONField(default=dict, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    touched_at = models.DateTimeField()
    imported_at = models.DateTimeField(null=True, blank=True)

    objects = TimerQuerySet.as_manager()

    class Meta:
        ordering = ("ticket_id", "metric", "cycle_no")
        verbose_name = _("timer")
        constraints = (
            models.UniqueConstraint(fields=("ticket", "kind", "metric", "cycle_no"), name="timer_cycle_once"),
            models.UniqueConstraint(
                fields=("ticket", "kind", "metric"), condition=Q(state__in=ACTIVE), name="timer_one_active"
            ),
            models.CheckConstraint(
                condition=Q(state=State.RUNNING, run_started_at__isnull=False, due_at__isnull=False)
                | (~Q(state=State.RUNNING) & Q(run_started_at__isnull=True)),
                name="timer_running_has_run",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.PAUSED) | Q(due_at__isnull=True), name="timer_paused_not_due"
            ),
            models.CheckConstraint(
                condition=Q(state__in=ACTIVE, stopped_at__isnull=True)
                | Q(state=State.CANCELLED, stopped_at__isnull=False)
                | Q(state__in=STOPPED, stopped_at__isnull=False, due_at__isnull=False),
                name="timer_stop_fits_state",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.MET) | Q(breached_at__isnull=True, stopped_at__lte=F("due_at")),
                name="timer_met_in_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.MISSED) | Q(breached_at__isnull=False, stopped_at__gte=F("breached_at")),
                name="timer_missed_was_breached",
            ),
            models.CheckConstraint(condition=Q(target_us__gt=0, elapsed_closed_us__gte=0), name="timer_amounts"),
        )
        indexes = (
            models.Index("calendar_version", "ticket", condition=Q(state=State.RUNNING), name="timer_calendar"),
            models.Index("policy", "ticket", condition=Q(state__in=ACTIVE), name="timer_policy"),
            models.Index("ticket", condition=Q(state=State.RUNNING, imported_at__isnull=False), name="timer_imported"),
            models.Index("acknowledged_by", condition=Q(acknowledged_by__isnull=False), name="timer_acknowledged"),
        )

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.metric} {self.cycle_no} {self.state}"

    @property
    def ref(self) -> str:
        """How addresses name a timer of a ticket: kind, metric and cycle, such as `sla-resolution-1`."""
        return f"{self.kind}-{self.metric}-{self.cycle_no}"

    @property
    def target_s(self) -> int:
        """The target in whole seconds of open time, rounded up; never below one."""
        return whole_seconds(self.target_us)

    @property
    def hours(self) -> CompiledCalendar:
        """The hours by which the timer runs now: its calendar version's, in its own zone where it has one."""
        return self.calendar_version.hours_in(self.time_zone)

    @property
    def is_active(self) -> bool:
        """Whether the clock runs or is paused."""
        return self.state in ACTIVE


class Run(models.Model):
    """A closed stretch in which a timer ran, measured by the calendar version it ran under. Append-only (trigger)."""

    timer = models.ForeignKey(Timer, models.PROTECT, related_name="runs")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    calendar_version = models.ForeignKey(CalendarVersion, models.PROTECT, related_name="+", db_index=False)
    time_zone = models.CharField(max_length=64, blank=True)
    elapsed_us = models.BigIntegerField()

    class Meta:
        ordering = ("timer_id", "pk")
        constraints = (
            models.CheckConstraint(condition=Q(ended_at__gte=F("started_at"), elapsed_us__gte=0), name="run_forward"),
        )

    def __str__(self) -> str:
        return f"{self.timer_id} {self.started_at:%Y-%m-%d %H:%M:%S}–{self.ended_at:%Y-%m-%d %H:%M:%S}"

    @property
    def hours(self) -> CompiledCalendar:
        """The hours by which the stretch was measured."""
        return self.calendar_version.hours_in(self.time_zone)


class StepDue(models.Model):
    """A step that waits for its instant. The row exists as long as it waits; firing it removes it.

    `step` is the step's code (`slas.steps`): the percentage of the target at which it is due, 100 for the breach, or an
    offset from the due time. `retry_at`: its effects failed, and it is left alone until then; `parked_at`: they failed
    too often, and it waits for somebody who looks into it.
    """

    timer = models.ForeignKey(Timer, models.CASCADE, related_name="steps_due", db_index=False)  # `step_due_once` has it
    version = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    repetition = models.PositiveSmallIntegerField(default=0)
    fire_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("step to come")
        constraints = (models.UniqueConstraint(fields=("timer", "step", "repetition"), name="step_due_once"),)
        indexes = (
            models.Index("fire_at", "id", condition=Q(parked_at__isnull=True), name="step_due_waiting"),
            models.Index("id", condition=Q(parked_at__isnull=False), name="step_due_parked"),
        )

    def __str__(self) -> str:
        return f"{self.timer_id} step {self.step} {self.fire_at:%Y-%m-%d %H:%M:%S}"


class EventKind(models.TextChoices):
    """What a step was."""

    WARNED = "warned", pgettext_lazy("service level", "Warned")
    BREACHED = "breached", pgettext_lazy("service level", "Breached")
    ESCALATED = "escalated", pgettext_lazy("service level", "Escalated")


class SlaEvent(models.Model):
    """A step that happened: due `at`, noticed at `detected_at`. At most one for each key, whatever crashes.

    `told`: somebody was told (not so for what an import brought). `retroactive`: a new target put it into the past.
    """

    timer = models.ForeignKey(Timer, models.PROTECT, related_name="events", db_index=False)  # `sla_event_once` has it
    epoch = models.PositiveIntegerField()
    step = models.PositiveIntegerField()
    repetition = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=10, choices=EventKind)
    at = models.DateTimeField()
    detected_at = models.DateTimeField()
    told = models.BooleanField(default=True)
    retroactive = models.BooleanField(default=False)

    class Meta:
        ordering = ("timer_id", "pk")
        verbose_name = _("service-level event")
        constraints = (models.UniqueConstraint(fields=("timer", "epoch", "step", "repetition"), name="sla_event_once"),)

    def __str__(self) -> str:
        return f"{self.timer_id} {self.kind} {self.step} %"
