"""What the views of a ticket's children share: the ticket, through the visibility door."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers
from rest_framework.request import Request

from itsm.accounts.roles import Permission
from itsm.api.views import ApiViews
from itsm.tickets.kinds import kind_of
from itsm.tickets.querysets import get_visible


def api_url(request: Request, ticket: Any) -> str:
    """Return the ticket's own address in the API."""
    path = reverse(f"api:{ticket.kind}", args=[ticket.public_id])
    url: str = request.build_absolute_uri(path)
    return url


def web_url(request: Request, ticket: Any) -> str:
    """Return the address of the ticket's page for the caller: the desk's page, or the portal's."""
    for_desk = request.user.may(Permission.USE_DESK)  # type: ignore[union-attr]
    name = ticket.kind_info.url_name if for_desk else "portal:request"
    url: str = request.build_absolute_uri(reverse(name, args=[ticket.number]))
    return url


class TicketRef(serializers.Serializer[Any]):
    """A ticket, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    number = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    status = serializers.CharField(read_only=True)
    url = serializers.SerializerMethodField()

    def get_url(self, ticket: Any) -> str:
        """Return the ticket's own address in the API."""
        return api_url(self.context["request"], ticket)


class TicketChildViews(ApiViews):
    """Views below `…/{ref}/` of one kind of ticket."""

    kind = ""

    def ticket(self, ref: str) -> Any:
        """Return the ticket with this id or number.

        Raises:
            Http404: there is none that the caller can see.
        """
        return get_visible(kind_of(self.kind).model.objects.defer("search"), self.viewer, ref)

    @property
    def for_desk(self) -> bool:
        """Whether the caller belongs to the desk, which sees every ticket from the inside."""
        return self.viewer.may(Permission.VIEW_TICKETS)
