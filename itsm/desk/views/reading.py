"""The ticket page, its preview, what keeps it fresh, its history, and what its selects search."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.desk.access import due_on, find_ticket, ticket_for_page, viewer_of
from itsm.desk.answers import parts
from itsm.desk.choices import SEARCHES, search
from itsm.desk.history import history_rows
from itsm.desk.holding import release_due
from itsm.desk.models import StoredDraft
from itsm.desk.page import page_context, present_context
from itsm.desk.presence import VIEW, beat, token_of, with_senders
from itsm.tickets.kinds import kind_of
from itsm.tickets.querysets import get_visible

SEARCH_MAX = 100
NUMBER_DIGITS = 10


@require_safe
@desk_required
def detail(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer with the ticket page."""
    return _page(request, kind, ref, "desk/detail.html")


@require_safe
@desk_required
def preview(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer with the ticket as the queue's right-hand pane."""
    return _page(request, kind, ref, "desk/preview.html", in_preview=True)


def _page(request: HttpRequest, kind: str, ref: str, template: str, **more: Any) -> HttpResponse:
    ticket = ticket_for_page(request, kind, ref)
    # Nobody looks at the answer to HEAD.
    people = beat(ticket, viewer_of(request), VIEW) if request.method == "GET" else None
    if ticket.is_due and release_due(ticket):
        ticket = ticket_for_page(request, kind, ref)
    return render(request, template, page_context(request, ticket, people=people, **more))


@require_safe
@desk_required
def pulse(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Answer 204 when nothing has happened since `seen` (“version.event”) and the people there are those of `shown`,
    else with the refreshed parts; with the people alone where only they changed.

    Says what the viewer is doing (`doing`), and sends the replies on the ticket that are due.
    """
    viewer = viewer_of(request)
    head = _head(kind, ref, viewer)
    if head.is_due and release_due(head):
        head = _head(kind, ref, viewer)
    people = beat(head, viewer, request.GET.get("doing", ""))
    if request.GET.get("seen") != f"{head.version}.{head.event_seq}":
        return parts(request, head, people=people)
    present = with_senders(people, head.senders)
    if request.GET.get("shown", "") == token_of(present):
        return HttpResponse(status=204)
    return render(request, "desk/presence_parts.html", present_context(present))


def _head(kind: str, ref: str, viewer: User) -> Any:
    """Return the little of the ticket that a pulse asks about, with the names of others whose reply is on its way."""
    held = StoredDraft.objects.held().filter(ticket_id=OuterRef("pk")).exclude(author=viewer)
    rows = kind_of(kind).model.objects.only("version", "event_seq", "number", "kind", "public_id")
    asked = rows.annotate(
        is_due=Exists(due_on(OuterRef("pk"))), senders=ArraySubquery(held.values("author__display_name"))
    )
    return get_visible(asked, viewer, ref)


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
