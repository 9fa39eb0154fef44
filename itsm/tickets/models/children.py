"""What hangs on a ticket: comments, attachments, links, watchers."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User, public_id
from itsm.tickets.actors import Channel
from itsm.tickets.models.ticket import TEXT_MAX, Ticket
from itsm.tickets.querysets import AttachmentQuerySet, CommentQuerySet


class Visibility(models.TextChoices):
    """Who reads a comment."""

    PUBLIC = "public", _("Public")
    INTERNAL = "internal", _("Work note")


class Comment(models.Model):
    """A message on a ticket: public, or a work note that only the desk reads."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="comments")
    author = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="comments")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PUBLIC)
    body = models.TextField(max_length=TEXT_MAX)
    channel = models.CharField(max_length=20, choices=Channel)
    created_at = models.DateTimeField(default=timezone.now)
    # NULL, not blank, where there is none: the constraint lets any number of NULLs stand side by side.
    submission_key = models.CharField(max_length=100, null=True, blank=True, editable=False)  # noqa: DJ001
    # Where it was written first, when a ticket was split and this is the copy on the new one.
    copied_from = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="copies")

    shown_files: list[Attachment]  # what a reader may see of its files; set by `timeline`

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "pk")
        verbose_name = _("comment")
        constraints = (
            models.UniqueConstraint(fields=("ticket", "author", "submission_key"), name="comment_submission_once"),
        )
        indexes = (models.Index(fields=("ticket", "created_at"), name="comment_ticket"),)

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.visibility} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_internal(self) -> bool:
        """Whether only the desk may read it."""
        return self.visibility == Visibility.INTERNAL


class Attachment(models.Model):
    """A file on a ticket. The bytes lie under a random key; the type is what the content shows."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="attachments")
    comment = models.ForeignKey(Comment, models.PROTECT, null=True, blank=True, related_name="attachments")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PUBLIC)
    name = models.CharField(_("file name"), max_length=200)
    storage_key = models.CharField(max_length=100, unique=True, editable=False)
    size = models.PositiveBigIntegerField(_("size"))
    content_type = models.CharField(_("type"), max_length=100)
    sha256 = models.CharField(max_length=64, editable=False)
    uploaded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="attachments")
    created_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ("created_at", "pk")
        verbose_name = _("attachment")

    def __str__(self) -> str:
        return self.name


class LinkKind(models.TextChoices):
    """How one ticket relates to another, read from the source to the target."""

    RELATED = "related", _("Related to")
    DUPLICATE_OF = "duplicate_of", _("Duplicate of")
    FOLLOWS = "follows", _("Follows up on")
    SPLIT_FROM = "split_from", _("Split from")
    CAUSED_BY = "caused_by", _("Caused by")
    BLOCKED_BY = "blocked_by", _("Blocked by")
    PROBLEM = "problem", _("Incident of the problem")
    FIXED_BY = "fixed_by", _("Fixed by")


class Link(models.Model):
    """A directed relation between two tickets."""

    public_id = models.CharField(max_length=32, unique=True, default=public_id, editable=False)
    source = models.ForeignKey(Ticket, models.PROTECT, related_name="links_out")
    target = models.ForeignKey(Ticket, models.PROTECT, related_name="links_in")
    kind = models.CharField(max_length=20, choices=LinkKind)
    created_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("link")
        constraints = (
            models.UniqueConstraint(fields=("source", "target", "kind"), name="link_once"),
            models.CheckConstraint(condition=~models.Q(source=models.F("target")), name="link_not_to_itself"),
        )

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"


class Watcher(models.Model):
    """A person who is told what happens on a ticket, and may read its public side."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="watcher_rows")
    user = models.ForeignKey(User, models.CASCADE, related_name="watcher_rows")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("ticket", "user"), name="watcher_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} · {self.ticket_id}"
