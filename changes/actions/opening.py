"""Opening a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from changes.actions.editing import check_answers
from changes.actions.risking import reassess_locked
from changes.actions.values import check_others, check_services, check_times, clean_plans
from changes.models import AffectedService, Change
from changes.statuses import ChangeType
from cmdb.models import Service
from itsm.accounts.models import Team, User
from itsm.accounts.roles import Permission
from itsm.tickets.actions import open_ticket
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.kinds import kind_of
from itsm.tickets.models import Category, Level


@transaction.atomic
def open_change(
    *,
    actor: Actor,
    title: str,
    change_type: str = ChangeType.NORMAL,
    description: str = "",
    requester: User | None = None,
    impact: int = Level.LOW,
    urgency: int = Level.LOW,
    category: Category | None = None,
    service: Service | None = None,
    team: Team | None = None,
    assignee: User | None = None,
    affected: Iterable[Service] = (),
    affected_other: Iterable[str] = (),
    plans: Mapping[str, Any] | None = None,
    planned_start: datetime | None = None,
    planned_end: datetime | None = None,
    actual_start: datetime | None = None,
    actual_end: datetime | None = None,
    is_retroactive: bool = False,
    risk_answers: Mapping[str, str] | None = None,
    external_id: str = "",
    submission_key: str | None = None,
    custom: Mapping[str, Any] | None = None,
    opened_by: User | None = None,
) -> Change:
    """Open a normal change or an emergency and return it; its plans may follow later. The service named is affected
    too. `plans`: justification, implementation_plan, backout_plan, test_plan. Only an emergency is recorded after the
    act (`is_retroactive`, with its actual times).

    The same `submission_key` from the same person gives the change opened before.

    Raises:
        Invalid: a value that does not fit. Refused: only the desk opens changes. See also
        `itsm.tickets.actions.open_ticket`.
    """
    if not actor.may(Permission.WORK_TICKETS):
        raise Refused(_("Only the service desk opens changes."))
    if change_type not in (ChangeType.NORMAL, ChangeType.EMERGENCY):
        raise Invalid(
            {"change_type": _("Choose “normal” or “emergency”. A standard change is made from its template.")}
        )
    if is_retroactive and change_type != ChangeType.EMERGENCY:
        raise Invalid({"is_retroactive": _("Only an emergency is recorded after the act.")})
    services = [*affected, *([service] if service is not None else [])]
    child: dict[str, Any] = {
        "change_type": change_type,
        "is_retroactive": is_retroactive,
        "affected_other": check_others(affected_other),
        "risk_answers": check_answers(risk_answers or {}),
        **clean_plans(plans or {}),
        **check_times(planned_start=planned_start, planned_end=planned_end),
    }
    if actual_start is not None or actual_end is not None:
        if not is_retroactive:
            raise Invalid({"actual_start": _("Only an emergency that is recorded after the act has these already.")})
        child |= check_times(actual_start=actual_start, actual_end=actual_end)
    change: Change = open_ticket(
        kind_of("change"),
        actor=actor,
        title=title,
        description=description,
        requester=requester,
        impact=impact,
        urgency=urgency,
        category=category,
        service=service,
        team=team or _team_of(services),
        assignee=assignee,
        external_id=external_id,
        submission_key=submission_key,
        custom=custom,
        opened_by=opened_by,
        child=child,
    )
    if change.risk_assessed_at is None:  # else it was opened before with this key
        begin_affected(change, check_services(services), actor=actor)
        reassess_locked(change, actor=actor, at=change.opened_at)
    return change


def _team_of(services: list[Service]) -> Team | None:
    """Return the team behind the first affected service that has one: it knows the service best."""
    return next((one.support_team for one in services if one.support_team and one.support_team.is_active), None)


def begin_affected(change: Change, services: Iterable[Service], *, actor: Actor) -> None:
    """Store what a new change touches. Writes no event: it belongs to the opening."""
    AffectedService.objects.bulk_create(
        [AffectedService(change=change, service=one, added_by=actor.user) for one in services], ignore_conflicts=True
    )
