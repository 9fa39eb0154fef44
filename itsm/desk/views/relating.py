"""Links to other tickets, and the people who watch."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.desk.access import desk_actor, find_ticket, viewer_of
from itsm.desk.answers import done, refused
from itsm.tickets.actions import link, unlink, unwatch, watch
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import Link, Ticket


@require_POST
@desk_required
def add_link(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Link the ticket to the ticket whose number was typed."""
    ticket = find_ticket(request, kind, ref)
    number, link_kind = request.POST.get("number", "").strip(), request.POST.get("kind", "")
    try:
        other = Ticket.objects.visible_to(request.user).by_ref(number).first() if 0 < len(number) <= 32 else None
        if other is None:
            raise Invalid({"number": _("There is no ticket with that number. Check it, for example INC0010001.")})
        link(ticket, other, link_kind, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, ticket, error, link_error=error.message, link_number=number, link_kind=link_kind)
    return done(request, ticket, _("Linked to %(number)s") % {"number": other.number})


@require_POST
@desk_required
def remove_link(request: HttpRequest, kind: str, ref: str, public_id: str) -> HttpResponse:
    """Remove a link of this ticket, whichever end it is."""
    ticket = find_ticket(request, kind, ref)
    found = Link.objects.select_related("source", "target").filter(public_id=public_id).first()
    if found is None or ticket.pk not in {found.source_id, found.target_id}:
        raise Http404(_("There is no such link."))
    try:
        unlink(found, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, ticket, error, link_error=error.message)
    return done(request, ticket, _("Link removed"))


@require_POST
@desk_required
def add_watcher(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Let the chosen person watch; without one, the viewer."""
    ticket = find_ticket(request, kind, ref)
    chosen = request.POST.get("person", "")
    try:
        person: User | None = viewer_of(request)
        if chosen:
            person = User.objects.visible_to(viewer_of(request)).active().filter(public_id=chosen[:32]).first()
        if person is None:
            raise Invalid({"person": _("Choose a person from the list.")})
        watch(ticket, person, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, ticket, error, watch_error=error.message)
    return done(request, ticket, _("%(person)s now watches") % {"person": person})


@require_POST
@desk_required
def remove_watcher(request: HttpRequest, kind: str, ref: str, public_id: str) -> HttpResponse:
    """Stop the person watching."""
    ticket = find_ticket(request, kind, ref)
    person = User.objects.visible_to(viewer_of(request)).filter(public_id=public_id).first()
    if person is None:
        raise Http404(_("There is no such person."))
    try:
        unwatch(ticket, person, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, ticket, error, watch_error=error.message)
    return done(request, ticket, _("%(person)s no longer watches") % {"person": person})
