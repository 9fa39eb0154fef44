"""The clocks of a ticket as badges and bars."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from itsm.desk.links import ticket_url
from slas.clocks import Clock, clocks_for, next_clock


def service_levels(ticket: Any) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return the clocks as `components/service_level.html` shows them, and the one that matters next (None: no clock).

    Takes one query. This process's own time is near enough for a badge; the tick decides what is breached.
    """
    clocks = clocks_for([ticket], now=timezone.now())[ticket.pk]
    following = next_clock(clocks)
    return [_shown(clock, ticket) for clock in clocks], _shown(following, ticket) if following else None


def _shown(clock: Clock, ticket: Any) -> dict[str, Any]:
    why = ticket_url(ticket, "clock", clock.ref)
    return {
        "name": clock.label,
        "policy": clock.policy,
        "fraction": clock.fraction,
        "clock": clock,
        "why": why,
        **clock.badge,
    }


def calls_out(level: dict[str, Any]) -> bool:
    """Return whether an escalation of this clock may be going on that somebody can acknowledge: little time is left, or
    none, and nobody has acknowledged."""
    clock: Clock = level["clock"]
    return clock.is_active and not clock.is_acknowledged and clock.state in ("at_risk", "breached")
