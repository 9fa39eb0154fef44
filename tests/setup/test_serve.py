"""`bin/serve` and `bin/manage` as a person uses them, and what happens when parts of it are killed."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.setup.conftest import ROOT, Desk, environment, until

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("servers")]


def test_only_the_web_server_listens_on_the_network(desk: Desk) -> None:
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in desk.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", desk.port)}


def test_secrets_and_sockets_are_their_owners_only(desk: Desk) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(desk.data / "secret_key") == 0o600
    assert mode(desk.data / "run" / "postgres") == mode(desk.data / "run" / "valkey") == 0o700
    assert mode(desk.data / "mail") == mode(desk.data / "media") == mode(desk.data / "postgres") == 0o700


def test_manage_joins_a_running_desk_and_prints_only_its_answer(desk: Desk) -> None:
    answer = desk.manage("shell", "--no-imports", "-c", "print('only this')")
    assert (answer.returncode, answer.stdout) == (0, "only this\n")
    assert desk.get("/readyz")[0] == 200


def test_a_second_supervisor_for_the_same_directory_is_refused(desk: Desk) -> None:
    command = [sys.executable, "-m", "itsm.cli", "serve", "--port", "1", "--data", str(desk.data)]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=90, check=False)
    assert answer.returncode == 1
    assert "is being served already" in answer.stderr
    assert desk.get("/readyz")[0] == 200


@pytest.mark.parametrize(
    "word", ["celery --quiet -A itsm.celery --skip-checks beat", "-n timers@", "django ticker", "granian"]
)
def test_a_killed_child_is_started_again(desk: Desk, word: str) -> None:
    before = {process.pid for process in desk.processes(word)}
    oldest = psutil.Process(min(before))
    oldest.kill()
    until(lambda: {p.pid for p in desk.processes(word)} and not before & {p.pid for p in desk.processes(word)}, word)
    until(lambda: desk.get("/readyz")[0] == 200, "ready again")


@pytest.mark.parametrize("program", ["valkey-server", "bin/postgres"])
def test_a_killed_server_is_started_again(desk: Desk, program: str) -> None:
    (server,) = desk.processes(program)
    server.kill()
    until(lambda: [p for p in desk.processes(program) if p.pid != server.pid], f"{program} again")
    until(lambda: desk.state()["status"] == "ready", "ready again")


def test_pages_are_served_while_the_broker_hangs(desk: Desk) -> None:
    (broker,) = desk.processes("valkey-server")
    broker.suspend()
    try:
        started = time.monotonic()
        assert desk.get("/accounts/login/")[0] == 200
        assert time.monotonic() - started < 5
        assert desk.state() == {
            "status": "degraded",
            "checks": {"database": "ok", "migrations": "ok", "broker": "unreachable"},
        }
    finally:
        broker.resume()
    until(lambda: desk.state()["status"] == "ready", "ready again")


def test_a_killed_supervisor_takes_its_children_along_and_a_new_one_takes_over(desk: Desk) -> None:
    assert desk.process is not None
    desk.stop(signal.SIGKILL)
    until(lambda: not desk.processes("granian") and not desk.processes("celery"), "children gone")
    desk.start()
    assert len(desk.processes("celery --quiet -A itsm.celery --skip-checks beat")) == 1
    assert len(desk.processes("bin/postgres")) == 1


def test_stopping_leaves_nothing_and_it_starts_again(desk: Desk) -> None:
    assert desk.stop(signal.SIGINT) == 0
    assert desk.processes() == []
    desk.start()
    assert desk.get("/readyz")[0] == 200


def test_two_desks_run_side_by_side(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    other = new_desk()
    other.start()
    keys = {one.data.joinpath("secret_key").read_text() for one in (desk, other)}
    assert len(keys) == 2
    assert other.stop() == 0
    assert desk.get("/readyz")[0] == 200


def test_manage_starts_and_stops_what_does_not_run(new_desk: Callable[[], Desk]) -> None:
    quiet = new_desk()
    first = quiet.manage("migrate", "--verbosity", "0")
    assert (first.returncode, first.stdout) == (0, "")
    assert quiet.processes() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's PostgreSQL runs as somebody else")
def test_root_may_keep_a_desk_where_others_cannot_go(new_desk: Callable[[], Desk]) -> None:
    private = new_desk()
    private.data.chmod(0o700)
    answer = private.manage(
        "shell", "--no-imports", "-c", "from django.db import connection as c; c.ensure_connection()"
    )
    home = Path((private.data / "postgres.home").read_text())
    assert answer.returncode == 0, answer.stderr
    assert str(home) in answer.stderr
    assert stat.S_IMODE(private.data.stat().st_mode) == 0o700
    assert private.processes() == []
    shutil.rmtree(home)


def test_two_commands_at_once_share_the_servers(new_desk: Callable[[], Desk]) -> None:
    quiet = new_desk()
    code = "import time; from django.db import connection; time.sleep(%s); connection.cursor().execute('SELECT 1')"
    command = [sys.executable, "-m", "itsm.cli", "manage", "--data", str(quiet.data), "shell", "--no-imports", "-c"]
    both = [
        subprocess.Popen([*command, code % seconds], env=environment(), cwd="/", stderr=subprocess.DEVNULL)
        for seconds in (0, 2)
    ]
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    assert quiet.processes() == []


def test_a_port_in_use_is_said(desk: Desk, new_desk: Callable[[], Desk]) -> None:
    other = new_desk()
    command = [sys.executable, "-m", "itsm.cli", "serve", "--port", str(desk.port), "--data", str(other.data)]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=90, check=False)
    assert answer.returncode == 1
    assert f"Port {desk.port} is in use" in answer.stderr


def test_a_directory_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    command = [sys.executable, "-m", "itsm.cli", "manage", "--data", str(blocked / "below"), "check"]
    answer = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=ROOT, check=False)
    assert answer.returncode == 1
    assert "cannot be used" in answer.stderr
    assert "Traceback" not in answer.stderr
