"""What the service-level reports cost at 100,000 tickets with 400,000 clocks: `bin/bench reports [--help]`.

The figure that counts is how many queries a page takes, and how its time for a month stands to the time for the whole
year: a page that scanned everything would take as long for either. Milliseconds depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import date

import django
from django.db.transaction import atomic

TICKETS, CLOCKS_EACH, MOST_QUERIES = 100_000, 4, 16
PAGES = ("", "breaches/", "clocks/", "soon/", "time/", "pauses/", "waits/")
YEAR, MONTH = (date(2025, 1, 1), date(2025, 12, 31)), (date(2025, 6, 1), date(2025, 6, 30))
EMAIL = "bench-levels@example.com"

# One year of tickets, half of them handed on once, a third put on hold once, each with four clocks: response and
# resolution of an agreement and of an operational one. Straight into the tables: what is measured is reading.
FILL = """
INSERT INTO tickets_ticket (public_id, kind, number, title, description, status, requester_id, opened_by_id, team_id,
    assignee_id, impact, urgency, priority, priority_reason, channel, opened_at, updated_at, resolved_at, closed_at,
    queue_due_at, reassignment_count, version, event_seq, event_hash, external_id, custom)
SELECT md5('rep' || n), 'incident', 'REP' || lpad(n::text, 7, '0'), 'Trouble ' || n, '', 'closed', %(person)s,
    %(person)s, (%(teams)s::bigint[])[1 + n %% %(team_count)s], %(person)s, 1 + n %% 3, 1 + n %% 3, 1 + n %% 4, '',
    'portal', o.at, o.at, o.at + took, o.at + took, '9999-01-01', n %% 2, 1, 4, '', '', '{{}}'
FROM generate_series(1, %(count)s) n,
    LATERAL (SELECT timestamptz '2025-01-01' + n * interval '365 days' / %(count)s AS at) o,
    LATERAL (SELECT interval '1 minute' * (20 + n * 7919 %% 4000) AS took) d;
INSERT INTO incidents_incident (ticket_ptr_id, hold_reason, resolution_code, resolution_notes, cancel_reason,
    reopen_count)
SELECT id, '', '', '', '', 0 FROM tickets_ticket WHERE number LIKE 'REP%%';
INSERT INTO slas_timer (ticket_id, policy_id, goal_id, kind, metric, cycle_no, state, target_us, time_zone,
    calendar_version_id, started_at, due_at, stopped_at, breached_at, retroactive, elapsed_closed_us, version, epoch,
    done_steps, repeats, touched_at, reset_held)
SELECT k.id, p.id, NULL, kinds.kind, p.metric, 1, CASE WHEN late THEN 'missed' ELSE 'met' END, target_us, '',
    %(calendar)s, k.opened_at, due, stop, CASE WHEN late THEN due END, FALSE,
    (EXTRACT(epoch FROM stop - k.opened_at) * 1e6)::bigint, 1, 0, '{{}}', '{{}}', stop, FALSE
FROM tickets_ticket k
CROSS JOIN (SELECT id, metric FROM slas_servicelevelpolicy WHERE id = ANY(%(policies)s)) p
CROSS JOIN (VALUES ('sla', 40), ('ola', 30)) AS kinds (kind, hours),
    LATERAL (SELECT CASE WHEN p.metric = 'response' THEN 1 ELSE hours END * 3600 * 1000000::bigint AS target_us) t,
    LATERAL (SELECT k.opened_at + target_us * interval '1 microsecond' AS due,
             CASE WHEN p.metric = 'response' THEN k.opened_at + (k.resolved_at - k.opened_at) / 40
             ELSE k.resolved_at END AS stop) s,
    LATERAL (SELECT stop > due AS late) l
WHERE k.number LIKE 'REP%%';
INSERT INTO slas_run (timer_id, started_at, ended_at, calendar_version_id, time_zone, elapsed_us)
SELECT t.id, t.started_at, t.stopped_at, t.calendar_version_id, '', t.elapsed_closed_us
FROM slas_timer t JOIN tickets_ticket k ON k.id = t.ticket_id WHERE k.number LIKE 'REP%%';
INSERT INTO tickets_ticketevent (ticket_id, seq, code, actor_id, channel, internal, data, at, recorded_at, prev_hash,
    hash)
SELECT k.id, seq, code, %(person)s, 'desk', FALSE, data::jsonb, k.opened_at + (k.resolved_at - k.opened_at) * share,
    k.opened_at, '', ''
FROM tickets_ticket k
CROSS JOIN (VALUES (1, 'incident.opened', 0.0, 1, '{{}}'),
    (2, 'ticket.assigned', 0.3, 2,
     '{{"changes": {{"team": [{{"id": {first}, "label": "a"}}, {{"id": {last}, "label": "b"}}]}}}}'),
    (3, 'incident.held', 0.5, 3, '{{"hold_reason": "awaiting_caller"}}'),
    (4, 'incident.resumed', 0.7, 3, '{{}}'), (5, 'incident.resolved', 1.0, 1, '{{}}')
) AS events (seq, code, share, every, data)
WHERE k.number LIKE 'REP%%' AND k.id %% every = 0;
ANALYZE tickets_ticket, incidents_incident, slas_timer, slas_run, tickets_ticketevent;
"""


@atomic
def seed(count: int) -> None:
    """Fill an empty database with so many tickets and four clocks for each; does nothing the second time."""
    from django.db import connection

    from itsm.accounts.actions import create_team
    from itsm.accounts.models import Team, User
    from itsm.accounts.roles import Role
    from itsm.tickets.models import Ticket
    from slas.models import CalendarVersion, ServiceLevelPolicy

    if Ticket.objects.filter(number__startswith="REP").exists():
        return
    person = User.objects.create_user(EMAIL, "bench bench bench", roles=[Role.SERVICE_LEVEL_MANAGER])
    for n in range(8):
        create_team(f"Levels {n}")
    teams = list(Team.objects.filter(name__startswith="Levels").values_list("pk", flat=True))
    values = {
        "count": count,
        "person": person.pk,
        "teams": teams,
        "team_count": len(teams),
        "calendar": CalendarVersion.objects.all()[0].pk,
        "policies": list(ServiceLevelPolicy.objects.values_list("pk", flat=True)[:2]),
    }
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(first=teams[0], last=teams[-1]), values)


def main(arguments: list[str] | None = None) -> int:
    """Print queries and milliseconds of each page for a month and a year; 1 when one takes too many queries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=TICKETS)
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost")
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from itsm.accounts.models import User
    from slas.models import Timer

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    seed(options.tickets)
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=EMAIL), backend="itsm.accounts.backends.RoleBackend")
    print(f"{Timer.objects.count():,} clocks; milliseconds are the best of three")
    most = 0
    for page in PAGES:
        shown = []
        for first, last in (MONTH, YEAR):
            address = f"/desk/service-levels/{page}?period=custom&from={first}&to={last}"
            taken = []
            for _round in range(3):
                with CaptureQueriesContext(connection) as queries:
                    started = time.perf_counter()
                    status = client.get(address).status_code
                    taken.append((time.perf_counter() - started) * 1000)
            most = max(most, len(queries))
            shown.append(f"{min(taken):7.0f} ms {len(queries):3} queries{'' if status == 200 else f' ({status})'}")
        print(f"{page or 'overview':12} month {shown[0]}   year {shown[1]}")
    return 0 if most <= MOST_QUERIES else 1


if __name__ == "__main__":
    sys.exit(main())
