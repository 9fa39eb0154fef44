"""What the panels of a change's page post to, and the forms that stand on a page of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from changes import actions
from changes.forms import PlanForm, ScopeForm, TimesForm
from changes.gates import PLANS
from changes.models import Change
from itsm.accounts.access import desk_required
from itsm.desk.access import desk_actor, find_ticket, sent_number, viewer_of
from itsm.desk.answers import done, problems_of, refused, status_of
from itsm.tickets.actions import link
from itsm.tickets.errors import Invalid, VerbError
from itsm.tickets.models import LinkKind, Ticket

KIND = "change"
Values = Mapping[str, Any]


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def plan(request: HttpRequest, ref: str) -> HttpResponse:
    """The four plans on a page of their own."""
    change = find_ticket(request, KIND, ref)
    start = {name: getattr(change, name) for name in PLANS}
    form = PlanForm(request.POST or None, initial=start)
    if change.template_version_id is not None and change.change_type == "standard":
        form.keep_template()
    return _form_page(request, change, form, _("Plan"), lambda values: values)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_required
def scope(request: HttpRequest, ref: str) -> HttpResponse:
    """What the change touches, on a page of its own."""
    change = find_ticket(request, KIND, ref)
    services = [row.service for row in change.affected_rows.select_related("service")]
    start = {
        "affected": [service.public_id for service in services],
        "affected_other": change.affected_other,
    }
    form = ScopeForm(request.POST or None, initial=start)
    form.fields["affected"].keep(services)  # type: ignore[attr-defined]
    return _form_page(request, change, form, _("Affected"), lambda values: values)


def _form_page(
    request: HttpRequest, change: Change, form: forms.Form, title: str, read: Callable[[Values], Values]
) -> HttpResponse:
    status = 200
    notice = ""
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                version = sent_number(request, "version")
                actions.edit_change(change, read(form.cleaned_data), actor=desk_actor(request), version=version)
            except VerbError as error:
                status = status_of(error)
                problems = problems_of(error)
                for name, text in problems.items():
                    form.add_error(name if name in form.fields else None, text)
                notice = "" if problems else error.message
                change = find_ticket(request, KIND, change.number)
            else:
                return done(request, change, _("Saved"))
    context = {"ticket": change, "form": form, "title": title, "notice": notice}
    return render(request, "changes/edit.html", context, status=status)


@require_POST
@desk_required
def window(request: HttpRequest, ref: str) -> HttpResponse:
    """Set the planned window."""
    return _times(request, ref, "planned")


@require_POST
@desk_required
def times(request: HttpRequest, ref: str) -> HttpResponse:
    """Note from when to when it was made."""
    return _times(request, ref, "actual")


def _times(request: HttpRequest, ref: str, which: str) -> HttpResponse:
    change = find_ticket(request, KIND, ref)
    form = TimesForm(request.POST)
    if not form.is_valid():
        said = " ".join(str(text) for texts in form.errors.values() for text in texts)
        return refused(request, change, Invalid({"planned_start": said}))
    values = {f"{which}_{end}": form.cleaned_data[end] for end in ("start", "end")}
    return _edit(request, change, values, _("Times saved"))


@require_POST
@desk_required
def answers(request: HttpRequest, ref: str) -> HttpResponse:
    """Answer the questions about the risk."""
    change = find_ticket(request, KIND, ref)
    sent = {name.removeprefix("risk_"): str(value) for name, value in request.POST.items() if name.startswith("risk_")}
    given = {key: value for key, value in sent.items() if value}
    return _edit(request, change, {"risk_answers": given}, "")


@require_POST
@desk_required
def reassess(request: HttpRequest, ref: str) -> HttpResponse:
    """Work the risk out anew by the rules of today."""
    change = find_ticket(request, KIND, ref)
    before = (change.risk, change.risk_points)
    try:
        change = actions.reassess(change, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, change, error)
    return done(request, change, _risk_words(change, before))


@require_POST
@desk_required
def review(request: HttpRequest, ref: str) -> HttpResponse:
    """Write the review."""
    change = find_ticket(request, KIND, ref)
    return _edit(request, change, {"review_notes": request.POST.get("review_notes", "")}, _("Review saved"))


@require_POST
@desk_required
def caused(request: HttpRequest, ref: str) -> HttpResponse:
    """Link an incident that the change caused."""
    change = find_ticket(request, KIND, ref)
    number = request.POST.get("number", "").strip().replace("\x00", "")[:40]
    found = Ticket.objects.visible_to(viewer_of(request)).by_ref(number).filter(kind="incident").first()
    try:
        if found is None:
            raise Invalid({"number": _("There is no incident with this number. Write it like INC0010001.")})
        link(found, change, LinkKind.CAUSED_BY, actor=desk_actor(request))
    except VerbError as error:
        return refused(request, change, error)
    return done(request, change, _("%(number)s is linked as caused by this change") % {"number": found.number})


def _edit(request: HttpRequest, change: Change, values: Values, said: str) -> HttpResponse:
    before = (change.risk, change.risk_points)
    try:
        version = sent_number(request, "version")
        change = actions.edit_change(change, values, actor=desk_actor(request), version=version)
    except VerbError as error:
        return refused(request, change, error)
    moved = (change.risk, change.risk_points) != before
    words = [said, _risk_words(change, before) if moved or not said else ""]
    return done(request, change, ". ".join(word for word in words if word))


def _risk_words(change: Change, before: tuple[int | None, int]) -> str:
    """Say what became of the risk: nobody learns it only later."""
    said = {"level": change.get_risk_display(), "points": change.risk_points, "before": before[1]}
    if before == (change.risk, change.risk_points):
        return _("Risk as before: %(level)s, %(points)d points") % said
    return _("Risk is now %(level)s: %(points)d points, before %(before)d") % said
