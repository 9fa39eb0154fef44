"""`manage.py prepare`: bring database and static files to what this version wants; `bin/serve` begins with it."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command, get_commands
from django.core.management.base import CommandParser


class Command(BaseCommand):
    """Apply migrations, collect static files when they changed, and fill a new desk with the demo."""

    help = "Apply migrations, collect static files when they changed, and make the demo desk on the first run."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the choice for or against the demo."""
        parser.add_argument("--demo", action="store_true", help="fill an empty database with the demo desk")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        """Run the steps; each does nothing when there is nothing to do."""
        call_command("migrate", interactive=False, verbosity=0)
        self._collect_static()
        self._make_demo(wanted=demo)

    def _collect_static(self) -> None:
        mark = Path(settings.STATIC_ROOT) / ".collected"
        digest = _digest_of_sources()
        if not mark.exists() or mark.read_text() != digest:
            call_command("collectstatic", interactive=False, clear=True, verbosity=0)
            mark.write_text(digest)

    def _make_demo(self, *, wanted: bool) -> None:
        """Make the demo once, on an empty database; begun and interrupted, it is completed by the next start."""
        mark = Path(settings.DATA_DIR) / "demo"
        state = mark.read_text() if mark.exists() else ""
        if not state and not get_user_model().objects.exists():
            state = "begun" if wanted else "unwanted"
            mark.write_text(state)
        if state == "begun" and "seed_demo" in get_commands():
            call_command("seed_demo")
            mark.write_text("made")


def _digest_of_sources() -> str:
    """Return what changes whenever a static file may have: locks, and size and time of our own files."""
    base = Path(settings.BASE_DIR)
    files = sorted((base / "static").rglob("*"))
    lines = [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files if file.is_file()]
    lines += [(base / name).read_text() for name in ("requirements.txt", "package-lock.json", "itsm/staticfinders.py")]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
