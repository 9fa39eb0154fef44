"""Going through a log file: each incident is one transaction, and what was replayed before is passed over."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import batched
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from incidents.models import Incident, ReplayProgress
from incidents.replay.applying import IncidentReplay
from incidents.replay.directory import Directory
from incidents.replay.reading import LoggedIncident, read_log
from incidents.replay.report import Report, Tally
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from slas.actions import settle_imported

SOURCE = "uci-498"
LOOK_AHEAD = 200
LOCK_KEY = 0x75636934  # any number that nothing else locks: “uci4”

Meter = Callable[[int, int], None]


class AlreadyRunning(Exception):
    """Another replay works on this database now."""


@dataclass
class Replay:
    """One run over one file. `stop()` ends it after the incident at work; the next run goes on there."""

    path: Path
    zone: tzinfo
    limit: int | None = None
    report: Report = field(init=False)
    _stopping: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Begin with an empty report."""
        self.report = Report(file=self.path.name, zone=str(self.zone))

    def stop(self) -> None:
        """Ask to end after the incident at work."""
        self._stopping = True

    def run(self, meter: Meter) -> Report:
        """Replay the file and return the report. `meter(rows_read, rows_new)` is called after each incident.

        At the end of the file, service levels of incidents that the log leaves open are settled: what they passed
        until now is recorded, and nobody is told.

        Raises:
            LogFileError: the file cannot be read. AlreadyRunning.
        """
        with _alone():
            directory = Directory()
            started = time.monotonic()
            for logged, before in self._incidents():
                if self._stopping:
                    self.report.stopped = True
                    break
                self._replay(logged, before, directory)
                meter(self.report.rows_read, self.report.rows_new)
            if not self.report.stopped:
                settle_imported(actor=Actor(directory.importer, Channel.IMPORT, db_now()))
            self.report.seconds = time.monotonic() - started
            self.report.figures = key_figures()
        return self.report

    def _incidents(self) -> Iterator[tuple[LoggedIncident, ReplayProgress | None]]:
        taken = 0
        for some in batched(read_log(self.path, self.zone), LOOK_AHEAD):
            numbers = [logged.number for logged in some]
            found = ReplayProgress.objects.filter(source=SOURCE, external_id__in=numbers).select_related("incident")
            known = {progress.external_id: progress for progress in found}
            seen: set[str] = set()
            for logged in some:
                if self.limit is not None and taken >= self.limit:
                    return
                taken += 1
                fresh = logged.number in seen
                yield logged, _progress_of(logged.number) if fresh else known.get(logged.number)
                seen.add(logged.number)

    def _replay(self, logged: LoggedIncident, before: ReplayProgress | None, directory: Directory) -> None:
        self.report.incidents_read += 1
        self.report.rows_read += len(logged.rows)
        tally, new = replay_incident(logged, directory, before)
        self.report.tally.add(tally)
        self.report.rows_new += new
        self.report.incidents_new += bool(new)


def replay_incident(
    logged: LoggedIncident, directory: Directory, before: ReplayProgress | None, *, upto: int | None = None
) -> tuple[Tally, int]:
    """Replay those rows of the incident that were not replayed before, in one transaction with the note of it.

    Returns the tally of all its rows, and how many were replayed now. `upto` leaves later rows for another time. Rows
    under a number that was replayed from other rows are refused and counted.
    """
    done = before.rows if before else 0
    stop = len(logged.rows) if upto is None else min(upto, len(logged.rows))
    if before is not None and (done > len(logged.rows) or digest_of(logged, done) != before.digest):
        return _refused(logged), 0
    if before is not None and done >= stop:
        return Tally.from_plain(before.tally), 0
    directory.prepare(logged)
    with transaction.atomic():
        incident = Incident.objects.with_people().get(pk=before.incident_id) if before else None
        replay = IncidentReplay(logged, directory, incident)
        replay.apply(done, stop)
        if replay.incident is None:
            return replay.tally, 0
        tally = Tally.from_plain(before.tally) if before else Tally()
        tally.add(replay.tally)
        progress = before or ReplayProgress(source=SOURCE, external_id=logged.number, incident=replay.incident)
        progress.rows, progress.digest, progress.tally = stop, digest_of(logged, stop), tally.as_plain()
        progress.save(force_insert=before is None)
    return tally, stop - done


def digest_of(logged: LoggedIncident, rows: int) -> str:
    """Return the SHA-256 of the incident's first rows as they stand in the file."""
    return hashlib.sha256("\x1e".join(logged.raw[:rows]).encode()).hexdigest()


def key_figures() -> dict[str, Any]:
    """Return what the replayed incidents look like as a whole: times to resolve in hours, reopenings, reassignments."""
    replayed = Incident.objects.filter(pk__in=ReplayProgress.objects.filter(source=SOURCE).values("incident"))
    hours: list[float] = []
    reopened: Counter[int] = Counter()
    reassigned: Counter[int] = Counter()
    fields = replayed.values_list("opened_at", "resolved_at", "reopen_count", "reassignment_count")
    for opened_at, resolved_at, reopen_count, reassignment_count in fields.iterator():
        reopened[reopen_count] += 1
        reassigned[reassignment_count] += 1
        if resolved_at is not None:
            hours.append((resolved_at - opened_at).total_seconds() / 3600)
    number = reopened.total()
    if not number:
        return {}
    return {
        "incidents": number,
        "resolved": len(hours),
        "mean hours to resolve": round(statistics.fmean(hours), 1) if hours else None,
        "median hours to resolve": round(statistics.median(hours), 1) if hours else None,
        "reopened at least once": f"{number - reopened[0]} ({(number - reopened[0]) / number:.2%})",
        "never reassigned": f"{reassigned[0]} ({reassigned[0] / number:.1%})",
        "mean reassignments": round(sum(count * n for count, n in reassigned.items()) / number, 2),
        "reassignments": {str(count): reassigned[count] for count in sorted(reassigned)},
        "reopenings": {str(count): reopened[count] for count in sorted(reopened)},
    }


def _refused(logged: LoggedIncident) -> Tally:
    tally = Tally()
    tally.count("rows", "not", len(logged.rows))
    tally.count("limits", "other_story", len(logged.rows))
    tally.note("other_story", logged.number)
    return tally


def _progress_of(number: str) -> ReplayProgress | None:
    return ReplayProgress.objects.filter(source=SOURCE, external_id=number).first()


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        if not cursor.fetchone()[0]:
            raise AlreadyRunning
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
