"""The one clock of record: the database's."""

from datetime import datetime

from django.db import connection

from itsm.tickets.actors import Actor


def db_now() -> datetime:
    """Return the database's clock at this moment (aware, UTC), not the start of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    instant: datetime = row[0]
    return instant


def instant_of(actor: Actor) -> datetime:
    """Return when the act happens: an import's past instant, else the database's clock now. Call it under the lock."""
    return actor.at if actor.at is not None else db_now()
