"""How far a ticket's effects on others have come, asked every other second while they run; and trying again."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket
from itsm.desk.answers import done, refused
from itsm.desk.spreads import progress
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Spread
from itsm.tickets.rules import can
from itsm.tickets.spreading import retry_parked


@require_safe
@desk_required
def spreads(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Return the fragment that shows how far they have come."""
    ticket = find_ticket(request, kind, ref)
    found = progress(request, ticket) or {"spreads": [], "is_running": False}
    works = bool(can("ticket.note", desk_actor(request), ticket))
    return render(request, "desk/_spreads.html", {"ticket": ticket, "works": works, **found})


@require_POST
@desk_required
def retry_spread(request: HttpRequest, kind: str, ref: str, public_id: str) -> HttpResponse:
    """Let what failed be tried again."""
    ticket = find_ticket(request, kind, ref)
    order = Spread.objects.filter(source_id=ticket.pk, public_id=public_id).select_related("source").first()
    if order is None:
        raise Http404(_("There is nothing of that kind on this ticket."))
    try:
        count = retry_parked(order, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, ticket, error)
    text = ngettext("%(n)d ticket is tried again", "%(n)d tickets are tried again", count) % {"n": count}
    return done(request, ticket, text)
