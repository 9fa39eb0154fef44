"""Addresses that every kind of ticket shares."""

from django.urls import path

from itsm.tickets import downloads

app_name = "tickets"
urlpatterns = [
    path("attachments/<str:public_id>/<str:name>", downloads.attachment, name="attachment"),
]
