"""One property at a time, and taking an incident."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from incidents.access import desk_actor, find_incident, incident_for_page, viewer_of
from incidents.answers import done, parts, problems_of, status_of, wants_parts, whole_page
from incidents.fields import PROPERTIES, Property, set_property
from incidents.forms import TextForm
from incidents.models import Incident
from incidents.page import page_context
from itsm.accounts.access import desk_required
from itsm.tickets.errors import VerbError
from itsm.tickets.rules import require
from slas.actions import acknowledge

WRITTEN = frozenset({"title", "description"})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def edit(request: HttpRequest, ref: str, name: str) -> HttpResponse:
    """Show a text to be edited, or save the one property that the address names; nothing else in the form counts."""
    incident = find_incident(request, ref)
    prop = PROPERTIES.get(name)
    if prop is None or (request.method != "POST" and name not in WRITTEN):
        raise Http404(_("There is no such property."))
    if request.method != "POST":
        return _ask(request, incident, prop)
    # An undo has its value in its address: its form is made by the toast and holds nothing else.
    sent = request.POST.get(name, request.GET.get(name))
    if sent is None:
        return _refused(request, incident, prop, "", _("The form holds no value. Load the page again."), 422)
    try:
        before = set_property(incident, name, sent, was=request.POST.get("was"), actor=desk_actor(request))
    except VerbError as error:
        sentence = problems_of(error).get(name, error.message)
        return _refused(request, incident, prop, sent, sentence, status_of(error))
    undo = ""
    if before != sent and name != "description":
        undo = f"{reverse('incidents:edit', args=[incident.number, name])}?{urlencode({name: before})}"
    return done(request, incident, _("%(field)s saved") % {"field": prop.label}, undo=undo)


def _ask(request: HttpRequest, incident: Incident, prop: Property) -> HttpResponse:
    form = TextForm(prop.name, str(prop.label), initial={prop.name: prop.read(incident)})
    in_place = wants_parts(request) and prop.name == "title"
    template = "incidents/title_form.html" if in_place else "incidents/edit.html"
    was = prop.read(incident)
    return render(request, template, {"incident": incident, "prop": prop, "form": form, "was": was, "value": was})


def _refused(
    request: HttpRequest, incident: Incident, prop: Property, sent: str, sentence: str, status: int
) -> HttpResponse:
    fresh = find_incident(request, incident.number)
    now = prop.read(fresh)
    if prop.name in WRITTEN:
        form = TextForm(prop.name, str(prop.label), {prop.name: sent}, {prop.name: sentence})
        context = {"incident": fresh, "prop": prop, "form": form, "was": now, "value": sent, "error": sentence}
        in_place = wants_parts(request) and prop.name == "title"
        template = "incidents/title_form.html" if in_place else "incidents/edit.html"
        return render(request, template, context, status=status)
    error = {"name": prop.name, "text": sentence}
    if wants_parts(request):
        return parts(request, fresh.number, status=status, error=error)
    whole = incident_for_page(request, fresh.number)
    return render(request, "incidents/detail.html", page_context(request, whole, error=error), status=status)


@require_POST
@desk_required
def take(request: HttpRequest, ref: str) -> HttpResponse:
    """Make the incident the viewer's own, unless somebody else took it since the page was loaded."""
    incident = find_incident(request, ref)
    viewer = viewer_of(request)
    try:
        require("ticket.assign", desk_actor(request), incident)
        before = set_property(
            incident, "assignee", viewer.public_id, was=request.POST.get("was"), actor=desk_actor(request)
        )
    except VerbError as error:
        return _refused(request, incident, PROPERTIES["assignee"], "", error.message, status_of(error))
    undo = f"{reverse('incidents:edit', args=[incident.number, 'assignee'])}?{urlencode({'assignee': before})}"
    return done(request, incident, _("%(number)s is yours") % {"number": incident.number}, undo=undo)


@require_POST
@desk_required
def acknowledge_escalation(request: HttpRequest, ref: str) -> HttpResponse:
    """Say that one has taken over what the escalation was calling for: it stops. Pressed again, nothing happens."""
    incident = find_incident(request, ref)
    try:
        acknowledge(incident, actor=desk_actor(request))
    except VerbError as error:
        return whole_page(request, incident.number, status=status_of(error), notice=error.message)
    incident = find_incident(request, ref)
    return done(request, incident, _("Acknowledged: the escalation of %(number)s stops") % {"number": incident.number})
