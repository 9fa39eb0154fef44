"""The requester's real wait: every second since the ticket was opened, and on whom it was spent.

The official clocks run by a calendar and stand still on hold. This one does neither: it is real time from the opening
to the resolution (or until now), told by the event log, and its parts add up to the whole to the microsecond.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.statuses import HoldReason
from itsm.tickets.clock import db_now
from itsm.tickets.models import Ticket, TicketEvent


class Phase(models.TextChoices):
    """On whom a stretch of the wait was spent."""

    DESK = "desk", _("With the service desk")
    REQUESTER = "requester", _("Waiting for the requester")
    SUPPLIER = "supplier", _("Waiting for a supplier")
    OTHER = "other", _("Waiting for a change or a problem")
    DONE = "done", _("Resolved, then reopened")


_HELD = {HoldReason.AWAITING_CALLER: Phase.REQUESTER, HoldReason.AWAITING_VENDOR: Phase.SUPPLIER}
_MOVED = {
    "incident.started": Phase.DESK,
    "incident.resumed": Phase.DESK,
    "incident.reopened": Phase.DESK,
    "incident.resolved": Phase.DONE,
    "incident.merged": Phase.DONE,
    "incident.unmerged": Phase.DESK,
}
HELD = "incident.held"
CODES = frozenset({HELD, *_MOVED})


@dataclass(frozen=True)
class Wait:
    """How long the requester has waited. `parts`: by phase, none below zero; together exactly `total`."""

    opened_at: datetime
    until: datetime
    is_over: bool
    parts: dict[Phase, timedelta]

    @property
    def total(self) -> timedelta:
        """All of it: real time from the opening to the end, or until now."""
        return self.until - self.opened_at


def wait_now(ticket: Ticket) -> Wait:
    """Return the wait as it stands by the database's clock. Two queries."""
    events = TicketEvent.objects.filter(ticket_id=ticket.pk, code__in=CODES).order_by("seq")
    return wait_of(ticket, events.only("code", "at", "data"), db_now())


def wait_of(ticket: Ticket, events: Iterable[Any], now: datetime) -> Wait:
    """Return the wait at `now` (aware) from the ticket's events in order; events of other codes are passed over.

    A resolution that did not last counts as waiting, under a name of its own: the person was told that it was fixed,
    and it was not. Asks the database nothing.
    """
    opened_at = ticket.opened_at.astimezone(UTC)
    ended_at = ticket.resolved_at or ticket.closed_at
    until = max((ended_at or now).astimezone(UTC), opened_at)
    parts = dict.fromkeys(Phase, timedelta())
    phase, since = Phase.DESK, opened_at
    for event in events:
        if event.code not in CODES:
            continue
        at = min(max(event.at.astimezone(UTC), since), until)
        parts[phase] += at - since
        phase, since = _phase_after(event), at
    parts[phase] += until - since
    return Wait(opened_at, until, ended_at is not None, parts)


def _phase_after(event: Any) -> Phase:
    if event.code == HELD or (event.code == "incident.unmerged" and event.data.get("hold_reason")):
        return _HELD.get(event.data.get("hold_reason", ""), Phase.OTHER)
    return _MOVED[event.code]


def shown_wait(wait: Wait) -> dict[str, Any]:
    """Return what `incidents/_wait.html` shows: the whole in seconds, each part that there was, and the bar's pieces in
    per cent of the whole."""
    whole = wait.total.total_seconds()
    parts = []
    start = 0.0
    for phase, length in wait.parts.items():
        if not length:
            continue
        share = 100 * length.total_seconds() / whole
        parts.append(
            {
                "phase": str(phase.value),
                "label": phase.label,
                "seconds": length.total_seconds(),
                "x": f"{start:.3f}",
                "width": f"{share:.3f}",
                "share": round(share),
            }
        )
        start += share
    return {"seconds": whole, "is_over": wait.is_over, "until": wait.until, "parts": parts}
