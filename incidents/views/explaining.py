"""Why is this due then? The explanation of one clock, as a drawer over the ticket page and as a page of its own."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from incidents.access import incident_for_page
from incidents.answers import wants_parts
from itsm.accounts.access import desk_required
from slas.explain import explain, find_timer


@require_safe
@desk_required
def clock(request: HttpRequest, ref: str, timer: str) -> HttpResponse:
    """Answer with everything that led to the clock's due time; htmx gets the drawer, a browser the page."""
    incident = incident_for_page(request, ref)
    found = find_timer(incident, timer)
    if found is None:
        raise Http404(_("This ticket has no such clock."))
    template = "incidents/clock_drawer.html" if wants_parts(request) else "incidents/clock.html"
    return render(request, template, {"incident": incident, "why": explain(found, incident)})
