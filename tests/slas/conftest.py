"""What the tests of service levels share: two policies, and a way to move time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actors import SYSTEM, Actor, Channel
from slas.actions import GoalSpec, save_calendar, save_chain, save_policy
from slas.calendars import CalendarSpec
from slas.models import Goal, ServiceLevelPolicy, StepDue, Timer
from tests.cast import Cast
from tests.memory import remembered

MINUTE, HOUR = 60, 3600
MONDAY_NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
OFFICE = CalendarSpec("UTC", (((540, 1020),),) * 5 + ((), ()))

CHAIN = [
    {"percent": 50, "actions": [{"do": "notify", "who": ["assignee"]}]},
    {"percent": 75, "actions": [{"do": "notify", "who": ["assignee", "team_lead"]}]},
    {"percent": 100, "actions": [{"do": "notify", "who": ["assignee", "team_lead", "team"]}]},
]


def make_levels(spec: CalendarSpec | None = None) -> None:
    """Set up response and resolution targets: 1 h and 4 h for priority 1, else 4 h and 8 h. No other policy is left."""
    ServiceLevelPolicy.objects.filter(timers__isnull=True).delete()
    calendar = save_calendar("Hours", spec or CalendarSpec.always(), actor=SYSTEM)
    chain = save_chain("Chain", CHAIN, actor=SYSTEM)
    critical = {"field": "priority", "op": "eq", "value": 1}
    for metric, hours in (("response", (1, 4)), ("resolution", (4, 8))):
        goals = [
            GoalSpec(hours[0] * HOUR, calendar, condition=critical, chain=chain),
            GoalSpec(hours[1] * HOUR, calendar, chain=chain),
        ]
        save_policy(metric.title(), metric=metric, goals=goals, actor=SYSTEM)


@pytest.fixture
def levels(cast: Cast) -> Cast:
    """The cast, with service levels round the clock."""
    remembered("levels", make_levels)
    return cast


@pytest.fixture
def office_levels(cast: Cast) -> Cast:
    """The cast, with service levels on weekdays from 9 to 17 UTC."""
    remembered("office levels", lambda: make_levels(OFFICE))
    return cast


def at(imke: User, instant: datetime) -> Actor:
    """Return the importer acting at a past instant."""
    return Actor(imke, Channel.IMPORT, at=instant)


def clock(ticket: Any, metric: str = "resolution") -> Timer:
    """Return the newest timer of the metric, read anew."""
    return Timer.objects.filter(ticket_id=ticket.pk, metric=metric).order_by("-cycle_no")[0]


def move_back(ticket: Any, by: timedelta) -> None:
    """Let everything that is stored of the ticket's timers have happened earlier: time travel without a clock."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE slas_run DISABLE TRIGGER run_append_only")
        cursor.execute(
            "UPDATE slas_timer SET started_at = started_at - %(by)s, due_at = due_at - %(by)s,"
            " stopped_at = stopped_at - %(by)s, breached_at = breached_at - %(by)s,"
            " run_started_at = run_started_at - %(by)s, touched_at = touched_at - %(by)s WHERE ticket_id = %(ticket)s",
            {"by": by, "ticket": ticket.pk},
        )
        cursor.execute(
            "UPDATE slas_stepdue s SET fire_at = fire_at - %(by)s FROM slas_timer t"
            " WHERE t.id = s.timer_id AND t.ticket_id = %(ticket)s",
            {"by": by, "ticket": ticket.pk},
        )
        cursor.execute(
            "UPDATE slas_run r SET started_at = r.started_at - %(by)s, ended_at = r.ended_at - %(by)s"
            " FROM slas_timer t WHERE t.id = r.timer_id AND t.ticket_id = %(ticket)s",
            {"by": by, "ticket": ticket.pk},
        )
        cursor.execute("ALTER TABLE slas_run ENABLE TRIGGER run_append_only")
        cursor.execute(
            "UPDATE tickets_ticket SET opened_at = opened_at - %(by)s, queue_due_at = CASE WHEN queue_due_at <"
            " '9999-01-01' THEN queue_due_at - %(by)s ELSE queue_due_at END WHERE id = %(ticket)s",
            {"by": by, "ticket": ticket.pk},
        )


def steps_of(ticket: Any) -> list[tuple[str, int]]:
    """Return the steps that wait, as metric and percentage."""
    rows = StepDue.objects.filter(timer__ticket_id=ticket.pk).order_by("timer__metric", "step")
    return list(rows.values_list("timer__metric", "step"))


Opener = Callable[..., Incident]


def goals_of(metric: str) -> list[Goal]:
    """Return the goals of the metric's policy in order."""
    return list(Goal.objects.filter(policy__metric=metric).order_by("order"))
