"""The processes that watch the clocks, real ones on a database of their own, and very many timers for them.

For kill tests, clock tests and benches: whoever uses it decides who runs, who dies and when.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from itsm.embedded import Services
from itsm.supervisor import Child, die_with_parent, plan

ROOT = Path(__file__).resolve().parent.parent

# One ticket made by the verbs, with its two clocks round the clock: what very many are copied from. One person is told.
FIRST = """
from incidents.actions import open_incident
from itsm.tickets.actors import Actor, Channel
from itsm.accounts.models import TeamMembership
from slas.actions import install_defaults
from slas.models import BusinessCalendar, Goal
from tests.cast import make_cast
install_defaults()
Goal.objects.update(calendar=BusinessCalendar.objects.get(name="24×7"), use_team_calendar=False)
cast = make_cast()
TeamMembership.objects.filter(team=cast.network).exclude(user=cast.lena).delete()
open_incident(actor=Actor(cast.anna, Channel.DESK), title="Bench", requester=cast.rita, team=cast.network)
"""
TICKETS = """
INSERT INTO tickets_ticket (public_id, kind, number, title, description, status, requester_id, opened_by_id,
    team_id, impact, urgency, priority, priority_reason, channel, opened_at, updated_at, queue_due_at,
    reassignment_count, version, event_seq, event_hash, external_id, custom)
SELECT md5(n::text), 'incident', 'BEN' || n, 'Bench ' || n, '', 'new', t.requester_id, t.opened_by_id,
       t.team_id, 3, 3, 4, '', 'desk', now(), now(), now() + interval '1 day', 0, 1, 0, '', '', '{}'
  FROM generate_series(1, %s) n, (SELECT * FROM tickets_ticket ORDER BY id LIMIT 1) t
"""
INCIDENTS = """
INSERT INTO incidents_incident (ticket_ptr_id, hold_reason, resolution_code, resolution_notes, cancel_reason,
    reopen_count)
SELECT id, '', '', '', '', 0 FROM tickets_ticket WHERE number LIKE 'BEN%%'
"""
TIMERS = """
INSERT INTO slas_timer (ticket_id, policy_id, goal_id, kind, metric, cycle_no, state, target_us, time_zone, repeats,
    calendar_version_id, chain_version_id, started_at, due_at, retroactive, elapsed_closed_us, run_started_at, version,
    epoch, done_steps, reset_held, touched_at)
SELECT k.id, s.policy_id, s.goal_id, s.kind, s.metric, 1, 'running', 200000000000, '', '{}', s.calendar_version_id,
       s.chain_version_id, now(), now() + interval '200000 s', false, 0, now(), 1, 0, '{}', false, now()
  FROM tickets_ticket k, (SELECT * FROM slas_timer ORDER BY id LIMIT 2) s WHERE k.number LIKE 'BEN%%'
"""
STEPS = """
INSERT INTO slas_stepdue (timer_id, version, epoch, step, repetition, fire_at, attempts, last_error)
SELECT t.id, 1, 0, p, 0, t.started_at + interval '2000 s' * p, 0, ''
  FROM slas_timer t JOIN tickets_ticket k ON k.id = t.ticket_id, unnest(ARRAY[50, 75, 100]) p
 WHERE k.number LIKE 'BEN%%'
"""
# The breach of so many timers falls into the next seconds, spread evenly; they began as long before as their target is.
DUE = """
WITH chosen AS (
    SELECT t.id, now() + (%(after)s + %(spread)s * row_number() OVER (ORDER BY t.id) / %(count)s) * interval '1 s' AS at
      FROM slas_timer t JOIN tickets_ticket k ON k.id = t.ticket_id
      JOIN slas_stepdue s ON s.timer_id = t.id AND s.step = 100
     WHERE k.number LIKE 'BEN%%' AND t.state = 'running' AND t.breached_at IS NULL
     ORDER BY t.id LIMIT %(count)s),
moved AS (
    UPDATE slas_timer t
       SET due_at = c.at, started_at = c.at - interval '200000 s', run_started_at = c.at - interval '200000 s',
           done_steps = '{50,75}'
      FROM chosen c WHERE c.id = t.id),
gone AS (DELETE FROM slas_stepdue s USING chosen c WHERE c.id = s.timer_id AND s.step <> 100)
UPDATE slas_stepdue s SET fire_at = c.at FROM chosen c WHERE c.id = s.timer_id AND s.step = 100
"""


def fill(run: Any, running: int) -> None:
    """Store so many running timers, two on each ticket, with three steps each, none of which is due before tomorrow.

    `run(sql, values)` executes a statement. A ticket with its two clocks must be there already.
    """
    run(TICKETS, [running // 2])
    for statement in (INCIDENTS, TIMERS, STEPS, "ANALYZE"):
        run(statement, [])


def make_due(run: Any, count: int, *, after: float, spread: float = 0.0) -> None:
    """Let the breach of so many timers fall due `after` seconds from now, the last one `spread` seconds later."""
    run(DUE, {"count": count, "after": after, "spread": spread})


class Clockwork:
    """Servers in a directory of their own, and processes beside them. Use as a context manager."""

    def __init__(self, data_dir: Path, **surroundings: str) -> None:
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.services = Services(data_dir, environment={})
        self.surroundings = kept | {
            "DJANGO_SETTINGS_MODULE": "itsm.settings",
            "PYTHONPATH": str(ROOT),
            "WEB_THREADS": "2",
            **surroundings,
        }
        self.log = data_dir / "clockwork.log"
        self.children: dict[str, Child] = {}

    def __enter__(self) -> Clockwork:
        self.services.start()
        try:
            self.environment = self.surroundings | self.services.environment
            self.python("-m", "django", "migrate", "--verbosity", "0")
            self.python("-c", "import django; django.setup()\n" + FIRST)
        except BaseException:
            self.__exit__()  # or its servers would outlive the tests
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for name in list(self.children):
            self.kill(name)
        self.services.stop()
        for server in (self.services.postgres, self.services.valkey):
            # Asked once more, each reaps its process: Python warns of one that has ended and that nobody waited for.
            assert server is not None
            assert not server.is_running()

    def python(self, *arguments: str) -> str:
        """Run a short Python process to its end and return what it printed."""
        ran = subprocess.run(
            [sys.executable, *arguments], env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        return ran.stdout

    def sql(self, query: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Run a statement as database superuser and return its rows."""
        assert self.services.postgres is not None
        with psycopg.connect(self.services.postgres.url) as connection:
            ran = connection.execute(query, values or None)  # type: ignore[arg-type]
            return ran.fetchall() if ran.description else []

    def start(self, kind: str, copy: str = "", **more: str) -> str:
        """Start a process of those that `bin/serve` runs (`ticker`, `worker for timers`, `beat`); return its name."""
        (model,) = (child for child in plan(self.environment, "127.0.0.1", 1) if child.name == kind)
        command = [word.replace("@%h", f"{copy}@%h") for word in model.command]
        command = [f"--schedule={self.log.parent}/beat{copy}" if w == "--pidfile=" else w for w in command] + (
            ["--pidfile="] if kind == "beat" else []
        )
        child = Child(f"{kind}{copy}", command, model.environment | more)
        with self.log.open("ab") as log:
            child.process = subprocess.Popen(
                child.command, env=child.environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip
        self.children[child.name] = child
        return child.name

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill a process with all that it started, and wait for its end; returns its exit code."""
        child = self.children.pop(name)
        child.signal(number, group=number == signal.SIGKILL)
        assert child.process is not None
        return child.process.wait(timeout=30)

    def kill_server(self, server: str) -> None:
        """Kill a server (`valkey`: -9; `postgres`: a crash of all its processes). `heal` starts it again."""
        one = getattr(self.services, server)
        pid = one._pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL if server == "valkey" else signal.SIGQUIT)

    def heal(self) -> None:
        """Start again whichever server has died."""
        self.services.heal()
