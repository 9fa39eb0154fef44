"""Addresses of the API, by room."""

from typing import Any

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerSplitView

from changes.schedule.api import ScheduleViews
from cmdb.api import ServiceViews
from incidents.api.family import OutageViews
from itsm.accounts.api import TeamViews, UserViews
from itsm.api.root import NothingHere, RootViews
from itsm.api.schema import SchemaView
from itsm.approvals.api import ApprovalViews, TicketApprovals
from itsm.tasking.api.below import TasksBelow
from itsm.tickets.api.attachments import DownloadViews
from itsm.tickets.api.categories import CategoryViews
from problems.api.views import KnownErrorViews
from slas.rota_api import RotaViews

LIST: dict[str, Any] = {"get": "index"}
RETRIEVE: dict[str, Any] = {"get": "retrieve"}
EVERY_METHOD: dict[str, Any] = dict.fromkeys(("get", "post", "put", "patch", "delete"), "nothing")

app_name = "api"
urlpatterns = [
    path("v1/", RootViews.as_view(LIST), name="root"),
    path("v1/incidents/", include("incidents.api.urls")),
    path("v1/tasks/", include("itsm.tasking.api.urls")),
    path("v1/outages/", OutageViews.as_view(LIST), name="outages"),
    path("v1/outages/<str:ref>/join/", OutageViews.as_view({"post": "join"}), name="outage-join"),
    path("v1/changes/<str:ref>/conflicts/", ScheduleViews.as_view({"get": "conflicts"}), name="change-conflicts"),
    path("v1/changes/<str:ref>/free-slots/", ScheduleViews.as_view({"get": "free_slots"}), name="change-free-slots"),
    path("v1/change-windows/", ScheduleViews.as_view({"get": "windows"}), name="change-windows"),
    path("v1/changes/", include("changes.api.urls")),
    path("v1/problems/", include("problems.api.urls")),
    path("v1/known-errors/", KnownErrorViews.as_view(LIST), name="known-errors"),
    path("v1/approvals/", ApprovalViews.as_view(LIST), name="approvals"),
    path("v1/approvals/<str:ref>/", ApprovalViews.as_view(RETRIEVE), name="approval"),
    path("v1/approvals/<str:ref>/decide/", ApprovalViews.as_view({"post": "decide"}), name="approval-decide"),
    path("v1/tickets/<str:ref>/approvals/", TicketApprovals.as_view(LIST), name="ticket-approvals"),
    path("v1/<slug:plural>/<str:ref>/tasks/", TasksBelow.as_view(LIST | {"post": "create"}), name="ticket-tasks"),
    path("v1/attachments/<str:public_id>/", DownloadViews.as_view(RETRIEVE), name="attachment"),
    path("v1/users/", UserViews.as_view(LIST), name="users"),
    path("v1/users/me/", UserViews.as_view({"get": "me"}), name="me"),
    path("v1/users/<str:ref>/", UserViews.as_view(RETRIEVE), name="user"),
    path("v1/teams/", TeamViews.as_view(LIST), name="teams"),
    path("v1/teams/<str:ref>/", TeamViews.as_view(RETRIEVE), name="team"),
    path("v1/categories/", CategoryViews.as_view(LIST), name="categories"),
    path("v1/categories/<str:ref>/", CategoryViews.as_view(RETRIEVE), name="category"),
    path("v1/services/", ServiceViews.as_view(LIST), name="services"),
    path("v1/services/<str:ref>/", ServiceViews.as_view(RETRIEVE), name="service"),
    path("v1/rotas/", RotaViews.as_view(LIST), name="rotas"),
    path("v1/rotas/<str:ref>/", RotaViews.as_view(RETRIEVE), name="rota"),
    path("v1/on-call/", RotaViews.as_view({"get": "now"}), name="on-call"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api:schema"), name="docs"),
    re_path(r"^", NothingHere.as_view(EVERY_METHOD)),
]
