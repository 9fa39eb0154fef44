"""Addresses of the desk's pages of problems, below /desk/problems/."""

from django.urls import path

from itsm.desk.urls import ticket_page_urls
from problems.views import listing, opening, panels, trends

app_name = "problems"
own_paths = [
    path("", listing.problems, name="list"),
    path("new/", opening.new, name="new"),
    path("known-errors/", listing.known_errors, name="known_errors"),
    path("trends/", trends.trends, name="trends"),
    path("trends/start/", trends.start, name="trends_start"),
    path("trends/runs/<slug:ref>/progress/", trends.progress, name="trends_progress"),
    path("trends/runs/<slug:ref>/stop/", trends.stop, name="trends_stop"),
    path("trends/candidates/<slug:ref>/<slug:deed>/", trends.decide, name="trends_decide"),
    path("for/<str:ref>/", panels.fit, name="fit"),
    path("<str:ref>/analysis/", panels.analysis, name="analysis"),
    path("<str:ref>/whys/", panels.whys, name="whys"),
    path("<str:ref>/workaround/", panels.workaround, name="workaround"),
    path("<str:ref>/communicate/<slug:what>/", panels.communicate, name="communicate"),
    path("<str:ref>/incidents/", panels.incidents, name="incidents"),
    path("<str:ref>/known-error/<slug:deed>/", panels.known_error, name="known_error"),
    path("<str:ref>/portal/<slug:deed>/", panels.publication, name="publication"),
    path("<str:ref>/review/", panels.review, name="review"),
    path("<str:ref>/happened/", panels.timeline_add, name="timeline_add"),
    path("<str:ref>/happened/<slug:entry>/remove/", panels.timeline_remove, name="timeline_remove"),
]
urlpatterns = [*own_paths, *ticket_page_urls("problem")]
