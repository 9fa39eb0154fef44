"""Write docs/states.md from the tables of moves, or say that it differs from them."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from itsm.tickets.diagrams import states_page

PAGE = Path("docs") / "states.md"


class Command(BaseCommand):
    """Keeps the diagrams of the guides equal to the product. Exit code 1 when --check finds a difference."""

    help = "Write docs/states.md: the states and moves of every kind of ticket as Mermaid diagrams."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --check."""
        parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the page, or compare it."""
        path = Path(settings.BASE_DIR) / PAGE
        page = states_page()
        if not options["check"]:
            path.write_text(page, encoding="utf-8")
            self.stdout.write(f"Wrote {PAGE}.")
        elif not path.exists() or path.read_text(encoding="utf-8") != page:
            self.stderr.write(f"{PAGE} differs from the tables of moves. Run bin/manage state_diagrams.")
            sys.exit(1)
        else:
            self.stdout.write(f"{PAGE} is up to date.")
