"""The queue: its page, its refresh, and how it looks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from itsm.tickets.models import Ticket
from itsm.tickets.querysets import get_visible
from workspace.access import desk, person
from workspace.board import Board, board_of
from workspace.filters import quick_menus
from workspace.nav import desk_nav
from workspace.preferences import COLUMNS, keep_look
from workspace.rows import preview_url

MAX_TOKEN = 40


@require_safe
@desk
def queue(request: HttpRequest) -> HttpResponse:
    """A page of open work; 422 with the same page when the search cannot be read."""
    return render_board(request, board_of(request))


def render_board(request: HttpRequest, board: Board) -> HttpResponse:
    """Return the page of a board; 422 when its search cannot be read, with the text kept and the reason under it."""
    ref = board.asked.get("open", "")
    opened = get_visible(Ticket.objects.all(), board.user, ref) if ref and not board.look.is_table else None
    context = {
        "board": board,
        "opened": opened,
        "opened_preview": preview_url(opened) if opened else "",
        "menus": quick_menus(board),
        "columns": [(name, label, name in board.look.columns) for name, label in COLUMNS.items()],
        "here": request.get_full_path(),
    }
    return render(request, "workspace/queue.html", context, status=422 if board.search.problem else 200)


@require_safe
@desk
def live(request: HttpRequest) -> HttpResponse:
    """Nothing (204) while the page whose token is given is up to date, else its rows and the rail's counts."""
    board = board_of(request)
    if request.GET.get("token", "")[:MAX_TOKEN] == board.token_now:
        return HttpResponse(status=204)
    counts = [(entry["url"], entry["count"]) for entry in desk_nav(request) if entry.get("count") is not None]
    return render(request, "workspace/fresh.html", {"board": board, "counts": counts})


@require_POST
@desk
def look(request: HttpRequest) -> HttpResponse:
    """Keep how the person wants their queue to look, and go back to it."""
    keep_look(person(request), request.POST)
    return HttpResponseRedirect(safe_next(request))


def safe_next(request: HttpRequest) -> str:
    """Return the address to go back to: the form's own `next` when it is on this site, else the queue."""
    wanted = request.POST.get("next", "")
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else reverse("workspace:queue")
