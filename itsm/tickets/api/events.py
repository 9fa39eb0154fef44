"""The event log of a ticket: what happened, in codes and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.api import PersonRef
from itsm.accounts.models import User
from itsm.api.bodies import Instant
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.tickets.actors import Channel
from itsm.tickets.api.base import TicketChildViews
from itsm.tickets.events import people_in, words_of
from itsm.tickets.models import TicketEvent

ORDER = ("seq", "id")


class EventOut(serializers.Serializer[TicketEvent]):
    """One event. `data` holds the values behind the words; it is there for the desk."""

    seq = serializers.IntegerField(read_only=True)
    code = serializers.CharField(read_only=True)
    text = serializers.SerializerMethodField()
    at = Instant()
    actor = PersonRef(read_only=True, allow_null=True)
    channel = serializers.ChoiceField(Channel.choices, read_only=True)
    internal = serializers.BooleanField(read_only=True)
    data = serializers.DictField(required=False)  # type: ignore[assignment]  # the answer's name for it

    def get_text(self, event: TicketEvent) -> str:
        """Return the event in words."""
        names = {pk: person.display_name for pk, person in self.context["people"].items()}
        return words_of(event.code, event.data, names, inside=self.context["for_desk"])

    def to_representation(self, instance: TicketEvent) -> dict[str, Any]:
        """Return the declared fields that the viewer may see."""
        shown = super().to_representation(instance)
        if self.context["for_desk"]:
            shown["data"] = told(instance.data, self.context["people"])
        else:
            del shown["data"]
        return shown


def told(value: Any, people: Mapping[int, User]) -> Any:
    """Return stored values as the API tells them: people by public id and name, other things by the label they had."""
    if isinstance(value, Mapping):
        if value.keys() == {"user"}:
            person = people.get(value["user"])
            return {"id": person.public_id, "name": person.display_name} if person else None
        if value.keys() == {"id", "label"}:
            return value["label"]
        return {name: told(inner, people) for name, inner in value.items()}
    if isinstance(value, list):
        return [told(inner, people) for inner in value]
    return value


class EventViews(TicketChildViews):
    """Reading the event log of one kind of ticket."""

    def list_events(self, request: Request, ref: str) -> Response:
        """Return a page of the ticket's events that the caller may see, oldest first."""
        parameters = parameters_of(request, PAGING)
        ticket = self.ticket(ref)
        events = TicketEvent.objects.visible_to(self.viewer).filter(ticket_id=ticket.pk).select_related("actor")

        def show(rows: list[Any]) -> list[Any]:
            wanted = set().union(*(people_in(event.data) for event in rows))
            people = User.objects.in_bulk(wanted) if wanted else {}
            return self.shown_all(EventOut, rows, people=people, for_desk=self.for_desk)

        return page_answer(request, events, ORDER, show, parameters)
