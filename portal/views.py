"""What an end user sees and does: report, follow, answer, confirm, reopen, cancel."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cmdb.models import Service
from incidents.actions import open_incident, perform, reply
from incidents.family import survivor_of
from incidents.models import Incident
from incidents.statuses import MOVES
from incidents.waiting import wait_of
from itsm.accounts.models import User
from itsm.desk.conversation import conversation
from itsm.desk.drafts import form_context, form_draft, form_initial
from itsm.desk.forms import MoveForm
from itsm.desk.keeping import files_of
from itsm.desk.posting import forget_form
from itsm.desk.uploads import uploaded_files
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale, TooLarge, VerbError
from itsm.tickets.moves import legal_moves
from itsm.tickets.paging import page_of
from itsm.tickets.querysets import get_visible
from portal.forms import ReportForm
from portal.outages import banner_over, live_outages
from portal.sentences import card, resolution_words, status_sentence, steps, waited

SHOWN_AT_HOME = 5
PAGE_ROWS = 25
NEWEST = ("-updated_at", "-id")
SHOWN_EVENTS = frozenset(
    {"incident.held", "incident.resumed", "incident.resolved", "incident.reopened", "incident.closed"}
    | {"incident.merged", "incident.unmerged", "incident.absorbed", "incident.split_from"}
    | {"incident.started", "incident.cancelled", "incident.followed_up", "ticket.attached"}
)
STATUS_OF = {Invalid: 422, TooLarge: 413, Refused: 403, IllegalMove: 409, Stale: 409}
SERVICES_SHOWN = 12
REPORT, PLACE = "portal-report", "portal"  # where drafts are kept: the form, and the composer of a request


def _viewer(request: HttpRequest) -> User:
    return cast(User, request.user)


def _actor(request: HttpRequest) -> Actor:
    return Actor(_viewer(request), Channel.PORTAL)


def _mine(request: HttpRequest) -> Any:
    """Return what the person asked for or watches: in the portal, staff see no more than others."""
    viewer = _viewer(request)
    return Incident.objects.visible_to(viewer).involving(viewer)


def _find(request: HttpRequest, number: str) -> Incident:
    found = _mine(request).select_related("requester", "assignee", "team", "service", "category", "merged_into")
    return get_visible(found, _viewer(request), number)


def _cards(incidents: list[Incident]) -> list[dict[str, Any]]:
    return [card(incident, reverse("portal:request", args=[incident.number])) for incident in incidents]


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show search, situations and the person's open requests; the desk's staff go to the desk."""
    if _viewer(request).is_staff:
        return redirect("workspace:home")
    mine = (
        _mine(request).unfinished().select_related("assignee", "team", "merged_into").order_by(*NEWEST)[:SHOWN_AT_HOME]
    )
    context = {
        "cards": _cards(list(mine)),
        "services": Service.objects.active()[:SERVICES_SHOWN],
        "outages": live_outages(_viewer(request)),
    }
    return render(request, "portal/home.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Show the form, and open an incident from it."""
    context: dict[str, Any] = {"portal_page": "report"}
    if request.method == "GET":
        service = Service.objects.active().filter(key=request.GET.get("service", "")[:60]).first()
        asked = {"service": service, "title": request.GET.get("title", "")[:200]}
        draft = form_draft(_viewer(request), REPORT)
        # What the address asks for is newer than what was left here.
        initial = {**form_initial(draft), **{name: value for name, value in asked.items() if value}}
        context |= {"form": ReportForm(initial=initial), **form_context(draft, REPORT)}
        return render(request, "portal/report.html", context)
    form = ReportForm(request.POST, request.FILES)
    draft = form_draft(_viewer(request), REPORT)
    status = 422
    if form.is_valid():
        values = form.cleaned_data
        values.pop("files")
        try:
            with uploaded_files(request) as files:
                kept = files_of(draft, request.POST.getlist("kept"))
                incident = open_incident(actor=_actor(request), files=(*kept, *files), **values)
        except Invalid as error:
            form.add_problems(error.fields)
        except VerbError as error:
            form.add_error(None, error.message)
            status = STATUS_OF[type(error)]
        else:
            forget_form(request, REPORT, field="description")
            text = _("Thank you. Your number is %(number)s. We have also sent it to you by e-mail.")
            messages.success(request, text % {"number": incident.number}, extra_tags="portal-report")
            return redirect("portal:request", incident.number)
    context |= {"form": form, **form_context(draft, REPORT)}
    return render(request, "portal/report.html", context, status=status)


@login_required
@require_GET
def requests(request: HttpRequest) -> HttpResponse:
    """List the person's requests, newest news first; `q` searches in them."""
    state = request.GET.get("state", "open")
    words = request.GET.get("q", "").strip()[:200]
    found = _mine(request).select_related("assignee", "team", "merged_into")
    if words:
        found, state = found.matching_text(words), "all"
    if state == "open":
        found = found.unfinished()
    elif state == "done":
        found = found.filter(closed_at__isnull=False)
    else:
        state = "all"
    try:
        page = page_of(found, NEWEST, limit=PAGE_ROWS, cursor=request.GET.get("cursor"))
    except Invalid:
        return redirect("portal:requests")
    context = {
        "portal_page": "requests",
        "cards": _cards(page.rows),
        "page": page,
        "state": state,
        "q": words,
        "states": [("open", _("Open")), ("done", _("Done")), ("all", _("All"))],
    }
    return render(request, "portal/requests.html", context)


def _page_context(request: HttpRequest, incident: Incident, **more: Any) -> dict[str, Any]:
    viewer = _viewer(request)
    items, _files = conversation(incident, viewer)
    draft = None if more.get("is_news") else form_draft(viewer, PLACE, incident)
    return {
        "portal_page": "requests",
        "incident": incident,
        "sentence": status_sentence(incident),
        "steps": steps(incident),
        "resolution": resolution_words(incident),
        "goes_on": _goes_on(request, incident),
        "banner": banner_over(incident),
        "waited": waited(wait_of(incident, incident.shown_events, timezone.now())),
        "items": [item for item in _unfolded(items) if _is_shown(item)],
        "moves": [move for move in legal_moves(incident, _actor(request)) if move.portal_label],
        "submission_key": uuid4().hex,
        "body": draft.body if draft is not None else "",
        **form_context(draft, PLACE),
        "state_token": f"{incident.version}-{incident.event_seq}",
        "crumbs": [(_("My requests"), reverse("portal:requests")), (incident.number, "")],
        **more,
    }


def _goes_on(request: HttpRequest, incident: Incident) -> Incident | None:
    """Return the request in which this one goes on, where the person may read it."""
    if incident.merged_into_id is None:
        return None
    found: Incident | None = _mine(request).filter(pk=survivor_of(incident).pk).first()
    return found


def _unfolded(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    for item in items:
        shown.extend(item["items"] if item["kind"] == "fold" else [item])
    return shown


def _is_shown(item: dict[str, Any]) -> bool:
    return item["kind"] != "event" or item["code"] in SHOWN_EVENTS


@login_required
@require_GET
def request_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show one request. With `since` it answers 204 while nothing changed, else the parts that may change."""
    incident = _find(request, number)
    since = request.GET.get("since")
    if since is not None:
        if since == f"{incident.version}-{incident.event_seq}":
            return HttpResponse(status=204)
        return render(request, "portal/request.html#news", _page_context(request, incident, is_news=True))
    return render(request, "portal/request.html", _page_context(request, incident))


@login_required
@require_POST
def reply_to(request: HttpRequest, number: str) -> HttpResponse:
    """Write on the request, with files; after its end this opens a new one linked to it."""
    incident = _find(request, number)
    body = request.POST.get("body", "")
    key = request.POST.get("submission_key") or None
    try:
        with uploaded_files(request) as files:
            kept = files_of(form_draft(_viewer(request), PLACE, incident), request.POST.getlist("kept"))
            answer = reply(incident, body, actor=_actor(request), files=(*kept, *files), submission_key=key)
    except VerbError as error:
        context = _page_context(request, incident, body=body, errors=[error.message])
        return render(request, "portal/request.html", context, status=STATUS_OF[type(error)])
    forget_form(request, PLACE, incident)
    sent = f"portal-{incident.public_id}"
    if answer.opened_new:
        text = _("This request had ended, so we opened %(number)s for you.") % {"number": answer.incident.number}
    else:
        text = _("Your message is sent.")
    messages.success(request, text, extra_tags=sent)
    return redirect("portal:request", answer.incident.number)


@login_required
@require_http_methods(["GET", "POST"])
def make_move(request: HttpRequest, number: str, move: str) -> HttpResponse:
    """Confirm, reopen or cancel; a move that needs words asks for them on its own page first."""
    incident = _find(request, number)
    step = MOVES.get(move)
    if step is None or not step.portal_label:
        raise Http404(_("There is no such page."))
    context = {"incident": incident, "move": step, "portal_page": "requests"}
    if request.method == "GET":
        return render(request, "portal/move.html", {**context, "form": MoveForm(step)})
    given = {field.name: request.POST.get(field.name, "") for field in step.fields}
    try:
        perform(incident, move, actor=_actor(request), fields=given)
    except Invalid as error:
        form = MoveForm(step, request.POST, error.fields)
        return render(request, "portal/move.html", {**context, "form": form}, status=422)
    except VerbError as error:
        page = _page_context(request, _find(request, number), problem=error.message)
        return render(request, "portal/request.html", page, status=STATUS_OF[type(error)])
    messages.success(request, _DONE[move]())
    return redirect("portal:request", incident.number)


_DONE = {
    "close": lambda: _("Thank you for telling us. The request is finished."),
    "reopen": lambda: _("We take it up again."),
    "cancel": lambda: _("The request is cancelled."),
}
