"""Parent, children, merging, and what to do with a similar incident: small forms on the ticket page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from incidents.actions import leave_parent, merge, set_parent, tell_children, unmerge
from incidents.models import Incident
from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket
from itsm.desk.answers import done, refused
from itsm.desk.links import ticket_url
from itsm.tickets.actions import link
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import LinkKind, Visibility

KIND = "incident"


def other_incident(request: HttpRequest, ref: str) -> Incident:
    """Return the incident with the number that somebody typed.

    Raises:
        Invalid: there is none that they can see.
    """
    number = ref.strip()
    found = None
    if 0 < len(number) <= 32 and "\x00" not in number:
        found = Incident.objects.visible_to(request.user).by_ref(number).first()
    if found is None:
        raise Invalid({"number": _("There is no incident with that number. Check it, for example INC0010001.")})
    return found


@require_POST
@desk_required
def parent(request: HttpRequest, ref: str) -> HttpResponse:
    """Make the incident part of the one whose number was typed."""
    incident = find_ticket(request, KIND, ref)
    number = request.POST.get("number", "")
    try:
        above = other_incident(request, number)
        set_parent(incident, above, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, error, "parent", number)
    text = _("%(number)s is now part of %(parent)s") % {"number": incident.number, "parent": above.number}
    return done(request, incident, text)


@require_POST
@desk_required
def no_parent(request: HttpRequest, ref: str) -> HttpResponse:
    """Take the incident out of the one that it is part of; answers with the page from which it was asked."""
    incident = find_ticket(request, KIND, ref)
    page = Incident.objects.filter(children=incident.pk).first() if request.POST.get("from_parent") else None
    try:
        leave_parent(incident, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, page or incident, error)
    return done(request, page or incident, _("%(number)s goes on by itself") % {"number": incident.number})


@require_POST
@desk_required
def tell(request: HttpRequest, ref: str) -> HttpResponse:
    """Write the same to the incident and to all that are part of it."""
    incident = find_ticket(request, KIND, ref)
    body = request.POST.get("body", "")
    try:
        tell_children(
            incident,
            body,
            actor=desk_actor(request),
            visibility=request.POST.get("visibility", Visibility.PUBLIC),
            submission_key=request.POST.get("submission_key") or None,
        )
    except VerbError as error:
        return refused(request, incident, error, tell_error=error.message, tell_body=body)
    return done(request, incident, _("Sent; it reaches the others within seconds"), with_composer=True)


@require_POST
@desk_required
def merge_into(request: HttpRequest, ref: str) -> HttpResponse:
    """Merge the incident into the one whose number was typed."""
    incident = find_ticket(request, KIND, ref)
    number = request.POST.get("number", "")
    try:
        survivor = other_incident(request, number)
        merge([incident], survivor, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, error, "merge", number)
    return _merged(request, incident, survivor)


@require_POST
@desk_required
def undo_merge(request: HttpRequest, ref: str) -> HttpResponse:
    """Separate the incident again from the one that it was merged into."""
    incident = find_ticket(request, KIND, ref)
    page = Incident.objects.filter(merged=incident.pk).first() if request.POST.get("from_survivor") else None
    try:
        unmerge(incident, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, page or incident, error)
    return done(request, page or incident, _("%(number)s goes on by itself again") % {"number": incident.number})


@require_POST
@desk_required
def same(request: HttpRequest, ref: str, other: str) -> HttpResponse:
    """Do what was chosen with a similar incident: merge into it, become part of it, or only link."""
    incident = find_ticket(request, KIND, ref)
    actor = desk_actor(request)
    try:
        found = other_incident(request, other)
        match request.POST.get("do"):
            case "merge":
                merge([incident], found, actor=actor)
                return _merged(request, incident, found)
            case "parent":
                set_parent(incident, found, actor=actor)
            case "link":
                link(incident, found, LinkKind.RELATED, actor=actor)
            case _:
                raise Invalid({"do": _("Choose what to do with the two incidents.")})
    except VerbError as error:
        return refused(request, incident, error)
    return done(request, incident, _("Linked to %(number)s") % {"number": found.number})


def _merged(request: HttpRequest, incident: Any, survivor: Incident) -> HttpResponse:
    words = {"number": incident.number, "survivor": survivor.number}
    text = _("%(number)s was merged into %(survivor)s") % words
    return done(request, incident, text, undo=ticket_url(incident, "unmerge"))


def _refused(request: HttpRequest, incident: Any, error: VerbError, form: str, number: str) -> HttpResponse:
    return refused(request, incident, error, family_error=error.message, family_open=form, family_number=number[:40])
