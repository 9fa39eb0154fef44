"""Boards, their meetings, and what stands on the agenda."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changes.schedule.recurrence import Recurrence
from itsm.accounts.models import Team, User, public_id


def waiting_for_authorisation() -> dict[str, Any]:
    """Return the condition that a new board begins with: changes that wait to be authorised."""
    return {"field": "status", "op": "eq", "value": "authorise"}


class CabBoard(models.Model):
    """Who meets when, about which changes. `rule` is the stored form of a recurrence, `condition` chooses the changes
    of the agenda; `notice_days` before a meeting those who take part are invited. The change log keeps what it said."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    name = models.CharField(_("name"), max_length=200, unique=True)
    chair = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("chair"))
    people = models.ManyToManyField(User, blank=True, related_name="+", verbose_name=_("members"))
    teams = models.ManyToManyField(Team, blank=True, related_name="+", verbose_name=_("teams"))
    rule = models.JSONField(_("times"))
    condition = models.JSONField(_("agenda"), default=waiting_for_authorisation)
    place = models.CharField(_("where"), max_length=500, blank=True)
    notice_days = models.PositiveSmallIntegerField(_("days of notice"), default=2)
    is_active = models.BooleanField(_("active"), default=True)
    updated_at = models.DateTimeField(default=timezone.now)
    updated_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("name",)
        verbose_name = _("CAB")

    def __str__(self) -> str:
        return self.name

    @property
    def recurrence(self) -> Recurrence:
        """When it meets."""
        return Recurrence.from_json(self.rule)


class MeetingState(models.TextChoices):
    """Where a meeting stands."""

    PLANNED = "planned", pgettext_lazy("meeting", "Planned")
    RUNNING = "running", pgettext_lazy("meeting", "Under way")
    HELD = "held", pgettext_lazy("meeting", "Held")
    CANCELLED = "cancelled", pgettext_lazy("meeting", "Cancelled")


class CabMeeting(models.Model):
    """One meeting. `sequence` grows with each edit that calendars have to follow (RFC 5545)."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    board = models.ForeignKey(CabBoard, models.PROTECT, related_name="meetings")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=MeetingState, default=MeetingState.PLANNED)
    sequence = models.PositiveIntegerField(default=0)
    chair = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    minutes = models.TextField(_("minutes"), max_length=20_000, blank=True)
    cancel_reason = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ("starts_at", "pk")
        verbose_name = _("CAB meeting")
        constraints = (
            models.UniqueConstraint(
                fields=("board", "starts_at"), condition=~Q(state=MeetingState.CANCELLED), name="cab_meeting_once"
            ),
            models.UniqueConstraint(
                fields=("board",), condition=Q(state=MeetingState.RUNNING), name="cab_one_meeting_runs"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="cab_meeting_forward"),
        )
        indexes = (models.Index("starts_at", condition=Q(state=MeetingState.PLANNED), name="cab_meeting_ahead"),)

    def __str__(self) -> str:
        return f"{self.board} {self.starts_at:%Y-%m-%d}"


class Decision(models.TextChoices):
    """What a meeting decided on a change."""

    APPROVE = "approve", pgettext_lazy("decision", "Approved")
    REJECT = "reject", pgettext_lazy("decision", "Rejected")
    DEFER = "defer", pgettext_lazy("decision", "Deferred")


class AgendaItem(models.Model):
    """A change on the agenda. Before a meeting only pinned ones are rows; when it begins, what the filter finds joins
    them. `words`: what the minutes say of it."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    meeting = models.ForeignKey(CabMeeting, models.CASCADE, related_name="items")
    change = models.ForeignKey("changes.Change", models.CASCADE, related_name="cab_items")
    position = models.PositiveIntegerField()
    is_pinned = models.BooleanField(default=False)
    pinned_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision, blank=True)
    words = models.TextField(_("minutes"), max_length=4000, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("meeting_id", "position", "pk")
        verbose_name = _("agenda item")
        constraints = (
            models.UniqueConstraint(fields=("meeting", "change"), name="agenda_change_once"),
            models.CheckConstraint(condition=Q(decision="") | Q(decided_at__isnull=False), name="agenda_decided_when"),
        )

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.change_id}"


class CabInvitation(models.Model):
    """What a person's calendar was told of a meeting last, so that it can be told of a move, or that it is off."""

    meeting = models.ForeignKey(CabMeeting, models.CASCADE, related_name="invitations")
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    sequence = models.PositiveIntegerField(default=0)
    is_cancelled = models.BooleanField(default=False)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("meeting", "person"), name="cab_invited_once"),)

    def __str__(self) -> str:
        return f"{self.meeting_id} {self.person_id} {self.sequence}"
