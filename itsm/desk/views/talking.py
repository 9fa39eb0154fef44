"""Replies and work notes from the ticket page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket, sent_number, ticket_for_page, viewer_of
from itsm.desk.answers import done, is_conflict, problems_of, status_of, wants_parts
from itsm.desk.drafts import Draft
from itsm.desk.forms import MoveForm
from itsm.desk.holding import can_be_held, hold, release_own
from itsm.desk.keeping import files_of, forget_sent
from itsm.desk.links import ticket_url
from itsm.desk.models import StoredDraft, undo_seconds_of
from itsm.desk.page import composer, page_context
from itsm.desk.sending import Unseen, send, way_of
from itsm.desk.undoing import take_back_url
from itsm.desk.uploads import uploaded_files
from itsm.tickets.actions import StoredFile
from itsm.tickets.errors import VerbError
from itsm.tickets.models import Visibility


@require_POST
@desk_required
def comment(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Send what stands in the composer; what is refused comes back with everything that was typed.

    A reply from a page that can take it back is held first, for as long as the person chose.
    """
    ticket = find_ticket(request, kind, ref)
    draft = Draft(body=request.POST.get("body", ""), visibility=request.POST.get("visibility", ""))
    held = None
    try:
        draft = _draft(request)
        seconds = undo_seconds_of(viewer_of(request)) if can_be_held(ticket, draft) else 0
        with uploaded_files(request) as uploads:
            files = (*_kept_files(request, ticket, draft), *uploads)
            if seconds:
                held = hold(ticket, draft, files, actor=desk_actor(request), seconds=seconds)
            else:
                _send_now(request, ticket, draft, files)
    except VerbError as error:
        return _refused(request, ticket, draft, error)
    return _sent(request, ticket, draft) if held is None else _held(request, ticket, held, seconds)


def _draft(request: HttpRequest) -> Draft:
    posted = request.POST
    return Draft(
        body=posted.get("body", ""),
        visibility=posted.get("visibility", Visibility.PUBLIC),
        then=posted.get("then", ""),
        seen=sent_number(request, "seen"),
        force=posted.get("force") == "1",
        submission_key=posted.get("submission_key", ""),
        wants_undo=posted.get("undo") == "1" and wants_parts(request),
        base=posted.get("draft_rev", ""),
        kept=tuple(posted.getlist("kept")[:50]),
    )


def _kept_files(request: HttpRequest, ticket: Any, draft: Draft) -> tuple[StoredFile, ...]:
    """Return the files of the person's own draft that the form names."""
    if not draft.kept:
        return ()
    own = StoredDraft.objects.of(request.user).unsent().filter(ticket_id=ticket.pk)
    return tuple(file for row in own for file in files_of(row, draft.kept))


def _send_now(request: HttpRequest, ticket: Any, draft: Draft, files: tuple[StoredFile, ...]) -> None:
    author = viewer_of(request)
    if draft.visibility == Visibility.PUBLIC:
        release_own(ticket, author)
    send(ticket, draft, files, actor=desk_actor(request))
    forget_sent(author, ticket, draft.visibility, draft.body, draft.base, draft.kept)


def _held(request: HttpRequest, ticket: Any, held: StoredDraft, seconds: int) -> HttpResponse:
    text = ngettext("The reply goes out in %(n)d second", "The reply goes out in %(n)d seconds", seconds)
    undo = take_back_url(held, ticket)
    return done(request, ticket, text % {"n": seconds}, undo=undo, stays=seconds, with_composer=True)


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
        "sent_then": draft.then,
        "messages": error.messages if isinstance(error, Unseen) else [],
    }
    if draft.submission_key:
        typed["submission_key"] = draft.submission_key
    context["composer"] = composer(fresh, desk_actor(request), context["moves"], context["drafts"], **typed)
    context["refresh"] = is_conflict(error)
    context["page_url"] = ticket_url(fresh)
    template = "desk/composer_refused.html" if wants_parts(request) else "desk/detail.html"
    return render(request, template, context, status=status_of(error))
