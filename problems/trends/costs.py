"""What incidents cost, as far as the log tells honestly.

The requester's wait is real time from the opening to the resolution, or until now. Nobody records hours of work, so the
agents' time is an estimate from what they did: each visit of a person of the desk to a ticket counts one minute, and
the time between two acts of theirs on it counts where it is no longer than fifteen minutes. What the system did, what
an import brought and what the requester wrote count nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

VISIT_S = 60
LONGEST_GAP_S = 15 * 60

AGENT_TIME = """
SELECT ticket_id, sum(CASE WHEN gap IS NULL OR gap > %(gap)s THEN %(visit)s ELSE greatest(gap, 0) END)::bigint
  FROM (SELECT e.ticket_id, extract(epoch FROM e.at - lag(e.at) OVER (PARTITION BY e.ticket_id, e.actor_id
                                                                         ORDER BY e.seq)) AS gap
          FROM tickets_ticketevent e JOIN tickets_ticket t ON t.id = e.ticket_id
         WHERE e.ticket_id = ANY(%(ids)s) AND e.actor_id IS NOT NULL AND e.actor_id <> t.requester_id
           AND e.channel NOT IN ('system', 'import')) acts
 GROUP BY ticket_id
"""


def agent_seconds(ticket_ids: Sequence[int]) -> dict[int, int]:
    """Return the estimated seconds that people of the desk were at each ticket; tickets nobody touched are missing."""
    values: dict[str, Any] = {"ids": list(ticket_ids), "visit": VISIT_S, "gap": LONGEST_GAP_S}
    with connection.cursor() as cursor:
        cursor.execute(AGENT_TIME, values)
        return dict(cursor.fetchall())


def waited_seconds(opened_at: datetime, ended_at: datetime | None, now: datetime) -> int:
    """Return the seconds from the opening to the end, or until now; never less than none."""
    return max(0, int(((ended_at or now) - opened_at).total_seconds()))
