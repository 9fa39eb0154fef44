"""The clock watch: whether every clock is watched, what is wrong, and letting parked steps be tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from itsm.tickets.errors import Invalid
from slas.actions import retry_parked
from slas.models import Alarm, Metric, StepDue, ZoneRelease
from slas.watch.figures import Figures, figures
from workspace.administration.access import actor_of, page, settings_page

PARKED_SHOWN = 50
ALARMS_SHOWN = 10
RELEASES_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """What the auditor found on one timer, in words."""

    number: str
    metric: str
    what: str
    stored: Any
    computed: Any


def difference_of(finding: dict[str, Any]) -> Difference:
    """Return a stored finding as a reader is shown it."""
    metric = finding["metric"]
    return Difference(
        number=finding["number"],
        metric=str(Metric(metric).label) if metric in Metric.values else metric,
        what=finding["what"],
        stored=_value(finding["stored"]),
        computed=_value(finding["computed"]),
    )


def _value(stored: Any) -> Any:
    """Return an instant as one, so that it is shown in the reader's zone; anything else as it is."""
    if isinstance(stored, str):
        try:
            return datetime.fromisoformat(stored)
        except ValueError:
            return stored
    return stored


@require_safe
@settings_page("clocks")
def clocks(request: HttpRequest) -> HttpResponse:
    """How the clocks stand now."""
    found = figures()
    parked = StepDue.objects.filter(parked_at__isnull=False).select_related("timer__ticket", "timer__policy")
    context = {
        "figures": found,
        "well": is_well(found),
        "parked": parked.order_by("pk")[:PARKED_SHOWN],
        "differences": [difference_of(one) for one in found.audit.findings] if found.audit else [],
        "zone_moves": ZoneRelease.objects.exclude(moved_zones=[])[:RELEASES_SHOWN],
        "past_alarms": Alarm.objects.filter(cleared_at__isnull=False)[:ALARMS_SHOWN],
    }
    return page(request, "clocks", "clocks", context)


def is_well(found: Figures) -> bool:
    """Return whether nothing is wrong and somebody is at work."""
    return not found.alarms and any(not process.is_silent for process in found.processes)


@require_POST
@settings_page("clocks")
def retry(request: HttpRequest) -> HttpResponse:
    """Let one parked step, or all, be tried again."""
    wanted = request.POST.get("step", "")
    if wanted and not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise Invalid({"step": _("There is no such step.")})
    count = retry_parked([int(wanted)] if wanted else None, actor=actor_of(request))
    text = ngettext("%(count)d step is tried again now.", "%(count)d steps are tried again now.", count)
    messages.success(request, text % {"count": count})
    return redirect("administration:clocks")
