"""How problems read and are written in the API, beyond what every ticket has."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from itsm.accounts.api import PersonRef
from itsm.api.bodies import Instant, StrictSerializer
from itsm.desk.api.serializers import TicketIn, TicketOut, TicketPatch
from itsm.tickets.api.base import TicketRef
from itsm.tickets.models.ticket import TITLE_MAX
from problems.models import Told
from problems.models.problem import NOTES_MAX, WHY_MAX, WHYS_MAX
from problems.statuses import OutcomeCode, Status
from problems.views.common import MOST_NUMBERS


class WhySerializer(StrictSerializer):
    """One question of the five-whys method, and its answer."""

    why = serializers.CharField(max_length=WHY_MAX)
    answer = serializers.CharField(max_length=WHY_MAX, allow_blank=True, default="")


class PublicationSerializer(StrictSerializer):
    """What everybody may read of a known error in the portal."""

    title = serializers.CharField(max_length=TITLE_MAX)
    symptoms = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, default="")
    workaround = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, default="")


class ProblemOut(TicketOut):
    """A problem. `publication` is what the portal shows of it; null: nothing."""

    status = serializers.ChoiceField(Status.choices, read_only=True)
    cause_notes = serializers.CharField(read_only=True)
    fix_notes = serializers.CharField(read_only=True)
    workaround = serializers.CharField(read_only=True)
    workaround_version = serializers.IntegerField(read_only=True)
    whys = WhySerializer(many=True, read_only=True)
    is_known_error = serializers.BooleanField(read_only=True)
    known_error_at = Instant(allow_null=True)
    publication = serializers.SerializerMethodField()
    resolution_code = serializers.ChoiceField(OutcomeCode.choices, read_only=True, allow_blank=True)
    close_notes = serializers.CharField(read_only=True)
    duplicate_of = TicketRef(read_only=True, allow_null=True)
    confirmed_at = Instant(allow_null=True)
    confirmed_by = PersonRef(read_only=True, allow_null=True)
    workaround_communicated_at = Instant(allow_null=True)
    fix_communicated_at = Instant(allow_null=True)
    is_major = serializers.BooleanField(read_only=True)
    review_went_well = serializers.CharField(read_only=True)
    review_went_wrong = serializers.CharField(read_only=True)
    review_prevention = serializers.CharField(read_only=True)
    reviewed_at = Instant(allow_null=True)

    def get_publication(self, problem: Any) -> dict[str, str] | None:
        """Return the public words while it is published."""
        if problem.published_at is None:
            return None
        return {name: getattr(problem, f"public_{name}") for name in ("title", "symptoms", "workaround")}


class ProblemIn(TicketIn):
    """A new problem. The team comes from the routing rules and the priority from impact and urgency. The requester is
    somebody of the desk, by default the caller."""


class ProblemPatch(TicketPatch):
    """What is to change; what is not named stays. A changed `workaround` becomes a new version. `is_known_error` true
    declares a known error, false withdraws it. `publication` publishes it in the portal, null takes it out."""

    cause_notes = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, required=False)
    fix_notes = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, required=False)
    whys = WhySerializer(many=True, required=False, max_length=WHYS_MAX)  # type: ignore[call-arg]  # of the list
    workaround = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, required=False)
    is_known_error = serializers.BooleanField(required=False)
    publication = PublicationSerializer(required=False, allow_null=True)
    is_major = serializers.BooleanField(required=False)
    review_went_well = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, required=False)
    review_went_wrong = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, required=False)
    review_prevention = serializers.CharField(max_length=NOTES_MAX, allow_blank=True, required=False)


class WorkaroundOut(serializers.Serializer[Any]):
    """A version of the workaround."""

    version = serializers.IntegerField(source="number", read_only=True)
    text = serializers.CharField(read_only=True)
    author = PersonRef(read_only=True, allow_null=True)
    created_at = Instant()


class CommunicateIn(StrictSerializer):
    """What is to be told: the workaround as it stands (`version`: the one seen), or the fix in these words."""

    what = serializers.ChoiceField(Told.choices)
    text = serializers.CharField(max_length=NOTES_MAX, required=False)
    version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)


class SentOut(serializers.Serializer[Any]):
    """To how many open incidents it is being sent, and how many had this text already."""

    count = serializers.IntegerField(read_only=True)
    had_it = serializers.IntegerField(read_only=True)
    message = serializers.CharField(source="sentence", read_only=True)


class CommunicationOut(serializers.Serializer[Any]):
    """One time that the workaround or the fix was communicated."""

    id = serializers.CharField(source="public_id", read_only=True)
    what = serializers.ChoiceField(Told.choices, read_only=True)
    text = serializers.CharField(read_only=True)
    author = PersonRef(read_only=True, allow_null=True)
    created_at = Instant()
    count = serializers.IntegerField(read_only=True)


class IncidentsIn(StrictSerializer):
    """Incidents to link, by their numbers."""

    numbers = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=MOST_NUMBERS, allow_empty=False
    )


class LinkedOut(serializers.Serializer[Any]):
    """How many incidents were not linked to the problem before."""

    linked = serializers.IntegerField(read_only=True)
