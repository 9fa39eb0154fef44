"""Addresses of the agents' pages, below /desk/."""

from django.urls import path

from workspace.views import bulk, create, filters, home, on_call, on_call_own, queue, search

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
    path("on-call/", on_call.overview, name="on_call"),
    path("on-call/mine/", on_call_own.mine, name="my_on_call"),
    path("on-call/time-off/", on_call_own.time_off, name="time_off"),
    path("on-call/time-off/<slug:ref>/remove/", on_call_own.time_off_remove, name="time_off_remove"),
    path("on-call/calendar/", on_call_own.calendar_link, name="calendar_link"),
    path("on-call/swaps/<slug:ref>/<slug:deed>/", on_call_own.swap_answer, name="swap_answer"),
    path("on-call/overrides/<slug:ref>/remove/", on_call.override_remove, name="override_remove"),
    path("on-call/<slug:ref>/", on_call.rota, name="rota"),
    path("on-call/<slug:ref>/overrides/", on_call.override, name="override"),
    path("on-call/<slug:ref>/swaps/", on_call_own.swap, name="swap"),
    path("people/", search.people, name="people"),
    path("teams/", search.teams, name="teams"),
]
