"""What the ticket page shows of a major incident: where it stands, and the way to the page it is run from."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from incidents.major.banner import desk_banner
from incidents.major.models import MajorIncident
from incidents.major.states import MajorState
from itsm.desk.access import desk_actor
from itsm.desk.panels import Panel
from itsm.tickets.clock import db_now
from itsm.tickets.rules import works_tickets


def _panel(request: HttpRequest, incident: Any) -> dict[str, Any] | None:
    """Where it stands; one query for an incident that was ever proposed, none for any other."""
    if incident.major_state == MajorState.NONE:
        can_be = incident.is_open and incident.parent_id is None
        return {"major": None} if can_be and works_tickets(desk_actor(request), incident) else None
    major = MajorIncident.objects.filter(incident=incident).select_related("decided_by").first()
    late = major is not None and major.is_overdue(db_now())
    return {"major": major, "state": MajorState(incident.major_state), "is_overdue": late}


def _banner(request: HttpRequest, ticket: Any) -> dict[str, Any] | None:
    """The banner on what is part of, or linked to, a running major incident."""
    banner = desk_banner(request, ticket, db_now())
    return {"banner": banner} if banner is not None else None


PANELS = (
    Panel(
        "major-banner",
        _("Major incident"),
        "incidents/major/banner_panel.html",
        _banner,
        place="main",
        order=-100,
        has_heading=False,
    ),
    Panel(
        "major",
        _("Major incident"),
        "incidents/major/panel.html",
        _panel,
        kinds=("incident",),
        place="aside",
        order=-50,
    ),
)
