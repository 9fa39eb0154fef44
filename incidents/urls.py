"""Addresses of the desk's pages of incidents, below /desk/incidents/."""

from django.urls import path

from incidents.views import editing, explaining, moving, reading, relating, talking

app_name = "incidents"
urlpatterns = [
    path("choices/<slug:what>.json", reading.choices, name="choices"),
    path("<str:ref>/", reading.detail, name="detail"),
    path("<str:ref>/preview/", reading.preview, name="preview"),
    path("<str:ref>/pulse/", reading.pulse, name="pulse"),
    path("<str:ref>/history/", reading.history, name="history"),
    path("<str:ref>/clocks/<slug:timer>/", explaining.clock, name="clock"),
    path("<str:ref>/acknowledge/", editing.acknowledge_escalation, name="acknowledge"),
    path("<str:ref>/comments/", talking.comment, name="comment"),
    path("<str:ref>/moves/<slug:name>/", moving.move, name="move"),
    path("<str:ref>/priority/", moving.priority, name="priority"),
    path("<str:ref>/edit/<slug:name>/", editing.edit, name="edit"),
    path("<str:ref>/take/", editing.take, name="take"),
    path("<str:ref>/links/", relating.add_link, name="add_link"),
    path("<str:ref>/links/<slug:public_id>/remove/", relating.remove_link, name="remove_link"),
    path("<str:ref>/watchers/", relating.add_watcher, name="add_watcher"),
    path("<str:ref>/watchers/<slug:public_id>/remove/", relating.remove_watcher, name="remove_watcher"),
]
