"""Services, and how incidents end."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cmdb.actions import SERVICE_FIELDS, save_service
from cmdb.models import Service
from incidents.actions.settings import SETTINGS_FIELDS, save_settings
from incidents.models import IncidentSettings
from itsm.accounts.changelog import fingerprint, state_of
from workspace.access import person
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.tickets import IncidentSettingsForm, ServiceForm


@require_safe
@settings_page("services")
def services(request: HttpRequest) -> HttpResponse:
    """All services, those that can be chosen first."""
    rows = Service.objects.select_related("support_team", "owner", "part_of")
    return page(request, "services", "services", {"services": rows.order_by("-is_active", "name")})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("services")
def edit(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a service or change one."""
    found = Service.objects.select_related("support_team", "owner", "part_of")
    service = get_object_or_404(found, public_id=ref) if ref else None
    context: dict[str, Any] = {"title": _("Change a service") if service else _("Add a service")}
    if request.method != "POST":
        values: dict[str, Any] = {"is_active": True}
        if service:
            values = {name: getattr(service, name) for name in ("name", "key", "description", "is_active")}
            values["support_team"] = service.support_team.public_id if service.support_team else ""
            values["owner"] = service.owner.public_id if service.owner else ""
            values["part_of"] = service.part_of.public_id if service.part_of else ""
            values["seen"] = fingerprint(state_of(service, SERVICE_FIELDS))
        form = ServiceForm(initial=values, service=service)
        return page(request, "services", "edit", {**context, "form": form})
    form = ServiceForm(request.POST, service=service)
    saved, status = submit(
        form,
        lambda values: save_service(service, by=person(request), **values),
        state=lambda: state_of(found.get(pk=service.pk), SERVICE_FIELDS) if service else {},
    )
    if saved is None:
        return page(request, "services", "edit", {**context, "form": form}, status)
    messages.success(request, _("The service “%(name)s” is saved.") % {"name": saved.name})
    return redirect("administration:services")


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("incidents")
def incidents(request: HttpRequest) -> HttpResponse:
    """Days until a resolved incident closes, and in which its requester may reopen it."""

    def state() -> dict[str, Any]:
        return state_of(IncidentSettings.current(), SETTINGS_FIELDS)

    if request.method != "POST":
        form = IncidentSettingsForm(initial={**state(), "seen": fingerprint(state())})
        return page(request, "incidents", "incidents", {"form": form})
    form = IncidentSettingsForm(request.POST)
    saved, status = submit(form, lambda values: save_settings(actor=actor_of(request), **values), state=state)
    if saved is None:
        return page(request, "incidents", "incidents", {"form": form}, status)
    messages.success(request, _("Saved. It counts at once, also for incidents that are resolved already."))
    return redirect("administration:incidents")
