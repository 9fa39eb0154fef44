"""Addresses of the portal."""

from django.urls import path

from portal import known_errors, outages, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("report/", views.report, name="report"),
    path("report/similar/", outages.similar, name="similar"),
    path("outages/", outages.outages, name="outages"),
    path("outages/<slug:ref>/me-too/", outages.join, name="join"),
    path("known-errors/", known_errors.known_errors, name="known_errors"),
    path("requests/", views.requests, name="requests"),
    path("requests/<str:number>/", views.request_page, name="request"),
    path("requests/<str:number>/reply/", views.reply_to, name="reply"),
    path("requests/<str:number>/moves/<str:move>/", views.make_move, name="move"),
]
