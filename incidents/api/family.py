"""An incident's family over the API: parent and children, merging, splitting, similar ones, known outages."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.actions import (
    join_outage,
    leave_parent,
    merge,
    publish_outage,
    set_parent,
    split,
    tell_children,
    unmerge,
    withdraw_outage,
)
from incidents.models import OUTAGE_TEXT_MAX, Incident, Outage
from itsm.accounts.api import PersonField
from itsm.accounts.models import User
from itsm.api.bodies import Instant, ReferenceField, StrictSerializer, checked, idempotency_key, seen_version
from itsm.api.paging import PAGING, page_answer, parameters_of, whole_answer
from itsm.api.schema import IDEMPOTENCY_KEY, IF_MATCH, PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.desk.api.serializers import BIGGEST
from itsm.tickets.api.base import TicketChildViews, TicketRef
from itsm.tickets.errors import Refused
from itsm.tickets.models import Visibility
from itsm.tickets.models.ticket import TITLE_MAX

MOST_SIMILAR = 10
CHILD_ORDER = ("opened_at", "id")
OUTAGE_ORDER = ("-published_at", "-id")
NO_INCIDENT = gettext_lazy("There is no incident with this id or number.")
NOTHING = {204: OpenApiResponse(description="Done.")}


def find_incident(ref: str, viewer: User) -> Incident | None:
    """Return the incident with this id or number, or None when the viewer sees none such."""
    found: Incident | None = Incident.objects.visible_to(viewer).by_ref(ref).first()
    return found


class _Versioned(StrictSerializer):
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class ParentIn(_Versioned):
    """The incident that this one becomes part of, by id or number."""

    parent = ReferenceField(find_incident, NO_INCIDENT)  # type: ignore[assignment]  # the framework moves it away


class MergeIn(_Versioned):
    """The incident that remains, by id or number; `version` is that one's."""

    into = ReferenceField(find_incident, NO_INCIDENT)


class TellIn(StrictSerializer):
    """What all that are part of the incident are told."""

    body = serializers.CharField(max_length=100_000)
    visibility = serializers.ChoiceField(Visibility.choices, default=Visibility.PUBLIC)


class SplitIn(_Versioned):
    """What goes on as an incident of its own: ids of comments and attachments, and for whom."""

    title = serializers.CharField(max_length=TITLE_MAX)
    description = serializers.CharField(required=False, default="", allow_blank=True)
    comments = serializers.ListField(child=serializers.CharField(max_length=32), required=False, default=list)
    attachments = serializers.ListField(child=serializers.CharField(max_length=32), required=False, default=list)
    requester = PersonField(required=False)


class OutageIn(_Versioned):
    """What the portal shows."""

    title = serializers.CharField(max_length=TITLE_MAX)
    text = serializers.CharField(max_length=OUTAGE_TEXT_MAX)


class OutageOut(serializers.Serializer[Outage]):
    """A known outage as everybody sees it."""

    id = serializers.CharField(source="public_id", read_only=True)
    title = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)
    service = serializers.CharField(source="incident.service.key", default=None, read_only=True)
    published_at = Instant()
    joined = serializers.IntegerField(source="incident.child_count", read_only=True)


class SimilarOut(TicketRef):
    """An open incident that speaks of the same; `likeness` orders them, the most similar first."""

    likeness = serializers.FloatField(read_only=True)


class FamilyViews(TicketChildViews):
    """What the desk does with incidents that belong together."""

    kind = "incident"

    def _for_desk(self, ref: str) -> Any:
        """Return the incident; its family is the desk's.

        Raises:
            Http404, Refused: the caller does not belong to the desk.
        """
        incident = self.ticket(ref)
        if not self.for_desk:
            raise Refused(_("Only the service desk sees which incidents belong together."))
        return incident

    @extend_schema(operation_id="incidents_parent_get", responses=TicketRef)
    def parent(self, request: Request, ref: str) -> Response:
        """Return the incident that this one is part of; 404 when it is part of none."""
        parameters_of(request, ())
        above = self._for_desk(ref).parent
        if above is None:
            raise Http404
        return Response(self.shown(TicketRef, above))

    @extend_schema(operation_id="incidents_parent_set", parameters=[IF_MATCH], request=ParentIn, responses=TicketRef)
    def put_parent(self, request: Request, ref: str) -> Response:
        """Make the incident part of another one. Families have one level."""
        incident = self._for_desk(ref)
        values = checked(ParentIn, request)
        with seen_version(request, values.get("version")) as version:
            changed = set_parent(incident, values["parent"], actor=self.actor, version=version)
        return Response(self.shown(TicketRef, changed.parent))

    @extend_schema(operation_id="incidents_parent_delete", parameters=[IF_MATCH], responses=NOTHING)
    def no_parent(self, request: Request, ref: str) -> Response:
        """Let the incident go on by itself."""
        incident = self._for_desk(ref)
        with seen_version(request, None) as version:
            leave_parent(incident, actor=self.actor, version=version)
        return Response(status=204)

    @extend_schema(
        operation_id="incidents_children_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(TicketRef)
    )
    def children(self, request: Request, ref: str) -> Response:
        """List the incidents that are part of this one, oldest first."""
        parameters = parameters_of(request, PAGING)
        rows = Incident.objects.children_of(self._for_desk(ref)).defer("search")
        return page_answer(request, rows, CHILD_ORDER, lambda found: self.shown_all(TicketRef, found), parameters)

    @extend_schema(
        operation_id="incidents_children_tell",
        parameters=[IDEMPOTENCY_KEY],
        request=TellIn,
        responses={202: OpenApiResponse(description="Written here; the others follow within seconds.")},
    )
    def tell(self, request: Request, ref: str) -> Response:
        """Write the same to this incident and to all open ones that are part of it."""
        incident = self._for_desk(ref)
        values = checked(TellIn, request)
        key = idempotency_key(request, f"tell {incident.public_id}")
        tell_children(incident, actor=self.actor, submission_key=key, **values)
        return Response(status=202)

    @extend_schema(operation_id="incidents_merge", request=MergeIn, responses=TicketRef)
    def merge(self, request: Request, ref: str) -> Response:
        """Merge the incident into another one, which is returned. A second time changes nothing."""
        incident = self._for_desk(ref)
        values = checked(MergeIn, request)
        merge([incident], values["into"], actor=self.actor, version=values.get("version"))
        return Response(self.shown(TicketRef, Incident.objects.get(pk=values["into"].pk)))

    @extend_schema(operation_id="incidents_unmerge", parameters=[IF_MATCH], request=None, responses=TicketRef)
    def unmerge(self, request: Request, ref: str) -> Response:
        """Take back that the incident was merged, within seven days and while it is not closed."""
        incident = self._for_desk(ref)
        with seen_version(request, None) as version:
            changed = unmerge(incident, actor=self.actor, version=version)
        return Response(self.shown(TicketRef, changed))

    @extend_schema(
        operation_id="incidents_split",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=SplitIn,
        responses={201: TicketRef},
    )
    def split(self, request: Request, ref: str) -> Response:
        """Open an incident with copies of the chosen comments and files, linked to this one."""
        incident = self._for_desk(ref)
        values = checked(SplitIn, request)
        key = idempotency_key(request, f"split {incident.public_id}")
        with seen_version(request, values.pop("version", None)) as version:
            fresh = split(incident, actor=self.actor, version=version, submission_key=key, **values)
        return Response(self.shown(TicketRef, fresh), status=201)

    @extend_schema(operation_id="incidents_similar_list", responses=page_of_schema(SimilarOut))
    def similar(self, request: Request, ref: str) -> Response:
        """List up to ten open incidents that speak of the same, the most similar first."""
        parameters_of(request, ())
        incident = self._for_desk(ref)
        near = (
            Incident.objects.visible_to(self.viewer)
            .exclude(pk=incident.pk)
            .similar_to(incident.title, service_id=incident.service_id, category_id=incident.category_id)
        )
        return whole_answer(self.shown_all(SimilarOut, list(near.defer("search")[:MOST_SIMILAR])))

    @extend_schema(operation_id="incidents_outage_get", responses=OutageOut)
    def outage(self, request: Request, ref: str) -> Response:
        """Return what the portal shows of the incident; 404 while it shows nothing."""
        parameters_of(request, ())
        shown = Outage.objects.live().filter(incident=self._for_desk(ref)).select_related("incident__service").first()
        if shown is None:
            raise Http404
        return Response(self.shown(OutageOut, shown))

    @extend_schema(operation_id="incidents_outage_set", parameters=[IF_MATCH], request=OutageIn, responses=OutageOut)
    def put_outage(self, request: Request, ref: str) -> Response:
        """Show the incident in the portal under these words, or change them."""
        incident = self._for_desk(ref)
        values = checked(OutageIn, request)
        with seen_version(request, values.pop("version", None)) as version:
            shown = publish_outage(incident, actor=self.actor, version=version, **values)
        return Response(self.shown(OutageOut, shown))

    @extend_schema(operation_id="incidents_outage_delete", responses=NOTHING)
    def no_outage(self, request: Request, ref: str) -> Response:
        """Show the incident in the portal no more."""
        withdraw_outage(self._for_desk(ref), actor=self.actor)
        return Response(status=204)


class OutageViews(ApiViews):
    """Known outages, for everybody."""

    @extend_schema(operation_id="outages_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(OutageOut))
    def index(self, request: Request) -> Response:
        """List the outages that stand, the newest first."""
        parameters = parameters_of(request, PAGING)
        rows = Outage.objects.live().select_related("incident__service")
        return page_answer(request, rows, OUTAGE_ORDER, lambda found: self.shown_all(OutageOut, found), parameters)

    @extend_schema(operation_id="outages_join", request=None, responses={201: TicketRef})
    def join(self, request: Request, ref: str) -> Response:
        """Say “me too”: returns the caller's own incident, made once, which is resolved with the outage."""
        shown = Outage.objects.select_related("incident").filter(public_id=ref[:32], withdrawn_at=None).first()
        if shown is None or "\x00" in ref:
            raise Http404
        return Response(self.shown(TicketRef, join_outage(shown, actor=self.actor)), status=201)
