"""Policies with any of their rules, and people who act at past instants: what tests of timers' rules need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actions import comment
from itsm.tickets.actors import SYSTEM, Actor, Channel
from slas.actions import save_calendar
from slas.actions.setting_up import touch_setup
from slas.calendars import CalendarSpec
from slas.models import BusinessCalendar, EscalationChain, Goal, ServiceLevelPolicy, Timer
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, at

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}


def no_promises() -> None:
    """Take away the policies that an install begins with."""
    ServiceLevelPolicy.objects.filter(timers__isnull=True).delete()
    touch_setup()


def promise(
    metric: str,
    *targets: int | Mapping[str, Any],
    calendar: BusinessCalendar | None = None,
    chain: EscalationChain | None = None,
    name: str = "",
    **rules: Any,
) -> ServiceLevelPolicy:
    """Store a policy. A target: seconds, or the fields of a goal. `rules`: fields of the policy."""
    hours = calendar or save_calendar("Always", CalendarSpec.always(), actor=SYSTEM)
    policy = ServiceLevelPolicy.objects.create(name=name or f"{metric} {len(targets)}", metric=metric, **rules)
    for order, target in enumerate(targets, start=1):
        fields = {"target_s": target} if isinstance(target, int) else dict(target)
        Goal.objects.create(**{"policy": policy, "order": order, "calendar": hours, "chain": chain, **fields})
    touch_setup()
    return policy


def is_(field: str, value: Any, op: str = "eq") -> dict[str, Any]:
    """Return a condition of one question."""
    return {"field": field, "op": op, "value": value}


def asks(cast: Cast, incident: Any, when: datetime) -> None:
    """Let the requester write."""
    comment(incident, "Any news?", actor=requester_at(cast.rita, when))


def answers(cast: Cast, incident: Any, when: datetime) -> None:
    """Let the desk write in public."""
    comment(incident, "We are on it.", actor=at(cast.imke, when))


def requester_at(rita: User, when: datetime) -> Actor:
    """Return the requester acting at a past instant, for which they need to be an importer as well."""
    if Role.IMPORTER not in rita.roles:
        rita.roles = [*rita.roles, Role.IMPORTER]
        rita.save(update_fields=["roles"])
        rita.__dict__.pop("permissions", None)
    return Actor(rita, Channel.IMPORT, at=when)


def opened(cast: Cast, when: datetime = MONDAY_NINE, **more: Any) -> Incident:
    """Return an incident that Rita's desk opened then."""
    return open_incident(actor=at(cast.imke, when), title="Cannot print", requester=cast.rita, **more)


def cycles(incident: Any, metric: str) -> list[Timer]:
    """Return the timers of the metric in order."""
    return list(Timer.objects.filter(ticket_id=incident.pk, metric=metric).order_by("cycle_no"))


def told(incident: Any, metric: str) -> list[tuple[str, float, float | None]]:
    """Return each cycle's state, and its start and end in hours after Monday at nine."""
    return [
        (timer.state, hours_of(timer.started_at), hours_of(timer.stopped_at) if timer.stopped_at else None)
        for timer in cycles(incident, metric)
    ]


def hours_of(instant: datetime) -> float:
    """Return the instant as hours after Monday at nine."""
    return (instant - MONDAY_NINE).total_seconds() / HOUR


def steps_listed(*percents: int) -> Sequence[Mapping[str, Any]]:
    """Return the steps of a chain that tells the assignee at these percentages."""
    return [{"percent": one, "actions": [{"do": "notify", "who": ["assignee"]}]} for one in percents]
