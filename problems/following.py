"""What problems follow of their neighbours: when every change that fixes one has ended, its coordinator is told."""

from __future__ import annotations

from django.db import transaction

from itsm.tickets.actions import lock
from itsm.tickets.actors import SYSTEM
from itsm.tickets.hooks import consume
from itsm.tickets.log import write
from itsm.tickets.models import Link, LinkKind, Ticket, TicketEvent
from problems.models import Problem

CHANGE = "change"
ENDINGS = frozenset({"change.closed", "change.cancelled"})
ENDED = "problem.fixes_ended"


def register() -> None:
    """Be handed the events by which changes end."""
    consume("problems", follow_change, codes=ENDINGS)


def follow_change(event: TicketEvent) -> None:
    """Note on each open problem that the change fixes that all such changes have ended. Handed the same event again,
    or another event of the same changes, it notes nothing new."""
    links = Link.objects.filter(target_id=event.ticket_id, kind=LinkKind.FIXED_BY, source__kind="problem")
    for problem in Problem.objects.open().filter(pk__in=links.values("source_id")).order_by("pk"):
        _note(problem)


@transaction.atomic
def _note(problem: Problem) -> None:
    locked: Problem = lock(problem)
    if not locked.is_open:
        return
    fixes = Ticket.objects.filter(links_in__source=locked, links_in__kind=LinkKind.FIXED_BY, kind=CHANGE)
    rows = list(fixes.order_by("number").values_list("number", "closed_at"))
    if not rows or any(closed_at is None for _number, closed_at in rows):
        return
    numbers = [number for number, _closed_at in rows]
    last = locked.events.filter(code=ENDED).order_by("-seq").first()
    if last is not None and last.data.get("numbers") == numbers:
        return
    write(locked, ENDED, actor=SYSTEM, data={"numbers": numbers}, bump=False)
