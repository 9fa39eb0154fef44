"""How fast the queue is at 100,000 tickets, beside a plain view on the same machine. Run `bin/bench queue [--help]`."""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import django

EMAIL, PASSWORD = "bench@example.com", "bench bench bench"
TICKETS, CLIENTS, TARGET = 100_000, 8, 60
PATHS = {
    "queue": "/desk/queue/",
    "queue of a team": "/desk/queue/?view=team-bench-1",
    "queue, search": "/desk/queue/?q=scanner",
    "refresh, unchanged": "",
    "home": "/desk/",
}


def seed(count: int) -> None:
    """Fill the database up to `count` tickets, 200 people and 8 teams; does nothing the second time."""
    from itsm.accounts.actions import create_team
    from itsm.accounts.models import Team, User
    from itsm.accounts.roles import Role
    from itsm.tickets.models import Ticket
    from tests.workspace.seed import seed_tickets

    if not User.objects.filter(email=EMAIL).exists():
        people = User.objects.bulk_create(
            User(email=f"person{n}@bench.example", display_name=f"Person {n} Sample", password="!", is_vip=n % 40 == 0)
            for n in range(200)
        )
        agents = people[:40]
        for agent in agents:
            agent.roles = [Role.AGENT]
        User.objects.bulk_update(agents, ["roles"])
        me = User.objects.create_user(EMAIL, PASSWORD, display_name="Bench Agent", roles=[Role.AGENT])
        for n in range(8):
            create_team(f"Bench {n}", members=(*agents[n::8], *((me,) if n < 3 else ())))
    missing = count - Ticket.objects.count()
    if missing > 0:
        agents = list(User.objects.filter(roles__contains=[Role.AGENT]))
        seed_tickets(
            missing,
            requesters=list(User.objects.all()),
            agents=agents,
            teams=list(Team.objects.filter(name__startswith="Bench")),
        )


def session_cookie() -> str:
    """Return the cookie of a signed-in agent."""
    from django.conf import settings
    from django.test import Client

    from itsm.accounts.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=EMAIL), backend="itsm.accounts.backends.RoleBackend")
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def queries_of(path: str) -> int:
    """Return how many queries the page makes."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from itsm.accounts.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=EMAIL), backend="itsm.accounts.backends.RoleBackend")
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    if answer.status_code not in (200, 204):
        raise SystemExit(f"{path} answered {answer.status_code}")
    return len(queries)


@contextmanager
def server(application: str, port: int) -> Iterator[str]:
    """Serve as bin/serve does (one process, its threads), until the block ends."""
    threads = os.environ.get("WEB_THREADS", "4")
    command = [sys.executable, "-m", "granian", application, "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "2", "--blocking-threads", threads, "--no-ws", "--log-level", "error"]
    process = subprocess.Popen(command, env={**os.environ, "ITSM_PROCESS": "web"}, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def rate(url: str, path: str, cookie: str, seconds: float) -> tuple[float, float]:
    """Return requests per second and the slowest twentieth's time (ms) with eight clients that wait for each answer."""
    times: list[float] = []
    netloc = urlsplit(url).netloc

    def client() -> None:
        connection = http.client.HTTPConnection(netloc, timeout=30)
        while time.monotonic() < end:
            started = time.monotonic()
            connection.request("GET", path, headers={"Cookie": cookie, "Host": "localhost"})
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 204):
                raise SystemExit(f"{path} answered {answer.status}")
            times.append(time.monotonic() - started)

    client_once = http.client.HTTPConnection(netloc, timeout=60)
    for _ in range(12):  # each process reads its templates once
        client_once.request("GET", path, headers={"Cookie": cookie, "Host": "localhost"})
        client_once.getresponse().read()
    end = time.monotonic() + seconds
    workers = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    times.sort()
    return len(times) / seconds, times[int(len(times) * 0.95)] * 1000 if times else 0.0


def main(arguments: list[str] | None = None) -> int:
    """Print requests per second, their ratio to the plain view's, and queries for each page; 1 when too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--tickets", type=int, default=TICKETS)
    parser.add_argument("--port", type=int, default=8179)
    parser.add_argument("--url", help="a running server on the same database, instead of one of its own")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1")
    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    seed(options.tickets)
    cookie = session_cookie()
    with server("tests.bench.plain:application", options.port + 1) as url:
        plain, _slow = rate(url, "/", cookie, options.seconds)
    print(f"{'plain view, 50 rows':24}{plain:8.1f}/s")
    paths = dict(PATHS)
    client = Client(SERVER_NAME="localhost")
    client.cookies.load(cookie)
    page = client.get("/desk/queue/").content.decode()
    live, token = (page.partition(f'{name}="')[2].partition('"')[0] for name in ("data-live", "data-token"))
    paths["refresh, unchanged"] = f"{live.replace('&amp;', '&')}&token={token}"
    measured: dict[str, float] = {}
    with server("itsm.wsgi:application", options.port) as own:
        for name, path in paths.items():
            measured[name], slow = rate(options.url or own, path, cookie, options.seconds)
            ratio = measured[name] / plain if plain else 0
            print(
                f"{name:24}{measured[name]:8.1f}/s {ratio:6.2f} of plain, p95 {slow:.0f} ms, {queries_of(path)} queries"
            )
    return 0 if measured["queue"] >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
