"""Known outages in the portal: what is shown of them, and “Me too”."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from incidents.actions import join_outage
from incidents.major.banner import Banner, portal_banner, with_updates
from incidents.major.states import MajorState
from incidents.models import Incident, Outage
from itsm.accounts.models import User
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import VerbError
from itsm.tickets.querysets import telling_words
from portal.sentences import card

SHOWN = 10
SIMILAR = 5


def live_outages(viewer: User) -> list[dict[str, Any]]:
    """Return the outages that stand, the newest first, each with how many have joined and the viewer's own request,
    where they have one. Two queries, one where nothing is wrong."""
    found = with_updates(Outage.objects.live().with_joined()).order_by("-published_at", "-pk")
    shown = list(found[:SHOWN])
    mine: dict[int, str] = {}
    if shown:
        ids = [one.incident_id for one in shown]
        own = Incident.objects.filter(requester=viewer, closed_at=None)
        for pk, parent, number in [
            *own.filter(parent__in=ids).values_list("pk", "parent", "number"),
            *own.filter(pk__in=ids).values_list("pk", "pk", "number"),
        ]:
            mine[parent or pk] = number
    return [
        {
            "ref": one.public_id,
            "title": one.title,
            "text": one.text,
            "service": one.incident.service,
            "since": one.published_at,
            "joined": one.joined,
            "own": mine.get(one.incident_id, ""),
            "banner": portal_banner(one, timezone.now()),
        }
        for one in shown
    ]


def banner_over(incident: Incident) -> Banner | None:
    """Return the banner of the running major incident that the request is, or is part of, as far as the portal shows
    it; None where there is none. One query for such a request, none for any other."""
    if incident.parent_id is None and incident.major_state != MajorState.ACCEPTED:
        return None
    rows = Outage.objects.live().filter(incident=incident.parent_id or incident.pk)
    outage = with_updates(rows).first()
    return portal_banner(outage, timezone.now()) if outage is not None else None


@login_required
@require_safe
def outages(request: HttpRequest) -> HttpResponse:
    """Show the known outages."""
    return render(request, "portal/outages.html", {"outages": live_outages(_viewer(request)), "portal_page": "home"})


@login_required
@require_POST
def join(request: HttpRequest, ref: str) -> HttpResponse:
    """Say “me too” and lead to the person's own request; a second click leads to the same one."""
    outage = Outage.objects.select_related("incident").filter(public_id=ref, withdrawn_at=None).first()
    if outage is None:
        raise Http404(_("There is no such outage."))
    try:
        own = join_outage(outage, actor=Actor(_viewer(request), Channel.PORTAL))
    except VerbError as error:
        messages.warning(request, error.message)
        return redirect("portal:outages")
    messages.success(request, _("Noted. This is your own request; we tell you here and by e-mail when it is fixed."))
    return redirect("portal:request", own.number)


@login_required
@require_safe
def similar(request: HttpRequest) -> HttpResponse:
    """Return, as a fragment, known outages and the person's own open requests that speak of the same as the title."""
    viewer = _viewer(request)
    title = request.GET.get("title", "").replace("\x00", "")[:200]
    service = request.GET.get("service", "")
    service_id = int(service) if service.isascii() and service.isdecimal() and len(service) < 10 else None
    own = Incident.objects.visible_to(viewer).involving(viewer).similar_to(title, service_id=service_id)
    standing = [one for one in live_outages(viewer) if _speaks_of(one, title, service_id)]
    context = {
        "cards": _cards(list(own.select_related("assignee", "team").defer("search")[:SIMILAR])),
        "outages": standing,
    }
    return render(request, "portal/similar.html", context)


def _speaks_of(outage: dict[str, Any], title: str, service_id: int | None) -> bool:
    """Return whether the outage is of the chosen service, or has at least half of the words that tell."""
    if outage["service"] is not None and outage["service"].pk == service_id:
        return True
    words = telling_words(title)
    said = f"{outage['title']} {outage['text']}".lower()
    return bool(words) and 2 * sum(word in said for word in words) >= len(words)


def _cards(incidents: list[Incident]) -> list[dict[str, Any]]:
    return [card(incident, reverse("portal:request", args=[incident.number])) for incident in incidents]


def _viewer(request: HttpRequest) -> User:
    return request.user  # type: ignore[return-value]  # behind login_required
