"""`bin/test`: every check of this repository; with arguments, only pytest with them."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from itsm.embedded import Services

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-m"]
DJANGO = [*PYTHON, "django"]
# Told the address of a real installation, Django's deployment check must find nothing to say.
DEPLOYED = {"PUBLIC_URL": "https://desk.example"}

CHECKS: list[tuple[str, list[str], dict[str, str]]] = [
    ("ruff check", [*PYTHON, "ruff", "check", "--quiet", "."], {}),
    ("ruff format", [*PYTHON, "ruff", "format", "--check", "--quiet", "."], {}),
    ("our own lint", [*PYTHON, "tests.lint"], {}),
    ("layers of rooms", [*PYTHON, "importlinter.cli"], {}),
    ("djlint", [*PYTHON, "djlint", "--quiet", "--lint", "templates"], {}),
    ("mypy", [*PYTHON, "mypy"], {}),
    ("missing migrations", [*DJANGO, "makemigrations", "--check", "--dry-run"], {}),
    ("deployment check", [*DJANGO, "check", "--deploy", "--fail-level", "WARNING"], DEPLOYED),
    ("static files", [*DJANGO, "collectstatic", "--no-input", "--clear", "--verbosity", "0"], {}),
]


def main(arguments: list[str]) -> int:
    """Run everything, pytest last so that its count closes the output; returns 0 when all of it passed."""
    find_browser()
    with Services(ROOT / "var" / "test", durable=False) as services:
        environment = os.environ | services.environment
        if arguments:
            return run([*PYTHON, "pytest", *arguments], environment)
        failed = [name for name, command, extra in CHECKS if not passes(name, command, environment | extra)]
        if failed:
            print(f"\nFAILED: {', '.join(failed)}. The tests follow.\n", flush=True)
        tests = run([*PYTHON, "pytest", "-n", "2", "--dist", "loadgroup", "-q"], environment)
    return tests or (1 if failed else 0)


def passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    """Run one check and say how it went; what it printed is shown when it failed."""
    started = time.monotonic()
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    passed = ran.returncode == 0
    print(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)", flush=True)
    if not passed:
        print(ran.stdout + ran.stderr, flush=True)
    return passed


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run a command with its output shown; returns its exit code."""
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def find_browser() -> None:
    """Install Debian's Chromium when that is allowed and it is not there; tests/conftest.py says so when it is not."""
    apt_get = shutil.which("apt-get")
    if shutil.which("chromium") or apt_get is None or os.geteuid() != 0:
        return
    print("Installing Chromium for the browser tests (apt-get)", file=sys.stderr, flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([apt_get, *command], env=environment, capture_output=True, check=False)
