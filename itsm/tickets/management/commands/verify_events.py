"""Verify the event log's hash chains."""

import sys
from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from itsm.tickets.models import TicketEvent
from itsm.tickets.verification import broken_events

MOST_SHOWN = 50


class Command(BaseCommand):
    """Says whether the event log is whole; names the rows that are not. Exit code 1 when it is broken."""

    help = "Check every ticket's event chain and name the rows that were changed, removed or put in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take an optional ticket number."""
        parser.add_argument("--ticket", metavar="NUMBER", help="check one ticket only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the broken rows, or how many were found whole."""
        number = options["ticket"].upper() if options["ticket"] else None
        broken = list(islice(broken_events(number=number), MOST_SHOWN + 1))
        for place in broken[:MOST_SHOWN]:
            self.stdout.write(self.style.ERROR(str(place)))
        if broken:
            more = _(" (more not shown)") if len(broken) > MOST_SHOWN else ""
            self.stderr.write(
                _("The event log is broken in %(n)d places.") % {"n": min(len(broken), MOST_SHOWN)} + more
            )
            sys.exit(1)
        events = TicketEvent.objects.filter(ticket__number=number) if number else TicketEvent.objects
        self.stdout.write(_("The event log is whole: %(n)d events.") % {"n": events.count()})
