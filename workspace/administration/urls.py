"""Addresses of the settings, below /desk/settings/."""

from django.urls import path

from workspace.administration.views import (
    calendars,
    categories,
    changes,
    matrix,
    overview,
    people,
    policies,
    routing,
    services,
    teams,
)

app_name = "administration"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("suggest/", overview.suggestions, name="suggest"),
    path("matrix/", matrix.matrix, name="matrix"),
    path("categories/", categories.categories, name="categories"),
    path("categories/new/", categories.edit, name="category_new"),
    path("categories/<slug:ref>/", categories.edit, name="category"),
    path("routing/", routing.rules, name="routing"),
    path("routing/new/", routing.edit, name="rule_new"),
    path("routing/<int:pk>/", routing.edit, name="rule"),
    path("routing/<int:pk>/<slug:deed>/", routing.change, name="rule_change"),
    path("services/", services.services, name="services"),
    path("services/new/", services.edit, name="service_new"),
    path("services/<slug:ref>/", services.edit, name="service"),
    path("incidents/", services.incidents, name="incidents"),
    path("people/", people.people, name="people"),
    path("people/new/", people.create, name="person_new"),
    path("people/<slug:ref>/", people.edit, name="person"),
    path("people/<slug:ref>/<slug:deed>/", people.change, name="person_change"),
    path("teams/", teams.teams, name="teams"),
    path("teams/new/", teams.edit, name="team_new"),
    path("teams/<slug:ref>/", teams.edit, name="team"),
    path("places/", teams.places, name="places"),
    path("places/<slug:kind>/new/", teams.place, name="place_new"),
    path("places/<slug:kind>/<int:pk>/", teams.place, name="place"),
    path("changes/", changes.changes, name="changes"),
    path("calendars/", calendars.calendars, name="calendars"),
    path("calendars/new/", calendars.edit, name="calendar_new"),
    path("calendars/<slug:ref>/", calendars.edit, name="calendar"),
    path("policies/", policies.policies, name="policies"),
    path("policies/new/", policies.policy, name="policy_new"),
    path("policies/<slug:ref>/", policies.policy, name="policy"),
    path("escalations/", policies.escalations, name="escalations"),
    path("escalations/new/", policies.escalation, name="escalation_new"),
    path("escalations/<slug:ref>/", policies.escalation, name="escalation"),
]
