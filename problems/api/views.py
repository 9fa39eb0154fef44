"""What the API does with a problem beyond what it does with every ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from itsm.accounts.roles import Permission
from itsm.api.bodies import checked
from itsm.api.paging import PAGING, page_answer, parameters_of, whole_answer
from itsm.api.schema import PAGING_PARAMETERS, page_of_schema
from itsm.api.views import ApiViews
from itsm.tickets.actions import begin
from itsm.tickets.actors import Actor
from itsm.tickets.api.base import TicketRef
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.querysets import get_visible
from problems.actions import (
    communicate_fix,
    communicate_workaround,
    declare_known_error,
    link_incidents,
    publish,
    save_analysis,
    save_review,
    save_workaround,
    set_major,
    unpublish,
    withdraw_known_error,
)
from problems.actions.analysis import ANALYSIS
from problems.actions.reviewing import REVIEW
from problems.api.serializers import (
    CommunicateIn,
    CommunicationOut,
    IncidentsIn,
    LinkedOut,
    ProblemOut,
    SentOut,
    WorkaroundOut,
)
from problems.incidents import incidents_of
from problems.models import Problem, Told
from problems.views.common import find_incidents

RELATED = ("opened_by", "duplicate_of", "confirmed_by")


def edit(problem: Problem, values: Mapping[str, Any], *, actor: Actor, version: int | None = None) -> Problem:
    """Set what a problem has of its own, all or nothing (within the caller's transaction), and return it.

    Raises:
        Invalid, Refused, Stale, IllegalMove: see the verbs.
    """
    changed: Problem = begin(problem, "ticket.edit", actor=actor, version=version)
    if analysis := {name: values[name] for name in (*ANALYSIS, "whys") if name in values}:
        changed = save_analysis(changed, analysis, actor=actor)
    if "workaround" in values:
        changed = save_workaround(changed, values["workaround"], actor=actor)
    if "is_major" in values:
        changed = set_major(changed, values["is_major"], actor=actor)
    if review := {name: values[name] for name in REVIEW if name in values}:
        changed = save_review(changed, review, actor=actor)
    if "is_known_error" in values:
        verb = declare_known_error if values["is_known_error"] else withdraw_known_error
        changed = verb(changed, actor=actor)
    if "publication" in values:
        words = values["publication"]
        changed = unpublish(changed, actor=actor) if words is None else publish(changed, actor=actor, **words)
    return changed


class ProblemViews(ApiViews):
    """Incidents, versions of the workaround and communications of one problem."""

    def _problem(self, ref: str) -> Problem:
        return get_visible(Problem.objects.all(), self.viewer, ref)

    @extend_schema(operation_id="problems_workarounds_list", responses=page_of_schema(WorkaroundOut))
    def workarounds(self, request: Request, ref: str) -> Response:
        """List the versions of the workaround, the newest first."""
        parameters_of(request, ())
        versions = self._problem(ref).workaround_versions.select_related("author")
        return whole_answer(self.shown_all(WorkaroundOut, list(versions)))

    @extend_schema(operation_id="problems_communications_list", responses=page_of_schema(CommunicationOut))
    def communications(self, request: Request, ref: str) -> Response:
        """List when workaround and fix were communicated, the newest first."""
        parameters_of(request, ())
        said = self._problem(ref).communications.select_related("author")
        return whole_answer(self.shown_all(CommunicationOut, list(said)))

    @extend_schema(operation_id="problems_communicate", request=CommunicateIn, responses=SentOut)
    def communicate(self, request: Request, ref: str) -> Response:
        """Tell the requesters of the open incidents, each once for each text; a worker carries it out."""
        problem = self._problem(ref)
        values = checked(CommunicateIn, request)
        if values["what"] == Told.FIX:
            sent = communicate_fix(problem, values.get("text", ""), actor=self.actor)
        elif "text" in values:
            raise Invalid({"text": _("The workaround is told as it stands. Change it first.")})
        else:
            sent = communicate_workaround(problem, actor=self.actor, seen=values.get("version"))
        return Response(self.shown(SentOut, sent))

    @extend_schema(
        operation_id="problems_incidents_list",
        parameters=[*PAGING_PARAMETERS],
        responses=page_of_schema(TicketRef, "TicketRefList"),
    )
    def incidents(self, request: Request, ref: str) -> Response:
        """List the incidents of the problem, the first opened first."""
        parameters = parameters_of(request, PAGING)
        found = incidents_of(self._problem(ref))
        return page_answer(
            request, found, ("opened_at", "id"), lambda rows: self.shown_all(TicketRef, rows), parameters
        )

    @extend_schema(operation_id="problems_incidents_link", request=IncidentsIn, responses=LinkedOut)
    def link(self, request: Request, ref: str) -> Response:
        """Link incidents to the problem by their numbers; those linked already stay."""
        problem = self._problem(ref)
        numbers = checked(IncidentsIn, request)["numbers"]
        found = find_incidents(self.viewer, numbers, "numbers")
        return Response(self.shown(LinkedOut, {"linked": link_incidents(problem, found, actor=self.actor)}))


class KnownErrorViews(ApiViews):
    """Known errors for the desk."""

    @extend_schema(
        operation_id="known_errors_list",
        description="List the known errors that people still meet; `text` looks in title, symptoms, cause, workaround.",
        parameters=[OpenApiParameter("text", OpenApiTypes.STR), *PAGING_PARAMETERS],
        responses=page_of_schema(ProblemOut, "KnownErrorList"),
    )
    def index(self, request: Request) -> Response:
        """List known errors, those that were declared last first."""
        if not self.viewer.may(Permission.VIEW_TICKETS):
            raise Refused(_("Only the service desk can do this."))
        parameters = parameters_of(request, ("text", *PAGING))
        found = Problem.objects.visible_to(self.viewer).known_errors().current().with_people().select_related(*RELATED)
        if text := parameters.get("text", ""):
            found = found.known_error_text(text)
        order = ("-known_error_at", "-id")
        return page_answer(request, found, order, lambda rows: self.shown_all(ProblemOut, rows), parameters)
