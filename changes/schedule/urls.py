"""Addresses of the schedule, below /desk/changes/; they come before those of single changes."""

from django.urls import path

from changes.schedule.views import calendar, panel, windows

app_name = "change_schedule"
urlpatterns = [
    path("desk/changes/calendar/", calendar.calendar, name="calendar"),
    path("desk/changes/calendar/links/", calendar.links, name="links"),
    path("desk/changes/calendar/links/make/", calendar.make_link, name="make_link"),
    path("desk/changes/calendar/links/<slug:ref>/revoke/", calendar.revoke_link, name="revoke_link"),
    path("changes/<str:token>.ics", calendar.feed, name="feed"),
    path("desk/changes/windows/", windows.windows, name="windows"),
    path("desk/changes/windows/new/", windows.edit, name="new_window"),
    path("desk/changes/windows/collisions/", windows.collisions, name="collisions"),
    path("desk/changes/windows/<slug:ref>/", windows.edit, name="window"),
    path("desk/changes/<str:ref>/slots/take/", panel.take_slot, name="take_slot"),
    path("desk/changes/<str:ref>/conflicts/override/", panel.override, name="override"),
]
