"""How long the trend job takes over 100,000 incidents. `bin/bench trends [INCIDENTS]`; goal: below 60 s.

Works in a database of its own. The titles are drawn from two hundred faults in several wordings, each with noise of its
own, and a third of them says nothing that recurs. Five events an incident.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from tests.bench.database import own_database
from tests.bench.sla import load, machine, say

INCIDENTS = 100_000
TICKET = """
INSERT INTO tickets_ticket (public_id, kind, number, title, description, status, requester_id, opened_by_id, team_id,
    service_id, category_id, impact, urgency, priority, priority_reason, channel, opened_at, updated_at, resolved_at,
    queue_due_at, reassignment_count, version, event_seq, event_hash, external_id, custom)
SELECT md5('TRD' || n), 'incident', 'TRD' || n,
       CASE WHEN n %% 3 = 0 THEN 'Odd ' || md5(n::text) || ' ' || md5((n + 1)::text)
            ELSE (ARRAY['', 'Urgent: ', 'Please help: '])[1 + n %% 3] || (ARRAY['printer', 'vpn', 'mailbox', 'laptop',
                 'screen', 'badge', 'payroll', 'wifi', 'phone', 'scanner'])[1 + n %% 10] || ' '
                 || (ARRAY['drops', 'jams', 'freezes', 'rejects', 'flickers', 'crashes', 'stalls', 'beeps', 'loops',
                 'hangs', 'fails', 'blinks', 'leaks', 'smokes', 'repeats', 'resets', 'garbles', 'refuses', 'loses',
                 'locks'])[1 + (n / 10) %% 20] || ' ' || (ARRAY['at noon', 'since monday', 'every morning', 'in room '
                 || n %% 300, 'on floor ' || n %% 12])[1 + (n / 200) %% 5] END,
       '', CASE WHEN n %% 10 = 0 THEN 'new' ELSE 'resolved' END, t.requester_id, t.opened_by_id, t.team_id,
       CASE WHEN n %% 4 = 0 THEN NULL ELSE t.service_id END, NULL, 3, 3, 4, '', 'portal',
       now() - (n %% 129600) * interval '1 minute', now(),
       CASE WHEN n %% 10 = 0 THEN NULL ELSE now() - (n %% 129600) * interval '1 minute' + interval '5 hours' END,
       '9999-01-01', 0, 1, 5, '', '', '{}'
  FROM generate_series(1, %(count)s) n, (SELECT * FROM tickets_ticket ORDER BY id LIMIT 1) t
"""
INCIDENT = """
INSERT INTO incidents_incident (ticket_ptr_id, hold_reason, resolution_code, resolution_notes, cancel_reason,
    reopen_count)
SELECT id, '', '', '', '', 0 FROM tickets_ticket WHERE number LIKE 'TRD%%'
"""
EVENT = """
INSERT INTO tickets_ticketevent (ticket_id, seq, code, actor_id, channel, internal, data, at, recorded_at, prev_hash,
    hash)
SELECT k.id, e.seq, e.code, %(agent)s, 'desk', false, '{}', k.opened_at + e.after, now(), '', ''
  FROM tickets_ticket k, (VALUES
    (1, 'incident.opened', interval '0'), (2, 'incident.started', interval '20 min'),
    (3, 'ticket.noted', interval '24 min'), (4, 'ticket.commented', interval '2 h'),
    (5, 'incident.resolved', interval '5 h')
  ) AS e (seq, code, after) WHERE k.number LIKE 'TRD%%'
"""


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else INCIDENTS
    with own_database():
        from django.db import connection
        from django.utils import timezone

        from incidents.actions import open_incident
        from itsm.tickets.actors import Actor, Channel
        from problems.actions.trends import start_run
        from problems.models import Basis
        from problems.trends.running import work
        from tests.cast import make_cast

        cast = make_cast()
        actor = Actor(cast.anna, Channel.DESK)
        open_incident(actor=actor, title="Bench", requester=cast.rita, service=cast.vpn)
        with connection.cursor() as cursor:
            cursor.execute(TICKET, {"count": count})
            cursor.execute(INCIDENT)
            cursor.execute(EVENT, {"agent": cast.anna.pk})
            cursor.execute("ANALYZE")
        now = timezone.now()
        run = start_run(now - timedelta(days=120), now + timedelta(days=1), least=20, actor=actor)
        say(machine(), load())
        started, cpu, stops = time.perf_counter(), time.process_time(), 0
        while True:
            work()
            stops += 1
            run.refresh_from_db()
            if not run.is_at_work:
                break
            say(f"  {run.done:,} of {run.total:,}", f"{time.perf_counter() - started:.1f} s")
        took = time.perf_counter() - started
        words = run.candidates.filter(basis=Basis.WORDS)
        say(
            f"trends over {run.done:,} incidents, {5 * count:,} events",
            f"{took:.1f} s, {time.process_time() - cpu:.1f} of CPU",
            "< 60 s",
        )
        say("clusters of words and of places", f"{words.count()} and {run.candidates.count() - words.count()}")
        for one in words.order_by("-count")[:3]:
            say(f"  {one.title[:50]}", f"{one.count:,} incidents, {one.agent_s // 60:,} agent minutes")


if __name__ == "__main__":
    main()
