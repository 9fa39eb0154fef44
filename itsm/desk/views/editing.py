"""One property at a time, and taking a ticket."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket, viewer_of
from itsm.desk.answers import done, parts, problems_of, refused, status_of, wants_parts, whole_page
from itsm.desk.forms import TextForm
from itsm.desk.links import ticket_url
from itsm.desk.properties import COMMON, Property, find_property, set_property
from itsm.tickets.errors import VerbError
from itsm.tickets.rules import require
from slas.actions import acknowledge


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def edit(request: HttpRequest, kind: str, ref: str, name: str) -> HttpResponse:
    """Show a text to be edited, or save the one property that the address names; nothing else in the form counts."""
    ticket = find_ticket(request, kind, ref)
    prop = find_property(kind, name)
    if prop is None or (request.method != "POST" and not prop.has_page):
        raise Http404(_("There is no such property."))
    if request.method != "POST":
        return _ask(request, ticket, prop)
    # An undo has its value in its address: its form is made by the toast and holds nothing else.
    sent = request.POST.get(name, request.GET.get(name))
    if sent is None:
        return _refused(request, ticket, prop, "", _("The form holds no value. Load the page again."), 422)
    try:
        before = set_property(ticket, prop, sent, was=request.POST.get("was"), actor=desk_actor(request))
    except VerbError as error:
        sentence = problems_of(error).get(name, error.message)
        return _refused(request, ticket, prop, sent, sentence, status_of(error))
    undo = ""
    if before != sent and prop.input != "text":
        undo = f"{ticket_url(ticket, 'edit', name)}?{urlencode({name: before})}"
    return done(request, ticket, _("%(field)s saved") % {"field": prop.label}, undo=undo)


def _ask(request: HttpRequest, ticket: Any, prop: Property) -> HttpResponse:
    was = prop.read(ticket)
    form = TextForm(prop, initial={prop.name: was})
    context = {"ticket": ticket, "prop": prop, "form": form, "was": was, "value": was}
    return render(request, _template(request, prop), context)


def _template(request: HttpRequest, prop: Property) -> str:
    return "desk/title_form.html" if wants_parts(request) and prop.name == "title" else "desk/edit.html"


def _refused(request: HttpRequest, ticket: Any, prop: Property, sent: str, sentence: str, status: int) -> HttpResponse:
    if prop.has_page:
        fresh = find_ticket(request, ticket.kind, ticket.number)
        now = prop.read(fresh)
        form = TextForm(prop, {prop.name: sent}, {prop.name: sentence})
        context = {"ticket": fresh, "prop": prop, "form": form, "was": now, "value": sent, "error": sentence}
        return render(request, _template(request, prop), context, status=status)
    answer = parts if wants_parts(request) else whole_page
    return answer(request, ticket, status=status, error={"name": prop.name, "text": sentence, "value": sent})


@require_POST
@desk_required
def take(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Make the ticket the viewer's own, unless somebody else took it since the page was loaded."""
    ticket = find_ticket(request, kind, ref)
    viewer = viewer_of(request)
    prop = COMMON["assignee"]
    try:
        require("ticket.assign", desk_actor(request), ticket)
        before = set_property(ticket, prop, viewer.public_id, was=request.POST.get("was"), actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, ticket, prop, "", error.message, status_of(error))
    undo = f"{ticket_url(ticket, 'edit', 'assignee')}?{urlencode({'assignee': before})}"
    return done(request, ticket, _("%(number)s is yours") % {"number": ticket.number}, undo=undo)


@require_POST
@desk_required
def acknowledge_escalation(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Say that one has taken over what the escalation was calling for: it stops. Pressed again, nothing happens."""
    ticket = find_ticket(request, kind, ref)
    try:
        acknowledge(ticket, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, ticket, error)
    return done(request, ticket, _("Acknowledged: the escalation of %(number)s stops") % {"number": ticket.number})
