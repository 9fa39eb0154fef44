"""Major incidents over the API: roles, stakeholders, the communication plan, and calling who is on call."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.api.family import NOTHING, FamilyViews
from incidents.api.major import MajorRoleOut
from incidents.major.actions import add_stakeholder, give_role, page_on_call, remove_stakeholder, save_plan
from incidents.major.models import CADENCE_MAX, CADENCE_MIN, UPDATE_MAX, MajorDuty, MajorIncident, MajorStakeholder
from itsm.accounts.api import PersonField, PersonRef, TeamField, TeamRef, WorkerField
from itsm.accounts.models import User
from itsm.api.bodies import Instant, ReferenceField, StrictSerializer, checked, seen_version
from itsm.api.paging import parameters_of, whole_answer
from itsm.api.schema import IF_MATCH, page_of_schema
from itsm.desk.api.serializers import BIGGEST
from slas.models import Rota

NO_ROTA = gettext_lazy("There is no rota with this id.")


def find_rota(ref: str, viewer: User) -> Rota | None:
    """Return the active rota with this id."""
    return Rota.objects.filter(is_active=True, public_id=ref).first()


class RoleIn(StrictSerializer):
    """Who gets the role: somebody who works on tickets, by id or e-mail address."""

    person = WorkerField()
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class StakeholderIn(StrictSerializer):
    """A person (by id or e-mail address) or a team (by id or key): one of the two."""

    person = PersonField(required=False)
    team = TeamField(required=False)


class StakeholderOut(serializers.Serializer[MajorStakeholder]):
    """A person or a team that is told of each update."""

    id = serializers.CharField(source="public_id", read_only=True)
    person = PersonRef(read_only=True, allow_null=True)
    team = TeamRef(read_only=True, allow_null=True)


class PlanIn(StrictSerializer):
    """The whole plan. `cadence_minutes` null: no updates are promised."""

    cadence_minutes = serializers.IntegerField(min_value=CADENCE_MIN, max_value=CADENCE_MAX, allow_null=True)
    to_portal = serializers.BooleanField()
    to_requesters = serializers.BooleanField()
    to_stakeholders = serializers.BooleanField()
    template = serializers.CharField(max_length=UPDATE_MAX, required=False, allow_blank=True, default="")
    version = serializers.IntegerField(required=False, min_value=1, max_value=BIGGEST)


class PlanOut(serializers.Serializer[MajorIncident]):
    """How often who is told unless one chooses otherwise, and with which words an update begins."""

    cadence_minutes = serializers.IntegerField(read_only=True, allow_null=True)
    to_portal = serializers.BooleanField(read_only=True)
    to_requesters = serializers.BooleanField(read_only=True)
    to_stakeholders = serializers.BooleanField(read_only=True)
    template = serializers.CharField(read_only=True)
    next_update_at = Instant(allow_null=True)


class CallIn(StrictSerializer):
    """The rota whose first level is called, by its id."""

    rota = ReferenceField(find_rota, NO_ROTA)


class CalledOut(serializers.Serializer[Any]):
    """Who is being called."""

    person = PersonRef(read_only=True)


PLAN_EXAMPLE = OpenApiExample(
    "Every half hour to everybody",
    {"cadence_minutes": 30, "to_portal": True, "to_requesters": True, "to_stakeholders": True, "template": "We know:"},
    request_only=True,
)
ROLE_EXAMPLE = OpenApiExample("Hand over", {"person": "ben@desk.example"}, request_only=True)
STAKEHOLDER_EXAMPLES = [
    OpenApiExample("A person", {"person": "director@desk.example"}, request_only=True),
    OpenApiExample("A team", {"team": "network"}, request_only=True),
]


class MajorPeopleViews(FamilyViews):
    """Who runs a major incident, and who is told of it."""

    def _major(self, ref: str) -> MajorIncident:
        """Return what is known of the incident as a major one.

        Raises:
            Http404: nobody has proposed it, or there is none that the caller sees. Refused: a requester.
        """
        found = MajorIncident.objects.filter(incident=self._for_desk(ref)).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(operation_id="incidents_major_roles_list", responses=page_of_schema(MajorRoleOut))
    def roles(self, request: Request, ref: str) -> Response:
        """List who has and who had which role, the first first."""
        parameters_of(request, ())
        rows = MajorDuty.objects.filter(incident=self._major(ref).pk).select_related("person")
        return whole_answer(self.shown_all(MajorRoleOut, list(rows)))

    @extend_schema(
        operation_id="incidents_major_roles_set",
        parameters=[IF_MATCH],
        request=RoleIn,
        responses=MajorRoleOut,
        examples=[ROLE_EXAMPLE],
    )
    def give(self, request: Request, ref: str, role: str) -> Response:
        """Give the role (`commander`, `communications`, `scribe`) to somebody; who had it hands it over. The person
        is told. Who has it already keeps it, and nothing happens."""
        incident = self._for_desk(ref)
        values = checked(RoleIn, request)
        with seen_version(request, values.get("version")) as version:
            give_role(incident, role, values["person"], actor=self.actor, version=version)
        duty = MajorDuty.objects.select_related("person").get(incident=incident.pk, role=role, until=None)
        return Response(self.shown(MajorRoleOut, duty))

    @extend_schema(
        operation_id="incidents_major_stakeholders_list", responses=page_of_schema(StakeholderOut, "StakeholderList")
    )
    def stakeholders(self, request: Request, ref: str) -> Response:
        """List the people and teams that are told of each update."""
        parameters_of(request, ())
        rows = MajorStakeholder.objects.filter(incident=self._major(ref).pk).select_related("person", "team")
        return whole_answer(self.shown_all(StakeholderOut, list(rows)))

    @extend_schema(
        operation_id="incidents_major_stakeholders_add",
        request=StakeholderIn,
        responses={201: StakeholderOut},
        examples=STAKEHOLDER_EXAMPLES,
    )
    def add(self, request: Request, ref: str) -> Response:
        """Let a person or a team be told of each update; one that is in already is returned as it is."""
        incident = self._for_desk(ref)
        row = add_stakeholder(incident, actor=self.actor, **checked(StakeholderIn, request))
        return Response(self.shown(StakeholderOut, row), status=201)

    @extend_schema(operation_id="incidents_major_stakeholders_remove", responses=NOTHING)
    def remove(self, request: Request, ref: str, public_id: str) -> Response:
        """Tell the person or team of no more updates; 404 when the incident has no such stakeholder."""
        incident = self._for_desk(ref)
        rows = MajorStakeholder.objects.filter(incident=incident.pk, public_id=public_id)
        if not rows.exists():
            raise Http404
        remove_stakeholder(incident, public_id, actor=self.actor)
        return Response(status=204)

    @extend_schema(operation_id="incidents_major_plan_get", responses=PlanOut)
    def plan(self, request: Request, ref: str) -> Response:
        """Return the communication plan."""
        parameters_of(request, ())
        return Response(self.shown(PlanOut, self._major(ref)))

    @extend_schema(
        operation_id="incidents_major_plan_set",
        parameters=[IF_MATCH],
        request=PlanIn,
        responses=PlanOut,
        examples=[PLAN_EXAMPLE],
    )
    def put_plan(self, request: Request, ref: str) -> Response:
        """Set the communication plan. With another cadence the next update is due that long after the last one."""
        incident = self._for_desk(ref)
        values = checked(PlanIn, request)
        with seen_version(request, values.pop("version", None)) as version:
            saved = save_plan(incident, actor=self.actor, version=version, **values)
        return Response(self.shown(PlanOut, saved))

    @extend_schema(operation_id="incidents_major_call", request=CallIn, responses=CalledOut)
    def call(self, request: Request, ref: str) -> Response:
        """Call whoever is on call of the rota now, on the urgent ways that they chose; twice in a minute is once."""
        incident = self._for_desk(ref)
        person = page_on_call(incident, checked(CallIn, request)["rota"], actor=self.actor)
        return Response(self.shown(CalledOut, {"person": person}))
