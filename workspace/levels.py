"""The service level that a row shows: the next target of each ticket on the page, in one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from itsm.tickets.models import Ticket
from slas.clocks import clocks_for, next_clock


@dataclass(frozen=True, slots=True)
class Level:
    """State (`on_track at_risk breached paused met`, or empty), the instant it is due (UTC), and lengths in seconds."""

    state: str = ""
    due_at: datetime | None = None
    target_s: float | None = None
    seconds: float | None = None


NO_LEVEL = Level()


def levels_of(tickets: Iterable[Ticket], now: datetime) -> Mapping[int, Level]:
    """Return the level to show for each ticket by its primary key; tickets without one are left out."""
    found = {}
    for key, clocks in clocks_for(tickets, now).items():
        clock = next_clock(clocks)
        if clock is not None:
            found[key] = Level(**clock.badge)
    return found
