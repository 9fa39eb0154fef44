"""Moving many timers after an edit: ticket by ticket, in small transactions, so that nobody waits for all of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket
from slas.actions.book import Book
from slas.models import Timer
from slas.querysets import TimerQuerySet

BATCH = 200
Move = Callable[[Book, Timer], None]
Instant = Callable[[], datetime]


def move_timers(which: TimerQuerySet, move: Move, *, actor: Actor) -> int:
    """Apply the move to each of the timers, under its ticket's lock, and return how many were moved.

    Walks by ticket id, so that it ends, and can be run again after a crash: timers that no longer answer to `which`
    when their ticket is locked are left alone.
    """
    moved = 0
    last = 0
    while True:
        found = which.filter(ticket_id__gt=last).order_by("ticket_id").values_list("ticket_id", flat=True)
        tickets = list(found.distinct()[:BATCH])
        if not tickets:
            return moved
        for ticket_id in tickets:
            moved += _move_of_ticket(ticket_id, which, move, actor)
        last = tickets[-1]


@transaction.atomic
def _move_of_ticket(ticket_id: int, which: TimerQuerySet, move: Move, actor: Actor) -> int:
    locked = Ticket.objects.select_for_update(of=("self",)).select_related("requester", "assignee", "team__lead")
    ticket = locked.get(pk=ticket_id)
    wanted = set(which.filter(ticket_id=ticket_id).values_list("pk", flat=True))
    book = Book(ticket, Timer.objects.of_tickets([ticket]).to_work_on(), at=db_now(), actor=actor)
    for timer in book.timers:
        if timer.pk in wanted:
            move(book, timer)
    book.write()
    return len(wanted)
