"""The page on which messages and files are chosen that become an incident of their own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from incidents.actions import split
from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.desk.access import desk_actor, find_ticket, sent_number, viewer_of
from itsm.desk.answers import problems_of, status_of
from itsm.desk.links import ticket_url
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import Attachment, Comment
from itsm.tickets.rules import can


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def split_off(request: HttpRequest, ref: str) -> HttpResponse:
    """Show what can be chosen, and open the new incident. A refused form comes back as it was filled in."""
    incident = find_ticket(request, "incident", ref)
    actor = desk_actor(request)
    answer = can("ticket.edit", actor, incident)
    if not answer:
        raise PermissionDenied(answer.reason)
    if request.method != "POST":
        return _page(request, incident, {"title": "", "submission_key": uuid4().hex, "version": incident.version})
    try:
        fresh = split(
            incident,
            actor=actor,
            title=request.POST.get("title", ""),
            description=request.POST.get("description", ""),
            comments=list(dict.fromkeys(request.POST.getlist("comment"))),
            attachments=list(dict.fromkeys(request.POST.getlist("file"))),
            requester=_requester(request),
            version=sent_number(request, "version"),
            submission_key=request.POST.get("submission_key") or None,
        )
    except VerbError as error:
        typed = {name: request.POST.get(name, "") for name in ("title", "description", "submission_key", "requester")}
        chosen = {*request.POST.getlist("comment"), *request.POST.getlist("file")}
        problems = problems_of(error) or {"": error.message}
        context = {**typed, "chosen": chosen, "problems": problems, "version": incident.version}
        return _page(request, incident, context, status=status_of(error))
    messages.success(request, _("%(number)s was split off.") % {"number": fresh.number})
    return redirect(ticket_url(fresh))


def _requester(request: HttpRequest) -> User | None:
    ref = request.POST.get("requester", "")
    if not ref:
        return None
    found = User.objects.visible_to(viewer_of(request)).active().filter(public_id=ref[:32]).first()
    if found is None:
        raise Invalid({"requester": _("Choose a person from the list.")})
    return found


def _page(request: HttpRequest, incident: Any, context: dict[str, Any], status: int = 200) -> HttpResponse:
    said = Comment.objects.visible_to(request.user).filter(ticket_id=incident.pk)
    files = Attachment.objects.visible_to(request.user).filter(ticket_id=incident.pk, comment=None)
    person = User.objects.filter(public_id=str(context.get("requester") or "")[:32]).first()
    shown = {
        "ticket": incident,
        "comments": list(said.select_related("author").prefetch_related("attachments")),
        "files": list(files.select_related("uploaded_by")),
        "person": person or incident.requester,
        "crumbs": [(incident.number, ticket_url(incident)), (_("Split"), "")],
        **context,
    }
    return render(request, "incidents/split.html", shown, status=status)
