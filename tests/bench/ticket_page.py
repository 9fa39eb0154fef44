"""How fast the ticket page is with 100 comments, beside a plain view on the same machine: `bin/bench ticket_page`."""

from __future__ import annotations

import argparse
import os
import sys

import django

from tests.bench.queue import EMAIL, queries_of, rate, seed, server, session_cookie

COMMENTS, TARGET_QUERIES = 100, 12
KEY = "bench ticket page"


def seed_ticket(comments: int) -> tuple[str, str]:
    """Return the number and the `seen` of an incident with so many comments, notes among them, and as many events."""
    from incidents.actions import open_incident, reply
    from itsm.accounts.models import User
    from itsm.tickets.actions import update
    from itsm.tickets.actors import Actor, Channel
    from itsm.tickets.models import Visibility

    requester = User.objects.exclude(email=EMAIL).order_by("pk").first()
    agent = User.objects.get(email=EMAIL)
    text = "It drops at **noon**, every day.\n\n1. Open the client\n2. Wait\n\nSee https://status.example/vpn.\n" * 3
    asks, works = Actor(requester, Channel.PORTAL), Actor(agent, Channel.DESK)
    incident = open_incident(actor=asks, title="The gateway drops", description=text, submission_key=KEY)
    for at in range(comments - incident.comments.count()):
        visibility = Visibility.INTERNAL if at % 3 == 0 else Visibility.PUBLIC
        reply(incident, f"{at}. {text}", actor=works, visibility=visibility)
        update(incident, {"urgency": 1 + at % 3}, actor=works)
    incident.refresh_from_db()
    return incident.number, f"{incident.version}.{incident.event_seq}"


def main(arguments: list[str] | None = None) -> int:
    """Print requests per second, their ratio to the plain view's, and queries of each; 1 when there are too many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--tickets", type=int, default=100_000)
    parser.add_argument("--comments", type=int, default=COMMENTS)
    parser.add_argument("--port", type=int, default=8184)
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    seed(options.tickets)
    number, seen = seed_ticket(options.comments)
    cookie = session_cookie()
    page = f"/desk/incidents/{number}/"
    paths = {"ticket page": page, "preview": f"{page}preview/", "pulse, unchanged": f"{page}pulse/?seen={seen}"}
    with server("tests.bench.plain:application", options.port + 1) as url:
        plain, _slow = rate(url, "/", cookie, options.seconds)
    if not plain:
        raise SystemExit(
            f"The plain view did not answer. Is port {options.port + 1} taken? Choose another with --port."
        )
    print(f"{'plain view, 50 rows':24}{plain:8.1f}/s")
    counts = []
    with server("itsm.wsgi:application", options.port) as url:
        for name, path in paths.items():
            measured, slow = rate(url, path, cookie, options.seconds)
            counts.append(queries_of(path))
            print(
                f"{name:24}{measured:8.1f}/s {measured / plain:6.2f} of plain, p95 {slow:.0f} ms, {counts[-1]} queries"
            )
    return 0 if max(counts) <= TARGET_QUERIES else 1


if __name__ == "__main__":
    sys.exit(main())
