"""Major incidents over the API: where an incident stands as one, the decisions, and the updates."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.family import FamilyViews
from incidents.major.actions import accept, demote, propose, reject, send_update
from incidents.major.models import (
    IMPACT_MAX,
    REASON_MAX,
    UPDATE_MAX,
    MajorDuty,
    MajorIncident,
    MajorReview,
    MajorUpdate,
)
from incidents.major.states import MajorRole, MajorState
from incidents.models import Incident
from itsm.accounts.api import PersonRef, WorkerField
from itsm.api.bodies import Instant, StrictSerializer, checked, idempotency_key, seen_version
from itsm.api.paging import PAGING, page_answer, parameters_of
from itsm.api.schema import IDEMPOTENCY_KEY, IF_MATCH, PAGING_PARAMETERS, page_of_schema
from itsm.desk.api.serializers import BIGGEST
from itsm.tickets.clock import db_now
from itsm.tickets.models.ticket import TEXT_MAX, TITLE_MAX

UPDATE_EXAMPLE = OpenApiExample(
    "To everybody",
    {
        "headline": "Mail is down in Kiruna",
        "text": "Use the telephone meanwhile. More at noon.",
        "to_portal": True,
        "to_requesters": True,
        "to_stakeholders": True,
    },
    request_only=True,
)
UPDATE_ORDER = ("-sent_at", "-id")


class ReasonIn(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=REASON_MAX)
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class AcceptIn(StrictSerializer):
    """What acceptance needs; without a `commander` it is the caller."""

    impact = serializers.CharField(max_length=IMPACT_MAX)
    note = serializers.CharField(max_length=TEXT_MAX)
    commander = WorkerField(required=False)
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class UpdateIn(StrictSerializer):
    """Public words, and who gets them: at least one of the three."""

    headline = serializers.CharField(max_length=TITLE_MAX)
    text = serializers.CharField(max_length=UPDATE_MAX)
    to_portal = serializers.BooleanField(required=False, default=False)
    to_requesters = serializers.BooleanField(required=False, default=False)
    to_stakeholders = serializers.BooleanField(required=False, default=False)


class UpdateOut(serializers.Serializer[MajorUpdate]):
    """An update as it was sent."""

    id = serializers.CharField(source="public_id", read_only=True)
    headline = serializers.CharField(read_only=True)
    text = serializers.CharField(read_only=True)
    to_portal = serializers.BooleanField(read_only=True)
    to_requesters = serializers.BooleanField(read_only=True)
    to_stakeholders = serializers.BooleanField(read_only=True)
    sent_at = Instant()
    sent_by = PersonRef(read_only=True, allow_null=True)


class MajorRoleOut(serializers.Serializer[MajorDuty]):
    """Who has a role (`until` null), or had it until it was handed over."""

    role = serializers.ChoiceField(MajorRole.choices, read_only=True)
    person = PersonRef(read_only=True)
    since = Instant()
    until = Instant(allow_null=True)


class MajorOut(serializers.Serializer[Incident]):
    """Where an incident stands as a major one."""

    state = serializers.ChoiceField(MajorState.choices, source="major_state", read_only=True)
    reason = serializers.CharField(source="major.proposal", read_only=True)
    decision = serializers.CharField(source="major.decision", read_only=True)
    impact = serializers.CharField(source="major.impact", read_only=True)
    proposed_at = Instant(source="major.proposed_at", allow_null=True)
    accepted_at = Instant(source="major.accepted_at", allow_null=True)
    cadence_minutes = serializers.IntegerField(source="major.cadence_minutes", read_only=True, allow_null=True)
    next_update_at = Instant(source="major.next_update_at", allow_null=True)
    review_done = serializers.SerializerMethodField()
    is_overdue = serializers.SerializerMethodField(help_text="Whether an update is due and was not sent.")
    roles = serializers.SerializerMethodField()

    def get_is_overdue(self, incident: Incident) -> bool:
        """Return whether an update is due and was not sent."""
        return incident.major.is_overdue(db_now())

    def get_review_done(self, incident: Incident) -> bool:
        """Return whether the review is done, without which the incident is not closed."""
        return MajorReview.objects.filter(incident=incident, done_at__isnull=False).exists()

    @extend_schema(responses=MajorRoleOut(many=True))
    def get_roles(self, incident: Incident) -> Any:
        """Return who has which role now."""
        duties = MajorDuty.objects.filter(incident=incident, until=None).select_related("person")
        return [MajorRoleOut(duty, context=self.context).data for duty in duties]


class MajorViews(FamilyViews):
    """What the desk does with a major incident."""

    def _answer(self, incident: Any) -> Response:
        found = Incident.objects.select_related("major").defer("search").get(pk=incident.pk)
        return Response(self.shown(MajorOut, found))

    @extend_schema(operation_id="incidents_major_get", responses=MajorOut)
    def major(self, request: Request, ref: str) -> Response:
        """Return where the incident stands as a major one; 404 while nobody has proposed it."""
        parameters_of(request, ())
        incident = self._for_desk(ref)
        if not MajorIncident.objects.filter(incident=incident).exists():
            raise Http404
        return self._answer(incident)

    @extend_schema(operation_id="incidents_major_propose", parameters=[IF_MATCH], request=ReasonIn, responses=MajorOut)
    def propose(self, request: Request, ref: str) -> Response:
        """Propose the incident as a major one."""
        return self._decide(request, ref, propose, ReasonIn)

    @extend_schema(operation_id="incidents_major_accept", parameters=[IF_MATCH], request=AcceptIn, responses=MajorOut)
    def accept(self, request: Request, ref: str) -> Response:
        """Make the incident a major one; business impact and a work note are mandatory."""
        return self._decide(request, ref, accept, AcceptIn)

    @extend_schema(operation_id="incidents_major_reject", parameters=[IF_MATCH], request=ReasonIn, responses=MajorOut)
    def reject(self, request: Request, ref: str) -> Response:
        """Turn the proposal down; the incident goes on as it was."""
        return self._decide(request, ref, reject, ReasonIn)

    @extend_schema(operation_id="incidents_major_demote", parameters=[IF_MATCH], request=ReasonIn, responses=MajorOut)
    def demote(self, request: Request, ref: str) -> Response:
        """Make a major incident an ordinary one again."""
        return self._decide(request, ref, demote, ReasonIn)

    def _decide(self, request: Request, ref: str, verb: Any, body: type[StrictSerializer]) -> Response:
        incident = self._for_desk(ref)
        values = checked(body, request)
        with seen_version(request, values.pop("version", None)) as version:
            changed = verb(incident, actor=self.actor, version=version, **values)
        return self._answer(changed)

    @extend_schema(
        operation_id="incidents_major_updates_list",
        parameters=[*PAGING_PARAMETERS],
        responses=page_of_schema(UpdateOut),
    )
    def updates(self, request: Request, ref: str) -> Response:
        """List the updates that were sent, the newest first."""
        parameters = parameters_of(request, PAGING)
        rows = MajorUpdate.objects.filter(incident=self._for_desk(ref)).select_related("sent_by")
        return page_answer(request, rows, UPDATE_ORDER, lambda found: self.shown_all(UpdateOut, found), parameters)

    @extend_schema(
        operation_id="incidents_major_updates_send",
        parameters=[IDEMPOTENCY_KEY],
        request=UpdateIn,
        responses={200: UpdateOut, 201: UpdateOut},
        examples=[UPDATE_EXAMPLE],
    )
    def send(self, request: Request, ref: str) -> Response:
        """Send an update to the chosen audiences; the next one falls due one cadence from now."""
        incident = self._for_desk(ref)
        values = checked(UpdateIn, request)
        key = idempotency_key(request, f"major {incident.public_id}")
        before = MajorUpdate.objects.filter(incident=incident, submission_key=key).first() if key else None
        if before is not None:
            return Response(self.shown(UpdateOut, before), headers={"Idempotent-Replay": "true"})
        sent = send_update(incident, actor=self.actor, submission_key=key, **values)
        return Response(self.shown(UpdateOut, sent), status=201)
