"""Real PostgreSQL and Valkey servers that come as wheels, so that nothing has to be installed by hand.

`Services` starts what a data directory needs and shares it: whoever comes later joins, whoever leaves last stops it.
`DATABASE_URL` or `REDIS_URL` in the environment means that that server is somebody else's and is left alone.
Nothing here imports Django: the supervisor stays small.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from itsm import datadir
from itsm.embedded.postgres import Postgres
from itsm.embedded.processes import EmbeddedError
from itsm.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "Services"]


class Services:
    """The embedded servers of one data directory. Use as a context manager, or call `start` and `stop`.

    Users hold a shared lock on a file for as long as they live, so the kernel does the counting: a user that was killed
    no longer counts, and the last one to leave gets the exclusive lock and stops the servers.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, environment: Mapping[str, str] = os.environ) -> None:
        """Take the data directory; `durable=False` trades crash safety for speed (tests and nothing else)."""
        self.data_dir = data_dir
        self.postgres = None if environment.get("DATABASE_URL") else Postgres(data_dir, durable=durable)
        self.valkey = None if environment.get("REDIS_URL") else Valkey(data_dir)
        self._users: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that lead a Django process to these servers and this data directory."""
        found = {"ITSM_DATA_DIR": str(self.data_dir)}
        if self.postgres:
            found["DATABASE_URL"] = self.postgres.url
        if self.valkey:
            found["REDIS_URL"] = self.valkey.url
        return found

    def start(self) -> None:
        """Start the servers, or join those that run. Raises EmbeddedError with what to do about it."""
        datadir.prepare(self.data_dir)
        self._users = (self.data_dir / "run" / "users.lock").open("w")
        with self._alone():
            fcntl.flock(self._users, fcntl.LOCK_SH)
            try:
                self._start_servers()
            except EmbeddedError:
                self._leave()
                raise

    def heal(self) -> list[str]:
        """Start again whichever server has died; returns their names. Cheap enough to call every second."""
        dead = [server for server in (self.postgres, self.valkey) if server and not server.is_running()]
        if dead:
            with self._alone():
                self._start_servers()
        return [server.name for server in dead]

    def stop(self) -> None:
        """Leave; the last user stops the servers."""
        if self._users is not None:
            with self._alone():
                self._leave()

    def _leave(self) -> None:
        if self._users is None:
            return
        with self._users as users:
            self._users = None
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody else is still using them
            for server in (self.valkey, self.postgres):
                if server:
                    server.stop()

    def _start_servers(self) -> None:
        for server in (self.postgres, self.valkey):
            if server:
                server.start()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time start or stop servers of this data directory."""
        with (self.data_dir / "run" / "start.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
