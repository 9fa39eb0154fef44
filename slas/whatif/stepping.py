"""What an edited escalation would mean for clocks that run: they keep their version; this is what they would have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from slas.models import ChainVersion, Run, State, Timer
from slas.plans import Levels
from slas.timing import Runs, instant_of, steps_of


@dataclass(frozen=True)
class StepsMoved:
    """A running clock with its next step by the version that it keeps, and by the new one (None: none is left).

    `passed`: how many steps of the new version lie in the past already and have not happened.
    """

    timer: Timer
    next_at: datetime | None
    new_next_at: datetime | None
    passed: int


def chains_edited(draft: Levels, now: Levels) -> dict[int, ChainVersion]:
    """Return the new versions of the escalations that the draft has in another version, by goal id."""
    before = {plan.goal.pk: plan.chain_version for policy in now.policies for plan in policy.goals}
    after = {plan.goal.pk: plan.chain_version for policy in draft.policies for plan in policy.goals}
    return {
        goal: version
        for goal, version in after.items()
        if version is not None and goal in before and _steps(before[goal]) != version.steps
    }


def _steps(version: ChainVersion | None) -> object:
    return None if version is None else version.steps


def steps_moved(draft: Levels, now: Levels, at: datetime) -> Iterator[StepsMoved]:
    """Yield the running clocks under goals whose escalation the draft changes, the soonest due first. One query, and
    one more for each clock that has stood still before. Nothing is written."""
    edited = chains_edited(draft, now)
    if not edited:
        return
    timers = Timer.objects.filter(goal__in=edited.keys(), state=State.RUNNING).order_by("due_at", "pk")
    related = ("ticket", "policy", "calendar_version", "chain_version")
    for timer in timers.select_related(*related).iterator(500):
        runs: list[Run] | None = None

        def closed(timer: Timer = timer) -> list[Run]:
            nonlocal runs
            if runs is None:
                runs = list(Run.objects.filter(timer=timer).select_related("calendar_version").order_by("pk"))
            return runs

        before, _passed = _ahead(timer, closed, at)
        timer.chain_version = edited[timer.goal_id] if timer.goal_id is not None else None
        after, passed = _ahead(timer, closed, at)
        yield StepsMoved(timer, before, after, passed)


def _ahead(timer: Timer, runs: Runs, at: datetime) -> tuple[datetime | None, int]:
    """Return the next step that has not happened, and how many of those lie in the past."""
    instants = [instant_of(timer, step, runs) for step in steps_of(timer) if step not in timer.done_steps]
    ahead = [instant for instant in instants if instant is not None and instant > at]
    return min(ahead, default=None), sum(instant is not None and instant <= at for instant in instants)
