"""Opening an incident on behalf of somebody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.desk.drafts import form_context, form_draft, form_initial
from itsm.desk.keeping import files_of
from itsm.desk.models import StoredDraft
from itsm.desk.posting import forget_form
from itsm.tickets.actions import StoredFile, discard, matrix_priority, store_upload
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.errors import Invalid, Refused, TooLarge
from itsm.tickets.kinds import all_kinds
from itsm.tickets.models import Level, Ticket
from itsm.tickets.models.ticket import QUEUE_ORDER
from workspace.access import desk, person
from workspace.forms import OpenIncidentForm
from workspace.rows import row_fields, rows_of, ticket_url

MOST_SIMILAR = 5
PLACE = "new-incident"  # where the draft of this form is kept


@require_http_methods(["GET", "HEAD", "POST"])
@desk
def new(request: HttpRequest) -> HttpResponse:
    """The form, and what it opens. A refused form comes back as it was typed, with what to do at each field."""
    user = person(request)
    if not user.may(Permission.OPEN_FOR_OTHERS):
        raise Refused(_("You may look at tickets, but not open them for others. Use the portal for your own."))
    draft = form_draft(user, PLACE)
    if request.method != "POST":
        # What the address asks for is newer than what was left here.
        asked = {name: value for name, value in _asked(request, user).items() if value}
        initial = {"submission_key": uuid4().hex, **form_initial(draft), **asked}
        return _page(request, OpenIncidentForm(user=user, initial=initial), draft)
    form = OpenIncidentForm(request.POST, request.FILES, user=user)
    if not form.is_valid():
        return _page(request, form, draft, status=422)
    try:
        incident = _open(form.cleaned_data, user, files_of(draft, request.POST.getlist("kept")))
    except Invalid as error:
        for name, text in error.fields.items():
            form.add_error(name if name in form.fields else None, text)
        return _page(request, form, draft, status=422)
    except TooLarge as error:
        form.add_error("files", error.message)
        return _page(request, form, draft, status=413)
    forget_form(request, PLACE, field="description")
    messages.success(request, _("%(number)s is open.") % {"number": incident.number}, extra_tags=PLACE)
    return redirect(ticket_url(incident))


def _open(values: dict[str, Any], user: User, kept_files: tuple[StoredFile, ...]) -> Any:
    files: tuple[StoredFile, ...] = ()
    try:
        for upload in values["files"]:
            files = (*files, store_upload(upload))
        incident = open_incident(
            actor=Actor(user, Channel(values["channel"])),
            files=(*kept_files, *files),
            submission_key=values["submission_key"] or None,
            **{name: values[name] for name in (
                "title", "description", "requester", "category", "service", "impact", "urgency", "team", "assignee"
            )},
        )  # fmt: skip
    except (Invalid, Refused, TooLarge):
        discard(files)
        raise
    kept = set(incident.attachments.values_list("storage_key", flat=True)) if files else set()
    discard(tuple(file for file in files if file.storage_key not in kept))
    return incident


def _asked(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the address fills in: `?requester=` (a public id) and `?title=`."""
    ref = request.GET.get("requester", "")[:32]
    found = User.objects.visible_to(user).active().filter(public_id=ref).first() if ref else None
    return {"requester": found.public_id if found else None, "title": request.GET.get("title", "")[:200]}


def _page(request: HttpRequest, form: OpenIncidentForm, draft: StoredDraft | None, status: int = 200) -> HttpResponse:
    context = {
        **form_context(draft, PLACE),
        "form": form,
        "about": [form["category"], form["service"]],
        "how_bad": [form["impact"], form["urgency"]],
        "requester": form.picked("requester"),
        "assignee": form.picked("assignee"),
        "other_kinds": [
            (kind, reverse(kind.new_url_name)) for kind in all_kinds() if kind.new_url_name and kind.code != "incident"
        ],
        "priority": matrix_priority(_level(form["impact"].value()), _level(form["urgency"].value())),
    }
    return render(request, "workspace/new.html", context, status=status)


def _level(value: Any) -> int:
    return int(value) if str(value) in {str(level) for level in Level.values} else Level.LOW


@require_safe
@desk
def priority(request: HttpRequest) -> HttpResponse:
    """The priority that this impact and urgency give, as a fragment."""
    given = matrix_priority(_level(request.GET.get("impact")), _level(request.GET.get("urgency")))
    return render(request, "workspace/new.html#priority", {"priority": given})


@require_safe
@desk
def similar(request: HttpRequest) -> HttpResponse:
    """Open tickets of the chosen person, those that share words with the title first, and open incidents of anybody
    that speak of the same, as a fragment."""
    user = person(request)
    ref = request.GET.get("requester", "")[:32]
    who = User.objects.visible_to(user).filter(public_id=ref).first() if ref else None
    rows = []
    if who is not None:
        theirs = row_fields(Ticket.objects.visible_to(user).open().filter(requester=who)).order_by(*QUEUE_ORDER)[:50]
        words = _words(request.GET.get("title", ""))
        near = sorted(theirs, key=lambda ticket: -len(words & _words(ticket.title)))
        rows = rows_of(near[:MOST_SIMILAR])
    title = request.GET.get("title", "").replace("\x00", "")
    service = request.GET.get("service", "")
    service_id = int(service) if service.isascii() and service.isdecimal() and len(service) < 10 else None
    same = Incident.objects.visible_to(user).similar_to(title, service_id=service_id)
    others = rows_of(row_fields(same)[:MOST_SIMILAR])
    return render(request, "workspace/new.html#similar", {"who": who, "similar": rows, "others": others})


def _words(text: str) -> set[str]:
    return {word for word in text.lower().split() if len(word) > 2}
