"""`bin/serve`: the embedded servers, then web, workers and beat as children, kept alive until told to stop.

The supervisor imports no Django and holds no connection, so that it stays small and cannot be what breaks. A child that
ends is started again, ever more slowly while it keeps ending; so is an embedded server. Killed with -9, the supervisor
takes its children along (the kernel tells them), and the next start of the same data directory removes what is left.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from itsm.embedded import EmbeddedError, Services

# In the environment of every child: says to which data directory it belongs.
MARK = "ITSM_SUPERVISED_BY"
LOOK_SECONDS = 0.5
FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS = 0.5, 30.0, 60.0
STOP_SECONDS = 24.0
READY_SECONDS = 120.0
WEB_PROCESSES, WEB_THREADS = 2, 4


@dataclass
class Child:
    """One of the processes that serve, and how often it had to be started again."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause: float = field(default=FIRST_PAUSE)

    def start(self) -> None:
        """Start it in a process group of its own, out of reach of the terminal's Ctrl-C."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent if sys.platform == "linux" else None,
        )

    def look_after(self) -> None:
        """Start it again when it has ended, after a pause that doubles while it does not stay up."""
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.signal(signal.SIGKILL)  # children of its own that it left behind
        if time.monotonic() - self.started_at > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        say(f"{self.name} ended ({_reason(code)}); starting it again in {self.pause:g} s")
        self.process, self.start_at = None, time.monotonic() + self.pause
        self.pause = min(2 * self.pause, LONGEST_PAUSE)

    def signal(self, number: signal.Signals, *, group: bool = True) -> None:
        """Send a signal to it and, with `group`, to all that it started."""
        if self.process is None:
            return
        try:
            if group:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        except ProcessLookupError:
            pass


class Supervisor:
    """Everything `bin/serve` runs for one data directory."""

    def __init__(self, data_dir: Path, *, host: str, port: int, demo: bool) -> None:
        """Take where the data are, where to listen, and whether a new desk gets the demo."""
        self.data_dir, self.host, self.port, self.demo = data_dir, host, port, demo
        self.services = Services(data_dir)
        self.children: list[Child] = []
        self.stopping = False
        self.ready = False
        self.heal_at = 0.0

    def run(self) -> int:
        """Serve until a signal says stop; returns the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        self.data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        with _only_server_of(self.data_dir) as lock:
            end_leftovers(self.data_dir)
            if not _is_free(self.host, self.port):
                raise EmbeddedError(f"Port {self.port} is in use. Choose another: bin/serve --port N")
            lock.write(str(os.getpid()))
            lock.flush()
            try:
                self.services.start()
                self._serve()
            finally:
                self._stop()
        return 0 if self.ready else 1

    def _serve(self) -> None:
        environment = os.environ | self.services.environment | {MARK: str(self.data_dir)}
        environment.setdefault("PUBLIC_URL", f"http://localhost:{self.port}")
        environment.setdefault("PYTHONUNBUFFERED", "1")
        environment.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
        environment.setdefault("WEB_THREADS", str(WEB_THREADS))
        prepare = ["-m", "django", "prepare", *(["--demo"] if self.demo else [])]
        if self._wait_for(Child("prepare", [sys.executable, *prepare], environment)) != 0:
            if not self.stopping:
                say("The database or the static files could not be prepared: see the lines above.")
            return
        self.children = plan(environment, self.host, self.port)
        public_url = environment["PUBLIC_URL"]
        give_up_saying_at = time.monotonic() + READY_SECONDS
        while not self.stopping:
            self._heal_servers()
            for child in self.children:
                child.look_after()
            if not self.ready and self._answers():
                self.ready = True
                say(f"Ready: {public_url}  (stop with Ctrl-C)")
            elif not self.ready and time.monotonic() > give_up_saying_at:
                give_up_saying_at = float("inf")
                say(f"Still not ready after {READY_SECONDS:.0f} s; trying on. GET {public_url}/readyz says why.")
            time.sleep(LOOK_SECONDS if self.ready else 0.05)

    def _heal_servers(self) -> None:
        """Start an embedded server again that has died; when that fails, say so and try again after a pause."""
        if time.monotonic() < self.heal_at:
            return
        try:
            for name in self.services.heal():
                say(f"{name} had stopped; it was started again")
        except EmbeddedError as error:
            say(str(error))
            self.heal_at = time.monotonic() + 5.0

    def _wait_for(self, child: Child) -> int:
        """Run a child to its end, or until told to stop; returns its exit code."""
        self.children = [child]
        child.start()
        while child.process is not None and child.process.poll() is None:
            if self.stopping:
                child.signal(signal.SIGTERM)
            time.sleep(0.02)
        return child.process.returncode if child.process is not None else 1

    def _answers(self) -> bool:
        """Tell whether the web server says that it is ready."""
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104
        address = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/readyz"
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers={"Host": "localhost"}), timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.stopping and number == signal.SIGINT:
            for child in self.children:
                child.signal(signal.SIGKILL)
        self.stopping = True

    def _stop(self) -> None:
        """Let the children finish what they are at, then stop the embedded servers."""
        self.stopping = True
        for child in self.children:
            child.signal(signal.SIGTERM, group=False)
        end = time.monotonic() + STOP_SECONDS
        while any(child.process and child.process.poll() is None for child in self.children):
            if time.monotonic() > end:
                say("Not everything stopped in time; what still runs is killed, its work goes back to the queue")
                break
            time.sleep(0.02)
        for child in self.children:
            child.signal(signal.SIGKILL)
        self.services.stop()


def plan(environment: dict[str, str], host: str, port: int) -> list[Child]:
    """Return the processes that serve. Timers and events, mail, and long work have a worker each: a slow mail server or
    a long rehearsal must not make a breach or its notice late."""
    python = [sys.executable, "-m"]
    threads = environment["WEB_THREADS"]
    web = ["granian", "itsm.wsgi:application", "--interface", "wsgi", "--host", host, "--port", str(port)]
    web += ["--workers", str(WEB_PROCESSES), "--blocking-threads", threads, "--no-ws", "--respawn-failed-workers"]
    web += ["--workers-kill-timeout", "10", "--log-level", "warning", "--backlog", "512"]
    celery = ["celery", "--quiet", "-A", "itsm.celery", "--skip-checks"]
    worker = [*celery, "worker", "--pool", "prefork", "--concurrency", "1", "--without-gossip", "--without-mingle"]
    worker += ["--loglevel", "INFO"]
    # Celery's polite stop waits for ever; this one waits as long as the settings say and puts the rest back.
    soft = {"ITSM_PROCESS": "worker", "REMAP_SIGTERM": "SIGQUIT"}
    # It warns of root at each start; whoever runs this as root (a container) has decided that, and only JSON is read.
    soft["PYTHONWARNINGS"] = "ignore::UserWarning:celery.platforms"
    ticker = [*python, "django", "ticker"]
    return [
        Child("web", [*python, *web], environment | {"ITSM_PROCESS": "web"}),
        Child("ticker", ticker, environment | {"ITSM_PROCESS": "ticker"}),
        Child("worker for timers", [*python, *worker, "-n", "timers@%h", "-Q", "timers,outbox"], environment | soft),
        Child("worker for mail", [*python, *worker, "-n", "mail@%h", "-Q", "mail"], environment | soft),
        Child("worker for reports", [*python, *worker, "-n", "reports@%h", "-Q", "reports"], environment | soft),
        Child("beat", [*python, *celery, "beat", "--pidfile="], environment | {"ITSM_PROCESS": "beat"}),
    ]


def end_leftovers(data_dir: Path) -> None:
    """Kill children that a killed supervisor of this data directory left behind, so that nothing runs twice."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == str(data_dir):
                left.append(process)
        except psutil.Error:
            continue
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=5)
    if left:
        say(f"Ended {len(left)} processes that an earlier start had left behind")


class _only_server_of:  # noqa: N801
    """Hold the lock that says that a supervisor serves this data directory; the kernel frees it whatever happens."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def __enter__(self) -> IO[str]:
        (self.data_dir / "run").mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        self.file = (self.data_dir / "run" / "serve.lock").open("a+")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.file.seek(0)
            owner = self.file.read() or "unknown"
            raise EmbeddedError(
                f"{self.data_dir} is being served already (process {owner}). Stop that one, or use --data DIR."
            ) from None
        self.file.truncate(0)
        return self.file

    def __exit__(self, *_error: object) -> None:
        self.file.close()


def die_with_parent() -> None:
    """Ask the kernel (Linux) for a SIGTERM when the supervisor is gone."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _is_free(host: str, port: int) -> bool:
    """Tell whether the web server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _reason(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)
