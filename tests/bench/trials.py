"""How fast drafts of service levels are tried. Run as `python -m tests.bench.trials` with DATABASE_URL set.

What an edit would change on 10,000 open tickets (20,000 clocks), and a rehearsal on as many past ones with five events
each. Works in a database of its own.
"""

import os
import sys
from time import perf_counter, process_time

from tests.bench.database import own_database
from tests.bench.sla import say

TICKETS = int(os.environ.get("BENCH_TICKETS", "10000"))
TICKET = """
INSERT INTO tickets_ticket (public_id, kind, number, title, description, status, requester_id, opened_by_id,
    team_id, impact, urgency, priority, priority_reason, channel, opened_at, updated_at, resolved_at, queue_due_at,
    reassignment_count, version, event_seq, event_hash, external_id, custom)
SELECT md5(%(mark)s || n::text), 'incident', %(mark)s || n, 'Bench ' || n, '', %(status)s, t.requester_id,
       t.opened_by_id, t.team_id, 3, 3, 1 + n %% 5, '', 'desk', now() - %(ago)s::interval - n * interval '3 min',
       now(), CASE WHEN %(status)s = 'resolved' THEN now() END, now() + interval '1 day', 0, 1, 5, '', '', '{}'
  FROM generate_series(1, %(count)s) n, (SELECT * FROM tickets_ticket ORDER BY id LIMIT 1) t
"""
INCIDENT = """
INSERT INTO incidents_incident (ticket_ptr_id, hold_reason, resolution_code, resolution_notes, cancel_reason,
    reopen_count)
SELECT id, '', '', '', '', 0 FROM tickets_ticket WHERE number LIKE %(mark)s || '%%'
"""
TIMER = """
INSERT INTO slas_timer (ticket_id, policy_id, goal_id, kind, metric, cycle_no, state, target_us, time_zone, repeats,
    calendar_version_id, chain_version_id, started_at, due_at, retroactive, elapsed_closed_us, run_started_at, version,
    epoch, done_steps, touched_at, reset_held)
SELECT k.id, p.id, g.id, p.kind, p.metric, 1, 'running', g.target_s * 1000000::bigint, '', '{}', c.current_id,
       e.current_id, k.opened_at, now() + interval '1 day', false, 0, k.opened_at, 1, 0, '{50,75,100}', k.opened_at,
       false
  FROM tickets_ticket k, slas_servicelevelpolicy p, slas_goal g, slas_businesscalendar c, slas_escalationchain e
 WHERE k.number LIKE %(mark)s || '%%' AND g.policy_id = p.id AND g."order" = k.priority AND c.id = g.calendar_id
   AND e.id = g.chain_id
"""
EVENT = """
INSERT INTO tickets_ticketevent (ticket_id, seq, code, actor_id, channel, internal, data, at, recorded_at, prev_hash,
    hash)
SELECT k.id, e.seq, e.code, k.opened_by_id, 'desk', false, e.data::jsonb, k.opened_at + e.after, now(), '', ''
  FROM tickets_ticket k, (VALUES
    (1, 'incident.opened', '{}', interval '0'),
    (2, 'incident.started', '{}', interval '20 min'),
    (3, 'incident.held', '{"hold_reason": "awaiting_caller"}', interval '2 h'),
    (4, 'incident.resumed', '{}', interval '20 h'),
    (5, 'incident.resolved', '{"resolution_code": "solution_provided"}', interval '27 h')
  ) AS e (seq, code, data, after) WHERE k.number LIKE %(mark)s || '%%'
"""


def fill() -> None:
    """Store the open tickets with their clocks, and the past ones with their events."""
    from django.db import connection

    both = (
        ({"mark": "OPN", "status": "new", "ago": "1 hour", "count": TICKETS}, (TICKET, INCIDENT, TIMER)),
        ({"mark": "OLD", "status": "resolved", "ago": "20 days", "count": TICKETS}, (TICKET, INCIDENT, EVENT)),
    )
    with connection.cursor() as cursor:
        for values, statements in both:
            for statement in statements:
                cursor.execute(statement, values)
        cursor.execute("ANALYZE")


def main() -> None:
    """Measure and print."""
    with own_database():
        from incidents.actions import open_incident
        from itsm.tickets.actors import SYSTEM, Actor, Channel
        from itsm.tickets.clock import db_now
        from slas.actions import GoalSpec, install_defaults, save_calendar, save_policy
        from slas.actions.trials import Selection, prepare_trial, start_trial
        from slas.calendars import CalendarSpec
        from slas.models import BusinessCalendar, Trial
        from slas.plans import current_levels
        from slas.rehearsal.running import work
        from slas.whatif.drafts import try_out
        from slas.whatif.effects import effects_on_open
        from slas.whatif.results import counted
        from tests.cast import make_cast

        install_defaults()
        cast = make_cast()
        open_incident(actor=Actor(cast.anna, Channel.DESK), title="Bench", requester=cast.rita, team=cast.network)
        fill()
        hours = BusinessCalendar.objects.get(name="Business hours")
        edits = {
            "a calendar": lambda: save_calendar(
                hours.name, CalendarSpec("UTC", (((600, 960),),) * 5 + ((), ())), actor=SYSTEM
            ),
            "a policy": lambda: save_policy(
                "Sooner", metric="resolution", goals=[GoalSpec(7200, hours)], order=1, actor=SYSTEM
            ),
        }
        for what, edit in edits.items():
            start, cpu = perf_counter(), process_time()
            draft = try_out(edit)
            found = counted(effects_on_open(draft, current_levels(), db_now()))
            took = perf_counter() - start
            say(
                f"what {what} would change, {TICKETS:,} open tickets",
                f"{took:.1f} s, {process_time() - cpu:.1f} of CPU; {found['moves']:,} move",
                "a few seconds",
            )
        trial = prepare_trial(
            "Bench", current_levels(), kind="sla", metric="resolution", actor=Actor(cast.sven, Channel.DESK)
        )
        period = Selection(db_now().replace(year=2000), db_now())
        start_trial(trial, period, actor=Actor(cast.sven, Channel.DESK))
        start, cpu = perf_counter(), process_time()
        while work(60):
            pass
        took = perf_counter() - start
        trial = Trial.objects.get(pk=trial.pk)
        say(
            f"rehearse {trial.done:,} past tickets ({trial.state})",
            f"{trial.done / took:,.0f}/s, {trial.done / (process_time() - cpu):,.0f}/s of CPU",
            "-",
        )


if __name__ == "__main__":
    sys.exit(main())
