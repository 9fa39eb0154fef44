"""Fixtures that run the real thing: `bin/serve` in a directory of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from itsm.supervisor import die_with_parent

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE = 120.0  # the machine may be busy with the other tests


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return the first true answer of `holds`, asked again and again; fail with `what` when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := holds():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


def environment(**more: str) -> dict[str, str]:
    """Return this environment without the servers that the tests themselves use."""
    ours = {"DATABASE_URL", "REDIS_URL", "ITSM_DATA_DIR", "TEST_DATABASE_NAME", "PUBLIC_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("PYTEST")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"} | more


@dataclass
class Desk:
    """One data directory, and the process that serves it."""

    data: Path
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None
    options: tuple[str, ...] = ("--empty",)
    surroundings: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Start serving and wait until it is ready."""
        command = [sys.executable, "-m", "itsm.cli", "serve", "--port", str(self.port), "--data", str(self.data)]
        with self.log.open("ab") as log:
            self.process = process = subprocess.Popen(
                [*command, *self.options],
                stdout=log,
                stderr=log,
                env=environment(**self.surroundings),
                cwd="/",
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )
        until(
            lambda: self.get("/readyz")[0] == 200 or process.poll() is not None, f"ready; see {self.log}", 2 * PATIENCE
        )
        assert process.poll() is None, self.log.read_text()[-3000:]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal to the supervisor and wait for its end; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=90)

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def state(self) -> dict[str, Any]:
        """Return what /readyz says."""
        status, body = self.get("/readyz")
        return json.loads(body) if status in {200, 503} else {"status": f"no answer ({status})"}

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Return the live processes of this desk whose command line contains the word, embedded servers included."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                ours = process.environ().get("ITSM_SUPERVISED_BY") == str(self.data) or str(self.data) in line
                if ours and word in line and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def manage(self, *arguments: str, data: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command as bin/manage does."""
        command = [sys.executable, "-m", "itsm.cli", "manage", "--data", data or str(self.data), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment(), cwd="/", timeout=180, check=False
        )


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def new_desk() -> Iterator[Callable[[], Desk]]:
    """Return a function that gives a fresh desk, not yet served; all are stopped and removed in the end."""
    desks: list[Desk] = []

    def make() -> Desk:
        data = Path(tempfile.mkdtemp(prefix="desk"))
        data.chmod(0o711)
        desks.append(Desk(data, free_port(), data / "serve.log"))
        return desks[-1]

    yield make
    for desk in desks:
        if desk.process is not None and desk.process.poll() is None:
            desk.stop()
        for process in desk.processes():
            process.kill()
        shutil.rmtree(desk.data, ignore_errors=True)


@pytest.fixture(scope="module")
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A desk that is served."""
    one = new_desk()
    one.start()
    return one
