"""Make the demo desk."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from itsm.demo.people import DOMAIN, LOGINS
from itsm.demo.seeding import seed_demo


class Command(BaseCommand):
    """Makes the demo desk once and prints how to sign in."""

    help = "Make a demo desk with people, teams and incidents; prints the logins. Does nothing when it is there."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed and print the logins with their password, which is stored only as a hash."""
        password = seed_demo()
        if password is None:
            self.stdout.write(_("The demo desk is there already."))
            return
        self.stdout.write(_("Demo logins, all with the password %(password)s") % {"password": password})
        for mailbox in LOGINS:
            self.stdout.write(f"  {mailbox}@{DOMAIN}")
