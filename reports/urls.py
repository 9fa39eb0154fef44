"""Addresses of the service-level reports, below /desk/service-levels/."""

from django.urls import path

from reports import views

app_name = "reports"
urlpatterns = [
    path("", views.overview, name="overview"),
    path("clocks/", views.clocks, name="clocks"),
    path("clocks/<int:pk>/", views.clock, name="clock"),
    path("breaches/", views.breaches, name="breaches"),
    path("soon/", views.soon, name="soon"),
    path("time/", views.time, name="time"),
    path("pauses/", views.pauses, name="pauses"),
    path("waits/", views.waits, name="waits"),
    path("export/<slug:name>.csv", views.export, name="export"),
]
