"""How tickets of any kind read and are written in the API. A room's serializers stand on these."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cmdb.api import ServiceField, ServiceRef
from itsm.accounts.api import PersonField, PersonRef, TeamField, TeamRef, WorkerField
from itsm.accounts.roles import Permission
from itsm.api.bodies import Instant, StrictSerializer
from itsm.tickets.actors import Channel
from itsm.tickets.api.attachments import AttachmentOut
from itsm.tickets.api.base import TicketRef, api_url, web_url
from itsm.tickets.api.categories import CategoryField, CategoryRef
from itsm.tickets.api.comments import CommentOut
from itsm.tickets.models import Level, Priority, Visibility
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX
from itsm.tickets.moves import Move

BIGGEST = 2**31 - 1


class TicketOut(serializers.Serializer[Any]):
    """What every ticket has. `next_target_at` and `priority_reason` are there for the desk.

    A room's own serializer declares `status` with the statuses of its kind, and adds what its tickets have.
    """

    id = serializers.CharField(source="public_id", read_only=True)
    number = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    title = serializers.CharField(read_only=True)
    description = serializers.CharField(read_only=True)
    status: serializers.Field[Any, Any, Any, Any] = serializers.CharField(read_only=True)
    priority = serializers.IntegerField(read_only=True, min_value=1, max_value=5)
    priority_reason = serializers.CharField(required=False)
    impact = serializers.IntegerField(read_only=True, min_value=1, max_value=3)
    urgency = serializers.IntegerField(read_only=True, min_value=1, max_value=3)
    team = TeamRef(read_only=True, allow_null=True)
    assignee = PersonRef(read_only=True, allow_null=True)
    requester = PersonRef(read_only=True)
    opened_by = PersonRef(read_only=True)
    category = CategoryRef(read_only=True, allow_null=True)
    service = ServiceRef(read_only=True, allow_null=True)
    channel = serializers.ChoiceField(Channel.choices, read_only=True)
    version = serializers.IntegerField(read_only=True)
    external_id = serializers.CharField(read_only=True)
    reassignment_count = serializers.IntegerField(read_only=True)
    opened_at = Instant()
    updated_at = Instant()
    resolved_at = Instant(allow_null=True)
    closed_at = Instant(allow_null=True)
    next_target_at = serializers.DateTimeField(required=False, allow_null=True)
    url = serializers.SerializerMethodField()
    web_url = serializers.SerializerMethodField()

    def get_url(self, ticket: Any) -> str:
        """Return the ticket's own address in the API."""
        return api_url(self.context["request"], ticket)

    def get_web_url(self, ticket: Any) -> str:
        """Return the ticket's page for the viewer."""
        return web_url(self.context["request"], ticket)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the declared fields that the viewer may see."""
        shown = super().to_representation(instance)
        if not self.context["request"].user.may(Permission.VIEW_TICKETS):
            del shown["next_target_at"], shown["priority_reason"]
        return shown


class TicketIn(StrictSerializer):
    """A new ticket. The team comes from the routing rules and the priority from impact and urgency."""

    title = serializers.CharField(max_length=TITLE_MAX)
    description = serializers.CharField(max_length=TEXT_MAX, allow_blank=True, default="")
    impact = serializers.ChoiceField(Level.choices, default=Level.LOW)
    urgency = serializers.ChoiceField(Level.choices, default=Level.LOW)
    category = CategoryField(required=False, allow_null=True)
    service = ServiceField(required=False, allow_null=True)
    requester = PersonField(required=False, allow_null=True)
    team = TeamField(required=False, allow_null=True)
    assignee = WorkerField(required=False, allow_null=True)
    external_id = serializers.CharField(max_length=100, allow_blank=True, default="")


class TicketPatch(StrictSerializer):
    """What is to change; what is not named stays. A priority given by hand needs its reason."""

    title = serializers.CharField(max_length=TITLE_MAX, required=False)
    description = serializers.CharField(max_length=TEXT_MAX, allow_blank=True, required=False)
    impact = serializers.ChoiceField(Level.choices, required=False)
    urgency = serializers.ChoiceField(Level.choices, required=False)
    category = CategoryField(required=False, allow_null=True)
    service = ServiceField(required=False, allow_null=True)
    requester = PersonField(required=False)
    external_id = serializers.CharField(max_length=100, allow_blank=True, required=False)
    team = TeamField(required=False, allow_null=True)
    assignee = WorkerField(required=False, allow_null=True)
    priority = serializers.ChoiceField(Priority.choices, required=False)
    priority_reason = serializers.CharField(max_length=500, required=False)
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class VersionIn(serializers.Serializer[Any]):
    """The version last seen (optional)."""

    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class MoveChoiceOut(serializers.Serializer[Any]):
    """A value that a move's field may have."""

    value = serializers.CharField(read_only=True)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]


@extend_schema_field({"oneOf": [{"type": "boolean"}, {"type": "string", "const": "sometimes"}]})
class RequiredField(serializers.Field[Any, Any, Any, Any]):
    """true, false, or “sometimes”: it depends on the other values."""

    def to_representation(self, value: Any) -> Any:
        """Return how the field is required."""
        return "sometimes" if callable(value) else bool(value)


@extend_schema_field({"type": "string", "enum": ["text", "datetime", "date", "ticket", "person", "bool"]})
class TypeField(serializers.CharField):
    """What the value names: a text, an instant, a day, a ticket by number, a person, yes or no."""


class MoveFieldOut(serializers.Serializer[Any]):
    """A value that a move takes."""

    name = serializers.CharField(read_only=True)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    type = TypeField(source="kind", read_only=True)
    required = RequiredField(read_only=True)  # type: ignore[assignment]
    choices = serializers.SerializerMethodField()
    max_length = serializers.IntegerField(read_only=True)
    multiline = serializers.BooleanField(read_only=True)
    help_text = serializers.CharField(read_only=True)  # type: ignore[assignment]

    @extend_schema_field(MoveChoiceOut(many=True))
    def get_choices(self, field: Any) -> list[dict[str, str]]:
        """Return the values to choose from; none where any text will do."""
        return [{"value": value, "label": str(label)} for value, label in field.choices]


class LackOut(serializers.Serializer[Any]):
    """One thing that is missing before a move can be made: the field (empty: none), and what to do."""

    field = serializers.CharField(read_only=True)
    message = serializers.CharField(read_only=True)


class MoveOut(serializers.Serializer[Move]):
    """A move that the caller can make now. With `all=true` also the others, each with why not (`possible`, `why_not`)
    and with what is missing on the ticket before it goes through (`missing`)."""

    name = serializers.CharField(read_only=True)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]
    target = serializers.CharField(read_only=True)
    fields_ = MoveFieldOut(many=True, read_only=True)
    possible = serializers.BooleanField(required=False)
    why_not = serializers.CharField(required=False)
    missing = LackOut(many=True, required=False)

    def get_fields(self) -> dict[str, Any]:
        """Return the declared fields, the one that a serializer cannot be given by name under its own."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the move; `context["standing"]` holds what is known of each by name, where it was asked for."""
        standing = self.context.get("standing", {}).get(instance.name)
        shown: dict[str, Any] = {
            name: field.to_representation(getattr(instance, name))
            for name, field in self.fields.items()
            if name not in {"possible", "why_not", "missing"}
        }
        return shown if standing is None else {**shown, **standing}


class CommentAnswerBase(serializers.Serializer[Any]):
    """A comment and the ticket it is on now, under the name of its kind.

    A requester's reply to a ticket that has ended may open a new one: then `opened_new` is true, `id` and the other
    fields of the comment are null (its text became the new ticket's description), and the ticket is the new one.
    """

    id = serializers.CharField(read_only=True, allow_null=True)
    body = serializers.CharField(read_only=True, allow_null=True)
    visibility = serializers.ChoiceField(Visibility.choices, read_only=True, allow_null=True)
    author = PersonRef(read_only=True, allow_null=True)
    channel = serializers.ChoiceField(Channel.choices, read_only=True, allow_null=True)
    created_at = Instant(allow_null=True)
    attachments = AttachmentOut(many=True, read_only=True)
    opened_new = serializers.BooleanField(read_only=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the comment's fields, or null for each, with the ticket."""
        comment, ticket = instance["comment"], instance["ticket"]
        shown: dict[str, Any] = dict.fromkeys(self.fields)
        shown["attachments"] = []
        if comment is not None:
            shown.update(CommentOut(comment, context=self.context).data)
        shown[ticket.kind] = TicketRef(ticket, context=self.context).data
        shown["opened_new"] = comment is None
        return shown
