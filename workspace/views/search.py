"""Looking for things: tickets open and closed, completions of the search bar, people and teams for comboboxes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.models import Team, User
from itsm.conditions import suggest
from itsm.tickets.models import Ticket
from workspace.access import desk, person
from workspace.board import board_of
from workspace.rows import ticket_url
from workspace.schema import context_of, queue_schema
from workspace.search import read_search, search_q, ticket_numbers, ticket_with_number
from workspace.views.queue import render_board

MAX_ROWS = 8
MAX_TEXT = 200


@require_safe
@desk
def search(request: HttpRequest) -> HttpResponse:
    """Search all tickets, open and closed; a ticket's number leads straight to it."""
    found = ticket_with_number(request.GET.get("q", ""), person(request))
    if found is not None:
        return redirect(ticket_url(found))
    return render_board(request, board_of(request, everywhere=True))


@require_safe
@desk
def suggestions(request: HttpRequest) -> JsonResponse:
    """What could stand where the cursor is: `{"results": [{"text", "label", "start", "end"}]}`."""
    text = request.GET.get("q", "")
    try:
        cursor = int(request.GET.get("cursor", len(text)))
    except ValueError:
        cursor = len(text)
    found = suggest(text, cursor, queue_schema(), context_of(request))
    rows = [{"text": one.text, "label": str(one.label), "start": one.start, "end": one.end} for one in found]
    return JsonResponse({"results": rows})


@require_safe
@desk
def palette(request: HttpRequest) -> JsonResponse:
    """Tickets for the palette: `{"results": [{"text", "hint", "url"}]}`, a ticket with that number first."""
    text, user = request.GET.get("q", "")[:MAX_TEXT], person(request)
    condition, read = search_q(read_search(text), read_search("").condition, context_of(request))
    visible = Ticket.objects.visible_to(user).only("kind", "number", "title", "status")
    numbers = ticket_numbers(text)
    tickets: list[Ticket] = list(visible.filter(number__in=numbers)[:MAX_ROWS]) if numbers else []
    if read.text and not read.problem and not tickets:
        tickets = list(visible.filter(condition).order_by("-updated_at", "-id")[:MAX_ROWS])
    rows = [
        {
            "text": f"{one.number} {one.title}",
            "hint": f"{one.kind_info.label} · {one.status_label}",
            "url": ticket_url(one),
        }
        for one in tickets
    ]
    return JsonResponse({"results": rows})


def _hint(ticket: Ticket) -> str:
    return f"{ticket.kind_info.label} · {ticket.status_label}"


@require_safe
@desk
def people(request: HttpRequest) -> JsonResponse:
    """People for a combobox: `{"results": [{"value", "text"}]}`; `?work=1` those who work on tickets only."""
    text = request.GET.get("q", "").strip()[:MAX_TEXT]
    found = User.objects.visible_to(person(request)).active()
    if request.GET.get("work"):
        found = found.workers()
    found = found.search(text) if text else found
    rows = found.order_by("display_name", "pk").values_list("public_id", "display_name", "email", "is_vip")[:MAX_ROWS]
    return _options(
        (ref, f"{name} · {email}" + (f" · {_('VIP')}" if is_vip else "")) for ref, name, email, is_vip in rows
    )


@require_safe
@desk
def teams(request: HttpRequest) -> JsonResponse:
    """Active teams for a combobox: `{"results": [{"value", "text"}]}`."""
    text = request.GET.get("q", "").strip()[:MAX_TEXT]
    found = Team.objects.visible_to(person(request)).active().filter(name__icontains=text)
    return _options(found.values_list("public_id", "name")[:50])


def _options(pairs: Any) -> JsonResponse:
    return JsonResponse({"results": [{"value": value, "text": text} for value, text in pairs]})
