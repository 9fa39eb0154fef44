"""Keeping approvals in step with their ticket."""

from __future__ import annotations

from itsm.approvals.actions.ending import withdraw_locked
from itsm.approvals.subjects import subjects
from itsm.tickets.hooks import Change


def follow(change: Change) -> None:
    """Take back what is still asked about a ticket whose life has ended, in the transaction that ended it."""
    ticket = change.ticket
    if "closed_at" not in change.before or ticket.closed_at is None or ticket.kind not in subjects():
        return
    withdraw_locked(ticket, actor=change.actor, reason="")
