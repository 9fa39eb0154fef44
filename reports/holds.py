"""The audit of pauses: tickets put on hold without a word, or minutes before a target would have been missed.

Holds are told by the event log. “Left” is the open time that a clock which the hold stopped had left at that instant:
its target (as it is now) less what it had run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from incidents.statuses import HoldReason
from itsm.accounts.models import User
from itsm.tickets.models import Ticket
from reports.clocks import ticket_fields, timers_of
from reports.filters import NONE, Filters

LONGEST = 100
MINUTE_US = 60_000_000

HOLDS = """
SELECT h.ticket_id, h.number, h.title, h.at, h.ended_at, h.is_on, h.reason, h.actor_id, h.team_id, h.service_id,
       h.ticket_from, h.ticket_until, h.left_us, h.silent, h.left_us BETWEEN 0 AND %(near_us)s AS near,
       h.ended_at - h.at AS lasted
FROM (
    SELECT e.ticket_id, k.number, k.title, e.at, GREATEST(COALESCE(n.at, %(now)s), e.at) AS ended_at,
           n.at IS NULL AS is_on, e.data ->> 'hold_reason' AS reason, e.actor_id, k.service_id,
           k.opened_at AS ticket_from, COALESCE(k.resolved_at, k.closed_at, %(now)s) AS ticket_until,
           CASE WHEN moved.seq IS NULL THEN k.team_id ELSE moved.was END AS team_id,
           NOT EXISTS (
               SELECT 1 FROM tickets_comment c
               WHERE c.ticket_id = e.ticket_id AND c.visibility = 'public'
                 AND c.author_id IS DISTINCT FROM k.requester_id
                 AND c.created_at BETWEEN e.at AND COALESCE(n.at, %(now)s)
           ) AS silent,
           (
               SELECT min(t.target_us - (
                   SELECT sum(r.elapsed_us) FROM slas_run r WHERE r.timer_id = t.id AND r.id <= stopped.id))
               FROM ({timers}) AS t (id, ticket_id, target_us)
               JOIN slas_run stopped ON stopped.timer_id = t.id AND stopped.ended_at = e.at
               WHERE t.ticket_id = e.ticket_id
           ) AS left_us
    FROM tickets_ticketevent e
    JOIN ({tickets}) AS k (id, number, title, team_id, service_id, requester_id, opened_at, resolved_at, closed_at)
      ON k.id = e.ticket_id
    LEFT JOIN LATERAL (
        SELECT x.at FROM tickets_ticketevent x
        WHERE x.ticket_id = e.ticket_id AND x.seq > e.seq
          AND x.code IN ('incident.resumed', 'incident.resolved', 'incident.cancelled', 'incident.closed')
        ORDER BY x.seq LIMIT 1
    ) n ON TRUE
    LEFT JOIN LATERAL (
        SELECT x.seq, (x.data -> 'changes' -> 'team' -> 0 ->> 'id')::bigint AS was FROM tickets_ticketevent x
        WHERE x.ticket_id = e.ticket_id AND x.at > e.at AND (x.data -> 'changes') ? 'team'
        ORDER BY x.seq LIMIT 1
    ) moved ON TRUE
    WHERE e.code = 'incident.held' AND e.at >= %(start)s AND e.at < %(end)s
) h
WHERE TRUE {team}
"""
SUMS = """
WITH hold AS MATERIALIZED ({holds})
SELECT 'all', NULL, {sums} FROM (SELECT {each} FROM hold GROUP BY ticket_id) AS one HAVING count(*) > 0
UNION ALL
SELECT 'person', actor_id, {sums} FROM (SELECT actor_id, {each} FROM hold GROUP BY actor_id, ticket_id) AS one
GROUP BY actor_id
UNION ALL
SELECT 'team', team_id, {sums} FROM (SELECT team_id, {each} FROM hold GROUP BY team_id, ticket_id) AS one
GROUP BY team_id
"""
EACH = """count(*) AS holds, count(*) FILTER (WHERE silent) AS silent, count(*) FILTER (WHERE near) AS near,
       sum(lasted) AS paused, max(ticket_until - ticket_from) AS life"""
SUM = "sum(holds), sum(silent), sum(near), sum(paused), sum(life)"
LIST = """
SELECT hold.*, person.display_name FROM ({holds}) AS hold LEFT JOIN accounts_user person ON person.id = hold.actor_id
WHERE {which} ORDER BY lasted DESC, at, ticket_id
"""


class Which(models.TextChoices):
    """Which holds a list shows."""

    ALL = "all", _("All, longest first")
    SILENT = "silent", _("Without a message")
    NEAR = "near", _("Just before a breach")


@dataclass(frozen=True)
class Hold:
    """One hold. `left_us`: open time that the clock nearest to its target had left, below zero where it was late, None
    where no clock was stopped. `silent`: no public message from the desk at its beginning or while it lasted."""

    ticket: int
    number: str
    title: str
    at: datetime
    ended_at: datetime
    is_on: bool
    reason: str
    actor: int | None
    team: int | None
    service: int | None
    ticket_from: datetime
    ticket_until: datetime
    left_us: int | None
    silent: bool
    near: bool | None
    lasted: timedelta
    actor_name: str | None

    @property
    def left_s(self) -> float | None:
        """`left_us` in seconds."""
        return None if self.left_us is None else self.left_us / 1_000_000

    @property
    def reason_label(self) -> str:
        """What it waited for, in words."""
        return str(HoldReason(self.reason).label) if self.reason in HoldReason.values else self.reason


@dataclass(frozen=True)
class HoldSums:
    """What the holds of one person or team come to.

    `life`: the real time that their tickets took, from opening to resolution or now.
    """

    key: int | None
    holds: int
    silent: int
    near: int
    paused: timedelta
    life: timedelta

    @property
    def share(self) -> float:
        """Paused time ÷ the real time of the tickets that were paused, from opening to resolution or now."""
        return min(self.paused / self.life, 1.0) if self.life else 0.0


@dataclass(frozen=True)
class Audit:
    """The sums of all holds that began in the period, and by person and team, most paused time first."""

    total: HoldSums
    people: list[HoldSums]
    teams: list[HoldSums]


def audit_of(user: User, filters: Filters, now: datetime, minutes: int) -> Audit:
    """Return the sums. `minutes`: how little open time may be left for a hold to count as just before a breach. One
    query."""
    holds, params = _holds(user, filters, now, minutes)
    found: dict[str, list[HoldSums]] = {"all": [], "person": [], "team": []}
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(holds=holds, each=EACH, sums=SUM), params)
        for name, key, count, silent, near, paused, life in cursor:
            found[name].append(HoldSums(key, int(count), int(silent), int(near), paused, life))
    for lines in (found["person"], found["team"]):
        lines.sort(key=lambda line: (-line.paused, line.key or 0))
    nothing = HoldSums(None, 0, 0, 0, timedelta(), timedelta())
    return Audit(found["all"][0] if found["all"] else nothing, found["person"], found["team"])


def list_holds(
    user: User, filters: Filters, now: datetime, minutes: int, which: str, *, limit: int | None = LONGEST
) -> Iterator[Hold]:
    """Yield the holds, the longest first; `limit` None: all of them. One query."""
    holds, params = _holds(user, filters, now, minutes)
    wanted = {Which.SILENT: "silent", Which.NEAR: "near"}.get(Which(which), "TRUE")
    query = LIST.format(holds=holds, which=wanted) + ("" if limit is None else f" LIMIT {limit:d}")
    with connection.chunked_cursor() as cursor:
        cursor.execute(query, params)
        while rows := cursor.fetchmany(1000):
            yield from (Hold(*row) for row in rows)


def _holds(user: User, filters: Filters, now: datetime, minutes: int) -> tuple[str, dict[str, Any]]:
    tickets = Ticket.objects.visible_to(user).filter(**ticket_fields(filters)).order_by()
    columns = (
        "id",
        "number",
        "title",
        "team_id",
        "service_id",
        "requester_id",
        "opened_at",
        "resolved_at",
        "closed_at",
    )
    timers = timers_of(user, filters).order_by()
    team = filters.chosen("team")
    picked = "" if team is None else "AND h.team_id IS NULL" if team.ref == NONE else "AND h.team_id = %(team)s"
    query = HOLDS.format(
        tickets=_literal(tickets.values_list(*columns)),
        timers=_literal(timers.values_list("id", "ticket_id", "target_us")),
        team=picked,
    )
    params = {
        "now": now,
        "start": filters.period.start,
        "end": filters.period.end,
        "near_us": minutes * MINUTE_US,
        "team": team.pk if team is not None else None,
    }
    return query, params


def _literal(rows: Any) -> str:
    """Return a query of the ORM as text with its values in it, to stand inside a larger one that has parameters."""
    compose: Any = connection.ops
    return str(compose.compose_sql(*rows.query.sql_with_params())).replace("%", "%%")
