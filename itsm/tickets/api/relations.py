"""Links between tickets, and the people who watch one."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.api import PersonField, PersonRef
from itsm.accounts.models import User
from itsm.api.bodies import Instant, ReferenceField, StrictSerializer, checked
from itsm.api.paging import PAGING, page_answer, parameters_of, whole_answer
from itsm.tickets.actions import link, unlink, unwatch, watch
from itsm.tickets.api.base import TicketChildViews, TicketRef
from itsm.tickets.models import Link, LinkKind, Ticket, Watcher

NO_TICKET = _("There is no ticket with this id or number.")
ORDER = ("created_at", "id")


def find_ticket(ref: str, viewer: User) -> Ticket | None:
    """Return the ticket of any kind with this id or number, or None when the viewer sees none such."""
    found: Ticket | None = Ticket.objects.visible_to(viewer).by_ref(ref).first()
    return found


class LinkOut(serializers.Serializer[Link]):
    """A link as seen from one ticket: `outward` reads “this is `kind` the other”, `inward` the other way round."""

    id = serializers.CharField(source="public_id", read_only=True)
    kind = serializers.ChoiceField(LinkKind.choices, read_only=True)
    direction = serializers.SerializerMethodField()
    ticket = serializers.SerializerMethodField()
    created_at = Instant()

    def get_direction(self, found: Link) -> str:
        """Return whether the link starts at the ticket asked about."""
        return "outward" if found.source_id == self.context["ticket"].pk else "inward"

    def get_ticket(self, found: Link) -> TicketRef:
        """Return the ticket at the other end."""
        other = found.target if found.source_id == self.context["ticket"].pk else found.source
        shown: TicketRef = TicketRef(other, context=self.context).data  # type: ignore[assignment]
        return shown


class LinkIn(StrictSerializer):
    """What the ticket is linked to, by id or number, and how."""

    kind = serializers.ChoiceField(LinkKind.choices)
    target = ReferenceField(find_ticket, NO_TICKET)


class LinkViews(TicketChildViews):
    """The links of one kind of ticket."""

    def _links(self, ticket: Any) -> Any:
        """Return the ticket's links whose other end the caller can see as well."""
        seen = Ticket.objects.visible_to(self.viewer)
        return Link.objects.filter(
            Q(source_id=ticket.pk, target__in=seen) | Q(target_id=ticket.pk, source__in=seen)
        ).select_related("source", "target")

    def list_links(self, request: Request, ref: str) -> Response:
        """Return a page of the ticket's links, oldest first."""
        parameters = parameters_of(request, PAGING)
        ticket = self.ticket(ref)
        return page_answer(
            request,
            self._links(ticket),
            ORDER,
            lambda rows: self.shown_all(LinkOut, rows, ticket=ticket),
            parameters,
        )

    def add_link(self, request: Request, ref: str) -> Response:
        """Link the ticket to another; a link that exists is returned as it is."""
        ticket = self.ticket(ref)
        values = checked(LinkIn, request)
        made = link(ticket, values["target"], values["kind"], actor=self.actor)
        return Response(self.shown(LinkOut, made, ticket=ticket), status=201)

    def remove_link(self, request: Request, ref: str, public_id: str) -> Response:
        """Remove one of the ticket's links."""
        ticket = self.ticket(ref)
        found = self._links(ticket).filter(public_id=public_id).first()
        if found is None:
            raise Http404
        unlink(found, actor=self.actor)
        return Response(status=204)


class WatcherIn(StrictSerializer):
    """Who watches from now on, by id or e-mail address; oneself when nobody is named."""

    user = PersonField(required=False)


class WatcherViews(TicketChildViews):
    """The watchers of one kind of ticket: all of them for the desk, oneself for others."""

    def _watchers(self, ticket: Any) -> Any:
        rows = Watcher.objects.filter(ticket_id=ticket.pk).select_related("user").order_by("created_at", "pk")
        return rows if self.for_desk else rows.filter(user=self.viewer)

    def list_watchers(self, request: Request, ref: str) -> Response:
        """Return the people who watch."""
        parameters_of(request, ())
        people = [row.user for row in self._watchers(self.ticket(ref))]
        return whole_answer(self.shown_all(PersonRef, people))

    def add_watcher(self, request: Request, ref: str) -> Response:
        """Let somebody watch; doing it twice changes nothing."""
        ticket = self.ticket(ref)
        person = checked(WatcherIn, request).get("user", self.viewer)
        watch(ticket, person, actor=self.actor)
        return Response(self.shown(PersonRef, person), status=201)

    def remove_watcher(self, request: Request, ref: str, public_id: str) -> Response:
        """Stop somebody watching."""
        ticket = self.ticket(ref)
        row = self._watchers(ticket).filter(user__public_id=public_id).first()
        if row is None:
            raise Http404
        unwatch(ticket, row.user, actor=self.actor)
        return Response(status=204)
