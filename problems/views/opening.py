"""Opening a problem from a form, by itself or from an incident."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, viewer_of
from itsm.desk.answers import problems_of, status_of
from itsm.desk.links import ticket_url
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Ticket
from problems.actions import open_problem
from problems.forms import NewProblemForm
from problems.models import Problem
from problems.views.common import incidents_named, page


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def new(request: HttpRequest) -> HttpResponse:
    """The form, and opening from it. With `incident` it holds what that incident says, and will be linked to it."""
    if request.method != "POST":
        return page(request, "new", {"form": NewProblemForm(initial=_from_incident(request))})
    form = NewProblemForm(request.POST)
    status = 422
    try:
        problem = _opened(request, form)
    except ValueError:
        notice = ""
    except VerbError as error:
        form.problems = problems_of(error)
        status, notice = status_of(error), "" if form.problems else error.message
    else:
        messages.success(request, _("%(number)s is open") % {"number": problem.number})
        return redirect(ticket_url(problem))
    form.full_clean()
    return page(request, "new", {"form": form, "notice": notice}, status)


def _opened(request: HttpRequest, form: NewProblemForm) -> Problem:
    values = form.values()
    numbers = request.POST.get("incidents", "").strip()
    found = incidents_named(request, numbers, "incidents") if numbers else []
    return open_problem(actor=desk_actor(request), incidents=found, **values)


def _from_incident(request: HttpRequest) -> dict[str, Any]:
    ref = request.GET.get("incident", "").strip()
    if not ref or len(ref) > 32 or "\x00" in ref:
        return {}
    found = Ticket.objects.visible_to(viewer_of(request)).filter(kind="incident").by_ref(ref)
    incident = found.select_related("service", "category").first()
    if incident is None:
        return {}
    service = incident.service if incident.service is not None and incident.service.is_active else None
    category = incident.category if incident.category is not None and incident.category.is_active else None
    return {
        "title": incident.title,
        "description": incident.description,
        "incidents": incident.number,
        "service": service.public_id if service else "",
        "category": category.public_id if category else "",
        "impact": incident.impact,
        "urgency": incident.urgency,
    }
