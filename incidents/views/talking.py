"""Replies and work notes from the ticket page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from incidents.access import desk_actor, find_incident, incident_for_page, sent_number
from incidents.answers import done, is_conflict, page_url, problems_of, status_of, wants_parts
from incidents.forms import MoveForm
from incidents.models import Incident
from incidents.page import composer, page_context
from incidents.sending import AND_HOLD, AND_RESOLVE, Draft, Unseen, send
from incidents.statuses import MOVES
from incidents.uploads import uploaded_files
from itsm.accounts.access import desk_required
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Visibility


@require_POST
@desk_required
def comment(request: HttpRequest, ref: str) -> HttpResponse:
    """Send what stands in the composer; what is refused comes back with everything that was typed."""
    incident = find_incident(request, ref)
    draft = Draft(body=request.POST.get("body", ""), visibility=request.POST.get("visibility", ""))
    try:
        draft = _draft(request)
        with uploaded_files(request) as files:
            send(incident, draft, files, actor=desk_actor(request))
    except VerbError as error:
        return _refused(request, incident, draft, error)
    return _sent(request, incident, draft)


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


def _sent(request: HttpRequest, incident: Incident, draft: Draft) -> HttpResponse:
    if draft.visibility != Visibility.PUBLIC:
        return done(request, incident, _("Work note added"), with_composer=True)
    if draft.then == AND_RESOLVE:
        url = reverse("incidents:move", args=[incident.number, "resolve"])
        form = MoveForm(MOVES["resolve"], initial={"resolution_notes": draft.body})
        return done(
            request, incident, _("Reply sent"), then=url, with_composer=True, open_move="resolve", open_form=form
        )
    text = _("Reply sent, waiting for the requester") if draft.then == AND_HOLD else _("Reply sent")
    return done(request, incident, text, with_composer=True)


def _refused(request: HttpRequest, incident: Incident, draft: Draft, error: VerbError) -> HttpResponse:
    fresh = incident_for_page(request, incident.number)
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
    context["page_url"] = page_url(fresh)
    template = "incidents/composer_refused.html" if wants_parts(request) else "incidents/detail.html"
    return render(request, template, context, status=status_of(error))
