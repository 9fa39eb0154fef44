"""Comments of a ticket: replies that everybody on it reads, and the desk's work notes."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.api import PersonRef
from itsm.api.bodies import Instant, StrictSerializer, checked, idempotency_key, seen_version
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.tickets.actors import Channel
from itsm.tickets.api.attachments import AttachmentOut
from itsm.tickets.api.base import TicketChildViews
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Attachment, Comment, Visibility

ORDER = ("created_at", "id")


class CommentOut(serializers.Serializer[Comment]):
    """A comment with its files."""

    id = serializers.CharField(source="public_id", read_only=True)
    body = serializers.CharField(read_only=True)
    visibility = serializers.ChoiceField(Visibility.choices, read_only=True)
    author = PersonRef(read_only=True, allow_null=True)
    channel = serializers.ChoiceField(Channel.choices, read_only=True)
    created_at = Instant()
    attachments = AttachmentOut(many=True, read_only=True, source="shown_files")


class CommentIn(StrictSerializer):
    """What is said, and to whom: `public` reaches the requester, `internal` is a work note."""

    body = serializers.CharField(max_length=100_000)
    visibility = serializers.ChoiceField(Visibility.choices, default=Visibility.PUBLIC)
    version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class CommentViews(TicketChildViews):
    """Reading and writing the comments of one kind of ticket.

    A kind's room subclasses it, and shows what became of a new comment with `answer_serializer`.
    """

    answer_serializer: type[serializers.Serializer[Any]]

    def list_comments(self, request: Request, ref: str) -> Response:
        """Return a page of the ticket's comments that the caller may read, oldest first."""
        parameters = parameters_of(request, PAGING)
        ticket = self.ticket(ref)
        comments = self._readable().filter(ticket_id=ticket.pk)
        return page_answer(request, comments, ORDER, lambda rows: self.shown_all(CommentOut, rows), parameters)

    def write_comment(self, request: Request, ref: str) -> Response:
        """Write the comment; the same Idempotency-Key gives what became of the first one."""
        ticket = self.ticket(ref)
        key = idempotency_key(request, f"comment {ticket.public_id}")
        before = self._replay(ticket, key)
        if before is not None:
            return before
        values = checked(CommentIn, request)
        with seen_version(request, values.get("version")) as version:
            reply = kind_of(self.kind).reply(
                ticket,
                values["body"],
                actor=self.actor,
                visibility=values["visibility"],
                version=version,
                submission_key=key,
            )
        ticket = getattr(reply, self.kind)
        return Response(self._answer(ticket, reply.comment), status=201)

    def _readable(self) -> Any:
        files = Prefetch("attachments", queryset=Attachment.objects.visible_to(self.viewer), to_attr="shown_files")
        return Comment.objects.visible_to(self.viewer).select_related("author").prefetch_related(files)  # type: ignore[no-redef]

    def _replay(self, ticket: Any, key: str | None) -> Response | None:
        """Return the answer of the first call with this key. The ticket may have moved on since."""
        if key is None:
            return None
        written = self._readable().filter(ticket_id=ticket.pk, author=self.viewer, submission_key=key).first()
        opened = None
        if written is None:
            opened = kind_of(self.kind).model.objects.filter(opened_by=self.viewer, submission_key=key).first()
        if written is None and opened is None:
            return None
        if opened is not None:  # through the door: who opened it may no longer be on it
            ticket = self.ticket(opened.public_id)
        return Response(self._answer(ticket, written), headers={"Idempotent-Replay": "true"})

    def _answer(self, ticket: Any, comment: Comment | None) -> dict[str, Any]:
        if comment is not None and not hasattr(comment, "shown_files"):
            comment.shown_files = []
        return self.shown(self.answer_serializer, {"comment": comment, "ticket": ticket})
