"""On-call rotas: the list, and the editor with its layers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.changelog import fingerprint, state_of
from itsm.accounts.models import User
from itsm.tickets.clock import db_now
from slas.actions import save_rota
from slas.actions.rotas import ROTA_FIELDS
from slas.models import BusinessCalendar, Rota
from slas.rotas import on_call_now
from workspace.access import person
from workspace.administration.access import actor_of, page, settings_page, submit
from workspace.administration.forms.rotas import LayerForm, LayerSet, RotaForm, choosable


@require_safe
@settings_page("rotas")
def rotas(request: HttpRequest) -> HttpResponse:
    """All rotas with who is on call now."""
    found = list(Rota.objects.select_related("team"))
    duties = on_call_now(db_now(), found)
    rows = [(rota, [duty for duty in duties if duty.rota == rota], len(rota.layers)) for rota in found]
    return page(request, "rotas", "rotas", {"rotas": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@settings_page("rotas")
def rota(request: HttpRequest, ref: str = "") -> HttpResponse:
    """Add a rota, or change one."""
    found = get_object_or_404(Rota.objects.select_related("team"), public_id=ref) if ref else None
    initial = _initial(request, found)
    people = choosable(found)
    context: dict[str, Any] = {"title": found.name if found else _("Add a rota"), "rota": found}
    if request.method != "POST":
        form = RotaForm(initial=initial, rota=found)
        layers = LayerSet(initial=_layers(found), form_kwargs={"people": people})
        return page(request, "rotas", "rota", {**context, "form": form, "layers": layers})
    form = RotaForm(request.POST, initial=initial, rota=found)
    layers = LayerSet(request.POST, form_kwargs={"people": people})
    context |= {"form": form, "layers": layers}
    if not (layers.is_valid() and form.is_valid()):
        form.is_valid()
        return page(request, "rotas", "rota", context, 422)
    chosen = [one for one in layers.forms if one.has_people]
    refs = {ref for one in chosen for name, ref in one.cleaned_data.items() if name.startswith("member_")}
    ids = dict(User.objects.filter(public_id__in=refs - {""}).values_list("public_id", "pk"))

    def save(values: dict[str, Any]) -> Rota:
        return save_rota(
            found,
            name=values["name"],
            team=values["team"],
            time_zone=values["time_zone"],
            layers=[one.layer(ids) for one in chosen],
            is_active=values["is_active"],
            actor=actor_of(request),
            seen=values["seen"],
        )

    def state() -> dict[str, Any]:
        return state_of(Rota.objects.get(pk=found.pk), ROTA_FIELDS) if found else {}

    saved, status = submit(form, save, state=state)
    if saved is None:
        return page(request, "rotas", "rota", context, status)
    messages.success(request, _("“%(name)s” is saved. It counts from now.") % {"name": saved.name})
    return redirect("workspace:rota", ref=saved.public_id)


def _initial(request: HttpRequest, rota: Rota | None) -> dict[str, Any]:
    if rota is None:
        return {"time_zone": person(request).time_zone, "is_active": True}
    return {
        "name": rota.name,
        "team": rota.team.public_id if rota.team else "",
        "time_zone": rota.time_zone,
        "is_active": rota.is_active,
        "seen": fingerprint(state_of(rota, ROTA_FIELDS)),
    }


def _layers(rota: Rota | None) -> list[dict[str, Any]]:
    """Return what the rows show: the stored layers, or for a new rota a week each from this Monday."""
    if rota is None:
        usual = {"every": 1, "unit": "week", "weekday": 0, "handover": "09:00", "starts": timezone.localdate()}
        return [{**usual, "level": 1}]
    refs = dict(User.objects.filter(pk__in=rota.spec.people).values_list("pk", "public_id"))
    calendars = dict(BusinessCalendar.objects.values_list("pk", "public_id"))
    return [LayerForm.values_of(layer, refs, calendars) for layer in rota.spec.layers]
