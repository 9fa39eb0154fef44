"""Files on a ticket."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.api import PersonRef
from itsm.api.bodies import Instant, StrictSerializer
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.api.views import ApiViews
from itsm.tickets.actions import attach, discard, store_upload
from itsm.tickets.api.base import TicketChildViews
from itsm.tickets.downloads import attachment_response
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Attachment, Visibility
from itsm.tickets.rules import require

ORDER = ("created_at", "id")


class AttachmentOut(serializers.Serializer[Attachment]):
    """A file: what it is called, how large it is, what its content shows it to be, and where to fetch it."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(read_only=True)
    size = serializers.IntegerField(read_only=True)
    content_type = serializers.CharField(read_only=True)
    sha256 = serializers.CharField(read_only=True)
    visibility = serializers.ChoiceField(Visibility.choices, read_only=True)
    created_at = Instant()
    url = serializers.SerializerMethodField()

    def get_url(self, file: Attachment) -> str:
        """Return where the bytes are, for callers who may see the file."""
        url: str = self.context["request"].build_absolute_uri(reverse("api:attachment", args=[file.public_id]))
        return url


class TicketAttachmentOut(AttachmentOut):
    """A file with who attached it, and the comment it came with."""

    comment = serializers.CharField(source="comment.public_id", default=None, read_only=True, allow_null=True)
    uploaded_by = PersonRef(read_only=True, allow_null=True)


class AttachmentIn(StrictSerializer):
    """One file of at most 25 MB, as `multipart/form-data`."""

    file = serializers.FileField(allow_empty_file=True)
    visibility = serializers.ChoiceField(Visibility.choices, default=Visibility.PUBLIC)


class AttachmentViews(TicketChildViews):
    """Listing and adding the files of one kind of ticket."""

    parser_classes = (MultiPartParser,)

    def list_files(self, request: Request, ref: str) -> Response:
        """Return a page of the ticket's files that the caller may see, oldest first."""
        parameters = parameters_of(request, PAGING)
        ticket = self.ticket(ref)
        files = (
            Attachment.objects.visible_to(self.viewer)
            .filter(ticket_id=ticket.pk)
            .select_related("uploaded_by", "comment")
        )
        return page_answer(request, files, ORDER, lambda rows: self.shown_all(TicketAttachmentOut, rows), parameters)

    def add_file(self, request: Request, ref: str) -> Response:
        """Store the file and put it on the ticket."""
        ticket = self.ticket(ref)
        sent = request.data
        if len(request.FILES.getlist("file")) > 1:
            raise serializers.ValidationError({"file": [_("Send one file with each request.")]})
        reader = AttachmentIn(data=sent, context={"request": request})
        reader.is_valid(raise_exception=True)
        visibility = reader.validated_data["visibility"]
        require("ticket.note" if visibility == Visibility.INTERNAL else "ticket.attach", self.actor, ticket)
        stored = (store_upload(reader.validated_data["file"]),)
        try:
            made = attach(ticket, stored, actor=self.actor, visibility=visibility)
        except VerbError:
            discard(stored)
            raise
        return Response(self.shown(TicketAttachmentOut, made[0]), status=201)


class AnyAnswer(BaseContentNegotiation):
    """Bytes are answered as what they are, whatever the caller says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the first parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the first renderer; it is used for problems only."""
        return renderers[0], renderers[0].media_type


class DownloadViews(ApiViews):
    """The bytes of files."""

    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="attachments_get",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")},
    )
    def retrieve(self, request: Request, public_id: str) -> FileResponse:
        """Download a file."""
        return attachment_response(self.viewer, public_id)
