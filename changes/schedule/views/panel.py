"""What people do in the panel of a change's page: take a free slot, let the change go on in spite of collisions."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from changes.actions import edit_change
from changes.models import Change
from changes.schedule.actions import override_conflicts
from changes.schedule.views.access import actor_of, desk, viewer_of
from itsm.desk.access import sent_number
from itsm.desk.answers import done
from itsm.tickets.errors import Invalid
from itsm.tickets.querysets import get_visible


@require_POST
@desk()
def take_slot(request: HttpRequest, ref: str) -> HttpResponse:
    """Plan the change for a free slot."""
    change = get_visible(Change.objects.all(), viewer_of(request), ref)
    values = {"planned_start": _instant(request, "start"), "planned_end": _instant(request, "end")}
    edit_change(change, values, actor=actor_of(request), version=sent_number(request, "version"))
    return done(request, change, _("%(number)s is planned for the free slot.") % {"number": change.number})


@require_POST
@desk()
def override(request: HttpRequest, ref: str) -> HttpResponse:
    """Let the change go on in spite of what blocks it."""
    change = get_visible(Change.objects.all(), viewer_of(request), ref)
    reason = request.POST.get("reason", "")
    override_conflicts(change, reason=reason, actor=actor_of(request), version=sent_number(request, "version"))
    return done(request, change, _("%(number)s may go on.") % {"number": change.number})


def _instant(request: HttpRequest, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(request.POST.get(name, ""))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid({name: _("This page is out of date. Load it again, then try once more.")})
    return found
