"""What an incident's events say by their code, what it waits for, and whether a supplier has it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from incidents.statuses import HoldReason, Status
from itsm.conditions import Field, Type
from itsm.tickets.kinds import Outcome

OUTCOMES = {
    "incident.opened": Outcome(Status.NEW),
    "incident.started": Outcome(Status.IN_PROGRESS),
    "incident.held": Outcome(Status.ON_HOLD, takes=("hold_reason",)),
    "incident.resumed": Outcome(Status.IN_PROGRESS, clears=("hold_reason",)),
    "incident.resolved": Outcome(Status.RESOLVED, stamps="resolved_at", clears=("hold_reason",)),
    "incident.reopened": Outcome(Status.IN_PROGRESS, clears=("resolved_at",)),
    "incident.merged": Outcome(Status.RESOLVED, stamps="resolved_at", clears=("hold_reason",)),
    "incident.unmerged": Outcome(takes=("status", "hold_reason"), clears=("resolved_at",)),
    "incident.closed": Outcome(Status.CLOSED, stamps="closed_at"),
    "incident.cancelled": Outcome(Status.CANCELLED, stamps="closed_at", clears=("hold_reason",)),
}


def waiting_for(ticket: Any) -> str | None:
    """Return what the ticket waits for; empty or None: for nothing. Asks the database for a ticket read as such."""
    if hasattr(ticket, "hold_reason"):  # an incident; its own `incident` would be asked of the database
        reason: str | None = ticket.hold_reason
        return reason
    return getattr(getattr(ticket, "incident", None), "hold_reason", None)


def is_with_supplier(ticket: Any) -> bool:
    """Return whether the ticket was handed to a supplier and is not back."""
    return waiting_for(ticket) == HoldReason.AWAITING_VENDOR


WAITING = Field(
    name="waiting",
    type=Type.CHOICE,
    label=_("waiting for"),
    lookup="incident__hold_reason",
    getter=waiting_for,
    choices=tuple(HoldReason.choices),
)
