"""Reading timers: what a list, a ticket page or a program is shown of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from itsm.tickets.clock import db_now
from slas.models import State, Timer
from slas.timing import elapsed_us

AT_RISK_SHARE = 0.20
AT_RISK_S = 15 * 60
US = 1_000_000


@dataclass(frozen=True)
class Clock:
    """One timer at one instant, for display.

    `ref` names it in addresses. `state`: on_track, at_risk, breached (runs, or stands still, after its target), paused,
    met, missed, cancelled.
    `remaining_s` and `elapsed_s` are open time; remaining is negative by the overrun. `fraction`: elapsed of target.
    """

    ref: str
    metric: str
    label: str
    policy: str
    state: str
    due_at: datetime | None
    target_s: int
    remaining_s: float
    elapsed_s: float
    fraction: float
    started_at: datetime
    stopped_at: datetime | None
    breached_at: datetime | None
    is_paused: bool
    is_active: bool
    is_acknowledged: bool = False

    @property
    def badge(self) -> dict[str, Any]:
        """The arguments of the template tag `sla_badge`."""
        shown = {"missed": "breached", "cancelled": ""}.get(self.state, self.state)
        ticking = self.is_active and not self.is_paused
        seconds = self.elapsed_s if self.state == "met" else abs(self.remaining_s)
        return {
            "state": shown,
            "due_at": self.due_at if ticking else None,
            "target_s": self.target_s,
            "seconds": seconds,
        }


def clocks_for(tickets: Iterable[Any], now: datetime | None = None) -> dict[int, list[Clock]]:
    """Return the clocks of each of the tickets by ticket id, as they stand at `now` (default: the database's clock).

    One query for all tickets (and one for the clock where `now` is not given). Within a ticket: active ones first, the
    soonest due first. Cancelled ones are left out, and of earlier cycles those that were met: updates and turns come by
    the dozen. A ticket without timers has an empty list.
    """
    shown = list(tickets)
    instant = now if now is not None else db_now()
    found: dict[int, list[Clock]] = {ticket.pk: [] for ticket in shown}
    timers = list(Timer.objects.of_tickets(shown).exclude(state=State.CANCELLED).to_show())
    newest = {(timer.ticket_id, timer.kind, timer.metric): timer.cycle_no for timer in timers}
    for timer in timers:
        is_newest = newest[timer.ticket_id, timer.kind, timer.metric] == timer.cycle_no
        if is_newest or timer.state != State.MET:
            found[timer.ticket_id].append(clock_of(timer, instant))
    for clocks in found.values():
        clocks.sort(key=_urgency)
    return found


def next_clock(clocks: Iterable[Clock]) -> Clock | None:
    """Return the clock that a list row shows: the first active one, else the last word on resolution, else none."""
    listed = list(clocks)
    if listed and not listed[0].is_active:
        return next((clock for clock in listed if clock.metric == "resolution"), listed[0])
    return listed[0] if listed else None


def clock_of(timer: Timer, now: datetime) -> Clock:
    """Return the timer as it stands at `now` (aware), also where the tick has not noticed a breach yet."""
    elapsed = elapsed_us(timer, now)
    remaining = timer.target_us - elapsed
    return Clock(
        ref=timer.ref,
        metric=timer.metric,
        label=_label(timer),
        policy=timer.policy.name,
        state=state_of(timer, now, remaining / US),
        due_at=timer.due_at,
        target_s=timer.target_s,
        remaining_s=remaining / US,
        elapsed_s=elapsed / US,
        fraction=elapsed / timer.target_us,
        started_at=timer.started_at,
        stopped_at=timer.stopped_at,
        breached_at=timer.breached_at or _unnoticed_breach(timer, now),
        is_paused=timer.state == State.PAUSED,
        is_active=timer.is_active,
        is_acknowledged=timer.acknowledged_at is not None,
    )


def _label(timer: Timer) -> str:
    words = str(timer.get_metric_display())
    return f"{words}: {timer.team}" if timer.team is not None else words


def state_of(timer: Timer, now: datetime, remaining_s: float) -> str:
    """Return the state in the words of the pages: see `Clock`."""
    if not timer.is_active:
        return str(timer.state)
    if timer.breached_at is not None or _unnoticed_breach(timer, now) is not None:
        return "breached"
    if timer.state == State.PAUSED:
        return "paused"
    return "at_risk" if remaining_s <= max(timer.target_s * AT_RISK_SHARE, AT_RISK_S) else "on_track"


def _unnoticed_breach(timer: Timer, now: datetime) -> datetime | None:
    if timer.state == State.RUNNING and timer.due_at is not None and timer.due_at < now:
        return timer.due_at
    return None


def _urgency(clock: Clock) -> tuple[bool, bool, float, str]:
    return (not clock.is_active, clock.is_paused, clock.due_at.timestamp() if clock.due_at else 0.0, clock.metric)
