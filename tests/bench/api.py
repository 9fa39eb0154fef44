"""How fast incidents are opened over the API, beside a plain Django view that inserts one row.

bin/bench api                                            a server of its own on a database of its own
bin/bench api --url http://127.0.0.1:8000 --token TOKEN  a server that runs; only the API is measured
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CLIENTS = 8
WARM_UP = 2.0
TARGET = 80.0
PLAIN_PATH = "/bench/insert"  # of tests/bench/plain_insert.py


def client(
    address: str, path: str, token: str, seconds: float, results: multiprocessing.Queue[list[float] | str]
) -> None:
    """Post to the path over one connection for so long; put the seconds that each answer took (after a warm-up)."""
    parts = urlsplit(address)
    line = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    took: list[float] = []
    begun = time.perf_counter()
    number = 0
    while (now := time.perf_counter()) < begun + WARM_UP + seconds:
        number += 1
        body = {
            "title": f"Cannot reach the file server {number}",
            "description": "It was there this morning. Nothing has changed on my side.\n" * 3,
            "impact": number % 3 + 1,
            "urgency": number % 2 + 1,
        }
        line.request("POST", path, json.dumps(body), headers)
        answer = line.getresponse()
        content = answer.read()
        if answer.status != 201:
            results.put(f"{path} answered {answer.status}: {content[:300]!r}")
            return
        if now > begun + WARM_UP:
            took.append(time.perf_counter() - now)
    results.put(took)


def measure(address: str, path: str, token: str, seconds: float) -> tuple[float, float, float]:
    """Return requests per second, and the p50 and p95 of an answer in milliseconds, with CLIENTS processes."""
    results: multiprocessing.Queue[list[float] | str] = multiprocessing.Queue()
    clients = [
        multiprocessing.Process(target=client, args=(address, path, token, seconds, results)) for _ in range(CLIENTS)
    ]
    for process in clients:
        process.start()
    answers = [results.get(timeout=seconds + 120) for _ in clients]
    for process in clients:
        process.join()
    failures = [answer for answer in answers if isinstance(answer, str)]
    if failures:
        sys.exit(failures[0])
    took = [one for answer in answers if not isinstance(answer, str) for one in answer]
    cuts = statistics.quantiles(took, n=20)
    return len(took) / seconds, statistics.median(took) * 1000, cuts[18] * 1000


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port: int = finder.getsockname()[1]
    return port


@contextmanager
def server(port: int, database: str) -> Iterator[str]:
    """Run the web server as `bin/serve` does, with the plain view added; give its address."""
    command = ["granian", "tests.bench.plain_insert:application", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "2", "--blocking-threads", "4", "--no-ws", "--log-level", "warning"]
    environment = os.environ | {"ITSM_PROCESS": "web", "DATABASE_URL": database, "LOG_LEVEL": "WARNING"}
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """Make a database with the tables and one agent; give its address and the agent's token, and drop it after."""
    import psycopg  # the rest of this module needs no database

    home = os.environ["DATABASE_URL"]
    name = f"bench_{secrets.token_hex(4)}"
    parts = urlsplit(home)
    ours = parts._replace(path=f"/{name}").geturl()
    if not parts.netloc.rpartition("@")[2]:  # geturl drops what stands for “no host”
        ours = home.replace(parts.path, f"/{name}", 1)
    with psycopg.connect(home, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    environment = os.environ | {"DATABASE_URL": ours}

    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE).stdout

    try:
        manage("migrate", "--verbosity", "0")
        manage("shell", "--verbosity", "0", "--command", SETUP)
        yield ours, manage("create_token", "bench@example.com").strip().splitlines()[-1]
    finally:
        with psycopg.connect(home, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


SETUP = """
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.accounts.actions import create_team
from itsm.tickets.models import RoutingRule
agent = User.objects.create_user("bench@example.com", roles=[Role.REQUESTER, Role.AGENT])
team = create_team("Files", lead=agent, members=(agent,))
RoutingRule.objects.create(
    name="Files", condition={"field": "title", "op": "contains", "value": "file server"}, team=team, order=1
)
"""


def told(what: str, figures: tuple[float, float, float]) -> None:
    """Print one line of figures."""
    rate, middle, high = figures
    print(f"  {what:34} {rate:8.1f} requests/s   p50 {middle:6.1f} ms   p95 {high:6.1f} ms")


def main() -> None:
    """Print the rates of the API and of the plain view, and their ratio; exit 1 below the target."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--url")
    reader.add_argument("--token")
    reader.add_argument("--seconds", type=float, default=10.0)
    options = reader.parse_args()
    path = "/api/v1/incidents/"
    print(
        f"Opening incidents over the API: {CLIENTS} clients, {options.seconds:.0f} s after {WARM_UP:.0f} s of warm-up"
    )
    if options.url:
        if not options.token:
            reader.error("--url needs --token")
        figures = measure(options.url, path, options.token, options.seconds)
        told("POST /api/v1/incidents/", figures)
    else:
        with database() as (address, token), server(free_port(), address) as url:
            figures = measure(url, path, token, options.seconds)
            told("POST /api/v1/incidents/", figures)
            plain = measure(url, PLAIN_PATH, token, options.seconds)
            told("plain view that inserts a row", plain)
            print(f"  one incident costs as much as {plain[0] / figures[0]:.1f} plain inserts")
    print(f"  target: at least {TARGET:.0f} requests/s: {'ok' if figures[0] >= TARGET else 'MISSED'}")
    if figures[0] < TARGET:
        sys.exit(1)


if __name__ == "__main__":
    main()
