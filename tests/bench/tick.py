"""How fast the tick is and what clocks add to a ticket. Run as `python -m tests.bench.tick` with DATABASE_URL set.

Works in a database of its own, which it makes beside the configured one and drops at the end.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from time import perf_counter

RUNNING = 100_000
DUE = 10_000
OPENED = 300


@contextmanager
def own_database() -> Iterator[None]:
    """Let Django use a fresh database with everything in it, for as long as the block lasts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    os.environ["TEST_DATABASE_NAME"] = f"bench_tick_{os.getpid()}"
    import django

    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def fill(running: int) -> None:
    """Store so many running timers (two on each ticket), none of which is due before tomorrow."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tickets_ticket (public_id, kind, number, title, description, status, requester_id, opened_by_id,
                team_id, impact, urgency, priority, priority_reason, channel, opened_at, updated_at, queue_due_at,
                reassignment_count, version, event_seq, event_hash, external_id, custom)
            SELECT md5(n::text), 'incident', 'BEN' || n, 'Bench ' || n, '', 'new', t.requester_id, t.opened_by_id,
                   t.team_id, 3, 3, 4, '', 'desk', now(), now(), now() + interval '1 day', 0, 1, 1, '', '', '{}'
              FROM generate_series(1, %s) n, (SELECT * FROM tickets_ticket ORDER BY id LIMIT 1) t
            """,
            [running // 2],
        )
        cursor.execute(
            """
            INSERT INTO slas_timer (ticket_id, policy_id, goal_id, kind, metric, cycle_no, state, target_us,
                time_zone, repeats, calendar_version_id, chain_version_id, started_at, due_at, retroactive,
                elapsed_closed_us, run_started_at, version, epoch, done_steps, touched_at)
            SELECT k.id, s.policy_id, s.goal_id, s.kind, s.metric, 1, 'running', 200000000000, '', '{}',
                   s.calendar_version_id,
                   s.chain_version_id, now(), now() + interval '200000 s', false, 0, now(), 1, 0, '{}', now()
              FROM tickets_ticket k, (SELECT * FROM slas_timer ORDER BY id LIMIT 2) s WHERE k.number LIKE 'BEN%'
            """
        )
        cursor.execute(
            """
            INSERT INTO slas_stepdue (timer_id, version, epoch, step, repetition, fire_at, attempts, last_error)
            SELECT t.id, 1, 0, p, 0, now() + interval '2000 s' * p, 0, ''
              FROM slas_timer t JOIN tickets_ticket k ON k.id = t.ticket_id, unnest(ARRAY[50, 75, 100]) p
             WHERE k.number LIKE 'BEN%'
            """
        )
        cursor.execute("ANALYZE")


def make_due(count: int) -> None:
    """Let one step on each of so many tickets have been due a moment ago."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE slas_stepdue SET fire_at = now() - interval '1 s' WHERE id IN (
                SELECT s.id FROM slas_stepdue s JOIN slas_timer t ON t.id = s.timer_id
                 WHERE s.step = 100 AND t.metric = 'response' ORDER BY s.id LIMIT %s)
            """,
            [count],
        )


def times_ms(call: Callable[[], object], count: int) -> list[float]:
    """Return how long each of the calls took, in milliseconds."""
    found = []
    for _number in range(count):
        start = perf_counter()
        call()
        found.append((perf_counter() - start) * 1000)
    return found


def say(what: str, value: str, target: str) -> None:
    """Print one figure beside its target."""
    sys.stdout.write(f"{what:<58} {value:>24}   target {target}\n")
    sys.stdout.flush()


def main() -> None:
    """Measure and print."""
    with own_database():
        from django.db import connection

        from incidents.actions import open_incident
        from itsm.tickets.actors import Actor, Channel
        from itsm.tickets.hooks import listen
        from slas.actions import follow, install_defaults
        from slas.models import ServiceLevelPolicy
        from slas.tick import tick
        from tests.cast import make_cast

        install_defaults()
        cast = make_cast()
        actor = Actor(cast.anna, Channel.DESK)

        def open_one() -> None:
            open_incident(actor=actor, title="Bench", requester=cast.rita, team=cast.network)

        for _warm in range(20):
            open_one()
        with_timers, without = [], []
        for _round in range(OPENED // 20):
            with_timers += times_ms(open_one, 20)
            listen("slas", lambda change: None, order=50)
            without += times_ms(open_one, 20)
            listen("slas", follow, order=50)
        say("open a ticket without clocks", f"p50 {median(without):.2f} ms", "-")
        added = median(with_timers) - median(without)
        say("open a ticket with 2 clocks, added", f"p50 {added:.2f} ms", "< 3 ms")

        if ServiceLevelPolicy.objects.count() != 2:
            raise SystemExit("The bench expects the two default policies.")
        fill(RUNNING)
        idle = times_ms(tick, 500)
        say(
            f"empty tick, {RUNNING:,} running timers",
            f"p50 {median(idle):.2f} p99 {quantiles(idle, n=100)[98]:.2f} ms",
            "p99 < 5 ms",
        )
        make_due(DUE)
        start = perf_counter()
        fired = tick()
        while fired < DUE:
            more = tick()
            if not more:
                break
            fired += more
        took = perf_counter() - start
        say(f"{fired:,} due steps drained by one worker", f"{fired / took:,.0f} steps/s", "(see sla.md) 5,000 steps/s")
        connection.close()


if __name__ == "__main__":
    main()
