"""The status banner: what of a running major incident is shown on other pages, for everybody or for the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from incidents.major.models import MajorIncident, MajorUpdate
from incidents.major.states import MajorState
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.models import Link

MOST_RUNNING = 100
SERVICES_SHOWN = 5


@dataclass(frozen=True)
class Banner:
    """What `components/status_banner.html` draws. `said_at`: when the text was sent; `next_at`: when the next update is
    promised, None: none is. `number` is for the desk alone."""

    headline: str
    text: str
    since: datetime | None
    said_at: datetime | None
    next_at: datetime | None
    is_overdue: bool
    services: Sequence[str] = ()
    joined: int = 0
    number: str = ""


def running_majors(request: HttpRequest) -> list[int]:
    """Return the ids of the running major incidents that the person sees; asked once for each request."""
    found: list[int] | None = getattr(request, "_running_majors", None)
    if found is None:
        user = request.user
        rows = Incident.objects.visible_to(user).running_majors() if isinstance(user, User) else Incident.objects.none()
        found = list(rows.order_by("pk").values_list("pk", flat=True)[:MOST_RUNNING])
        request._running_majors = found  # type: ignore[attr-defined]
    return found


def with_updates(outages: QuerySet[Any]) -> QuerySet[Any]:
    """Return the outages with `said_at`, when the last update of a major incident went to the portal, and with what
    is known of the major incident, in the same query."""
    sent = MajorUpdate.objects.filter(incident=OuterRef("incident"), to_portal=True)
    rows = outages.select_related("incident__service", "incident__major")
    return rows.annotate(said_at=Subquery(sent.values("sent_at")[:1]))


def portal_banner(outage: Any, now: datetime) -> Banner | None:
    """Return what everybody may read of an outage that is a running major incident; None for any other. No query: the
    outage comes from `with_updates`."""
    incident = outage.incident
    if incident.major_state != MajorState.ACCEPTED:
        return None
    major = incident.major
    return Banner(
        headline=outage.title,
        text=outage.text,
        since=outage.published_at,
        said_at=outage.said_at,
        next_at=major.next_update_at if major.to_portal else None,
        is_overdue=major.to_portal and major.is_overdue(now),
        services=[str(incident.service)] if incident.service is not None else [],
        joined=incident.child_count,
    )


def desk_banner(request: HttpRequest, ticket: Any, now: datetime) -> Banner | None:
    """Return what the desk reads on a ticket that is part of a running major incident or linked to one, else None.

    Asks nothing more while none is running.
    """
    running = [pk for pk in running_majors(request) if pk != ticket.pk]
    if not running:
        return None
    above = getattr(ticket, "parent_id", None)
    if ticket.kind != "incident" or above not in running:
        above = _linked(ticket, running)
    if above is None:
        return None
    latest = MajorUpdate.objects.filter(incident=OuterRef("pk"))
    rows: QuerySet[Any] = MajorIncident.objects.select_related("incident__service").annotate(
        headline=Subquery(latest.values("headline")[:1]),
        said=Subquery(latest.values("text")[:1]),
        said_at=Subquery(latest.values("sent_at")[:1]),
    )
    major = rows.get(pk=above)
    felt = Incident.objects.children_of(major.incident).exclude(service=None).values_list("service__name", flat=True)
    service = major.incident.service
    names = list(felt.distinct().order_by("service__name")[:SERVICES_SHOWN])
    return Banner(
        headline=major.headline or major.incident.title,
        text=major.said or "",
        since=major.accepted_at,
        said_at=major.said_at,
        next_at=major.next_update_at,
        is_overdue=major.is_overdue(now),
        services=list(dict.fromkeys([*([str(service)] if service is not None else []), *names])),
        number=major.incident.number,
    )


def _linked(ticket: Any, running: list[int]) -> int | None:
    """Return the first running major incident that the ticket is linked to, whichever way; one query."""
    rows = Link.objects.filter(Q(source=ticket.pk, target__in=running) | Q(target=ticket.pk, source__in=running))
    ends = rows.order_by("pk").values_list("source_id", "target_id").first()
    return None if ends is None else next(pk for pk in ends if pk in running)
