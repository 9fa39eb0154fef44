"""`bin/manage ticker`: fire service-level steps at their instant, until stopped."""

from typing import Any

from django.core.management.base import BaseCommand

from slas.ticker import run


class Command(BaseCommand):
    help = "Fire service-level steps the moment they are due, until stopped. Any number of these may run at once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGTERM."""
        run()
