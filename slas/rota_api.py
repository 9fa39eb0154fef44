"""Rotas in the REST API: who is on call now, and when. Read only, for the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import Http404
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.api import PersonRef, TeamRef
from itsm.accounts.roles import Permission
from itsm.api.paging import PAGING, page_answer, parameters_of, whole_answer
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from slas.models import Rota
from slas.rotas import Duty, on_call_now, people_named, schedule_of

DAYS = 28
MOST_DAYS = 366


class RotaRef(serializers.Serializer[Any]):
    """A rota, briefly."""

    id = serializers.CharField(source="public_id", read_only=True)
    name = serializers.CharField(read_only=True)
    team = TeamRef(read_only=True, allow_null=True)
    time_zone = serializers.CharField(read_only=True)
    is_active = serializers.BooleanField(read_only=True)


class ShiftOut(serializers.Serializer[Any]):
    """A stretch in which one person has one level. Instants are UTC."""

    start = serializers.DateTimeField(read_only=True)
    end = serializers.DateTimeField(read_only=True)
    level = serializers.IntegerField(read_only=True)
    person = PersonRef(read_only=True)
    by = serializers.CharField(read_only=True, help_text="layer or override")


class AlertOut(serializers.Serializer[Any]):
    """Something to be seen to: nobody is on call, somebody is away or has left, one person is on two levels."""

    kind = serializers.CharField(read_only=True, help_text="nobody, unplanned, away, inactive or twice")
    start = serializers.DateTimeField(read_only=True)
    end = serializers.DateTimeField(read_only=True)
    level = serializers.IntegerField(read_only=True)
    person = PersonRef(read_only=True, allow_null=True)
    covered_by = PersonRef(read_only=True, allow_null=True)


class RotaOut(RotaRef):
    """A rota with its shifts of some weeks and what is to be seen to."""

    shifts = ShiftOut(many=True, read_only=True)
    warnings = AlertOut(many=True, read_only=True)


class DutyOut(serializers.Serializer[Any]):
    """Who is on call at one level; person null: nobody is."""

    rota = RotaRef(read_only=True)
    level = serializers.IntegerField(read_only=True)
    person = PersonRef(read_only=True, allow_null=True)
    until = serializers.DateTimeField(read_only=True, allow_null=True)


FROM = OpenApiParameter("from", OpenApiTypes.DATETIME, description="Begin of the shifts, ISO 8601; now by default.")
HOW_MANY = OpenApiParameter("days", OpenApiTypes.INT, description=f"How many days of shifts; {DAYS} by default.")


class RotaViews(ApiViews):
    """Rotas, for the desk."""

    def _require_desk(self) -> None:
        if not self.viewer.may(Permission.USE_DESK):
            raise Refused(_("Only the service desk sees who is on call."))

    @extend_schema(operation_id="rotas_list", parameters=[*PAGING_PARAMETERS], responses=page_of_schema(RotaRef))
    def index(self, request: Request) -> Response:
        """List the rotas by name."""
        self._require_desk()
        parameters = parameters_of(request, PAGING)
        rotas = Rota.objects.select_related("team")
        return page_answer(request, rotas, ("name", "id"), lambda rows: self.shown_all(RotaRef, rows), parameters)

    @extend_schema(operation_id="rotas_get", parameters=[FROM, HOW_MANY], responses=RotaOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one rota by id with its shifts from an instant on."""
        parameters = parameters_of(request, {"from", "days"})
        found = Rota.objects.select_related("team").filter(public_id=ref).first()
        if found is None or not self.viewer.may(Permission.USE_DESK):
            raise Http404
        start = _instant(parameters.get("from"))
        end = start + timedelta(days=_days(parameters.get("days")))
        schedule = schedule_of(found, start, end)
        shifts, alerts = schedule.all_shifts(start, end), schedule.warnings(start, end)
        wanted = {shift.person for shift in shifts}
        wanted |= {pk for one in alerts for pk in (one.person, one.covered_by) if pk is not None}
        people = people_named(wanted)
        values = self.shown(RotaRef, found)
        values["shifts"] = self.shown_all(
            ShiftOut,
            [
                {
                    "start": one.start,
                    "end": one.end,
                    "level": one.level,
                    "person": people[one.person],
                    "by": "layer" if one.on_call.layer is not None else "override",
                }
                for one in shifts
            ],
        )
        values["warnings"] = self.shown_all(
            AlertOut,
            [
                {
                    "kind": str(one.kind),
                    "start": one.start,
                    "end": one.end,
                    "level": one.level,
                    "person": people.get(one.person or 0),
                    "covered_by": people.get(one.covered_by or 0),
                }
                for one in alerts
            ],
        )
        return Response(values)

    @extend_schema(operation_id="on_call_now", responses=page_of_schema(DutyOut))
    def now(self, request: Request) -> Response:
        """List who is on call now in every rota that is in use."""
        self._require_desk()
        parameters_of(request, ())
        duties: list[Duty] = on_call_now(db_now())
        return whole_answer(self.shown_all(DutyOut, duties))


def _instant(text: str | None) -> Any:
    if not text:
        return db_now()
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None or not 1971 <= found.year <= 2117:
        raise Invalid({"from": _("Give an instant such as 2026-03-02T09:00:00Z.")})
    return found


def _days(text: str | None) -> int:
    if not text:
        return DAYS
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST_DAYS:
        raise Invalid({"days": _("Give a number of days from 1 to %(most)d.") % {"most": MOST_DAYS}})
    return int(text)
