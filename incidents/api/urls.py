"""Incidents in the API."""

from typing import Any

from incidents.actions import open_incident
from incidents.api.serializers import IncidentIn, IncidentOut, IncidentPatch, MoveIn
from incidents.api.waiting import TimersAnswer, WaitSerializer, wait_data
from incidents.statuses import Status
from itsm.desk.api.kinds import TicketApi
from itsm.desk.api.urls import ticket_api_urls


def _wait(incident: Any) -> dict[str, Any]:
    return {"requester_wait": WaitSerializer(wait_data(incident)).data}


urlpatterns = ticket_api_urls(
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
)
