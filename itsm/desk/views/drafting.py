"""What the browser says while somebody writes: keep this, these files too, throw it away, bring it back, I am gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from itsm.accounts.access import desk_required
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.desk import presence
from itsm.desk.access import viewer_of
from itsm.desk.answers import SEE_OTHER, done, refused, status_of, wants_parts
from itsm.desk.drafts import shown_draft
from itsm.desk.forms import SendingForm
from itsm.desk.holding import take_back as take_back_message
from itsm.desk.keeping import add_files, discard_draft, remove_file, restore_draft, save_draft
from itsm.desk.links import ticket_url
from itsm.desk.models import SendingPreference, StoredDraft, UndoTime, undo_seconds_of
from itsm.desk.sending import was_written
from itsm.desk.undoing import restore_url
from itsm.desk.uploads import uploaded_files
from itsm.tickets.errors import IllegalMove, Invalid, VerbError
from itsm.tickets.models import Ticket, Visibility

DESK_PLACES = frozenset(Visibility.values)
# Forms of their own: who may open them, and where they are.
FORMS: dict[str, tuple[Permission | None, str]] = {
    "portal-report": (None, "portal:report"),
    "new-incident": (Permission.USE_DESK, "workspace:new"),
}
PORTAL = "portal"
REF = 32  # digits of a public id
View = Callable[..., HttpResponse]


def signed_in(view: View) -> View:
    """Let the person in whose page it is: 401 when nobody is signed in any more, 409 when somebody else is. Read by
    static/js/drafts.js, which puts both into words and loses no text."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return JsonResponse({"error": _("Your session has ended. Sign in again.")}, status=401)
        wanted = request.POST.get("person")
        if wanted is not None and wanted != viewer_of(request).public_id:
            return JsonResponse({"error": _("Somebody else has signed in here.")}, status=409)
        return view(request, *args, **kwargs)

    return guarded


def _place(request: HttpRequest) -> tuple[Any, str]:
    """Return the ticket (None: a form of its own) and the place that the page names.

    Raises:
        Http404: there is no such place for the person.
    """
    user, number = viewer_of(request), request.POST.get("ticket", "")
    place = request.POST.get("place") or request.POST.get("visibility", "")
    if number:
        ticket = Ticket.objects.visible_to(user).by_ref(number).first() if len(number) <= 32 else None
        if ticket is not None and (place == PORTAL or (place in DESK_PLACES and user.may(Permission.USE_DESK))):
            return ticket, place
    elif place in FORMS:
        needed, _address = FORMS[place]
        if needed is None or user.may(needed):
            return None, place
    raise Http404(_("There is no such page."))


def _said(draft: StoredDraft | None) -> JsonResponse:
    return JsonResponse({"rev": "", "versions": [], "files": []} if draft is None else shown_draft(draft))


def _not_done(error: VerbError) -> JsonResponse:
    return JsonResponse({"error": error.message}, status=status_of(error))


@require_POST
@signed_in
def save(request: HttpRequest) -> HttpResponse:
    """Keep what is being written; answers with the draft. A page whose text was sent meanwhile is told so."""
    ticket, place = _place(request)
    posted, user = request.POST, viewer_of(request)
    key = posted.get("key", "")[:60]
    if ticket is not None and key and _was_sent(ticket, key, user):
        return JsonResponse({"sent": True})
    try:
        draft = save_draft(
            user,
            ticket,
            place,
            posted.get("body", ""),
            base=posted.get("base", ""),
            fields=_fields(posted.get("fields", "")),
            aside=posted.get("aside", ""),
        )
    except VerbError as error:
        return _not_done(error)
    return _said(draft)


def _was_sent(ticket: Any, key: str, user: User) -> bool:
    on_its_way = StoredDraft.objects.of(user).held().filter(ticket_id=ticket.pk, submission_key=key)
    return on_its_way.exists() or was_written(ticket, key, user)


def _fields(text: str) -> dict[str, str] | None:
    if not text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Invalid({"fields": _("This page is out of date. Load it again, then try once more.")})
    return found


@require_POST
@signed_in
def files(request: HttpRequest) -> HttpResponse:
    """Store files with the draft of the place, so that they outlive the page; answers with the draft."""
    ticket, place = _place(request)
    try:
        with uploaded_files(request) as uploads:
            draft = add_files(viewer_of(request), ticket, place, uploads)
    except VerbError as error:
        return _not_done(error)
    return _said(draft)


@require_POST
@signed_in
def file_removed(request: HttpRequest) -> HttpResponse:
    """Take a stored file off the draft of the place; answers with the draft."""
    ticket, place = _place(request)
    return _said(remove_file(viewer_of(request), ticket, place, request.POST.get("file", "")[:100]))


@require_POST
@signed_in
def discard(request: HttpRequest) -> HttpResponse:
    """Throw the draft of the place away. The modules are told how to undo it, a plain form goes back to its page."""
    ticket, place = _place(request)
    draft = discard_draft(viewer_of(request), ticket, place)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"undo": restore_url(draft) if draft is not None else "", "text": _("Draft discarded")})
    if draft is not None:
        messages.success(request, _("Draft discarded"))
    return HttpResponseRedirect(_page_of(ticket, place), status=SEE_OTHER)


def _page_of(ticket: Any, place: str) -> str:
    try:
        if ticket is None:
            return reverse(FORMS[place][1])
        return reverse("portal:request", args=[ticket.number]) if place == PORTAL else ticket_url(ticket) or "/"
    except NoReverseMatch:  # that room is not installed
        return "/"


@require_POST
def restore(request: HttpRequest, public_id: str) -> HttpResponse:
    """Bring a draft back that was thrown away, and go to where it was written."""
    if not request.user.is_authenticated:
        return redirect_to_login("/")
    draft = restore_draft(viewer_of(request), public_id)
    if draft is None:
        raise Http404(_("That draft is gone for good."))
    ticket = draft.ticket
    if ticket is not None and draft.place in DESK_PLACES and wants_parts(request):
        return done(request, ticket, _("Draft restored"), with_composer=True)
    messages.success(request, _("Draft restored"))
    return HttpResponseRedirect(_page_of(ticket, draft.place), status=SEE_OTHER)


@require_POST
@desk_required
def take_back(request: HttpRequest, public_id: str) -> HttpResponse:
    """Make a held reply a draft again, unless it has gone out."""
    number = request.GET.get("ticket", "")
    ticket = Ticket.objects.visible_to(request.user).by_ref(number).first() if 0 < len(number) <= 32 else None
    if ticket is None:
        raise Http404(_("There is no such ticket."))
    if take_back_message(viewer_of(request), public_id) is None:
        return refused(request, ticket, IllegalMove(_("This reply has gone out already and cannot be taken back.")))
    return done(request, ticket, _("Not sent. The text is in the composer."), with_composer=True)


@require_safe
@signed_in
def session(request: HttpRequest) -> HttpResponse:
    """Answer who is signed in and which token forms must carry: a page that outlived its session goes on with them."""
    return JsonResponse({"person": viewer_of(request).public_id, "token": get_token(request)})


@require_POST
@signed_in
def leave(request: HttpRequest) -> HttpResponse:
    """Say that the person has closed the page of the ticket."""
    ref = request.POST.get("ref", "")
    if len(ref) != REF:
        raise Http404(_("There is no such ticket."))
    presence.leave(ref, viewer_of(request))
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def sending(request: HttpRequest) -> HttpResponse:
    """Show and save for how long one's replies can be taken back."""
    user = viewer_of(request)
    if request.method != "POST":
        form = SendingForm(initial={"undo_seconds": undo_seconds_of(user)})
        return render(request, "desk/sending.html", {"form": form})
    form = SendingForm(request.POST)
    if not form.is_valid():
        return render(request, "desk/sending.html", {"form": form}, status=422)
    chosen = UndoTime(form.cleaned_data["undo_seconds"])
    SendingPreference.objects.update_or_create(user=user, defaults={"undo_seconds": chosen})
    messages.success(request, _("Saved. It counts for the next reply."))
    return HttpResponseRedirect(reverse("desk:sending"), status=SEE_OTHER)
