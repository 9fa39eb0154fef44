"""How fast collisions are found among many planned changes and windows, and how fast the calendar of a full month is.

Run `bin/bench collisions [--changes 10000] [--windows 100] [--month 2000]`.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Any

import django

CHANGES, WINDOWS, IN_MONTH = 10_000, 100, 2000
FIND_MS, PAGE_MS, PAGE_QUERIES = 50, 300, 15
ZONES = ("Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
BUSY = date(2031, 5, 1)


def seed(changes: int, windows: int, month: int) -> Any:
    """Fill the database with changes over a year ahead, a full month later on, and windows; return a change manager."""
    from changes.models import AffectedService, Change, ChangeWindow
    from cmdb.models import Service
    from itsm.accounts.actions import create_team
    from itsm.accounts.models import User
    from itsm.accounts.roles import Role

    rng = Random(7)
    me = User.objects.filter(email="bench-changes@example.com").first()
    if me is None:
        me = User.objects.create_user(
            "bench-changes@example.com", "bench bench bench", display_name="Bench Manager", roles=[Role.CHANGE_MANAGER]
        )
        people = [
            User(email=f"maker{n}@bench.example", display_name=f"Maker {n}", password="!", roles=[Role.AGENT])
            for n in range(60)
        ]
        create_team("Bench makers", members=(me, *User.objects.bulk_create(people)))
        Service.objects.bulk_create(Service(name=f"Bench service {n}", key=f"bench-{n}") for n in range(200))
    people = list(User.objects.filter(email__endswith="@bench.example"))
    services = list(Service.objects.filter(key__startswith="bench-"))
    team = me.teams.first()

    def made(number: int, start: datetime) -> Any:
        length = timedelta(minutes=rng.choice((30, 60, 120, 240, 480)))
        return Change(
            kind="change",
            number=f"CHG9{number:06d}",
            title="Patch the servers of this service",
            status=rng.choice(("new", "assess", "authorise", "scheduled")),
            requester=me,
            opened_by=me,
            team=team,
            assignee=rng.choice(people),
            service=rng.choice(services),
            channel="desk",
            change_type=rng.choice(("normal", "normal", "emergency")),
            risk=rng.choice((None, 2, 3, 4)),
            planned_start=start,
            planned_end=start + length,
        )

    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    missing = changes + month - Change.objects.filter(title__startswith="Patch the servers").count()
    starts = [now + timedelta(minutes=rng.randrange(60, 365 * 1440)) for _ in range(changes)]
    first = datetime(BUSY.year, BUSY.month, 1, tzinfo=UTC)
    starts += [first + timedelta(minutes=rng.randrange(31 * 1440 - 600)) for _ in range(month)]
    touched = []
    for number, start in enumerate(starts if missing > 0 else ()):
        change = made(number, start)
        change.save(force_insert=True)
        touched += [AffectedService(change=change, service=one) for one in {change.service, rng.choice(services)}]
    AffectedService.objects.bulk_create(touched, batch_size=5000)
    for n in range(max(windows - ChangeWindow.objects.count(), 0)):
        repeat = rng.choice(("daily", "weekly", "monthly", "yearly"))
        rule: dict[str, Any] = {
            "time_zone": rng.choice(ZONES),
            "repeat": repeat,
            "first": "2026-01-01",
            "start": "22:00",
        }
        rule |= {"end": "04:00", "end_day": 1}
        if repeat == "weekly":
            rule["weekdays"] = [rng.randrange(7)]
        if repeat in ("monthly", "yearly"):
            rule |= {"nth": rng.choice((1, 2, -1)), "weekday": 6, **({"month": 12} if repeat == "yearly" else {})}
        window = ChangeWindow.objects.create(
            name=f"Bench window {n}", kind=("freeze", "maintenance")[n % 2], rule=rule, weight="warn"
        )
        window.services.set(rng.sample(services, 5))
    return me


def timed(call: Callable[[], object], times: int) -> tuple[float, float]:
    """Return the median of so many calls after one that warms up, in ms: by the clock, and of this processor alone,
    which tells on a machine that does other things too."""
    call()
    found, own = [], []
    for _ in range(times):
        started, spent = perf_counter(), process_time()
        call()
        found.append((perf_counter() - started) * 1000)
        own.append((process_time() - spent) * 1000)
    return median(found), median(own)


def main(arguments: list[str] | None = None) -> int:
    """Print ms and queries beside their targets; 1 when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=CHANGES)
    parser.add_argument("--windows", type=int, default=WINDOWS)
    parser.add_argument("--month", type=int, default=IN_MONTH)
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1")
    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from changes.models import Change
    from changes.schedule.collisions import collisions
    from changes.schedule.keeping import recheck
    from changes.schedule.slots import free_slots
    from itsm.tickets.clock import db_now

    logging.getLogger("itsm.access").setLevel(logging.WARNING)
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    with transaction.atomic():
        me = seed(options.changes, options.windows, options.month)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    some = list(Change.objects.filter(planned_start__gt=db_now()).order_by("?")[:40])
    client = Client(SERVER_NAME="localhost")
    client.force_login(me, backend="itsm.accounts.backends.RoleBackend")
    page = f"/desk/changes/calendar/?date={BUSY}"

    def each(call: Callable[[Any], object]) -> Callable[[], object]:
        queue = iter(some * 10)
        return lambda: call(next(queue))

    def rechecked(change: Any) -> None:
        with transaction.atomic():
            recheck(change, by=me)

    def looked() -> None:
        if client.get(page).status_code != 200:
            raise SystemExit("the calendar did not answer")

    missed = 0
    for what, call, times, most_ms, most_queries in (
        ("collisions of a change", each(collisions), 40, FIND_MS, None),
        ("the same, stored", each(rechecked), 40, None, None),
        ("five free slots", each(lambda change: free_slots(change, after=db_now())), 20, None, None),
        ("calendar of a month", looked, 8, PAGE_MS, PAGE_QUERIES),
    ):
        took, spent = timed(call, times)
        with CaptureQueriesContext(connection) as seen:
            call()
        over = (most_ms is not None and took >= most_ms) or (most_queries is not None and len(seen) > most_queries)
        missed += over
        target = f" (target < {most_ms} ms)" if most_ms else ""
        verdict = "OVER" if over else "ok" if most_ms else ""
        print(f"{what:26}{took:8.1f} ms (own {spent:.1f}) {len(seen):3d} queries{target} {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
