"""`bin/manage replay_incident_log FILE`: replay a desk's incident event log through the verbs."""

import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.management.arguments import check_report, write_report, zone_named
from incidents.replay.meter import ProgressBar
from incidents.replay.reading import LogFileError, count_rows
from incidents.replay.running import AlreadyRunning, Replay
from itsm.tickets.errors import VerbError

STOPPED = 130


class Command(BaseCommand):
    help = (
        "Replay an incident event log (UCI dataset 498, .csv or .csv.gz) through the verbs, each event at its instant. "
        "Ctrl-C stops between two incidents; run it again to go on. What was replayed before is not replayed twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, how much of it, the zone of its times, and where the report goes."""
        parser.add_argument("file", type=Path, metavar="FILE", help="the log, packed (.gz) or plain")
        parser.add_argument("--limit", type=int, metavar="N", help="replay the first N incidents of the file only")
        parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report as JSON to this file")
        parser.add_argument("--zone", default="UTC", help="the time zone of the log's times (default: UTC)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the replay with a progress bar on standard error, then print the report."""
        replay = _replay_of(options)
        try:
            bar = ProgressBar(count_rows(replay.path, replay.limit), self.stderr)
            with _stopped_by_signals(replay):
                report = replay.run(bar.update)
        except AlreadyRunning:
            raise CommandError("Another replay is running on this database. Wait for its end or stop it.") from None
        except LogFileError as error:
            raise CommandError(str(error)) from None
        except VerbError as error:
            raise CommandError(f"The replay stopped: {error.message} What was replayed so far is kept.") from error
        bar.finish(report.rows_read, report.rows_new)
        write_report(options["report"], report.as_plain())
        self.stdout.write(report.as_text())
        if report.stopped:
            raise CommandError("Stopped. Run the same command again to go on.", returncode=STOPPED)


def _replay_of(options: dict[str, Any]) -> Replay:
    limit: int | None = options["limit"]
    if limit is not None and limit < 1:
        raise CommandError("--limit must be 1 or more.")
    zone = zone_named(options["zone"])
    check_report(options["report"])
    return Replay(options["file"], zone, limit)


@contextmanager
def _stopped_by_signals(replay: Replay) -> Iterator[None]:
    """Stop the replay softly at the first SIGINT or SIGTERM; a second one interrupts at once, and loses one incident's
    transaction at most."""

    def ask(number: int, frame: FrameType | None) -> None:
        replay.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
