"""What the scripts in bin/ run once the virtual environment stands: serve, manage, test, bench."""

import argparse
import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

from itsm.datadir import DataDirError
from itsm.embedded import EmbeddedError, Services

ROOT = Path(__file__).resolve().parent.parent
# Commands that only compute: they start no servers.
ALONE = {"sla_measure"}


def main(arguments: list[str]) -> int:
    """Run one of the four; returns the exit code."""
    what, *rest = arguments
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "itsm.settings")
    # A plain termination would leave the servers behind that were started for a command; `serve` has its own handlers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        match what:
            case "serve":
                return serve(rest)
            case "manage":
                return manage(rest)
            case "test":
                from tests import check

                return check.main(rest)
            case _:
                return bench(rest)
    except (EmbeddedError, DataDirError) as error:
        print(error, file=sys.stderr)
        return 1


def serve(arguments: list[str]) -> int:
    """Serve until stopped."""
    from itsm.supervisor import Supervisor

    parser = argparse.ArgumentParser(prog="bin/serve", description="Set up on the first run, then serve.")
    parser.add_argument("--port", type=_port, default=8000, help="where to listen (default: 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--data", type=Path, default=_default_data(), help="data directory (default: var/)")
    parser.add_argument("--empty", action="store_true", help="do not make the demo desk on the first run")
    options = parser.parse_args(arguments)
    return Supervisor(options.data.absolute(), host=options.host, port=options.port, demo=not options.empty).run()


def manage(arguments: list[str]) -> int:
    """Run a Django command with the services up; standard output is the command's alone."""
    data_dir = _default_data()
    if arguments and arguments[0] == "--data" and len(arguments) > 1:
        data_dir, arguments = Path(arguments[1]).absolute(), arguments[2:]
    elif arguments and arguments[0].startswith("--data="):
        data_dir, arguments = Path(arguments[0].removeprefix("--data=")).absolute(), arguments[1:]
    needs_servers = not arguments or arguments[0] not in ALONE
    os.environ["ITSM_DATA_DIR"] = str(data_dir)
    with Services(data_dir) if needs_servers else nullcontext() as services:
        if services:
            os.environ.update(services.environment)
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(["bin/manage", *arguments])
        except KeyboardInterrupt:
            print("Interrupted.", file=sys.stderr)
            return 128 + signal.SIGINT
    return 0


def bench(arguments: list[str]) -> int:
    """List the measurements, or run one against servers of their own in var/bench."""
    names = sorted(file.stem for file in (ROOT / "tests" / "bench").glob("[a-z]*.py"))
    if not arguments or arguments[0] not in names:
        print("Usage: bin/bench NAME [arguments]. There are: " + (", ".join(names) or "none yet"))
        return 2 if arguments else 0
    with Services(ROOT / "var" / "bench") as services:
        command = [sys.executable, "-m", f"tests.bench.{arguments[0]}", *arguments[1:]]
        return subprocess.run(command, env=os.environ | services.environment, cwd=ROOT, check=False).returncode


def _default_data() -> Path:
    return Path(os.environ.get("ITSM_DATA_DIR") or ROOT / "var").absolute()


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
