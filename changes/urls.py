"""Addresses of the desk's pages of changes, below /desk/changes/."""

from django.urls import path

from changes.views import library, listing, opening, panels, setup, success
from itsm.desk.urls import ticket_page_urls

app_name = "changes"
own_paths = [
    path("", listing.changes, name="list"),
    path("new/", opening.new, name="new"),
    path("new/<slug:key>/", opening.from_template, name="new_from_template"),
    path("templates/", library.templates, name="templates"),
    path("templates/propose/", library.propose, name="propose"),
    path("templates/of/<slug:key>/", library.template, name="template"),
    path("templates/of/<slug:key>/propose/", library.propose, name="propose_version"),
    path("templates/of/<slug:key>/retire/", library.retire, name="retire"),
    path("templates/of/<slug:key>/offer/<slug:deed>/", library.offer, name="offer"),
    path("templates/of/<slug:key>/versions/<int:number>/<slug:deed>/", library.decide, name="decide"),
    path("success/", success.success, name="success"),
    path("risk/", setup.risk, name="risk"),
    path("risk/rules/new/", setup.rule, name="rule_new"),
    path("risk/rules/<slug:ref>/", setup.rule, name="rule"),
    path("risk/rules/<slug:ref>/remove/", setup.remove_rule, name="rule_remove"),
    path("risk/questions/", setup.questions, name="questions"),
]
own_paths += [
    path("<str:ref>/plan/", panels.plan, name="plan"),
    path("<str:ref>/scope/", panels.scope, name="scope"),
    path("<str:ref>/window/", panels.window, name="window"),
    path("<str:ref>/times/", panels.times, name="times"),
    path("<str:ref>/answers/", panels.answers, name="answers"),
    path("<str:ref>/reassess/", panels.reassess, name="reassess"),
    path("<str:ref>/review/", panels.review, name="review"),
    path("<str:ref>/caused/", panels.caused, name="caused"),
]
urlpatterns = [*own_paths, *ticket_page_urls("change")]
