"""One change to many tickets, through the same verbs as one change to one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from incidents.actions import merge, set_parent
from incidents.models import Incident
from itsm.accounts.models import Team, User
from itsm.tickets.actions import assign
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.models import Ticket
from workspace.access import desk, person
from workspace.actions import BulkResult, each
from workspace.views.queue import safe_next

MOST = 200
SHOWN = 5
MOVES = ("start", "resume", "close")
TOGETHER = ("merge", "parent")


@require_POST
@desk
def change(request: HttpRequest) -> HttpResponse:
    """Do one thing to the ticked tickets and say what became of them; a refusal of one stops no other."""
    user = person(request)
    refs = list(dict.fromkeys(request.POST.getlist("ticket")))
    if not refs:
        raise Invalid({"ticket": _("Tick at least one ticket first.")})
    if len(refs) > MOST:
        raise Invalid({"ticket": _("At most %(most)d tickets at once.") % {"most": MOST}})
    verb = _verb(request, user)
    tickets = list(Ticket.objects.visible_to(user).filter(public_id__in=[ref[:32] for ref in refs]).order_by("pk"))
    _tell(request, each(tickets, verb), missing=len(refs) - len(tickets))
    return HttpResponseRedirect(safe_next(request))


def _verb(request: HttpRequest, user: User) -> Callable[[Ticket], Any]:
    """Return what to do with each ticket.

    Raises:
        Invalid: nothing was chosen, or something that there is not.
    """
    actor = Actor(user, Channel.DESK)
    wanted = request.POST.get("do", "")
    if wanted == "take":
        return lambda ticket: assign(ticket, actor=actor, assignee=user)
    if wanted == "assignee":
        somebody = _chosen(User.objects.visible_to(user).workers(), request, "assignee", _("Choose a person."))
        return lambda ticket: assign(ticket, actor=actor, assignee=somebody)
    if wanted == "team":
        team = _chosen(Team.objects.visible_to(user).active(), request, "team", _("Choose a team."))
        return lambda ticket: assign(ticket, actor=actor, team=team)
    if wanted in TOGETHER:
        return _together(request, user, wanted)
    if wanted.removeprefix("move-") in MOVES:
        move = wanted.removeprefix("move-")
        return lambda ticket: ticket.kind_info.perform(_as_kind(ticket), move, actor=actor)
    raise Invalid({"do": _("Choose what to do with the tickets.")})


def _together(request: HttpRequest, user: User, wanted: str) -> Callable[[Ticket], Any]:
    """Return what merges each incident into the one whose number was typed, or makes it part of that one. If that one
    is ticked as well, it is passed over.

    Raises:
        Invalid: there is no incident with the number.
    """
    actor = Actor(user, Channel.DESK)
    number = request.POST.get("survivor", "").strip()
    known = 0 < len(number) <= 32 and "\x00" not in number
    other = Incident.objects.visible_to(user).by_ref(number).first() if known else None
    if other is None:
        raise Invalid({"survivor": _("There is no incident with that number. Check it, for example INC0010001.")})

    def do(ticket: Ticket) -> Any:
        if ticket.pk == other.pk:
            return ticket
        if ticket.kind != "incident":
            raise Refused(_("Only incidents are merged or made part of one another."))
        return (
            merge([_as_kind(ticket)], other, actor=actor)
            if wanted == "merge"
            else set_parent(_as_kind(ticket), other, actor=actor)
        )

    return do


def _as_kind(ticket: Ticket) -> Any:
    return ticket.kind_info.model.objects.get(pk=ticket.pk)


def _chosen(queryset: Any, request: HttpRequest, name: str, otherwise: str) -> Any:
    found = queryset.filter(public_id=request.POST.get(name, "")[:32]).first()
    if found is None:
        raise Invalid({name: otherwise})
    return found


def _tell(request: HttpRequest, result: BulkResult, *, missing: int) -> None:
    if result.changed:
        count = len(result.changed)
        messages.success(request, ngettext("%(n)d ticket changed.", "%(n)d tickets changed.", count) % {"n": count})
    if not result.refused and not missing:
        return
    reasons = [f"{number}: {why}" for number, why in result.refused[:SHOWN]]
    if len(result.refused) > SHOWN:
        reasons.append(_("and %(n)d more") % {"n": len(result.refused) - SHOWN})
    if missing:
        reasons.append(_("%(n)d are no longer there") % {"n": missing})
    count = len(result.refused) + missing
    text = ngettext("%(n)d ticket not changed.", "%(n)d tickets not changed.", count) % {"n": count}
    messages.warning(request, f"{text} {' · '.join(reasons)}")
