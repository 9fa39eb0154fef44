"""The ticket page, its preview, what keeps it fresh, its history, and what its selects search."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incidents.access import find_incident, incident_for_page, viewer_of
from incidents.answers import parts
from incidents.choices import SEARCHES, search
from incidents.history import history_rows
from incidents.models import Incident
from incidents.page import page_context
from itsm.accounts.access import desk_required
from itsm.tickets.querysets import get_visible

SEARCH_MAX = 100
NUMBER_DIGITS = 10


@require_safe
@desk_required
def detail(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer with the ticket page."""
    incident = incident_for_page(request, ref)
    return render(request, "incidents/detail.html", page_context(request, incident))


@require_safe
@desk_required
def preview(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer with the ticket as the queue's right-hand pane."""
    incident = incident_for_page(request, ref)
    return render(request, "incidents/preview.html", page_context(request, incident, in_preview=True))


@require_safe
@desk_required
def pulse(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer 204 when nothing has happened since `seen` (“version.event”), else with the refreshed parts."""
    head = get_visible(Incident.objects.only("version", "event_seq", "number"), viewer_of(request), ref)
    if request.GET.get("seen") == f"{head.version}.{head.event_seq}":
        return HttpResponse(status=204)
    return parts(request, ref)


@require_safe
@desk_required
def history(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer with everything that was ever done to the incident, old and new values and the road it came by."""
    incident = find_incident(request, ref)
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < NUMBER_DIGITS else None
    rows, older = history_rows(incident, viewer_of(request), before=number)
    context = {"incident": incident, "rows": rows, "older": older}
    return render(request, "incidents/history.html", context)


@require_safe
@desk_required
def choices(request: HttpRequest, what: str) -> JsonResponse:
    """Answer with what a select offers for the words typed: `[{"value", "text"}]`."""
    if what not in SEARCHES:
        raise Http404(_("There is nothing of that name to choose from."))
    found = search(what, request.GET.get("q", "").strip()[:SEARCH_MAX], viewer_of(request))
    return JsonResponse([{"value": ref, "text": label} for ref, label in found], safe=False)
