"""Lists: problems, and known errors with full-text search."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from itsm.accounts.access import desk_required
from itsm.accounts.models import Team
from itsm.accounts.roles import Permission
from itsm.desk.access import viewer_of
from itsm.tickets.errors import Invalid
from itsm.tickets.paging import page_of
from problems.incidents import with_incident_counts
from problems.models import Problem
from problems.statuses import Status
from problems.views.common import page

ROWS = 50
ORDER = ("-updated_at", "-id")
STANDING = "open"
WHICH = ("current", "published", "all")


@require_safe
@desk_required
def problems(request: HttpRequest) -> HttpResponse:
    """Problems, the last touched first; `status`, `team`, `mine` and `q` choose among them."""
    given = {name: request.GET.get(name, "").strip()[:200] for name in ("status", "team", "mine", "q")}
    given["status"] = given["status"] or STANDING
    found = Problem.objects.visible_to(viewer_of(request)).with_people()
    if given["status"] == STANDING:
        found = found.filter(closed_at__isnull=True)
    elif given["status"] in Status.values:
        found = found.filter(status=given["status"])
    if given["team"].isalnum():
        found = found.filter(team__public_id=given["team"])
    if given["mine"] == "1":
        found = found.filter(assignee=viewer_of(request))
    words = given["q"].replace("\x00", "")
    if words:
        found = found.matching_text(words)
    context = {
        "given": given,
        "statuses": [(STANDING, _("Not yet closed")), *Status.choices, ("all", _("All"))],
        "teams": Team.objects.active().values_list("public_id", "name"),
    }
    return _paged(request, "list", found, context, given)


@require_safe
@desk_required
def known_errors(request: HttpRequest) -> HttpResponse:
    """Known errors: words are looked for in title, symptoms, cause and workaround together."""
    given = {name: request.GET.get(name, "").strip()[:200] for name in ("q", "which")}
    given["which"] = given["which"] if given["which"] in WHICH else "current"
    found = Problem.objects.visible_to(viewer_of(request)).known_errors().with_people()
    if given["which"] == "current":
        found = found.current()
    elif given["which"] == "published":
        found = found.published()
    words = given["q"].replace("\x00", "")
    if words:
        found = found.known_error_text(words)
    which = [("current", _("Still met")), ("published", _("In the portal")), ("all", _("All, fixed ones too"))]
    return _paged(request, "known_errors", found, {"given": given, "which": which}, given)


def _paged(request: HttpRequest, name: str, found: Any, context: dict[str, Any], given: dict[str, str]) -> HttpResponse:
    try:
        shown = page_of(with_incident_counts(found), ORDER, limit=ROWS, cursor=request.GET.get("cursor"))
    except Invalid:
        return redirect(f"problems:{name}")
    asked = {key: value for key, value in given.items() if value}

    def url(cursor: str | None) -> str:
        return "?" + urlencode({**asked, "cursor": cursor}) if cursor else ""

    return page(
        request,
        name,
        {
            **context,
            "rows": shown.rows,
            "next_url": url(shown.next_cursor),
            "previous_url": url(shown.previous_cursor),
            "may_open": viewer_of(request).may(Permission.WORK_TICKETS),
        },
    )
