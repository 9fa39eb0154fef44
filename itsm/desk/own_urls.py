"""Addresses that belong to no kind of ticket: what is written and not sent, and how it is sent."""

from django.urls import path

from itsm.desk.views import drafting

app_name = "desk"
urlpatterns = [
    path("drafts/save/", drafting.save, name="save"),
    path("drafts/files/", drafting.files, name="files"),
    path("drafts/files/remove/", drafting.file_removed, name="file_removed"),
    path("drafts/discard/", drafting.discard, name="discard"),
    path("drafts/session/", drafting.session, name="session"),
    path("drafts/leave/", drafting.leave, name="leave"),
    path("drafts/<slug:public_id>/restore/", drafting.restore, name="restore"),
    path("drafts/<slug:public_id>/take-back/", drafting.take_back, name="take_back"),
    path("profile/sending/", drafting.sending, name="sending"),
]
