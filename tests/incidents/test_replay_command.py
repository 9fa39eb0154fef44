"""`replay_incident_log`: what it prints, what it refuses, how it stops."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from incidents.models import Incident
from incidents.replay.applying import IncidentReplay
from incidents.replay.running import LOCK_KEY
from tests.incidents.replay_helpers import SAMPLE, write_log

COMMAND = "replay_incident_log"


def run(*args: object) -> tuple[str, str]:
    """Run the command; return standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command(COMMAND, *map(str, args), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_prints_the_report_and_writes_it_as_json(tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    out, err = run(SAMPLE, "--report", target)
    assert "260  rows read" in out
    assert "0  not accounted for" in out
    assert "different without a reason\n       none" in out.replace("  none", "       none")
    assert "100.0% 260 of 260 rows" in err
    report = json.loads(target.read_text())
    assert report["rows_read"] == sum(report["rows"].values()) == 260
    assert report["rows_unaccounted"] == 0
    assert report["verbs"]["open_incident"] == report["figures"]["incidents"] == 33
    assert "\x1b" not in out + err


@pytest.mark.django_db
def test_a_signal_stops_between_incidents_with_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    apply = IncidentReplay.apply

    def apply_then_interrupt(self: IncidentReplay, start: int, stop: int) -> None:
        apply(self, start, stop)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(IncidentReplay, "apply", apply_then_interrupt)
        with pytest.raises(CommandError, match="Run the same command again") as stopped:
            run(SAMPLE)
    assert stopped.value.returncode == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert Incident.objects.count() == 1
    out, _err = run(SAMPLE)
    assert "32  incidents replayed by this run" in out
    assert "33  incidents read" in out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["no-such.csv"], "cannot be read: No such file"),
        ([SAMPLE, "--limit", "0"], "--limit must be 1 or more"),
        ([SAMPLE, "--zone", "Mars/Olympus"], "is no time zone"),
        ([SAMPLE, "--zone", "../../etc/passwd"], "is no time zone"),
        ([SAMPLE, "--report", "/no/such/folder/report.json"], "There is no folder /no/such/folder"),
    ],
)
def test_wrong_arguments_get_a_sentence(args: list[object], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*args)
    assert not Incident.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("other.csv", b"a,b\n1,2\n", "is not an incident event log: it has no column"),
        ("empty.csv", b"", "is not an incident event log"),
        ("latin.csv", b"\xff\xfe number", "is not UTF-8 text"),
        ("plain.csv.gz", b"number,incident_state\n", "is damaged or breaks off"),
        ("cut.csv.gz", SAMPLE.read_bytes()[:2000], "is damaged or breaks off"),
        ("long.csv", b'number\n"' + b"x" * 200_000 + b'"\n', "is not an incident event log"),
    ],
)
def test_wrong_files_get_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandError, match=sentence):
        run(path)
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_a_log_without_rows_and_an_overlong_field_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no rows"):
        run(write_log(tmp_path / "log.csv", []))
    with pytest.raises(CommandError, match="is not a readable CSV file"):
        run(write_log(tmp_path / "long.csv", [{"category": "x" * 200_000}]))


@pytest.mark.django_db
def test_packed_and_plain_files_are_the_same(tmp_path: Path) -> None:
    plain = tmp_path / "log.csv"
    plain.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    run(SAMPLE, "--limit", 3)
    out, _err = run(plain, "--limit", 3)
    assert "0  rows replayed by this run" in out


@pytest.mark.django_db(transaction=True)
def test_only_one_replay_at_a_time() -> None:
    known = connection.get_connection_params()
    address = {key: known[key] for key in ("dbname", "user", "password", "host", "port") if key in known}
    with psycopg.connect(**address, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        with pytest.raises(CommandError, match="Another replay is running"):
            run(SAMPLE, "--limit", 1)
        assert not Incident.objects.exists()
        other.execute("SELECT pg_advisory_unlock(%s)", [LOCK_KEY])
    run(SAMPLE, "--limit", 1)
    assert Incident.objects.count() == 1
