"""The panel of filters, and the way from a filter to the search bar's text."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from itsm.tickets.models import Ticket
from workspace.access import desk, person
from workspace.filters import FIELDS, TicketFilter, merged, take_apart
from workspace.search import read_search

KEPT = ("view", "sort", "layout", "density")


@require_safe
@desk
def panel(request: HttpRequest) -> HttpResponse:
    """The filters as a form, set as the search is; when it is sent (`apply`), the way to the queue with that search.

    `fields` names the filters that the form has, so that a small form leaves the others alone.
    """
    search = read_search(request.GET.get("q", ""))
    back = {name: request.GET[name] for name in KEPT if request.GET.get(name)}
    target = reverse("workspace:queue" if "view" in back else "workspace:search")
    if search.problem:
        return redirect(f"{target}?{urlencode({**back, 'q': search.text})}")
    sent = bool(request.GET.get("apply"))
    filters = TicketFilter(request.GET if sent else None, Ticket.objects.visible_to(person(request)), request=request)
    fields = [name for name in request.GET.getlist("fields") if name in FIELDS] or list(FIELDS)
    if sent and filters.form.is_valid():
        text = merged(search.condition, filters.condition(), fields)
        return redirect(f"{target}?{urlencode({**back, 'q': text} if text else back)}")
    if not sent:
        values, _rest = take_apart(search.condition)
        filters.form.initial = {name: found[0] if name == "vip" else found for name, found in values.items()}
        # What the form cannot show (a team by its name, a category above the listed ones) stays as it was typed.
        fields = [name for name in FIELDS if _shows(filters, name, values.get(name, []))]
    context = {
        "filters": filters,
        "shown": [filters.form[name] for name in fields],
        "fields": fields,
        "back": back,
        "search": search,
        "queue_url": target,
    }
    template = "workspace/filters.html#panel" if request.htmx else "workspace/filters.html"  # type: ignore[attr-defined]
    return render(request, template, context, status=422 if sent else 200)


def _shows(filters: TicketFilter, name: str, values: list[object]) -> bool:
    choices = getattr(filters.form.fields[name], "choices", None)
    if choices is None or not values:
        return True
    known = {str(value) for value, _label in choices}
    return all(str(value) in known for value in values)
