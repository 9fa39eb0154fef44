"""What is behind a secret address: answering a swap request, and reading shifts as a calendar.

Opening a link changes nothing, since mail scanners open every link.
"""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from itsm.accounts.models import User
from itsm.notifications.addresses import ticket_path
from itsm.notifications.compose import language_of
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Refused, VerbError
from slas.ack_links import BadAckLink, read_ack_token
from slas.actions import accept_swap, acknowledge, decline_swap, find_feed
from slas.models import SwapRequest, SwapState, Timer
from slas.oncall_feed import content_tag, feed_calendar
from slas.swap_mail import BadSwapLink, read_swap_token, stretch_words

_TOKEN = re.compile(r"[0-9a-f]{32}", re.ASCII)
FRESH_S = 900


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def swap(request: HttpRequest, token: str) -> HttpResponse:
    """Show the request for a swap to the person it was sent to and, on POST, accept or decline it as them."""
    try:
        asked, person = read_swap_token(token)
    except BadSwapLink:
        text = _("This link is not valid any more. Sign in to see the requests that are open.")
        return render(request, "slas/swap.html", {"text": text, "went_well": False}, status=404)
    with translation.override(language_of(person)), timezone.override(person.zone):
        if request.method != "POST":
            return _page(request, asked, person)
        actor = Actor(person, Channel.MAIL)
        try:
            (accept_swap if request.POST.get("answer") == "accept" else decline_swap)(asked, actor=actor)
        except VerbError as error:
            status = 403 if isinstance(error, Refused) else 409
            return render(request, "slas/swap.html", {"text": error.message, "went_well": False}, status=status)
    return redirect("slas:swap", token=token)


def _page(request: HttpRequest, asked: SwapRequest, person: User) -> HttpResponse:
    shift = stretch_words(asked.starts_at, asked.ends_at)
    context: dict[str, object] = {"swap": asked, "shift": shift, "zone": timezone.get_current_timezone_name()}
    if asked.return_starts_at and asked.return_ends_at:
        context["in_return"] = stretch_words(asked.return_starts_at, asked.return_ends_at)
    status = 200
    if asked.state == SwapState.ACCEPTED and asked.answered_by_id == person.pk:
        context |= {"text": _("The shift is yours: %(shift)s. Thank you.") % {"shift": shift}, "went_well": True}
    elif asked.state == SwapState.ACCEPTED:
        context |= {"text": _("Somebody else has taken this shift. You need not do anything."), "went_well": True}
    elif asked.state != SwapState.OPEN:
        words = {"state": asked.get_state_display().lower()}
        context |= {"text": _("This request is %(state)s. You need not do anything.") % words, "went_well": True}
    elif asked.starts_at <= db_now():
        context |= {"text": _("This shift has begun, so the request has expired."), "went_well": False}
        status = 410
    return render(request, "slas/swap.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Ask and, on POST, acknowledge the ticket's escalation as the person to whom the mail was sent."""
    try:
        ticket, person = read_ack_token(token)
    except BadAckLink:
        text = _("This link is not valid any more. Sign in to see the ticket.")
        return render(request, "slas/acknowledge.html", {"text": text, "went_well": False}, status=404)
    context: dict[str, object] = {"ticket": ticket, "ticket_url": ticket_path(ticket, person)}
    with translation.override(language_of(person)), timezone.override(person.zone):
        if request.method == "POST":
            try:
                acknowledge(ticket, actor=Actor(person, Channel.MAIL))
            except VerbError as error:
                context |= {"text": error.message, "went_well": False}
                status = 403 if isinstance(error, Refused) else 409
                return render(request, "slas/acknowledge.html", context, status=status)
            return redirect("slas:acknowledge", token=token)
        if not Timer.objects.filter(ticket_id=ticket.pk, acknowledged_at=None).active().exists():
            text = _("The escalation of %(number)s has stopped. Nobody else is called.") % {"number": ticket.number}
            context |= {"text": text, "went_well": True}
        return render(request, "slas/acknowledge.html", context)


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The shifts behind a secret address as iCalendar; 404 where it was revoked or replaced."""
    found = find_feed(token) if _TOKEN.fullmatch(token) else None
    if found is None:
        raise Http404
    with translation.override(language_of(found.owner)):
        body = feed_calendar(found, db_now())
    tag = quote_etag(content_tag(body))
    if tag in [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]:
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="on-call.ics"'
    response["ETag"] = tag
    response["Cache-Control"] = f"private, max-age={FRESH_S}"
    return response
