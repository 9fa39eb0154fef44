"""What the ticket page shows of an incident's family: parent, children, merges, similar ones, the known outage."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from incidents.actions.merging import why_not_undone
from incidents.actions.passing import is_suspended
from incidents.models import Incident, Merge
from itsm.desk.access import desk_actor
from itsm.desk.panels import Panel
from itsm.desk.spreads import progress_panel
from itsm.tickets.clock import db_now
from itsm.tickets.rules import can

CHILDREN_SHOWN = 50
MERGED_SHOWN = 50
SIMILAR_SHOWN = 5


def _family(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    works = bool(can("ticket.link", desk_actor(request), incident))
    merged: list[Merge] = []
    if incident.merged_count:
        rows = Merge.objects.filter(survivor=incident, undone_at=None).select_related("incident", "by")
        merged = list(rows.order_by("-at", "-pk")[:MERGED_SHOWN])
    outage = getattr(incident, "outage", None)
    live = outage if outage is not None and outage.withdrawn_at is None and incident.is_open else None
    if not (works or incident.parent or merged or live):
        return None
    return {
        "merged": merged,
        "outage": live,
        "parent_is_suspended": incident.parent is not None and is_suspended(incident.parent),
        "can_join": works and incident.is_open and not incident.parent_id and not incident.child_count,
        "can_merge": works and incident.is_open and not incident.child_count,
        "can_publish": works and incident.is_open and not incident.parent_id,
        "can_split": works,
    }


def _children(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    if not incident.child_count:
        return None
    rows = Incident.objects.children_of(incident).select_related("requester__location", "team").order_by("-pk")
    shown = list(rows[:CHILDREN_SHOWN])
    return {
        "count": incident.child_count,
        "children": shown,
        "more": incident.child_count - len(shown),
        "is_suspended": is_suspended(incident),
        "can_tell": bool(can("ticket.note", desk_actor(request), incident)),
    }


def _merged_into(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    if incident.merged_into_id is None:
        return None
    made = Merge.objects.filter(incident=incident, undone_at=None).select_related("by", "survivor").first()
    if made is None:
        return None
    why_not = why_not_undone(made, incident.status, db_now())
    may = bool(can("ticket.link", desk_actor(request), incident))
    return {"merge": made, "can_undo": may and not why_not, "why_not": why_not}


def _similar(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    if not incident.is_open or incident.parent_id is not None or not can("ticket.link", desk_actor(request), incident):
        return None
    found = Incident.objects.visible_to(request.user).exclude(pk=incident.pk).exclude(parent=incident.pk)
    found = found.exclude(links_out__target=incident.pk).exclude(links_in__source=incident.pk)
    near = found.similar_to(incident.title, service_id=incident.service_id, category_id=incident.category_id)
    shown = list(near.select_related("requester", "parent", "service").defer("search", "description")[:SIMILAR_SHOWN])
    return {"similar": shown, "count": len(shown), "can_merge": not incident.child_count} if shown else None


def _place(name: str, label: Any, context: Any, **more: Any) -> Panel:
    return Panel(name, label, f"incidents/panels/{name}.html", context, kinds=("incident",), **more)


PANELS = (
    _place("merged", _("Merged"), _merged_into, place="main", order=10, has_heading=False),
    _place("children", _("Part of this"), _children, place="main", order=20),
    _place("family", _("Belongs together"), _family, order=20),
    progress_panel(("incident",), when=lambda incident: bool(incident.child_count), order=25),
    _place("similar", _("Similar open incidents"), _similar, order=30),
)
