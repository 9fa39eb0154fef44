"""Major incidents over the API: the timeline as it is to be read, and the review."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.family import FamilyViews
from incidents.major.actions import add_entry, edit_line, finish_review, save_review, take_up_review
from incidents.major.downloads import review_answer
from incidents.major.models import ENTRY_MAX, REVIEW_MAX, MajorIncident, MajorReview
from incidents.major.states import MajorState
from incidents.major.timeline import Line, timeline_of
from itsm.accounts.api import PersonRef
from itsm.api.bodies import Instant, StrictSerializer, checked, seen_version
from itsm.api.paging import parameters_of, whole_answer
from itsm.api.schema import page_of_schema
from itsm.desk.api.serializers import BIGGEST
from itsm.tickets.api.attachments import AnyAnswer
from itsm.tickets.errors import Invalid

SEEN_REVIEW = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `ETag` of the review last seen. When somebody wrote since, nothing happens and the answer is 412.",
)


class LineOut(serializers.Serializer[Line]):
    """A line of the timeline. `original`: what the event says, where somebody says it otherwise."""

    id = serializers.CharField(source="ref", read_only=True)
    at = Instant()
    text = serializers.CharField(read_only=True)
    who = serializers.CharField(read_only=True)
    original = serializers.CharField(read_only=True, allow_blank=True)
    is_hidden = serializers.BooleanField(read_only=True)
    is_decision = serializers.BooleanField(read_only=True)
    is_own = serializers.BooleanField(read_only=True, help_text="Added by somebody, not written by an event.")


class EntryIn(StrictSerializer):
    """A line to add. `at`: when it happened; left out: now."""

    text = serializers.CharField(max_length=ENTRY_MAX)
    at = serializers.DateTimeField(required=False)
    is_decision = serializers.BooleanField(required=False, default=False)


class LinePatch(StrictSerializer):
    """What is to change. An empty `text` takes the edit of an event's line back. `seen`: what the line said to you;
    where it says something else by now, nothing is changed."""

    text = serializers.CharField(max_length=ENTRY_MAX, required=False, allow_blank=True)
    is_hidden = serializers.BooleanField(required=False)
    seen = serializers.CharField(max_length=2 * ENTRY_MAX, required=False, allow_blank=True)


class ReviewPatch(StrictSerializer):
    """What is to change; what is not named stays. `version` is the review's that you have seen."""

    overview = serializers.CharField(max_length=REVIEW_MAX, required=False, allow_blank=True)
    findings = serializers.CharField(max_length=REVIEW_MAX, required=False, allow_blank=True)
    went_well = serializers.CharField(max_length=REVIEW_MAX, required=False, allow_blank=True)
    went_badly = serializers.CharField(max_length=REVIEW_MAX, required=False, allow_blank=True)
    resolution = serializers.CharField(max_length=REVIEW_MAX, required=False, allow_blank=True)
    version = serializers.IntegerField(required=False, min_value=0, max_value=BIGGEST)


class FinishIn(StrictSerializer):
    """The version of the review that you have seen."""

    version = serializers.IntegerField(required=False, min_value=0, max_value=BIGGEST)


class ReviewOut(serializers.Serializer[MajorReview]):
    """The review. It is a draft while `done_at` is null; version 0: nobody has begun it."""

    overview = serializers.CharField(read_only=True)
    findings = serializers.CharField(read_only=True)
    went_well = serializers.CharField(read_only=True)
    went_badly = serializers.CharField(read_only=True)
    resolution = serializers.CharField(read_only=True)
    version = serializers.IntegerField(source="edition", read_only=True)
    done_at = Instant(allow_null=True)
    done_by = PersonRef(read_only=True, allow_null=True)


ENTRY_EXAMPLE = OpenApiExample(
    "A decision, a while ago",
    {"text": "Fail over to the second gateway", "at": "2026-11-30T09:41:00Z", "is_decision": True},
    request_only=True,
)
LINE_EXAMPLE = OpenApiExample("Hide a line", {"is_hidden": True}, request_only=True)
REVIEW_EXAMPLE = OpenApiExample(
    "Two parts",
    {"overview": "At nine the gateway stopped answering.", "findings": "A certificate had run out.", "version": 1},
    request_only=True,
)


class MajorRecordViews(FamilyViews):
    """What is on record of a major incident."""

    def _known(self, ref: str) -> Any:
        """Return the incident. Raises Http404: nobody has proposed it. Refused: a requester."""
        incident = self._for_desk(ref)
        if not MajorIncident.objects.filter(incident=incident).exists():
            raise Http404
        return incident

    @extend_schema(operation_id="incidents_major_timeline_list", responses=page_of_schema(LineOut, "MajorTimeline"))
    def timeline(self, request: Request, ref: str) -> Response:
        """List all lines of the timeline, the hidden ones too, oldest first."""
        parameters_of(request, ())
        return whole_answer(self.shown_all(LineOut, timeline_of(self._known(ref))))

    @extend_schema(
        operation_id="incidents_major_timeline_add",
        request=EntryIn,
        responses={201: LineOut},
        examples=[ENTRY_EXAMPLE],
    )
    def add(self, request: Request, ref: str) -> Response:
        """Add a line, or a decision, to the timeline. The same words at the same instant again (without `at`: within
        a minute) are the same line."""
        incident = self._for_desk(ref)
        entry = add_entry(incident, actor=self.actor, **checked(EntryIn, request))
        return Response(self.shown(LineOut, self._line(incident, entry.public_id)), status=201)

    @extend_schema(
        operation_id="incidents_major_timeline_edit", request=LinePatch, responses=LineOut, examples=[LINE_EXAMPLE]
    )
    def edit(self, request: Request, ref: str, line: str) -> Response:
        """Say a line otherwise, hide it, or show it again. The event behind it stays as it is."""
        incident = self._for_desk(ref)
        values = checked(LinePatch, request)
        now = next((one for one in timeline_of(incident) if one.ref == line), None)
        if now is not None:
            values = {"text": now.text, "is_hidden": now.is_hidden, **values}
        edit_line(incident, line, actor=self.actor, **values)
        return Response(self.shown(LineOut, self._line(incident, line)))

    def _line(self, incident: Any, ref: str) -> Line:
        found = next((one for one in timeline_of(incident) if one.ref == ref), None)
        if found is None:
            raise Invalid({"line": _("This event is part of another line of the timeline.")})
        return found

    @extend_schema(operation_id="incidents_major_review_get", responses=ReviewOut)
    def review(self, request: Request, ref: str) -> Response:
        """Return the review; its ETag is its version. 404 while the incident is no major one."""
        parameters_of(request, ())
        incident = self._for_desk(ref)
        if incident.major_state != MajorState.ACCEPTED:
            raise Http404
        found = MajorReview.objects.filter(incident=incident).select_related("done_by").first()
        return self._answer(found or MajorReview(incident=incident))

    @extend_schema(
        operation_id="incidents_major_review_edit",
        parameters=[SEEN_REVIEW],
        request=ReviewPatch,
        responses=ReviewOut,
        examples=[REVIEW_EXAMPLE],
    )
    def write(self, request: Request, ref: str) -> Response:
        """Write parts of the review, from the beginning of the incident until it is done."""
        incident = self._for_desk(ref)
        values = checked(ReviewPatch, request)
        with seen_version(request, values.pop("version", None)) as edition:
            return self._answer(save_review(incident, values, actor=self.actor, edition=edition))

    @extend_schema(
        operation_id="incidents_major_review_finish",
        parameters=[SEEN_REVIEW],
        request=FinishIn,
        responses=ReviewOut,
    )
    def finish(self, request: Request, ref: str) -> Response:
        """Declare the review done: the incident, resolved, can be closed. Twice is no error."""
        incident = self._for_desk(ref)
        with seen_version(request, checked(FinishIn, request).get("version")) as edition:
            return self._answer(finish_review(incident, actor=self.actor, edition=edition))

    @extend_schema(operation_id="incidents_major_review_reopen", request=None, responses=ReviewOut)
    def reopen(self, request: Request, ref: str) -> Response:
        """Make a review that is done a draft again, until the incident is closed."""
        return self._answer(take_up_review(self._for_desk(ref), actor=self.actor))

    def _answer(self, review: MajorReview) -> Response:
        return Response(self.shown(ReviewOut, review), headers={"ETag": f'"{review.edition}"'})


class MajorReviewFile(FamilyViews):
    """The review as a file."""

    content_negotiation_class = AnyAnswer

    @extend_schema(
        operation_id="incidents_major_review_pdf",
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "The review.")},
    )
    def retrieve(self, request: Request, ref: str) -> HttpResponse:
        """Download the review as PDF, its times in the caller's zone. 404 while the incident is no major one."""
        parameters_of(request, ())
        return review_answer(self._for_desk(ref), self.viewer)
