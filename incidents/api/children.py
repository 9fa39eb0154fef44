"""What hangs on an incident, over the API: comments, files, events, links, watchers, timers."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.serializers import CommentAnswer
from incidents.api.waiting import TimersAnswer, WaitSerializer, wait_data
from itsm.accounts.api import PersonRef
from itsm.api.paging import parameters_of, whole_answer
from itsm.api.schema import IDEMPOTENCY_KEY, IF_MATCH, PAGING_PARAMETERS, page_of_schema
from itsm.tickets.api.attachments import AttachmentIn, AttachmentViews, TicketAttachmentOut
from itsm.tickets.api.base import TicketChildViews
from itsm.tickets.api.comments import CommentIn, CommentOut, CommentViews
from itsm.tickets.api.events import EventOut, EventViews
from itsm.tickets.api.relations import LinkIn, LinkOut, LinkViews, WatcherIn, WatcherViews
from itsm.tickets.errors import Refused
from slas.actions import acknowledge
from slas.api import TimerSerializer, timer_data
from slas.explain import explain, find_timer
from slas.explain.api import ExplanationOut

KIND = "incident"
NOTHING = {204: OpenApiResponse(description="Done.")}


class IncidentComments(CommentViews):
    """Replies and work notes."""

    kind = KIND
    answer_serializer = CommentAnswer

    @extend_schema(
        operation_id="incidents_comments_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(CommentOut)
    )
    def index(self, request: Request, ref: str) -> Response:
        """List the comments that the caller may read, oldest first."""
        return self.list_comments(request, ref)

    @extend_schema(
        operation_id="incidents_comments_create",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=CommentIn,
        responses={201: CommentAnswer, 200: CommentAnswer},
    )
    def create(self, request: Request, ref: str) -> Response:
        """Write a reply or a work note. A requester's reply to an incident that has ended opens a new one."""
        return self.write_comment(request, ref)


class IncidentAttachments(AttachmentViews):
    """Files."""

    kind = KIND

    @extend_schema(
        operation_id="incidents_attachments_list",
        parameters=[*PAGING_PARAMETERS],
        responses=page_of_schema(TicketAttachmentOut),
    )
    def index(self, request: Request, ref: str) -> Response:
        """List the files that the caller may see, oldest first."""
        return self.list_files(request, ref)

    @extend_schema(
        operation_id="incidents_attachments_create",
        request={"multipart/form-data": AttachmentIn},
        responses={201: TicketAttachmentOut},
    )
    def create(self, request: Request, ref: str) -> Response:
        """Attach a file."""
        return self.add_file(request, ref)


class IncidentEvents(EventViews):
    """What happened."""

    kind = KIND

    @extend_schema(
        operation_id="incidents_events_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(EventOut)
    )
    def index(self, request: Request, ref: str) -> Response:
        """List the events that the caller may see, oldest first."""
        return self.list_events(request, ref)


class IncidentLinks(LinkViews):
    """Links to other tickets."""

    kind = KIND

    @extend_schema(
        operation_id="incidents_links_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(LinkOut)
    )
    def index(self, request: Request, ref: str) -> Response:
        """List the links whose other end the caller can see, oldest first."""
        return self.list_links(request, ref)

    @extend_schema(operation_id="incidents_links_create", request=LinkIn, responses={201: LinkOut})
    def create(self, request: Request, ref: str) -> Response:
        """Link the incident to another ticket; a link that exists is returned as it is."""
        return self.add_link(request, ref)

    @extend_schema(operation_id="incidents_links_delete", responses=NOTHING)
    def destroy(self, request: Request, ref: str, public_id: str) -> Response:
        """Remove a link; the event log keeps that it was there."""
        return self.remove_link(request, ref, public_id)


class IncidentWatchers(WatcherViews):
    """People who are told what happens."""

    kind = KIND

    @extend_schema(operation_id="incidents_watchers_list", responses=page_of_schema(PersonRef))
    def index(self, request: Request, ref: str) -> Response:
        """List the watchers: all of them for the desk, oneself for others."""
        return self.list_watchers(request, ref)

    @extend_schema(operation_id="incidents_watchers_create", request=WatcherIn, responses={201: PersonRef})
    def create(self, request: Request, ref: str) -> Response:
        """Let somebody watch; oneself when nobody is named."""
        return self.add_watcher(request, ref)

    @extend_schema(operation_id="incidents_watchers_delete", responses=NOTHING)
    def destroy(self, request: Request, ref: str, public_id: str) -> Response:
        """Stop somebody watching."""
        return self.remove_watcher(request, ref, public_id)


class IncidentTimers(TicketChildViews):
    """Service-level timers, for the desk."""

    kind = KIND

    @extend_schema(operation_id="incidents_timers_list", responses=TimersAnswer)
    def index(self, request: Request, ref: str) -> Response:
        """List the incident's timers with their targets, what is left, and the stretches in which they ran; beside
        them the requester's real wait."""
        parameters_of(request, ())
        incident = self.ticket(ref)
        if not self.for_desk:
            raise Refused(_("Only the service desk sees the service-level timers."))
        answer = whole_answer(self.shown_all(TimerSerializer, timer_data(incident)))
        answer.data["requester_wait"] = WaitSerializer(wait_data(incident)).data
        return answer

    @extend_schema(
        operation_id="incidents_timers_acknowledge",
        request=None,
        responses=page_of_schema(TimerSerializer, "TimerList"),
    )
    def acknowledge(self, request: Request, ref: str) -> Response:
        """Stop the escalations of the incident's timers: you have taken over. The clocks run on. Asked again, nothing
        more happens."""
        incident = self.ticket(ref)
        acknowledge(incident, actor=self.actor)
        return whole_answer(self.shown_all(TimerSerializer, timer_data(incident)))

    @extend_schema(operation_id="incidents_timers_explanation", responses=ExplanationOut)
    def explanation(self, request: Request, ref: str, timer: str) -> Response:
        """Say why a timer is due when it is: policies considered, spans, pauses, the days on the way, and steps.

        The timer is named by its `ref` in the list of timers, such as `sla-resolution-1`.
        """
        parameters_of(request, ())
        incident = self.ticket(ref)
        if not self.for_desk:
            raise Refused(_("Only the service desk sees the service-level timers."))
        found = find_timer(incident, timer)
        if found is None:
            raise Http404
        return Response(self.shown(ExplanationOut, explain(found, incident)))
