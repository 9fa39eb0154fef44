"""What hangs on a ticket of any kind, over the API: comments, files, events, links, watchers, timers."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.api.paging import parameters_of, whole_answer
from itsm.desk.api.kinds import TicketApi
from itsm.tickets.api.attachments import AttachmentViews
from itsm.tickets.api.base import TicketChildViews
from itsm.tickets.api.comments import CommentViews
from itsm.tickets.api.events import EventViews
from itsm.tickets.api.relations import LinkViews, WatcherViews
from itsm.tickets.errors import Refused
from slas.actions import acknowledge
from slas.api import TimerSerializer, timer_data
from slas.explain import explain, find_timer
from slas.explain.api import ExplanationOut


class TicketComments(CommentViews):
    """Replies and work notes."""

    def index(self, request: Request, ref: str) -> Response:
        """List the comments that the caller may read, oldest first."""
        return self.list_comments(request, ref)

    def create(self, request: Request, ref: str) -> Response:
        """Write a reply or a work note."""
        return self.write_comment(request, ref)


class TicketAttachments(AttachmentViews):
    """Files."""

    def index(self, request: Request, ref: str) -> Response:
        """List the files that the caller may see, oldest first."""
        return self.list_files(request, ref)

    def create(self, request: Request, ref: str) -> Response:
        """Attach a file."""
        return self.add_file(request, ref)


class TicketEvents(EventViews):
    """What happened."""

    def index(self, request: Request, ref: str) -> Response:
        """List the events that the caller may see, oldest first."""
        return self.list_events(request, ref)


class TicketLinks(LinkViews):
    """Links to other tickets."""

    def index(self, request: Request, ref: str) -> Response:
        """List the links whose other end the caller can see, oldest first."""
        return self.list_links(request, ref)

    def create(self, request: Request, ref: str) -> Response:
        """Link the ticket to another ticket; a link that exists is returned as it is."""
        return self.add_link(request, ref)

    def destroy(self, request: Request, ref: str, public_id: str) -> Response:
        """Remove a link; the event log keeps that it was there."""
        return self.remove_link(request, ref, public_id)


class TicketWatchers(WatcherViews):
    """People who are told what happens."""

    def index(self, request: Request, ref: str) -> Response:
        """List the watchers: all of them for the desk, oneself for others."""
        return self.list_watchers(request, ref)

    def create(self, request: Request, ref: str) -> Response:
        """Let somebody watch; oneself when nobody is named."""
        return self.add_watcher(request, ref)

    def destroy(self, request: Request, ref: str, public_id: str) -> Response:
        """Stop somebody watching."""
        return self.remove_watcher(request, ref, public_id)


class TicketTimers(TicketChildViews):
    """Service-level timers, for the desk."""

    api: TicketApi

    def index(self, request: Request, ref: str) -> Response:
        """List the ticket's timers with their targets, what is left, and the stretches in which they ran."""
        parameters_of(request, ())
        ticket = self.ticket(ref)
        if not self.for_desk:
            raise Refused(_("Only the service desk sees the service-level timers."))
        answer = whole_answer(self.shown_all(TimerSerializer, timer_data(ticket)))
        if self.api.timers_more is not None:
            answer.data.update(self.api.timers_more(ticket))
        return answer

    def acknowledge(self, request: Request, ref: str) -> Response:
        """Stop the escalations of the ticket's timers: you have taken over. The clocks run on. Asked again, nothing
        more happens."""
        ticket = self.ticket(ref)
        acknowledge(ticket, actor=self.actor)
        return whole_answer(self.shown_all(TimerSerializer, timer_data(ticket)))

    def explanation(self, request: Request, ref: str, timer: str) -> Response:
        """Say why a timer is due when it is: policies considered, spans, pauses, the days on the way, and steps.

        The timer is named by its `ref` in the list of timers, such as `sla-resolution-1`.
        """
        parameters_of(request, ())
        ticket = self.ticket(ref)
        if not self.for_desk:
            raise Refused(_("Only the service desk sees the service-level timers."))
        found = find_timer(ticket, timer)
        if found is None:
            raise Http404
        return Response(self.shown(ExplanationOut, explain(found, ticket)))
