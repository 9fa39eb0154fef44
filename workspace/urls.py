"""Addresses of the agents' pages, below /desk/."""

from django.urls import path

from workspace.views import bulk, create, filters, home, queue, search

app_name = "workspace"
urlpatterns = [
    path("", home.home, name="home"),
    path("take-next/", home.take, name="take_next"),
    path("queue/", queue.queue, name="queue"),
    path("queue/live/", queue.live, name="live"),
    path("queue/look/", queue.look, name="look"),
    path("queue/filters/", filters.panel, name="filters"),
    path("queue/suggest/", search.suggestions, name="suggest"),
    path("queue/bulk/", bulk.change, name="bulk"),
    path("search/", search.search, name="search"),
    path("search/palette/", search.palette, name="palette"),
    path("new/", create.new, name="new"),
    path("new/priority/", create.priority, name="new_priority"),
    path("new/similar/", create.similar, name="new_similar"),
    path("people/", search.people, name="people"),
    path("teams/", search.teams, name="teams"),
]
