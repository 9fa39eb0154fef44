"""Replies and work notes from the ticket page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket, sent_number, ticket_for_page
from itsm.desk.answers import done, is_conflict, problems_of, status_of, wants_parts
from itsm.desk.drafts import Draft
from itsm.desk.forms import MoveForm
from itsm.desk.links import ticket_url
from itsm.desk.page import composer, page_context
from itsm.desk.sending import Unseen, send, way_of
from itsm.desk.uploads import uploaded_files
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Visibility


@require_POST
@desk_required
def comment(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Send what stands in the composer; what is refused comes back with everything that was typed."""
    ticket = find_ticket(request, kind, ref)
    draft = Draft(body=request.POST.get("body", ""), visibility=request.POST.get("visibility", ""))
    try:
        draft = _draft(request)
        with uploaded_files(request) as files:
            send(ticket, draft, files, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, ticket, draft, error)
    return _sent(request, ticket, draft)


def _draft(request: HttpRequest) -> Draft:
    posted = request.POST
    return Draft(
        body=posted.get("body", ""),
        visibility=posted.get("visibility", Visibility.PUBLIC),
        then=posted.get("then", ""),
        seen=sent_number(request, "seen"),
        force=posted.get("force") == "1",
        submission_key=posted.get("submission_key", ""),
    )


def _sent(request: HttpRequest, ticket: Any, draft: Draft) -> HttpResponse:
    if draft.visibility != Visibility.PUBLIC:
        return done(request, ticket, _("Work note added"), with_composer=True)
    way = way_of(ticket, draft)
    said = str(way.said) if way is not None and way.said else _("Reply sent")
    if way is None or way.write is not None:
        return done(request, ticket, said, with_composer=True)
    found = ticket.kind_info.moves[way.move]
    filled = {way.fills: draft.body} if way.fills else {}
    return done(
        request,
        ticket,
        said,
        then=ticket_url(ticket, "move", way.move),
        with_composer=True,
        open_move=way.move,
        open_form=MoveForm(found, initial=filled, ticket=ticket),
    )


def _refused(request: HttpRequest, ticket: Any, draft: Draft, error: VerbError) -> HttpResponse:
    fresh = ticket_for_page(request, ticket.kind, ticket.number)
    context = page_context(request, fresh)
    problems = problems_of(error)
    typed = {
        "body": draft.body,
        "visibility": draft.visibility,
        "errors": list(problems.values()),
        "notice": "" if problems else error.message,
        "may_force": isinstance(error, Unseen),
        "keep_files": True,
        "messages": error.messages if isinstance(error, Unseen) else [],
    }
    if draft.submission_key:
        typed["submission_key"] = draft.submission_key
    context["composer"] = composer(fresh, desk_actor(request), context["moves"], **typed)
    context["refresh"] = is_conflict(error)
    context["page_url"] = ticket_url(fresh)
    template = "desk/composer_refused.html" if wants_parts(request) else "desk/detail.html"
    return render(request, template, context, status=status_of(error))
