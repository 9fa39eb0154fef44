"""Wiring of every room's addresses, by name."""

from django.urls import URLPattern, URLResolver, include, path

from itsm import health
from slas.metrics import metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("itsm.accounts.urls")),
    path("", include("itsm.notifications.urls")),
    path("", include("slas.urls")),
    path("", include("itsm.ui.urls")),
    path("", include("itsm.tickets.urls")),
    path("", include("itsm.desk.own_urls")),
    path("", include("changes.schedule.urls")),
    path("desk/changes/cab/", include("changes.cab.urls")),
    path("approvals/", include("itsm.approvals.urls")),
    path("desk/incidents/", include("incidents.urls")),
    path("desk/problems/", include("problems.urls")),
    path("desk/changes/", include("changes.urls")),
    path("desk/tasks/", include("itsm.tasking.urls")),
    path("desk/service-levels/", include("reports.urls")),
    path("desk/settings/", include("workspace.administration.urls")),
    path("desk/", include("workspace.urls")),
    path("api/", include("itsm.api.urls")),
    path("", include("portal.urls")),
]
