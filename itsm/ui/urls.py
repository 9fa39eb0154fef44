"""Addresses of the style guide."""

from django.urls import path

from itsm.ui import views

app_name = "ui"
urlpatterns = [
    path("styleguide/", views.styleguide, name="styleguide"),
    path("styleguide/<slug:page>", views.sample_page, name="sample"),
]
