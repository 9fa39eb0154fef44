"""The page behind the links in a mail. Opening it changes nothing, since mail scanners open every link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from itsm.notifications.addresses import ticket_path
from itsm.notifications.links import BadLink, ExpiredLink, Purpose, ReadLink, read_token
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused, VerbError


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Say what the link will do and, on POST, do it as the person to whom the mail was sent."""
    try:
        read = read_token(token)
    except ExpiredLink:
        return _end(request, _("This link has expired. Open the request in the portal instead."), status=410)
    except BadLink:
        text = _("This link is not valid. Copy the whole address from the mail, or open the request in the portal.")
        return _end(request, text, status=404)
    ticket = read.ticket
    if ticket.resolved_at != read.event.at or ticket.closed_at is not None:
        return _over(request, read, ticket)
    if request.method != "POST":
        return _form(request, read, ticket)
    actor = Actor(read.user, Channel.MAIL)
    fields = {field.name: request.POST.get(field.name, "") for field in ticket.kind_info.moves[read.purpose].fields}
    try:
        ticket.kind_info.perform(ticket, read.purpose.value, actor=actor, fields=fields, version=ticket.version)
    except Invalid as error:
        return _form(request, read, ticket, problems=error.fields, status=422)
    except VerbError as error:
        return _end(request, error.message, status=403 if isinstance(error, Refused) else 409, read=read)
    return redirect("notifications:link", token=token)


def _over(request: HttpRequest, read: ReadLink, ticket: Any) -> HttpResponse:
    """Answer a link whose resolution is past: it did its work, or something else happened."""
    values = {"number": ticket.number}
    if read.purpose == Purpose.CLOSE and ticket.closed_at is not None and ticket.resolved_at == read.event.at:
        return _end(request, _("%(number)s is closed. Thank you for the answer.") % values, read=read)
    if read.purpose == Purpose.REOPEN and ticket.is_open:
        return _end(request, _("%(number)s is open again, and the service desk has been told.") % values, read=read)
    text = _("This link has been used, or %(number)s has moved on since the mail. See in the portal how it stands.")
    return _end(request, text % values, status=410, read=read)


def _form(
    request: HttpRequest, read: ReadLink, ticket: Any, *, problems: Mapping[str, str] | None = None, status: int = 200
) -> HttpResponse:
    problems = problems or {}
    move = ticket.kind_info.moves[read.purpose]
    fields = [(field, request.POST.get(field.name, ""), problems.get(field.name, "")) for field in move.fields]
    context = {
        "ticket": ticket,
        "closes": read.purpose == Purpose.CLOSE,
        "label": move.portal_label or move.label,
        "fields": fields,
        "problem": "" if set(problems) <= {field.name for field in move.fields} else " ".join(problems.values()),
        "ticket_url": ticket_path(ticket, read.user),
    }
    return render(request, "notifications/link.html", context, status=status)


def _end(request: HttpRequest, text: str, *, status: int = 200, read: ReadLink | None = None) -> HttpResponse:
    ticket_url = ticket_path(read.event.ticket, read.user) if read else "/"
    context = {"text": text, "went_well": status == 200, "ticket_url": ticket_url}
    return render(request, "notifications/link_end.html", context, status=status)
