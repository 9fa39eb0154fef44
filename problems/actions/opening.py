"""Opening a problem, by itself or from incidents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import open_ticket
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Category, Level, Ticket
from itsm.tickets.querysets import sees_all_tickets
from problems.actions.linking import link_incidents
from problems.models import Problem


@transaction.atomic
def open_problem(
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
    external_id: str = "",
    submission_key: str | None = None,
    custom: Mapping[str, Any] | None = None,
    opened_by: User | None = None,
    incidents: Iterable[Ticket] = (),
) -> Problem:
    """Open a problem and return it: numbered, prioritised, routed, its clocks running, the incidents linked to it.

    The requester is whoever raised it, always somebody of the desk; by default the actor. The same `submission_key`
    from the same person gives the problem opened before.

    Raises:
        Invalid, Refused: see `itsm.tickets.actions.open_ticket`; somebody outside the desk opens it or is to be its
            requester; a ticket that is no incident.
    """
    if not actor.may(Permission.WORK_TICKETS):
        raise Refused(_("Only the service desk can open problems."))
    if requester is not None and not sees_all_tickets(requester):
        raise Invalid(
            {"requester": _("%(name)s is not of the service desk, and could not see this.") % {"name": requester}}
        )
    problem: Problem = open_ticket(
        kind_of("problem"),
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
    )
    found = list(incidents)
    if found:
        link_incidents(problem, found, actor=actor)
        problem.refresh_from_db(fields=["event_seq", "event_hash", "updated_at", "version"])
    return problem
