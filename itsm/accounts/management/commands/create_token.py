"""Make an API token for somebody and print it, and nothing else, on standard output."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from itsm.accounts.actions import create_token
from itsm.accounts.models import TokenScope, User


class Command(BaseCommand):
    """`create_token EMAIL [--scope read|write|admin] [--days N] [--name TEXT]`."""

    help = "Makes an API token for the person and prints it. It is shown this once and cannot be read back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments; wrong values are told in one sentence, with exit code 1."""
        parser.add_argument("email", help="e-mail address of the person (or service account) the token acts for")
        parser.add_argument("--scope", default=TokenScope.WRITE.value, help="read, write (default) or admin")
        parser.add_argument("--days", default="365", help="how many days the token lives, 1 to 3650 (default 365)")
        parser.add_argument("--name", default="", help="what the token is for, as shown in lists")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token alone.

        Raises:
            CommandError: nobody active has the address, or an option does not fit.
        """
        address = User.objects.normalise(options["email"])
        user = User.objects.filter(email=address).first() if "\0" not in address else None
        if user is None:
            raise CommandError(f"Nobody has the e-mail address {address}.")
        if not user.is_active:
            raise CommandError(f"The account {address} is deactivated; a token for it would open nothing.")
        days = str(options["days"])
        if not (days.isascii() and days.isdigit() and len(days) < 6):
            raise CommandError("Give --days as a whole number from 1 to 3650.")
        if len(options["name"]) > 100:
            raise CommandError("Give --name at most 100 characters.")
        try:
            _token, secret = create_token(user, scope=options["scope"], days=int(days), name=options["name"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
