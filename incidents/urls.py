"""Addresses of the desk's pages of incidents, below /desk/incidents/."""

from itsm.desk.urls import ticket_page_urls

app_name = "incidents"
urlpatterns = ticket_page_urls("incident")
