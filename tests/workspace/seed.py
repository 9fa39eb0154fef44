"""Many tickets at once, straight into the tables: for tests of plans and for the bench, which measure reading only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from django.db import connection, transaction
from django.utils import timezone

from incidents.statuses import Status
from itsm.accounts.models import Team, User
from itsm.tickets.actors import Channel
from itsm.tickets.models import NO_TARGET, Ticket
from slas.models import Goal, Timer
from slas.models.timers import State

COMMON, RARE = "printer", "xylophone"
BATCH = 5000
SUBJECTS = (
    "Outlook keeps asking for the password",
    "VPN drops every few minutes",
    "No sound in meetings",
    "Shared drive is read-only",
    "Badge reader rejects all cards",
    "Laptop does not start",
)
CHILDREN = """
INSERT INTO incidents_incident
    (ticket_ptr_id, hold_reason, resolution_code, resolution_notes, cancel_reason, reopen_count, child_count,
     merged_count)
SELECT id, CASE WHEN status = 'on_hold' THEN (ARRAY['awaiting_caller', 'awaiting_vendor'])[1 + id %% 2] ELSE '' END,
       '', '', '', 0, 0, 0
FROM tickets_ticket t WHERE kind = 'incident' AND number LIKE %s
  AND NOT EXISTS (SELECT 1 FROM incidents_incident i WHERE i.ticket_ptr_id = t.id)
"""
ANALYZE = "ANALYZE tickets_ticket, incidents_incident, slas_timer, accounts_user"


@transaction.atomic
def seed_tickets(
    count: int, *, requesters: Sequence[User], agents: Sequence[User], teams: Sequence[Team], open_share: float = 0.06
) -> None:
    """Insert this many incidents, most of them closed, with running timers on the open ones; then update statistics."""
    rng, now = Random(7), timezone.now().replace(microsecond=0)
    first = Ticket.objects.filter(number__startswith="SEED").count()
    for start in range(first, first + count, BATCH):
        batch = [
            _ticket(rng, n, now, requesters, agents, teams, open_share)
            for n in range(start, min(start + BATCH, first + count))
        ]
        Ticket.objects.bulk_create(batch)
    with connection.cursor() as cursor:
        cursor.execute(CHILDREN, ["SEED%"])
    _timers(rng, now)
    with connection.cursor() as cursor:
        # As autovacuum does: until then the words wait in a list that makes the index look dear.
        cursor.execute("SELECT gin_clean_pending_list('ticket_search')")
        cursor.execute(ANALYZE)


def _ticket(
    rng: Random,
    n: int,
    now: datetime,
    requesters: Sequence[User],
    agents: Sequence[User],
    teams: Sequence[Team],
    open_share: float,
) -> Ticket:
    is_open = rng.random() < open_share
    opened = now - timedelta(minutes=rng.randrange(1, 3000 if is_open else 1_000_000))
    ended = None if is_open else opened + timedelta(hours=rng.randrange(1, 90))
    status = (
        (rng.choice([Status.NEW, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.ON_HOLD])) if is_open else Status.CLOSED
    )
    subject = rng.choice(SUBJECTS)
    rare = f" {RARE}" if n % 9973 == 7 else ""
    return Ticket(
        kind="incident",
        number=f"SEED{n:07d}",
        title=f"{subject} {COMMON if n % 5 < 3 else 'scanner'}{rare} {n}",
        description=f"It began on floor {n % 40}. {subject} again and again.",
        status=status,
        requester=rng.choice(requesters),
        opened_by=rng.choice(requesters),
        team=rng.choice(teams),
        assignee=rng.choice(agents) if rng.random() < 0.7 else None,
        impact=rng.randint(1, 3),
        urgency=rng.randint(1, 3),
        priority=rng.randint(1, 4),
        channel=Channel.PORTAL,
        opened_at=opened,
        updated_at=min(ended or opened + timedelta(minutes=rng.randrange(1, 60)), now),
        resolved_at=ended,
        closed_at=ended,
        queue_due_at=now + timedelta(minutes=rng.randrange(-120, 4000))
        if is_open and status != Status.ON_HOLD
        else NO_TARGET,
    )


def _timers(rng: Random, now: datetime) -> None:
    goals = {goal.policy.metric: goal for goal in Goal.objects.select_related("policy", "calendar__current")}
    waiting = Ticket.objects.open().filter(number__startswith="SEED", timers=None).exclude(queue_due_at=NO_TARGET)
    Timer.objects.bulk_create(
        [
            Timer(
                ticket=ticket,
                policy=goal.policy,
                goal=goal,
                kind=goal.policy.kind,
                metric=metric,
                state=State.RUNNING,
                target_us=rng.choice([3600, 14400, 86400]) * 1_000_000,
                calendar_version=goal.calendar.current,
                started_at=ticket.opened_at,
                run_started_at=ticket.opened_at,
                due_at=ticket.queue_due_at + timedelta(minutes=30 if metric == "resolution" else 0),
                touched_at=ticket.opened_at,
            )
            for ticket in waiting
            for metric, goal in goals.items()
        ],
        batch_size=BATCH,
    )
