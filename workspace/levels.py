"""The service level that a row shows: the next target of each ticket on the page, in one query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.utils import timezone
from django.utils.safestring import SafeString

from itsm.tickets.models import Ticket
from itsm.ui.templatetags.ui import sla_badge
from slas.clocks import state_of
from slas.models import CalendarVersion, Metric, Timer
from slas.models.timers import State
from slas.timing import elapsed_us

US = 1_000_000
KEPT = 8192
TIMER_FIELDS = (
    "ticket_id",
    "metric",
    "state",
    "target_us",
    "due_at",
    "breached_at",
    "elapsed_closed_us",
    "run_started_at",
    "calendar_version_id",
    "time_zone",
)
SHOWN_AS = {"missed": "breached"}


@dataclass(frozen=True, slots=True)
class Level:
    """State (`on_track at_risk breached paused met`, or empty), the instant it is due (UTC), and lengths in seconds."""

    state: str = ""
    due_at: datetime | None = None
    target_s: float | None = None
    seconds: float | None = None


NO_LEVEL = Level()


def levels_of(tickets: Iterable[Ticket], now: datetime) -> Mapping[int, Level]:
    """Return the level to show for each ticket by its primary key; tickets without one are left out.

    The same clock as `slas.clocks.next_clock` chooses: the first active one, else the last word on resolution. Read
    with fewer columns and without the policies, because a page of rows needs neither their names nor their text.
    """
    chosen: dict[int, Timer] = {}
    timers = Timer.objects.of_tickets(tickets).exclude(state=State.CANCELLED).only(*TIMER_FIELDS)
    for timer in timers:
        before = chosen.get(timer.ticket_id)
        if before is None or _rank(timer) < _rank(before):
            chosen[timer.ticket_id] = timer
    return {key: _level(timer, now) for key, timer in chosen.items()}


def _rank(timer: Timer) -> tuple[bool, bool, float, str]:
    if timer.is_active:
        return False, timer.state == State.PAUSED, timer.due_at.timestamp() if timer.due_at else 0.0, timer.metric
    return True, timer.metric != Metric.RESOLUTION, -(timer.due_at.timestamp() if timer.due_at else 0.0), ""


def _level(timer: Timer, now: datetime) -> Level:
    if timer.run_started_at is not None:
        timer.calendar_version = _calendar(timer.calendar_version_id)
    elapsed = elapsed_us(timer, now) / US
    state = state_of(timer, now, timer.target_s - elapsed)
    ticking = timer.state == State.RUNNING
    seconds = elapsed if state == "met" else abs(timer.target_s - elapsed)
    return Level(SHOWN_AS.get(state, state), timer.due_at if ticking else None, timer.target_s, seconds)


@lru_cache(maxsize=256)
def _calendar(key: int) -> CalendarVersion:
    """A version of a calendar never changes (the database refuses it), so each process reads it once."""
    return CalendarVersion.objects.get(pk=key)


def drawn_level(level: Level, now: datetime, language: str) -> SafeString:
    """Return the badge; the same level within one minute is drawn once, the browser counts on from there."""
    left = int((level.due_at - now).total_seconds() // 60) if level.due_at else None
    return _drawn(level.state, level.due_at, level.target_s, None if level.due_at else level.seconds, left,
                  language, timezone.get_current_timezone_name())  # fmt: skip


@lru_cache(maxsize=KEPT)
def _drawn(
    state: str,
    due_at: datetime | None,
    target_s: float | None,
    seconds: float | None,
    minutes_left: int | None,
    language: str,
    zone: str,
) -> SafeString:
    return sla_badge(state, due_at, target_s, seconds)
