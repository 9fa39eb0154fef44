"""Past tickets under a draft: their clocks as they would have been, beside those they had."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from slas.history import histories_of
from slas.models import Timer, Trial, TrialRow
from slas.plans import Levels
from slas.simulation import simulate
from slas.timing import elapsed_us
from slas.whatif.effects import NONE, standing

logger = logging.getLogger(__name__)


def rehearse(
    trial: Trial, tickets: Sequence[Any], draft: Levels, *, until: datetime, zone: tzinfo
) -> tuple[list[TrialRow], int]:
    """Return the clocks of these tickets under the draft beside their own, as rows that are not stored, and of how many
    tickets the past could not be gone through. Five queries for all of them.

    `draft`: what is promised for the trial's kind and metric. `zone`: by which months begin.
    """
    real: dict[int, list[Timer]] = defaultdict(list)
    stored = Timer.objects.filter(ticket__in=tickets, kind=trial.kind, metric=trial.metric).order_by("cycle_no")
    for timer in stored.select_related("policy", "goal", "calendar_version"):
        real[timer.ticket_id].append(timer)
    rows: list[TrialRow] = []
    failures = 0
    histories = histories_of(tickets)
    for ticket in tickets:
        try:
            simulated = simulate(histories[ticket.pk], draft, until=until)
        except Exception:  # one ticket of many: it is counted and logged, the others go on
            logger.exception("The past of ticket %s could not be gone through", ticket.pk)
            failures += 1
            continue
        month = ticket.opened_at.astimezone(zone).date().replace(day=1)
        rows += _beside(trial, ticket, simulated.timers, real[ticket.pk], month, until)
    return rows, failures


def _beside(
    trial: Trial, ticket: Any, drafted: Iterable[Timer], real: Iterable[Timer], month: date, until: datetime
) -> list[TrialRow]:
    """Return a row for each cycle that either side has."""
    would, did = _by_cycle(drafted), _by_cycle(real)
    return [
        _row(trial, ticket, cycle, would.get(cycle), did.get(cycle), month, until) for cycle in sorted({*would, *did})
    ]


def _by_cycle(timers: Iterable[Timer]) -> Mapping[int, Timer]:
    return {timer.cycle_no: timer for timer in timers}


def _row(
    trial: Trial, ticket: Any, cycle: int, would: Timer | None, did: Timer | None, month: date, until: datetime
) -> TrialRow:
    row = TrialRow(
        trial=trial,
        ticket_id=ticket.pk,
        team_id=(would.team_id if would else did.team_id if did else None) or ticket.team_id,
        kind=trial.kind,
        metric=trial.metric,
        cycle_no=cycle,
        month=month,
        verdict=NONE,
        real_verdict=NONE,
    )
    fill(row, "", would, until)
    fill(row, "real_", did, until)
    return row


def fill(row: TrialRow, side: str, timer: Timer | None, at: datetime) -> None:
    """Write where the timer stands at this instant into the columns of one side of the row; `side`: "" or "real_"."""
    if timer is None:
        return
    found = standing(timer, at)
    values = {
        "goal": found.goal[:300],
        "verdict": found.verdict,
        "target_us": found.target_us,
        "elapsed_us": elapsed_us(timer, at),
        "due_at": found.due_at,
        "breached_at": found.breached_at,
    }
    for name, value in values.items():
        setattr(row, f"{side}{name}", value)
