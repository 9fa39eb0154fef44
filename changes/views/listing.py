"""The list of changes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from changes.models import Change
from changes.statuses import ChangeType, Risk, Status
from changes.views.common import door, page, viewer_of
from itsm.accounts.models import Team
from itsm.accounts.roles import Permission
from itsm.tickets.errors import Invalid
from itsm.tickets.paging import page_of

ROWS = 50
ORDER = ("-updated_at", "-id")
STANDING = "standing"


@require_safe
@door
def changes(request: HttpRequest) -> HttpResponse:
    """Changes, the last touched first; `status`, `type`, `risk`, `team` and `q` choose among them."""
    given = {name: request.GET.get(name, "").strip()[:200] for name in ("status", "type", "risk", "team", "q")}
    given["status"] = given["status"] or STANDING
    found = _chosen(Change.objects.visible_to(viewer_of(request)), given)
    try:
        shown = page_of(found, ORDER, limit=ROWS, cursor=request.GET.get("cursor"))
    except Invalid:
        return redirect("changes:list")
    context = {
        "rows": shown.rows,
        "given": given,
        "statuses": [(STANDING, _("Not yet closed")), *Status.choices, ("all", _("All"))],
        "types": ChangeType.choices,
        "risks": [(str(value), label) for value, label in Risk.choices],
        "teams": Team.objects.active().values_list("public_id", "name"),
        "next_url": _url(given, shown.next_cursor),
        "previous_url": _url(given, shown.previous_cursor),
        "may_open": viewer_of(request).may(Permission.WORK_TICKETS),
    }
    return page(request, "list", context)


def _chosen(found: Any, given: dict[str, str]) -> Any:
    found = found.with_collides().select_related("team", "assignee", "service", "template_version__template")
    if given["status"] == STANDING:
        found = found.standing()
    elif given["status"] in Status.values:
        found = found.filter(status=given["status"])
    if given["type"] in ChangeType.values:
        found = found.filter(change_type=given["type"])
    if given["risk"] in {str(value) for value in Risk.values}:
        found = found.filter(risk=int(given["risk"]))
    if given["team"].isalnum():
        found = found.filter(team__public_id=given["team"])
    words = given["q"].replace("\x00", "")
    return found.matching_text(words) if words else found


def _url(given: dict[str, str], cursor: str | None) -> str:
    asked = {name: value for name, value in given.items() if value}
    return "?" + urlencode({**asked, "cursor": cursor}) if cursor else ""
