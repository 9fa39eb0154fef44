"""Make timers anew from the event log."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from itsm.tickets.models import Ticket
from slas.actions.correcting import correct
from slas.promised import Promised
from slas.rebuild import suspects

BATCH = 200


class Command(BaseCommand):
    """Prints where stored timers differ from what their tickets' logs give, and corrects them.

    Exit code 1 when a dry run finds differences.
    """

    help = "Make service-level timers anew from the event log, print each difference, and correct it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to write, which tickets, and how many at a time."""
        parser.add_argument("--dry-run", action="store_true", help="print differences and change nothing")
        parser.add_argument("--number", nargs="+", default=[], metavar="NUMBER", help="these tickets only")
        parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="read so many tickets at a time")

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through the tickets in batches; correct each ticket that differs under its own lock."""
        tickets = Ticket.objects.order_by("pk")
        if options["number"]:
            tickets = tickets.filter(number__in=[number.upper() for number in options["number"]])
        looked_at = timers = found = 0
        promised = Promised()
        for batch in suspects(tickets, promised, size=max(options["batch"], 1)):
            looked_at, timers = looked_at + batch.tickets, timers + batch.timers
            for ticket_id, differences in batch.differences.items():
                shown = differences if options["dry_run"] else correct(ticket_id, promised)
                found += len(shown)
                for difference in shown:
                    self.stdout.write(str(difference))
        said = {"tickets": looked_at, "timers": timers, "found": found}
        if options["dry_run"]:
            self.stdout.write(_("%(tickets)d tickets, %(timers)d timers: %(found)d differences") % said)
            sys.exit(1 if found else 0)
        self.stdout.write(_("%(tickets)d tickets, %(timers)d timers: %(found)d differences corrected") % said)
