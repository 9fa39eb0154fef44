"""Addresses of notices: the outbox, the inbox, and the links in mails."""

from django.urls import path

from itsm.notifications.views import contact, inbox, link, outbox

app_name = "notifications"
urlpatterns = [
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/events/again/", outbox.events_again, name="events_again"),
    path("outbox/<str:public_id>/", outbox.mail, name="mail"),
    path("outbox/<str:public_id>/again/", outbox.mail_again, name="mail_again"),
    path("notices/", inbox.notices, name="notices"),
    path("notices/read/", inbox.read_all, name="read_all"),
    path("notices/<str:public_id>/read/", inbox.read_one, name="read_one"),
    path("profile/contact/", contact.contact, name="contact"),
    path("r/<str:token>/", link.link, name="link"),
]
