"""Moves from one status to another: a dialog of the ticket page, and a page of its own without JavaScript."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket, sent_number, ticket_for_page, viewer_of
from itsm.desk.answers import done, is_conflict, problems_of, status_of, wants_parts
from itsm.desk.forms import MoveForm, PriorityForm, VerbForm
from itsm.desk.history import happenings
from itsm.desk.holding import release_own
from itsm.desk.models import StoredDraft
from itsm.desk.page import TONES, page_context
from itsm.desk.sending import Unseen, unseen_messages
from itsm.tickets.actions import override_priority
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import Visibility
from itsm.tickets.moves import Move, check_move


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def move(request: HttpRequest, kind: str, ref: str, name: str) -> HttpResponse:
    """Show the fields of the move, or make it."""
    ticket = find_ticket(request, kind, ref)
    found = ticket.kind_info.moves.get(name)
    if found is None:
        raise Http404(_("There is no such move."))
    if request.method != "POST":
        return _ask(request, ticket, found)
    given = {field.name: request.POST.get(field.name, "") for field in found.fields}
    try:
        version = _check_seen(request, ticket)
        ticket.kind_info.perform(ticket, name, actor=desk_actor(request), fields=given, version=version)
    except VerbError as error:
        form = MoveForm(found, request.POST, problems_of(error), ticket=ticket)
        return _refused(request, ticket, _dialog(found), form, error)
    return done(request, ticket, _("%(number)s: %(move)s") % {"number": ticket.number, "move": found.label})


def _check_seen(request: HttpRequest, ticket: Any) -> int | None:
    """Return the version that the move is to find, after what the person holds on the ticket has gone out: their own
    reply is no news to them.

    Raises:
        Unseen: a colleague noted something since the person saw the page; a reply moves the version, which the verb
            compares. Invalid: no numbers.
    """
    version, seen = sent_number(request, "version"), sent_number(request, "seen")
    viewer = viewer_of(request)
    if seen is not None and (notes := unseen_messages(ticket, seen, viewer, (Visibility.INTERNAL,))):
        raise Unseen(notes)
    if not StoredDraft.objects.of(viewer).held().filter(ticket_id=ticket.pk).exists():
        return version
    before = ticket.version
    release_own(ticket, viewer)
    ticket.refresh_from_db(fields=["version"])
    return ticket.version if version == before else version


def _ask(request: HttpRequest, ticket: Any, found: Move) -> HttpResponse:
    error: VerbError | None = None
    try:
        check_move(ticket, found, desk_actor(request))
    except VerbError as refused:
        error = refused
    context = {
        "ticket": ticket,
        "move": _dialog(found),
        "form": MoveForm(found, ticket=ticket),
        "notice": error.message if error else "",
        "is_closed": error is not None,
    }
    return render(request, "desk/move.html", context, status=status_of(error) if error else 200)


def _dialog(found: Move) -> dict[str, Any]:
    return {
        "name": found.name,
        "label": found.label,
        "tone": TONES.get(found.emphasis, "btn-primary"),
        "dialog": f"move-{found.name}" if found.fields else "",
    }


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def priority(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Set the priority against the matrix, with a reason."""
    ticket = find_ticket(request, kind, ref)
    dialog = {"name": "priority", "label": _("Set the priority"), "tone": "btn-primary", "dialog": "set-priority"}
    if request.method != "POST":
        context = {"ticket": ticket, "move": dialog, "form": PriorityForm.of(ticket)}
        return render(request, "desk/move.html", context)
    try:
        override_priority(
            ticket,
            _priority_sent(request),
            reason=request.POST.get("reason", ""),
            actor=desk_actor(request),
            version=sent_number(request, "version"),
        )
    except VerbError as error:
        form = PriorityForm(request.POST, problems_of(error), auto_id="set-priority-%s")
        return _refused(request, ticket, dialog, form, error)
    return done(request, ticket, _("Priority saved"))


def _priority_sent(request: HttpRequest) -> int:
    value = request.POST.get("priority", "")
    if len(value) != 1 or value not in "12345":
        raise Invalid({"priority": _("Choose a priority from the list.")})
    return int(value)


def _refused(
    request: HttpRequest, ticket: Any, dialog: dict[str, Any], form: VerbForm, error: VerbError
) -> HttpResponse:
    """Answer with the form as it was filled in, why it was refused, and what is new on the ticket."""
    fresh = ticket_for_page(request, ticket.kind, ticket.number)
    context = page_context(request, fresh)
    try:
        seen = sent_number(request, "seen")
    except Invalid:
        seen = None
    conflict = is_conflict(error)
    actor = desk_actor(request)
    context |= {
        "move": dialog,
        "form": form,
        # What is wrong with fields stands in their dialog; a move without one says it in the notice.
        "notice": "" if problems_of(error) and dialog["dialog"] else error.message,
        "news": unseen_messages(fresh, seen, actor.user, Visibility.values) if conflict and seen is not None else [],
        "happened": happenings(fresh, seen, actor.user) if conflict and seen is not None and actor.user else [],
        "refresh": conflict,
    }
    template = "desk/move_refused.html" if wants_parts(request) else "desk/move.html"
    return render(request, template, context, status=status_of(error))
