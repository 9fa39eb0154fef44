"""The end of an import: what became due in the past is recorded, and nobody is told."""

from __future__ import annotations

from itsm.tickets.actors import Actor
from slas.actions.batches import move_timers
from slas.actions.book import Book
from slas.models import State, Sweep, Timer


def settle_imported(*, actor: Actor) -> int:
    """Record the steps that imported, still running timers passed before they were imported; return how many timers.

    While an import goes on, a step that lies in the past does not fire: the next imported event may tell that the timer
    was paused or stopped before it. So whoever imports calls this once at the end. Breaches are stored as of their due
    instants, and nobody is told; steps still to come fire as always. May be called again at any time.
    """
    imported = Timer.objects.filter(state=State.RUNNING, imported_at__isnull=False)
    return move_timers(imported, _settle, actor=actor, why=Sweep.Why.SETTLED)


def _settle(book: Book, timer: Timer) -> None:
    book.settle(timer)
