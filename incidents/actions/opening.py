"""Opening an incident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from cmdb.models import Service
from incidents.models import Incident
from itsm.accounts.models import Team, User
from itsm.tickets.actions import StoredFile, open_ticket
from itsm.tickets.actions.files import add_attachments
from itsm.tickets.actors import Actor
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Category, Level, Visibility


@transaction.atomic
def open_incident(
    *,
    actor: Actor,
    title: str,
    description: str = "",
    requester: User | None = None,
    impact: int = Level.LOW,
    urgency: int = Level.LOW,
    category: Category | None = None,
    service: Service | None = None,
    team: Team | None = None,
    assignee: User | None = None,
    watchers: tuple[User, ...] = (),
    files: tuple[StoredFile, ...] = (),
    external_id: str = "",
    submission_key: str | None = None,
    custom: Mapping[str, Any] | None = None,
    opened_by: User | None = None,
    because: str = "",
) -> Incident:
    """Open an incident and return it: numbered, prioritised, routed, its clocks running.

    An import names who opened it then (`opened_by`). `because`: why it came to be, where its event should say so.
    The same `submission_key` from the same person gives the incident opened before, and adds no files.

    Raises:
        Invalid, Refused: see `itsm.tickets.actions.open_ticket`.
    """
    incident: Incident = open_ticket(
        kind_of("incident"),
        actor=actor,
        title=title,
        description=description,
        requester=requester,
        impact=impact,
        urgency=urgency,
        category=category,
        service=service,
        team=team,
        assignee=assignee,
        watchers=watchers,
        external_id=external_id,
        submission_key=submission_key,
        custom=custom,
        opened_by=opened_by,
        said={"because": because} if because else None,
    )
    is_new = incident.event_seq == 1 and not incident.attachments.exists() if files else False
    if is_new:
        add_attachments(incident, files, actor=actor, visibility=Visibility.PUBLIC, at=incident.opened_at)
    return incident
