"""The ticket: one row that grows a child for each kind (incident, problem, change …)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cmdb.models import Service
from itsm.accounts.models import Team, User, public_id
from itsm.tickets.actors import Channel
from itsm.tickets.models.settings import Category
from itsm.tickets.querysets import TicketQuerySet

if TYPE_CHECKING:
    from itsm.tickets.kinds import Kind
    from itsm.tickets.models.children import Attachment
    from itsm.tickets.models.event import TicketEvent

NO_TARGET = datetime(9999, 1, 1, tzinfo=UTC)
TITLE_MAX = 200
TEXT_MAX = 100_000

STILL_OPEN = Q(resolved_at__isnull=True, closed_at__isnull=True)


class Level(models.IntegerChoices):
    """Impact and urgency: three levels (ITIL practice; ServiceNow's base set)."""

    HIGH = 1, _("High")
    MEDIUM = 2, _("Medium")
    LOW = 3, _("Low")


class Priority(models.IntegerChoices):
    """Priority: the order in which work is taken up."""

    CRITICAL = 1, _("Critical")
    HIGH = 2, _("High")
    MODERATE = 3, _("Moderate")
    LOW = 4, _("Low")
    PLANNING = 5, _("Planning")


class Ticket(models.Model):
    """What every kind of ticket has. Written only by verbs; read through `visible_to`.

    `version` grows with every change that a second editor has to know of. `event_seq` and `event_hash` are the head of
    the ticket's event chain: they show a log whose tail was cut. `queue_due_at` is the next service-level target, kept
    by `slas` so that a queue is one index scan; NO_TARGET stands for none, because a keyset cannot step over NULL.
    """

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    kind = models.CharField(max_length=20, editable=False)
    number = models.CharField(_("number"), max_length=20, unique=True, editable=False)
    title = models.CharField(_("title"), max_length=TITLE_MAX)
    description = models.TextField(_("description"), max_length=TEXT_MAX, blank=True)
    status = models.CharField(_("status"), max_length=30)
    # Without an index of their own: `ticket_requester` and `ticket_submission_once` begin with them.
    requester = models.ForeignKey(
        User, models.PROTECT, related_name="requested_tickets", verbose_name=_("requester"), db_index=False
    )
    opened_by = models.ForeignKey(
        User, models.PROTECT, related_name="opened_tickets", verbose_name=_("opened by"), db_index=False
    )
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("team")
    )
    assignee = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="assigned_tickets", verbose_name=_("assignee")
    )
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("service")
    )
    category = models.ForeignKey(
        Category, models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("category")
    )
    impact = models.PositiveSmallIntegerField(_("impact"), choices=Level, default=Level.LOW)
    urgency = models.PositiveSmallIntegerField(_("urgency"), choices=Level, default=Level.LOW)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.LOW)
    priority_reason = models.CharField(_("reason for the priority"), max_length=500, blank=True)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    queue_due_at = models.DateTimeField(_("next target"), default=NO_TARGET)
    reassignment_count = models.PositiveIntegerField(_("reassignments"), default=0)
    version = models.PositiveIntegerField(default=1)
    event_seq = models.PositiveIntegerField(default=0, editable=False)
    event_hash = models.CharField(max_length=64, default="", editable=False)
    external_id = models.CharField(_("external id"), max_length=100, blank=True)
    # NULL, not blank, where there is none: the constraint lets any number of NULLs stand side by side.
    submission_key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001
    custom = models.JSONField(_("custom fields"), default=dict, blank=True)
    watchers = models.ManyToManyField(User, through="Watcher", related_name="watched_tickets", blank=True)
    search = models.GeneratedField(
        expression=SearchVector("number", "title", "description", config="simple"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    loose_files: list[Attachment]  # what a reader may see of the files outside comments; set by `timeline`
    shown_events: list[TicketEvent]  # likewise

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        constraints = (
            models.CheckConstraint(condition=Q(impact__range=(1, 3), urgency__range=(1, 3)), name="ticket_levels"),
            models.CheckConstraint(condition=Q(priority__range=(1, 5)), name="ticket_priority"),
            models.UniqueConstraint(fields=("opened_by", "submission_key"), name="ticket_submission_once"),
        )
        indexes = (
            models.Index("queue_due_at", "priority", "opened_at", "id", condition=STILL_OPEN, name="ticket_open_due"),
            models.Index("priority", "opened_at", "id", condition=STILL_OPEN, name="ticket_open_priority"),
            models.Index("team", "queue_due_at", "id", condition=STILL_OPEN, name="ticket_open_team"),
            models.Index("assignee", "queue_due_at", "id", condition=STILL_OPEN, name="ticket_open_assignee"),
            models.Index("requester", "updated_at", "id", name="ticket_requester"),
            models.Index("opened_at", "id", name="ticket_opened"),
            models.Index("updated_at", "id", name="ticket_updated"),
            models.Index("resolved_at", "id", condition=Q(closed_at__isnull=True), name="ticket_resolved"),
            models.Index("external_id", condition=~Q(external_id=""), name="ticket_external_id"),
            GinIndex(fields=["search"], name="ticket_search"),
        )

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def kind_info(self) -> Kind:
        """The registered description of this kind of ticket."""
        from itsm.tickets.kinds import kind_of  # registry imports this model

        return kind_of(self.kind)

    @property
    def is_open(self) -> bool:
        """Whether work is still to be done: neither resolved, closed nor cancelled."""
        return self.resolved_at is None and self.closed_at is None

    @property
    def next_target_at(self) -> datetime | None:
        """The next service-level target (UTC), or None when no clock runs."""
        return None if self.queue_due_at >= NO_TARGET else self.queue_due_at

    @property
    def status_label(self) -> str:
        """The status in words."""
        return self.kind_info.status_label(self.status)


QUEUE_ORDER = ("queue_due_at", "priority", "opened_at", "id")
