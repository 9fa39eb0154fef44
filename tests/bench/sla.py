"""Service levels against their targets (sla.md §7): calendars, a ticket's save, the tick, the ticker. `bin/bench sla`.

Works on servers of its own in a directory that is removed at the end. Times depend on the machine, which is printed;
query counts do not.
"""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import psycopg

from tests.bench import calendars
from tests.clockwork import Clockwork, fill, make_due

STORM = 10_000
DRAINS = 3
IDLE, IDLE_SPREAD_S = 400, 40.0
OPENED = 60
PARTS = ("calendars", "saves", "empty", "drain", "idle", "storm")
# Timers that each part lets fall due: they must be there.
DUE = {"drain": DRAINS * STORM, "idle": IDLE, "storm": 2 * STORM}


def say(what: str, value: str, target: str = "") -> None:
    """Print one figure beside its target."""
    sys.stdout.write(f"  {what:<62} {value:>30}   {target}\n")
    sys.stdout.flush()


def heading(text: str) -> None:
    """Print the name of a part."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def machine() -> str:
    """Return what this was measured on."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) // 1024**2 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    cpu = names[0] if names else platform.processor() or platform.machine()
    return f"{os.cpu_count()} × {cpu}, {(memory or [0])[0]} GiB, Python {platform.python_version()}"


def _lines(file: str) -> list[str]:
    path = Path(file)
    return path.read_text().splitlines() if path.exists() else []


def load() -> str:
    """Return how busy the machine is beside this."""
    return f"load {os.getloadavg()[0]:.1f}"


def times_ms(call: Callable[[], object], count: int) -> list[float]:
    """Return how long each of the calls took, in milliseconds."""
    found = []
    for _number in range(count):
        start = time.perf_counter()
        call()
        found.append((time.perf_counter() - start) * 1000)
    return found


def p50_p99(values: list[float], unit: str = "ms") -> str:
    """Return the median and the 99th percentile in words."""
    return f"p50 {median(values):.2f} p99 {quantiles(values, n=100)[98]:.2f} {unit}"


class Cpu:
    """Processor time that the clocks cost: that of the processes given, and of the database server with all its own.

    Unlike the time that passes it hardly depends on what else the machine does.
    """

    def __init__(self, clockwork: Clockwork, firing: Iterable[int]) -> None:
        server = clockwork.services.postgres
        assert server is not None
        self._server = psutil.Process(server._pid)
        self._firing = [psutil.Process(pid) for pid in firing]
        self._before = self._now()

    def per_step(self, steps: int) -> str:
        """Return what each of so many steps has cost since this was made, in words."""
        python, server = ((now - before) / steps * 1e6 for now, before in zip(self._now(), self._before, strict=True))
        return f"{python:.0f} + {server:.0f} µs"

    def _now(self) -> tuple[float, float]:
        firing = sum(times.user + times.system for times in (one.cpu_times() for one in self._firing))
        ended = self._server.cpu_times()
        server = ended.user + ended.system + ended.children_user + ended.children_system
        for child in self._server.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            server += times.user + times.system
        return firing, server


def ticket_saves() -> None:
    """Measure what four clocks add to the verbs of a ticket: queries and time, with the clocks and without."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from incidents.actions import hold, open_incident, resolve, resume
    from itsm.accounts.models import Team, User
    from itsm.tickets.actions import override_priority, update
    from itsm.tickets.actors import SYSTEM, Actor, Channel
    from itsm.tickets.hooks import listen
    from slas.actions import GoalSpec, follow, save_policy
    from slas.history import OWN_EVENTS
    from slas.models import BusinessCalendar, EscalationChain

    calendar = BusinessCalendar.objects.get(name="24×7")
    chain = EscalationChain.objects.get(name="Standard escalation")
    for metric in ("response", "resolution"):
        goals = [GoalSpec(8 * 3600, calendar, {"field": "priority", "op": "lte", "value": 3}, chain)]
        goals.append(GoalSpec(16 * 3600, calendar, chain=chain))
        save_policy(f"Own {metric}", metric=metric, kind="ola", goals=goals, actor=SYSTEM)
    anna, rita = (User.objects.get(email=f"{name}@example.com") for name in ("anna", "rita"))
    actor, team = Actor(anna, Channel.DESK), Team.objects.get(key="network")

    def life() -> dict[str, tuple[int, float]]:
        """Return for each verb of one ticket's life how many queries it took, and how many milliseconds."""
        found: dict[str, tuple[int, float]] = {}
        ticket: Any = None
        verbs: dict[str, Callable[[], Any]] = {
            "open: four clocks begin": lambda: open_incident(actor=actor, title="Bench", requester=rita, team=team),
            "edit: no clock moves": lambda: update(ticket, {"title": "Bench 2"}, actor=actor),
            "priority: four clocks get another target": lambda: override_priority(
                ticket, 2, reason="Bench", actor=SYSTEM
            ),
            "hold: the clocks pause": lambda: hold(ticket, actor=actor, hold_reason="awaiting_vendor"),
            "resume: they go on": lambda: resume(ticket, actor=actor),
            "resolve: they stop": lambda: resolve(
                ticket, actor=actor, resolution_code="user_error", resolution_notes="Done."
            ),
        }
        for name, verb in verbs.items():
            begin = time.perf_counter()
            with CaptureQueriesContext(connection) as seen:
                ticket = verb()
            took = (time.perf_counter() - begin) * 1000
            found[name] = (sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries), took)
        return found

    for _warm in range(5):
        life()
    with_clocks, without = [], []
    for _round in range(OPENED):
        with_clocks.append(life())
        listen("slas", lambda change: None, order=50)
        without.append(life())
        listen("slas", follow, order=50, deaf_to=OWN_EVENTS)
    heading("Ticket save with 4 timers: what they add (statements without savepoints; milliseconds at the median)")
    for name in with_clocks[0]:
        queries = median(one[name][0] for one in with_clocks) - median(one[name][0] for one in without)
        took = median(one[name][1] for one in with_clocks) - median(one[name][1] for one in without)
        say(name, f"{queries:.0f} queries, {took:.2f} ms", "< 8 queries, < 3 ms")


def run_as_superuser(clockwork: Clockwork) -> tuple[Any, Any]:
    """Return a connection that checks no foreign keys, and a function that runs statements on it."""
    assert clockwork.services.postgres is not None
    connection = psycopg.connect(clockwork.services.postgres.url, autocommit=True)
    connection.execute("SET session_replication_role = replica")
    return connection, lambda query, values: connection.execute(query, values or {"nothing": None})


def lateness_ms(
    clockwork: Clockwork, tickers: Iterable[str], count: int, *, after: float, spread: float
) -> tuple[list[float], str]:
    """Let so many steps fall due and return how late each was recorded, by the database's clock, and what each cost."""
    done = "SELECT COALESCE(max(id), 0) FROM slas_slaevent"
    ((before,),) = clockwork.sql(done)
    make_due(clockwork.sql, count, after=after, spread=spread)
    children = [clockwork.children[name].process for name in tickers]
    cpu = Cpu(clockwork, [child.pid for child in children if child is not None])
    fired = "SELECT count(*) FROM slas_slaevent WHERE id > %s"
    end = time.monotonic() + after + spread + 120
    while clockwork.sql(fired, [before]) != [(count,)]:
        if time.monotonic() > end:
            raise SystemExit(f"Only {clockwork.sql(fired, [before])} of {count} steps fired; see {clockwork.log}")
        time.sleep(0.5)
    cost = cpu.per_step(count)
    rows = clockwork.sql(
        "SELECT EXTRACT(EPOCH FROM v.recorded_at - v.at) FROM slas_slaevent e JOIN slas_timer t ON t.id = e.timer_id"
        " JOIN tickets_ticketevent v ON v.ticket_id = t.ticket_id AND v.at = e.at"
        " AND v.data ->> 'metric' = t.metric WHERE e.id > %s",
        [before],
    )
    return [float(row[0]) * 1000 for row in rows], cost


def drain(count: int, clockwork: Clockwork) -> tuple[float, str]:
    """Return how many steps a second one process fires when so many are overdue, and what each costs."""
    from slas.tick import tick

    make_due(clockwork.sql, count, after=-1)
    cpu = Cpu(clockwork, [os.getpid()])
    start = time.perf_counter()
    fired = 0
    while fired < count and (more := tick()):
        fired += more
    return fired / (time.perf_counter() - start), cpu.per_step(count)


def ticks(clockwork: Clockwork, running: int, parts: Iterable[str]) -> None:
    """Measure the tick, and the lateness with the real ticker, over so many running timers."""
    from slas.tick import tick

    connection, run = run_as_superuser(clockwork)
    start = time.perf_counter()
    fill(run, running)
    connection.close()
    pending = clockwork.sql("SELECT count(*) FROM slas_stepdue")[0][0]
    took = time.perf_counter() - start
    heading(f"Tick over {running:,} running timers and {pending:,} pending steps (filled in {took:.0f} s; {load()})")
    tick()
    if "empty" in parts:
        say("empty tick", p50_p99(times_ms(tick, 2000)), "p99 < 1 ms")
    for _round in range(DRAINS if "drain" in parts else 0):
        speed, cost = drain(STORM, clockwork)
        say(f"{STORM:,} due steps drained by one worker", f"{speed:,.0f} steps/s", "> 3,000 steps/s")
        say("  processor time for a step, worker + database", cost)
    if "idle" in parts or "storm" in parts:
        lateness(clockwork, parts)


def lateness(clockwork: Clockwork, parts: Iterable[str]) -> None:
    """Measure how late the real ticker fires steps, one by one and in a storm."""
    names = [clockwork.start("ticker")]
    time.sleep(5)
    heading(f"Lateness with one ticker process and no worker ({load()})")
    if "idle" in parts:
        idle, _cost = lateness_ms(clockwork, names, IDLE, after=2, spread=IDLE_SPREAD_S)
        say(f"{IDLE} steps within {IDLE_SPREAD_S:.0f} s", p50_p99(idle), "p99 < 500 ms")
    if "storm" in parts:
        storm(clockwork, names, "")
        names.append(clockwork.start("ticker", "2"))
        time.sleep(5)
        storm(clockwork, names, ", two tickers")
    for one in names:
        clockwork.kill(one)


def storm(clockwork: Clockwork, tickers: Iterable[str], who: str) -> None:
    """Let very many steps fall due at one instant."""
    late, cost = lateness_ms(clockwork, tickers, STORM, after=5, spread=0)
    say(f"{STORM:,} steps at one instant{who}", p50_p99(late), "p99 < 2,000 ms")
    say("  processor time for a step, tickers + database", cost)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bin/bench sla", description=__doc__.splitlines()[0])
    parser.add_argument("--running", type=int, default=1_000_000, metavar="N", help="running timers (default: 1000000)")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=f"of {', '.join(PARTS)} (default: all)"
    )
    options = parser.parse_args(arguments)
    parts = frozenset(options.only)
    least = sum(count for part, count in DUE.items() if part in parts)
    if options.running < least:
        parser.error(f"--running must be {least} or more: so many steps are let fall due.")
    heading(f"{machine()}, {load()}")
    if "calendars" in parts:
        calendars.main()
    if parts == {"calendars"}:
        return
    data = Path(tempfile.mkdtemp(prefix="benchsla"))
    data.chmod(0o711)
    try:
        with Clockwork(data) as clockwork:
            os.environ.update(clockwork.services.environment)
            import django

            django.setup()
            from django.db import connection

            heading(f"PostgreSQL {clockwork.sql('SHOW server_version')[0][0]}")
            if "saves" in parts:
                ticket_saves()
            if parts - {"calendars", "saves"}:
                ticks(clockwork, options.running, parts)
            connection.close()
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
