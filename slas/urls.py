"""Addresses that stand on a secret of their own: links in mails, and calendars."""

from django.urls import path

from slas.views import links

app_name = "slas"
urlpatterns = [
    path("r/swap/<str:token>/", links.swap, name="swap"),
    path("r/acknowledge/<str:token>/", links.acknowledge_by_link, name="acknowledge"),
    path("on-call/<str:token>.ics", links.feed, name="feed"),
]
