"""The page on which the desk says what the portal shows of an outage."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from incidents.actions import publish_outage, withdraw_outage
from incidents.models import OUTAGE_TEXT_MAX, Incident, Outage
from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket
from itsm.desk.answers import problems_of, status_of
from itsm.desk.links import ticket_url
from itsm.tickets.errors import VerbError
from itsm.tickets.rules import can


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def outage(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the words and who has joined, by site; publish, change or withdraw."""
    incident = find_ticket(request, "incident", ref)
    actor = desk_actor(request)
    answer = can("ticket.edit", actor, incident)
    if not answer:
        raise PermissionDenied(answer.reason)
    shown = Outage.objects.filter(incident=incident).first()
    if request.method != "POST":
        typed = {"title": shown.title, "text": shown.text} if shown else {"title": incident.title, "text": ""}
        return _page(request, incident, shown, typed)
    typed = {name: request.POST.get(name, "") for name in ("title", "text")}
    try:
        if request.POST.get("do") == "withdraw":
            withdraw_outage(incident, actor=actor)
            messages.success(request, _("The portal no longer shows it."))
        else:
            publish_outage(incident, actor=actor, title=typed["title"], text=typed["text"])
            messages.success(request, _("The portal shows it now."))
    except VerbError as error:
        problems = problems_of(error) or {"": error.message}
        return _page(request, incident, shown, {**typed, "problems": problems}, status=status_of(error))
    return redirect(ticket_url(incident))


def _page(
    request: HttpRequest, incident: Any, shown: Outage | None, typed: dict[str, Any], status: int = 200
) -> HttpResponse:
    sites = Incident.objects.children_of(incident).values("requester__location__name").annotate(n=Count("pk"))
    context = {
        "ticket": incident,
        "outage": shown,
        "is_live": shown is not None and shown.withdrawn_at is None and incident.is_open,
        "sites": list(sites.order_by("-n", "requester__location__name")),
        "text_max": OUTAGE_TEXT_MAX,
        "crumbs": [(incident.number, ticket_url(incident)), (_("Known outage"), "")],
        **typed,
    }
    return render(request, "incidents/outage.html", context, status=status)
