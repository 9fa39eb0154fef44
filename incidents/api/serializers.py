"""How incidents read and are written in the API, beyond what every ticket has."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from incidents.statuses import HoldReason, ResolutionCode, Status
from itsm.desk.api.serializers import BIGGEST, TicketIn, TicketOut, TicketPatch


class IncidentOut(TicketOut):
    """An incident. `next_target_at` and `priority_reason` are there for the desk."""

    status = serializers.ChoiceField(Status.choices, read_only=True)
    hold_reason = serializers.ChoiceField(HoldReason.choices, read_only=True, allow_blank=True)
    resolution_code = serializers.ChoiceField(ResolutionCode.choices, read_only=True, allow_blank=True)
    resolution_notes = serializers.CharField(read_only=True)
    reopen_count = serializers.IntegerField(read_only=True)


class IncidentIn(TicketIn):
    """A new incident. The team comes from the routing rules and the priority from impact and urgency."""


class IncidentPatch(TicketPatch):
    """What is to change; what is not named stays. A priority given by hand needs its reason."""


class MoveIn(serializers.Serializer[Any]):
    """The fields that the move takes, and the version last seen (optional)."""

    hold_reason = serializers.ChoiceField(HoldReason.choices, required=False, help_text="For hold.")
    comment = serializers.CharField(required=False, help_text="For hold and reopen.")
    resolution_code = serializers.ChoiceField(ResolutionCode.choices, required=False, help_text="For resolve.")
    resolution_notes = serializers.CharField(required=False, help_text="For resolve.")
    reason = serializers.CharField(required=False, help_text="For cancel.")
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)
