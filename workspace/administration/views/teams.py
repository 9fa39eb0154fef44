"""Teams; organisations, departments and locations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from itsm.accounts.actions import TEAM_FIELDS, Place, remove_place, save_place, save_team
from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.forms import zone_choices
from itsm.accounts.models import Department, Location, Organisation, Team
from itsm.accounts.roles import Permission
from slas.actions import set_team_calendar
from workspace.access import person
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.people import TeamForm

SHOWN_FACES = 6
FIRST_ROWS = 200


@require_safe
@settings_page("teams")
def teams(request: HttpRequest) -> HttpResponse:
    """All teams, those that work first."""
    rows = Team.objects.select_related("lead").prefetch_related("members").order_by("-is_active", "name")
    found = [(team, list(team.members.all())) for team in rows]
    shown = [(team, people[:SHOWN_FACES], max(len(people) - SHOWN_FACES, 0)) for team, people in found]
    return page(request, "teams", "teams", {"teams": shown})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("teams")
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a team or change one."""
    team = get_object_or_404(Team.objects.select_related("lead"), public_id=ref) if ref else None
    context: dict[str, Any] = {"title": _("Change a team") if team else _("Add a team"), "team": team}
    if team:
        context["users"] = [
            (_("Routing rules"), list(team.routing_rules.filter(is_active=True))),
            (_("Services"), list(team.services.filter(is_active=True))),
            (_("Categories"), list(team.categories.filter(is_active=True))),
        ]
        context["is_used"] = any(rows for _label, rows in context["users"])
    sets_hours = person(request).may(Permission.MANAGE_SERVICE_LEVELS)
    if request.method != "POST":
        values: dict[str, Any] = {"is_active": True}
        if team:
            values = TeamForm.values_of(team) | {"seen": fingerprint(state_of(team, TEAM_FIELDS))}
        form = TeamForm(initial=values, team=team, with_calendar=sets_hours)
        return page(request, "teams", "team", {**context, "form": form})
    form = TeamForm(request.POST, team=team, with_calendar=sets_hours)
    saved, status = submit(
        form,
        lambda values: _save(request, team, values),
        state=lambda: state_of(Team.objects.get(pk=team.pk), TEAM_FIELDS) if team else {},
    )
    if saved is None:
        return page(request, "teams", "team", {**context, "form": form}, status)
    messages.success(request, _("The team “%(name)s” is saved.") % {"name": saved.name})
    return redirect("administration:teams")


def _save(request: HttpRequest, team: Team | None, values: dict[str, Any]) -> Team:
    own = {name: value for name, value in values.items() if name != "calendar"}
    saved = save_team(team, by=person(request), **own)
    if "calendar" in values:
        set_team_calendar(saved, values["calendar"], actor=actor_of(request))
    return saved


@dataclass(frozen=True)
class PlaceKind:
    """One of the three lists."""

    key: str
    model: type[Place]
    title: str | Promise
    add: str | Promise
    icon: str


KINDS = {
    kind.key: kind
    for kind in (
        PlaceKind(
            "organisation", Organisation, gettext_lazy("Organisations"), gettext_lazy("New organisation"), "building"
        ),
        PlaceKind("department", Department, gettext_lazy("Departments"), gettext_lazy("New department"), "hierarchy-2"),
        PlaceKind("location", Location, gettext_lazy("Locations"), gettext_lazy("New location"), "map-pin"),
    )
}


@require_safe
@settings_page("places")
def places(request: HttpRequest) -> HttpResponse:
    """The three lists."""
    return _places_page(request)


def _places_page(request: HttpRequest, status: int = 200, **wrong: Any) -> HttpResponse:
    lists = [
        (kind, kind.model.objects.annotate(number=Count("people")).order_by("name")[:FIRST_ROWS])
        for kind in KINDS.values()
    ]
    return page(request, "places", "places", {"lists": lists, "zones": zone_choices(), **wrong}, status)


@require_POST
@settings_page("places")
def place(request: HttpRequest, kind: str, pk: int | None = None) -> HttpResponse:
    """Add, rename or (`remove`) remove an organisation, department or location."""
    if kind not in KINDS:
        raise Http404
    model = KINDS[kind].model
    name, me = request.POST.get("name", ""), person(request)
    zone = request.POST["time_zone"].strip() if "time_zone" in request.POST else None
    row: Place = get_object_or_404(model, pk=pk) if pk else model()  # type: ignore[assignment]
    try:
        if pk and "remove" in request.POST:
            remove_place(row, by=me)
            messages.success(request, _("“%(name)s” is removed.") % {"name": row})
        else:
            saved = save_place(row, name=name, by=me, time_zone=zone)
            messages.success(request, _("“%(name)s” is saved.") % {"name": saved})
    except ValidationError as error:
        text = " ".join(error.messages)
        wrong = {"wrong_kind": kind, "wrong_pk": pk, "wrong_name": name, "wrong_zone": zone, "wrong_text": text}
        return _places_page(request, 422, **wrong)
    return redirect("administration:places")
