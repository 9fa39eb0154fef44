"""What a change of the ticket above means for its tasks. Listens to every verb, in the verb's transaction."""

from __future__ import annotations

from itsm.tasking.actions import open_ready_tasks
from itsm.tasking.querysets import any_waits_below
from itsm.tasking.registry import has_tasks
from itsm.tickets.hooks import Change


def follow(change: Change) -> None:
    """Open the tasks that waited for the new status of the ticket above them."""
    ticket = change.ticket
    if "status" not in change.before or not has_tasks(ticket.kind):
        return
    if change.event.seq == 1 or ticket.status in ticket.kind_info.terminal_statuses:
        return
    if any_waits_below(ticket):
        open_ready_tasks(ticket, actor=change.actor)
