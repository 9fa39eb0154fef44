"""Addresses of the desk's pages of incidents, below /desk/incidents/."""

from django.urls import path

from incidents.major import views as major
from incidents.views import family, outages, splitting
from itsm.desk.urls import ticket_page_urls

app_name = "incidents"
urlpatterns = [
    path("major/", major.majors, name="majors"),
    path("<str:ref>/major/", major.major, name="major"),
    path("<str:ref>/major/review.pdf", major.review_file, name="major_review"),
    path("<str:ref>/major/<slug:deed>/", major.act, name="major_act"),
    path("<str:ref>/parent/", family.parent, name="set_parent"),
    path("<str:ref>/parent/remove/", family.no_parent, name="leave_parent"),
    path("<str:ref>/children/tell/", family.tell, name="tell_children"),
    path("<str:ref>/merge/", family.merge_into, name="merge"),
    path("<str:ref>/merge/undo/", family.undo_merge, name="unmerge"),
    path("<str:ref>/same/<str:other>/", family.same, name="same"),
    path("<str:ref>/split/", splitting.split_off, name="split"),
    path("<str:ref>/outage/", outages.outage, name="outage"),
    *ticket_page_urls("incident"),
]
