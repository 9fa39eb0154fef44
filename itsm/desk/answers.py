"""How the ticket page answers: refreshed parts to htmx, a redirect or a whole page to a browser without it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from itsm.desk.access import ticket_for_page
from itsm.desk.links import ticket_url
from itsm.desk.page import page_context
from itsm.tickets.errors import Invalid, Refused, TooLarge, VerbError

SEE_OTHER = 303


def wants_parts(request: HttpRequest) -> bool:
    """Return whether htmx asks for parts of a page; going back in the history it wants the whole one."""
    htmx = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.history_restore_request


def status_of(error: VerbError) -> int:
    """Return the HTTP status that says what the verb said: 422, 403, 413, else 409."""
    if isinstance(error, Invalid):
        return 422
    if isinstance(error, Refused):
        return 403
    return 413 if isinstance(error, TooLarge) else 409


def problems_of(error: VerbError) -> dict[str, str]:
    """Return the verb's sentences by field; none when it is about no field."""
    return error.fields if isinstance(error, Invalid) else {}


def is_conflict(error: VerbError) -> bool:
    """Return whether the ticket stands otherwise than the page said: then the page is brought up to date too."""
    return status_of(error) == 409


def parts(request: HttpRequest, ticket: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return every part of the ticket's page anew, read again, each to be put in its place by htmx.

    `more` goes into the context; `with_composer=True` replaces the composer too, which is otherwise left alone.
    """
    fresh = ticket_for_page(request, ticket.kind, ticket.number)
    return render(request, "desk/parts.html", page_context(request, fresh, **more), status=status)


def done(
    request: HttpRequest, ticket: Any, text: str, *, undo: str = "", stays: int = 0, then: str = "", **more: Any
) -> HttpResponse:
    """Answer that the verb did it: the refreshed parts with a toast, or a redirect to the page (or to `then`).

    `undo`: an address to which the toast's button posts. `stays`: for how many seconds, unless the usual ones.
    """
    if not wants_parts(request):
        if text:
            messages.success(request, text)
        return HttpResponseRedirect(then or ticket_url(ticket), status=SEE_OTHER)
    response = parts(request, ticket, **more)
    said: dict[str, Any] = {"toast": {"text": text, "level": "success", "undo": undo, "stays": stays}} if text else {}
    response["HX-Trigger"] = json.dumps(said)
    return response


def refused(request: HttpRequest, ticket: Any, error: VerbError, **more: Any) -> HttpResponse:
    """Answer that the verb did not do it: with what the templates need to say so (`more`), in the parts or the page.

    Without `more` the sentence stands in the notice above the ticket.
    """
    said = more or {"notice": error.message}
    answer = parts if wants_parts(request) else whole_page
    return answer(request, ticket, status=status_of(error), **said)


def whole_page(request: HttpRequest, ticket: Any, *, status: int = 200, **more: Any) -> HttpResponse:
    """Return the ticket page with what was typed and what is wrong with it."""
    fresh = ticket_for_page(request, ticket.kind, ticket.number)
    return render(request, "desk/detail.html", page_context(request, fresh, **more), status=status)
