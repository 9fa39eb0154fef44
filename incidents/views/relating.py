"""Links to other tickets, and the people who watch."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from incidents.access import desk_actor, find_incident, viewer_of
from incidents.answers import done, parts, status_of, wants_parts, whole_page
from incidents.models import Incident
from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.tickets.actions import link, unlink, unwatch, watch
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import Link, Ticket


@require_POST
@desk_required
def add_link(request: HttpRequest, ref: str) -> HttpResponse:
    """Link the incident to the ticket whose number was typed."""
    incident = find_incident(request, ref)
    number, kind = request.POST.get("number", "").strip(), request.POST.get("kind", "")
    try:
        other = Ticket.objects.visible_to(request.user).by_ref(number).first() if 0 < len(number) <= 32 else None
        if other is None:
            raise Invalid({"number": _("There is no ticket with that number. Check it, for example INC0010001.")})
        link(incident, other, kind, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, error, link_error=error.message, link_number=number, link_kind=kind)
    return done(request, incident, _("Linked to %(number)s") % {"number": other.number})


@require_POST
@desk_required
def remove_link(request: HttpRequest, ref: str, public_id: str) -> HttpResponse:
    """Remove a link of this incident, whichever end it is."""
    incident = find_incident(request, ref)
    found = Link.objects.select_related("source", "target").filter(public_id=public_id).first()
    if found is None or incident.pk not in {found.source_id, found.target_id}:
        raise Http404(_("There is no such link."))
    try:
        unlink(found, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, error, link_error=error.message)
    return done(request, incident, _("Link removed"))


@require_POST
@desk_required
def add_watcher(request: HttpRequest, ref: str) -> HttpResponse:
    """Let the chosen person watch; without one, the viewer."""
    incident = find_incident(request, ref)
    chosen = request.POST.get("person", "")
    try:
        person: User | None = viewer_of(request)
        if chosen:
            person = User.objects.visible_to(viewer_of(request)).active().filter(public_id=chosen[:32]).first()
        if person is None:
            raise Invalid({"person": _("Choose a person from the list.")})
        watch(incident, person, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, error, watch_error=error.message)
    return done(request, incident, _("%(person)s now watches") % {"person": person})


@require_POST
@desk_required
def remove_watcher(request: HttpRequest, ref: str, public_id: str) -> HttpResponse:
    """Stop the person watching."""
    incident = find_incident(request, ref)
    person = User.objects.visible_to(viewer_of(request)).filter(public_id=public_id).first()
    if person is None:
        raise Http404(_("There is no such person."))
    try:
        unwatch(incident, person, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, error, watch_error=error.message)
    return done(request, incident, _("%(person)s no longer watches") % {"person": person})


def _refused(request: HttpRequest, incident: Incident, error: VerbError, **more: Any) -> HttpResponse:
    answer = parts if wants_parts(request) else whole_page
    return answer(request, incident.number, status=status_of(error), **more)
