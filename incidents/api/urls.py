"""Addresses of incidents in the API."""

from typing import Any

from django.urls import path

from incidents.api.children import (
    IncidentAttachments,
    IncidentComments,
    IncidentEvents,
    IncidentLinks,
    IncidentTimers,
    IncidentWatchers,
)
from incidents.api.views import IncidentViews

LIST: dict[str, Any] = {"get": "index"}
LIST_AND_CREATE: dict[str, Any] = {"get": "index", "post": "create"}
DESTROY: dict[str, Any] = {"delete": "destroy"}

urlpatterns = [
    path("", IncidentViews.as_view(LIST_AND_CREATE), name="incidents"),
    path("<str:ref>/", IncidentViews.as_view({"get": "retrieve", "patch": "partial_update"}), name="incident"),
    path("<str:ref>/moves/", IncidentViews.as_view({"get": "moves"}), name="incident-moves"),
    path("<str:ref>/moves/<str:move>/", IncidentViews.as_view({"post": "move"}), name="incident-move"),
    path("<str:ref>/comments/", IncidentComments.as_view(LIST_AND_CREATE), name="incident-comments"),
    path("<str:ref>/attachments/", IncidentAttachments.as_view(LIST_AND_CREATE), name="incident-attachments"),
    path("<str:ref>/events/", IncidentEvents.as_view(LIST), name="incident-events"),
    path("<str:ref>/timers/", IncidentTimers.as_view(LIST), name="incident-timers"),
    path(
        "<str:ref>/timers/acknowledge/",
        IncidentTimers.as_view({"post": "acknowledge"}),
        name="incident-timers-acknowledge",
    ),
    path(
        "<str:ref>/timers/<slug:timer>/explanation/",
        IncidentTimers.as_view({"get": "explanation"}),
        name="incident-timer-explanation",
    ),
    path("<str:ref>/links/", IncidentLinks.as_view(LIST_AND_CREATE), name="incident-links"),
    path("<str:ref>/links/<str:public_id>/", IncidentLinks.as_view(DESTROY), name="incident-link"),
    path("<str:ref>/watchers/", IncidentWatchers.as_view(LIST_AND_CREATE), name="incident-watchers"),
    path("<str:ref>/watchers/<str:public_id>/", IncidentWatchers.as_view(DESTROY), name="incident-watcher"),
]
