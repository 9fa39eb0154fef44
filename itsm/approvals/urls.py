"""Addresses of approvals. They are for everybody who may be asked, with rights at the desk or without."""

from django.urls import path

from itsm.approvals.views import deciding, delegations
from itsm.approvals.views.link import link

app_name = "approvals"
urlpatterns = [
    path("", deciding.waiting, name="list"),
    path("delegations/", delegations.delegations, name="delegations"),
    path("delegations/<str:ref>/end/", delegations.end, name="end_delegation"),
    path("r/<str:token>/", link, name="link"),
    path("<str:ref>/", deciding.detail, name="detail"),
    path("<str:ref>/answer/", deciding.answer, name="answer"),
    path("<str:ref>/again/", deciding.again, name="again"),
]
