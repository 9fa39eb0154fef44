"""How fast the incident log is replayed, by one process into an empty database, service levels included.

bin/bench replay                       the sample of the tests, forty times under other numbers
bin/bench replay --file LOG --limit N  the first N incidents of a log

On a machine that has other work, look at the rows per CPU-second (this process and its database session): with a core
to itself the replay comes near that rate.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path

import django
import psutil

SAMPLE = Path(__file__).parent.parent / "data" / "uci-sample.csv.gz"
COPIES = 40
TARGET = 150
DATABASE = "bench_replay"


@contextmanager
def empty_database() -> Iterator[None]:
    """Set Django up on a new database of the same server; drop it afterwards."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    connection.ensure_connection()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    connection.close()
    connection.settings_dict["NAME"] = DATABASE
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def copies_of_the_sample(folder: Path) -> Path:
    """Write the sample several times into one log, each time under other numbers, and return it."""
    heading, *rows = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines(keepends=True)
    target = folder / "log.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        file.write(heading)
        for copy in range(COPIES):
            file.writelines(f"{copy}-{row}" for row in rows)
    return target


def main() -> None:
    """Replay and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, empty_database():
        from django.db import connection

        from incidents.replay.running import Replay

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            session = psutil.Process(cursor.fetchone()[0])
        before, before_session = time.process_time(), sum(session.cpu_times()[:2])
        log = options.file or copies_of_the_sample(Path(folder))
        report = Replay(log, UTC, options.limit).run(lambda read, new: None)
        used, used_session = time.process_time() - before, sum(session.cpu_times()[:2]) - before_session
    cpu = used + used_session
    verdict = "ok" if report.rate >= TARGET else "BELOW"
    print(f"  {report.rows_new} rows of {report.incidents_new} incidents, {report.tally.counts['verbs'].total()} verbs")
    print(f"  {report.rate:8.0f} rows/s (target >= {TARGET}) {verdict}")
    print(
        f"  {report.rows_new / cpu:8.0f} rows per CPU-second ({used:.1f} s here, {used_session:.1f} s in the database)"
    )
    print(f"  {cpu / report.seconds:8.0%} of one core was to be had")
    print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB at most in this process")
    print(f"  {report.tally.counts['mismatches'].total():8d} differences from the log")


if __name__ == "__main__":
    main()
