"""How changes end: by team and by template, with how each figure is worked out."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from changes.runs import success_by_team, success_by_template, success_overall
from changes.views.common import door, page
from itsm.tickets.clock import db_now

SPANS = (30, 90, 180, 365)


@require_safe
@door
def success(request: HttpRequest) -> HttpResponse:
    """The figures of the last 30, 90, 180 or 365 days."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else 90
    end = db_now()
    start = end - timedelta(days=days)
    context = {
        "days": days,
        "spans": [(span, _("%(days)d days") % {"days": span}) for span in SPANS],
        "overall": success_overall(start, end),
        "sections": [
            ("teams", _("By team"), success_by_team(start, end)),
            ("templates", _("By template"), success_by_template(start, end)),
        ],
        "start": start,
    }
    return page(request, "success", context)
