"""The ticket page, its preview, what keeps it fresh, its history, and what its selects search."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.access import desk_required
from itsm.desk.access import find_ticket, ticket_for_page, viewer_of
from itsm.desk.answers import parts
from itsm.desk.choices import SEARCHES, search
from itsm.desk.history import history_rows
from itsm.desk.page import page_context
from itsm.tickets.kinds import kind_of
from itsm.tickets.querysets import get_visible

SEARCH_MAX = 100
NUMBER_DIGITS = 10


@require_safe
@desk_required
def detail(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer with the ticket page."""
    ticket = ticket_for_page(request, kind, ref)
    return render(request, "desk/detail.html", page_context(request, ticket))


@require_safe
@desk_required
def preview(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer with the ticket as the queue's right-hand pane."""
    ticket = ticket_for_page(request, kind, ref)
    return render(request, "desk/preview.html", page_context(request, ticket, in_preview=True))


@require_safe
@desk_required
def pulse(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer 204 when nothing has happened since `seen` (“version.event”), else with the refreshed parts."""
    rows = kind_of(kind).model.objects.only("version", "event_seq", "number", "kind")
    head = get_visible(rows, viewer_of(request), ref)
    if request.GET.get("seen") == f"{head.version}.{head.event_seq}":
        return HttpResponse(status=204)
    return parts(request, head)


@require_safe
@desk_required
def history(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer with everything that was ever done to the ticket, old and new values and the road it came by."""
    ticket = find_ticket(request, kind, ref)
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < NUMBER_DIGITS else None
    rows, older = history_rows(ticket, viewer_of(request), before=number)
    context = {"ticket": ticket, "rows": rows, "older": older}
    return render(request, "desk/history.html", context)


@require_safe
@desk_required
def choices(request: HttpRequest, kind: str, what: str) -> JsonResponse:
    """Answer with what a select offers for the words typed: `[{"value", "text"}]`. The kind makes no difference."""
    if what not in SEARCHES:
        raise Http404(_("There is nothing of that name to choose from."))
    found = search(what, request.GET.get("q", "").strip()[:SEARCH_MAX], viewer_of(request))
    return JsonResponse([{"value": ref, "text": label} for ref, label in found], safe=False)
