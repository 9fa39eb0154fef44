"""Incidents in the API."""

from typing import Any

from django.urls import path

from incidents.actions import open_incident
from incidents.api.family import FamilyViews
from incidents.api.major import MajorViews
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
