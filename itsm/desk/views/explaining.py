"""Why is this due then? The explanation of one clock, as a drawer over the ticket page and as a page of its own."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.access import desk_required
from itsm.desk.access import ticket_for_page
from itsm.desk.answers import wants_parts
from slas.explain import explain, find_timer


@require_safe
@desk_required
def clock(request: HttpRequest, kind: str, ref: str, timer: str) -> HttpResponse:
    """Answer with everything that led to the clock's due time; htmx gets the drawer, a browser the page."""
    ticket = ticket_for_page(request, kind, ref)
    found = find_timer(ticket, timer)
    if found is None:
        raise Http404(_("This ticket has no such clock."))
    template = "desk/clock_drawer.html" if wants_parts(request) else "desk/clock.html"
    return render(request, template, {"ticket": ticket, "why": explain(found, ticket)})
