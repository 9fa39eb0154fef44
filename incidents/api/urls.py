"""Incidents in the API."""

from typing import Any

from django.urls import path

from incidents.actions import open_incident
from incidents.api.family import FamilyViews
from incidents.api.major import MajorViews
from incidents.api.major_people import MajorPeopleViews
from incidents.api.major_record import MajorRecordViews, MajorReviewFile
from incidents.api.serializers import IncidentIn, IncidentOut, IncidentPatch, MoveIn
from incidents.api.waiting import TimersAnswer, WaitSerializer, wait_data
from incidents.statuses import Status
from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.urls import ticket_api_urls

PARENT: dict[str, Any] = {"get": "parent", "put": "put_parent", "delete": "no_parent"}
OUTAGE: dict[str, Any] = {"get": "outage", "put": "put_outage", "delete": "no_outage"}


def _wait(incident: Any) -> dict[str, Any]:
    return {"requester_wait": WaitSerializer(wait_data(incident)).data}


urlpatterns = [
    path("<str:ref>/parent/", FamilyViews.as_view(PARENT), name="incident-parent"),
    path("<str:ref>/children/", FamilyViews.as_view({"get": "children"}), name="incident-children"),
    path("<str:ref>/children/comments/", FamilyViews.as_view({"post": "tell"}), name="incident-children-tell"),
    path("<str:ref>/merge/", FamilyViews.as_view({"post": "merge"}), name="incident-merge"),
    path("<str:ref>/unmerge/", FamilyViews.as_view({"post": "unmerge"}), name="incident-unmerge"),
    path("<str:ref>/split/", FamilyViews.as_view({"post": "split"}), name="incident-split"),
    path("<str:ref>/similar/", FamilyViews.as_view({"get": "similar"}), name="incident-similar"),
    path("<str:ref>/outage/", FamilyViews.as_view(OUTAGE), name="incident-outage"),
    path("<str:ref>/major/", MajorViews.as_view({"get": "major"}), name="incident-major"),
    path("<str:ref>/major/propose/", MajorViews.as_view({"post": "propose"}), name="incident-major-propose"),
    path("<str:ref>/major/accept/", MajorViews.as_view({"post": "accept"}), name="incident-major-accept"),
    path("<str:ref>/major/reject/", MajorViews.as_view({"post": "reject"}), name="incident-major-reject"),
    path("<str:ref>/major/demote/", MajorViews.as_view({"post": "demote"}), name="incident-major-demote"),
    path(
        "<str:ref>/major/updates/",
        MajorViews.as_view({"get": "updates", "post": "send"}),
        name="incident-major-updates",
    ),
    path("<str:ref>/major/roles/", MajorPeopleViews.as_view({"get": "roles"}), name="incident-major-roles"),
    path("<str:ref>/major/roles/<str:role>/", MajorPeopleViews.as_view({"put": "give"}), name="incident-major-role"),
    path(
        "<str:ref>/major/stakeholders/",
        MajorPeopleViews.as_view({"get": "stakeholders", "post": "add"}),
        name="incident-major-stakeholders",
    ),
    path(
        "<str:ref>/major/stakeholders/<str:public_id>/",
        MajorPeopleViews.as_view({"delete": "remove"}),
        name="incident-major-stakeholder",
    ),
    path(
        "<str:ref>/major/plan/",
        MajorPeopleViews.as_view({"get": "plan", "put": "put_plan"}),
        name="incident-major-plan",
    ),
    path("<str:ref>/major/call/", MajorPeopleViews.as_view({"post": "call"}), name="incident-major-call"),
    path(
        "<str:ref>/major/timeline/",
        MajorRecordViews.as_view({"get": "timeline", "post": "add"}),
        name="incident-major-timeline",
    ),
    path(
        "<str:ref>/major/timeline/<str:line>/", MajorRecordViews.as_view({"patch": "edit"}), name="incident-major-line"
    ),
    path(
        "<str:ref>/major/review/",
        MajorRecordViews.as_view({"get": "review", "patch": "write"}),
        name="incident-major-review",
    ),
    path(
        "<str:ref>/major/review/finish/",
        MajorRecordViews.as_view({"post": "finish"}),
        name="incident-major-review-finish",
    ),
    path(
        "<str:ref>/major/review/reopen/",
        MajorRecordViews.as_view({"post": "reopen"}),
        name="incident-major-review-reopen",
    ),
    path("<str:ref>/major/review/pdf/", MajorReviewFile.as_view({"get": "retrieve"}), name="incident-major-review-pdf"),
    *ticket_api_urls(
        TicketApi(
            kind="incident",
            a="an incident",
            plural="incidents",
            statuses=Status.choices,
            out=IncidentOut,
            body=IncidentIn,
            patch=IncidentPatch,
            opener=open_incident,
            move_body=MoveIn,
            timers_out=TimersAnswer,
            timers_more=_wait,
            prefix="",
        )
    ),
]
