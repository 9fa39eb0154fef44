"""Opening a change: from a template, or short first and its plans afterwards."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from changes.actions import open_change
from changes.actions.library import open_from_template
from changes.desk import FIXABLE
from changes.forms import FromTemplateForm, OpenForm
from changes.models import Change, ChangeTemplate
from changes.statuses import ChangeType
from changes.views.common import actor_of, door, page, submit, viewer_of
from itsm.accounts.roles import Permission
from itsm.tickets.actions import link
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.models import LinkKind, Ticket

SHARED = (
    "title",
    "description",
    "affected",
    "affected_other",
    "requester",
    "team",
    "assignee",
    "planned_start",
    "planned_end",
    "submission_key",
)


@require_http_methods(["GET", "HEAD", "POST"])
@door
def new(request: HttpRequest) -> HttpResponse:
    """The choice of a template or a type, and the short form."""
    _require_worker(request)
    fixed = _to_fix(request, request.POST.get("fixes") or request.GET.get("fixes", ""))
    start: dict[str, Any] = {
        "submission_key": uuid4().hex,
        "change_type": request.GET.get("type", ChangeType.NORMAL),
        "fixes": fixed.number if fixed else "",
        "affected": [fixed.service.public_id] if fixed and fixed.service and fixed.service.is_active else [],
    }
    form = OpenForm(request.POST or None, viewer=viewer_of(request), initial=start)
    if request.method == "POST":
        made, status = submit(form, lambda values: _open(request, values, fixed))
        if made is not None:
            return _done(request, made)
    else:
        status = 200
    usable = ChangeTemplate.objects.usable().select_related("current__team")
    return page(request, "new", {"form": form, "templates": () if fixed else usable, "fixed": fixed}, status)


def _to_fix(request: HttpRequest, number: str) -> Ticket | None:
    """Return the problem or incident that the change shall fix; None: none is named, or none that it can be."""
    ref = number.strip().replace("\x00", "")[:40]
    if not ref:
        return None
    return Ticket.objects.visible_to(viewer_of(request)).by_ref(ref).filter(kind__in=FIXABLE).first()


def _open(request: HttpRequest, values: dict[str, Any], fixed: Ticket | None) -> Change:
    shared = {name: values[name] for name in SHARED}
    if values["fixes"] and fixed is None:
        raise Invalid({"fixes": _("There is no problem or incident %(number)s.") % {"number": values["fixes"]}})
    change = open_change(
        actor=actor_of(request),
        change_type=values["change_type"],
        is_retroactive=values["is_retroactive"],
        actual_start=values["actual_start"],
        actual_end=values["actual_end"],
        service=next(iter(values["affected"]), None),
        **shared,
    )
    if fixed is not None:
        link(fixed, change, LinkKind.FIXED_BY, actor=actor_of(request))
    return change


@require_http_methods(["GET", "HEAD", "POST"])
@door
def from_template(request: HttpRequest, key: str) -> HttpResponse:
    """The short form of a change that a template plans."""
    _require_worker(request)
    template = get_object_or_404(ChangeTemplate.objects.usable().select_related("current"), key=key)
    version = template.current
    if version is None:  # nothing usable is without
        raise Http404
    start = {"submission_key": uuid4().hex, "title": version.title, "description": version.description}
    form = FromTemplateForm(request.POST or None, viewer=viewer_of(request), template=template, initial=start)
    status = 200
    if request.method == "POST":
        made, status = submit(form, lambda values: _from_template(request, template, values))
        if made is not None:
            return _done(request, made)
    return page(request, "from_template", {"form": form, "template": template, "version": version}, status)


def _from_template(request: HttpRequest, template: ChangeTemplate, values: dict[str, Any]) -> Change:
    shared = {name: values[name] for name in SHARED}
    return open_from_template(template, actor=actor_of(request), justification=values["justification"], **shared)


def _done(request: HttpRequest, change: Change) -> HttpResponse:
    messages.success(request, _("%(number)s is open.") % {"number": change.number})
    return redirect("changes:detail", change.number)


def _require_worker(request: HttpRequest) -> None:
    if not viewer_of(request).may(Permission.WORK_TICKETS):
        raise Refused(_("You may look at changes, but not open them."))
