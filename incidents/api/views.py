"""Incidents over the API: listing, opening, reading, changing, moving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from incidents.actions import open_incident, perform
from incidents.api.filters import DEFAULT_ORDER, ORDERS, IncidentFilter, known_parameters, narrowed, order_of
from incidents.api.serializers import IncidentIn, IncidentOut, IncidentPatch, MoveIn, MoveOut, VersionIn
from incidents.models import Incident
from incidents.statuses import MOVES
from itsm.api.bodies import body_of, checked, idempotency_key, refuse_unknown, seen_version
from itsm.api.paging import page_answer, parameters_of, whole_answer
from itsm.api.problems import BadRequest
from itsm.api.schema import IDEMPOTENCY_KEY, IF_MATCH, PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.tickets.actions import assign, override_priority, update
from itsm.tickets.moves import legal_moves
from itsm.tickets.querysets import get_visible

FILTER_PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="A condition, such as `priority:1 is:open team:network`."),
    *(OpenApiParameter(name, OpenApiTypes.STR) for name in IncidentFilter.base_filters),
    OpenApiParameter("ordering", OpenApiTypes.STR, enum=list(ORDERS), default=DEFAULT_ORDER),
    *PAGING_PARAMETERS,
]
MOVE_NAME = OpenApiParameter("move", OpenApiTypes.STR, OpenApiParameter.PATH, enum=list(MOVES))
ASSIGNED = frozenset({"team", "assignee"})
NOT_DETAILS = ASSIGNED | {"priority", "priority_reason", "version"}


class IncidentViews(ApiViews):
    """Incidents, as far as the caller sees them."""

    def _incidents(self) -> Any:
        return Incident.objects.with_people().select_related("opened_by").defer("search")

    def _incident(self, ref: str) -> Incident:
        return get_visible(self._incidents(), self.viewer, ref)

    def _answer(self, incident: Incident, **options: Any) -> Response:
        response = Response(self.shown(IncidentOut, incident), **options)
        response["ETag"] = f'"{incident.version}"'
        return response

    @extend_schema(operation_id="incidents_list", parameters=FILTER_PARAMETERS, responses=page_of_schema(IncidentOut))
    def index(self, request: Request) -> Response:
        """List incidents, by filters and by a condition."""
        parameters = parameters_of(request, known_parameters(self.viewer))
        rows = narrowed(self._incidents().visible_to(self.viewer), parameters, request)
        order = order_of(parameters, self.viewer)
        return page_answer(request, rows, order, lambda found: self.shown_all(IncidentOut, found), parameters)

    @extend_schema(
        operation_id="incidents_create",
        parameters=[IDEMPOTENCY_KEY],
        request=IncidentIn,
        responses={201: IncidentOut, 200: IncidentOut},
    )
    def create(self, request: Request) -> Response:
        """Open an incident."""
        key = idempotency_key(request, "open incident")
        if key is not None:
            before = Incident.objects.filter(opened_by=self.viewer, submission_key=key).only("public_id").first()
            if before is not None:  # through the door: who opened it may no longer be on it
                return self._answer(self._incident(before.public_id), headers={"Idempotent-Replay": "true"})
        values = checked(IncidentIn, request)
        incident = open_incident(actor=self.actor, submission_key=key, **values)
        return self._answer(incident, status=201)

    @extend_schema(operation_id="incidents_get", responses=IncidentOut)
    def retrieve(self, request: Request, ref: str) -> Response:
        """Read one incident by id or number; its ETag is its version."""
        return self._answer(self._incident(ref))

    @extend_schema(operation_id="incidents_update", parameters=[IF_MATCH], request=IncidentPatch, responses=IncidentOut)
    def partial_update(self, request: Request, ref: str) -> Response:
        """Change details, owner or priority, all or nothing."""
        incident = self._incident(ref)
        values = checked(IncidentPatch, request)
        if "priority_reason" in values and "priority" not in values:
            raise serializers.ValidationError({"priority": [_("Give the priority that the reason is for.")]})
        if "priority" in values and "priority_reason" not in values:
            raise serializers.ValidationError({"priority_reason": [_("Say why the priority is set by hand.")]})
        with seen_version(request, values.get("version")) as version:
            changed = self._change(incident, values, version)
        return self._answer(changed)

    @transaction.atomic
    def _change(self, incident: Incident, values: Mapping[str, Any], version: int | None) -> Any:
        """Call one verb for each group of values; the first compares the version and holds the lock for the rest."""
        changed: Any = incident
        details = {name: value for name, value in values.items() if name not in NOT_DETAILS}
        ownership = {name: values[name] for name in ASSIGNED & values.keys()}
        if details or not (ownership or "priority" in values):
            changed, version = update(changed, details, actor=self.actor, version=version), None
        if ownership:
            changed, version = assign(changed, actor=self.actor, version=version, **ownership), None
        if "priority" in values:
            reason = values["priority_reason"]
            changed = override_priority(changed, values["priority"], reason=reason, actor=self.actor, version=version)
        return changed

    @extend_schema(operation_id="incidents_moves", responses=page_of_schema(MoveOut))
    def moves(self, request: Request, ref: str) -> Response:
        """List the moves that the caller can make now, with the fields that each takes."""
        parameters_of(request, ())
        incident = self._incident(ref)
        return whole_answer(self.shown_all(MoveOut, legal_moves(incident, self.actor)))

    @extend_schema(
        operation_id="incidents_move",
        parameters=[IF_MATCH, MOVE_NAME],
        request=MoveIn,
        responses=IncidentOut,
    )
    def move(self, request: Request, ref: str, move: str) -> Response:
        """Make a move: `start`, `hold`, `resume`, `resolve`, `reopen`, `close` or `cancel`."""
        incident = self._incident(ref)
        if move not in MOVES:
            raise Http404
        fields = body_of(request)
        if not isinstance(fields, Mapping):
            raise BadRequest(_("Send a JSON object with the fields of the move, or nothing."))
        refuse_unknown(fields, [*(field.name for field in MOVES[move].fields), "version"])
        reader = VersionIn(data={"version": fields["version"]} if "version" in fields else {})
        reader.is_valid(raise_exception=True)
        said = {name: value for name, value in fields.items() if name != "version"}
        with seen_version(request, reader.validated_data.get("version")) as version:
            moved = perform(incident, move, actor=self.actor, fields=said, version=version)
        return self._answer(moved)
