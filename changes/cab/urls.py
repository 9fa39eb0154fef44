"""Addresses of the CAB, below /desk/changes/cab/."""

from django.urls import path

from changes.cab import views

app_name = "cab"
urlpatterns = [
    path("", views.boards, name="boards"),
    path("new/", views.edit_board, name="new_board"),
    path("boards/<slug:ref>/", views.board, name="board"),
    path("boards/<slug:ref>/edit/", views.edit_board, name="edit_board"),
    path("meetings/<slug:ref>/", views.meeting, name="meeting"),
    path("meetings/<slug:ref>/present/", views.present, name="present"),
    path("meetings/<slug:ref>/start/", views.start, name="start"),
    path("meetings/<slug:ref>/end/", views.end, name="end"),
    path("meetings/<slug:ref>/cancel/", views.cancel, name="cancel"),
    path("meetings/<slug:ref>/invite/", views.invite, name="invite"),
    path("meetings/<slug:ref>/pin/", views.pin_change, name="pin"),
    path("items/<slug:ref>/unpin/", views.unpin_change, name="unpin"),
    path("items/<slug:ref>/decide/", views.decide, name="decide"),
]
