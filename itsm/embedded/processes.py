"""What both embedded servers need: where a socket may live, whether a process lives, and stopping it."""

import hashlib
import importlib.util
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

# The longest path a unix socket may have is 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 103
BIGGEST_LOG = 10 * 1024 * 1024


class EmbeddedError(RuntimeError):
    """An embedded server could not be used; the text tells a person what to do."""


def socket_dir(data_dir: Path, name: str, *, owner: int, longest_file_name: str) -> Path:
    """Return a directory for a socket that only `owner` (a user id) can enter.

    It lies in the data directory; when that makes the path too long for a socket, or the owner cannot get there, it
    lies in the runtime or temporary directory under a name made from the data directory's.
    """
    inside = data_dir / "run" / name
    fits = len(os.fsencode(inside / longest_file_name)) <= LONGEST_SOCKET_PATH
    if fits and can_enter(data_dir / "run", owner):
        place = inside
    else:
        mark = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
        place = _runtime_dir() / f"itsm-{os.geteuid()}-{mark}-{name}"
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid not in {os.geteuid(), owner}:
        raise EmbeddedError(
            f"{place} belongs to another user, so no socket is put there. Remove it, or use --data DIR."
        )
    if os.geteuid() == 0:
        os.chown(place, owner, -1)
    place.chmod(0o700)
    return place


def _runtime_dir() -> Path:
    """Return a short-named directory for sockets: root's /run, the user's runtime directory, else the temporary one."""
    candidates = ["/run"] if os.geteuid() == 0 else [os.environ.get("XDG_RUNTIME_DIR", "")]
    for name in candidates:
        if name and os.access(name, os.W_OK | os.X_OK):
            return Path(name)
    return Path(tempfile.gettempdir())


def can_enter(path: Path, user: int) -> bool:
    """Tell whether the user with this id can enter a directory, by trying it as that user."""
    if user == os.geteuid():
        return os.access(path, os.X_OK)
    return succeeds(["/bin/sh", "-c", 'cd -- "$0"', str(path)], user)


def succeeds(command: list[str], user: int) -> bool:
    """Tell whether a command can be run, with success, as the user with this id."""
    try:
        ran = subprocess.run(command, capture_output=True, check=False, cwd="/", **as_user(user))
    except OSError:
        return False
    return ran.returncode == 0


def as_user(user: int) -> dict[str, Any]:
    """Return the subprocess arguments that run a child as this user id (empty when that is who we are)."""
    if user == os.geteuid():
        return {}
    return {"user": user, "group": _group_of(user), "extra_groups": []}


def _group_of(user: int) -> int:
    import pwd

    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return user


def is_alive(pid: int | None) -> bool:
    """Tell whether a process runs; one that ended and was not yet reaped does not."""
    if pid is None:
        return False
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(ready: Callable[[], bool], seconds: float) -> bool:
    """Wait until `ready` says yes, at most so many seconds; returns its last answer."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def stop_process(pid: int, *, politely: signal.Signals, seconds: float) -> None:
    """Ask a process to stop and wait; kill it when it has not stopped in time."""
    for number, patience in ((politely, seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_until(lambda: not is_alive(pid), patience):
            return


def package_folder(name: str) -> Path:
    """Return the folder of an installed package without importing it. Raises EmbeddedError when it is not there."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"The Python package {name} is not installed: run bin/serve once with a network.")
    return Path(spec.origin).parent


def open_log(data_dir: Path, name: str) -> int:
    """Open a server's log for appending; a big one is put aside once. Returns the file descriptor."""
    log = data_dir / "log" / f"{name}.log"
    if log.exists() and log.stat().st_size > BIGGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
    return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def last_lines(data_dir: Path, name: str, count: int = 8) -> str:
    """Return the end of a server's log, for the message that says why it did not start."""
    log = data_dir / "log" / f"{name}.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:]) if log.exists() else "(no log)"
