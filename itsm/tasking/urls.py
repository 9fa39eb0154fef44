"""Addresses of the desk's pages of tasks, below /desk/tasks/."""

from django.urls import path

from itsm.desk.urls import ticket_page_urls
from itsm.tasking import views

app_name = "tasking"
urlpatterns = [
    path("below/<slug:kind>/<str:ref>/add/", views.add, name="add"),
    path("<str:ref>/below/order/", views.order, name="order"),
    path("<str:ref>/below/<slug:name>/", views.panel_move, name="panel_move"),
    *ticket_page_urls("task"),
]
