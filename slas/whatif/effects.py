"""What a draft would change on open tickets: the rules and the book of production, driven in memory, never written.

Each ticket is followed once under the draft. Where that would move a clock it is followed under what is promised now
as well, so that only what comes of the edit is shown, and not what would come anyway with the ticket's next change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import ngettext

from itsm.tickets.actors import SYSTEM
from itsm.tickets.kinds import all_kinds
from itsm.tickets.models import Ticket
from slas.actions.book import Book
from slas.actions.following import follow_state
from slas.events import duration_words
from slas.models import CalendarVersion, ChainVersion, Goal, Run, ServiceLevelPolicy, State, TargetUnit, Timer
from slas.models.timers import ACTIVE
from slas.plans import Key, Levels, Plan

BATCH = 500
Runs = Mapping[int, Sequence[Run]]
OPEN, BREACHED, NONE = "open", "breached", "none"


class Effect(StrEnum):
    """What would become of a clock. `keeps`: it keeps its target until its ticket falls under another goal, and the
    new figures are those it would have if it took the goal's new target."""

    MOVES = "moves"
    ENDS = "ends"
    BEGINS = "begins"
    KEEPS = "keeps"


@dataclass(frozen=True)
class Standing:
    """Where a clock stands: what a reader compares."""

    timer: Timer
    target_us: int
    state: str
    due_at: datetime | None
    breached_at: datetime | None

    @property
    def goal(self) -> str:
        """How the goal is called in lists."""
        return goal_words(self.timer)

    @property
    def verdict(self) -> str:
        """The state in the words of trials: met, missed, cancelled; of a clock that goes on open or breached."""
        if self.state not in ACTIVE:
            return self.state
        return OPEN if self.breached_at is None else BREACHED


@dataclass(frozen=True)
class Effected:
    """A clock of a ticket that the draft would change. `old` None: there is none now."""

    ticket: Any
    timer: Timer
    effect: Effect
    old: Standing | None
    new: Standing

    @property
    def gains_breach(self) -> bool:
        """Whether it would be late and is not now."""
        before = self.old is not None and self.old.breached_at is not None
        return self.new.breached_at is not None and not before

    @property
    def loses_breach(self) -> bool:
        """Whether it is late now and would not be."""
        return self.old is not None and self.old.breached_at is not None and self.new.breached_at is None


def tickets_at_stake() -> Any:
    """Return the open tickets, whose clocks an edit may move."""
    return Ticket.objects.open()


def effects_on(ids: Sequence[int], draft: Levels, now: Levels, at: datetime) -> list[Effected]:
    """Return what the draft would change on the clocks of these tickets, in their order. Nothing is written.

    `now`: what is promised now; `at`: the instant at which everything is asked (aware). Seven queries, three for each
    kind of ticket, and those that rules need for tickets whose past they ask about.
    """
    timers: dict[int, list[Timer]] = defaultdict(list)
    stored = _timers_of(ids)
    for timer in stored:
        timers[timer.ticket_id].append(timer)
    runs = _runs_of(stored)
    found: dict[int, list[Effected]] = {}
    for kind in all_kinds():
        # Looked up together and not joined: few people ask for many tickets, and conditions read little else than ids.
        tickets = kind.model.objects.filter(pk__in=ids).defer("search", "description")
        for ticket in tickets.prefetch_related("requester__location"):
            found[ticket.pk] = _effects(ticket, timers[ticket.pk], runs, draft, now, at)
    return [effected for pk in ids for effected in found.get(pk, ())]


def _timers_of(ids: Sequence[int]) -> list[Timer]:
    """Return the timers of the tickets with all that a book reads. Thousands of them share few policies and calendars:
    those are read once, which costs a third of joining them. Five queries."""
    timers = list(Timer.objects.filter(ticket_id__in=ids).order_by("ticket_id", "metric", "kind", "cycle_no"))
    related: dict[str, Any] = {
        "policy": ServiceLevelPolicy.objects,
        "goal": Goal.stored,
        "calendar_version": CalendarVersion.objects.select_related("calendar"),
        "chain_version": ChainVersion.objects,
    }
    for name, rows in related.items():
        known = rows.in_bulk({pk for timer in timers if (pk := getattr(timer, f"{name}_id")) is not None})
        for timer in timers:
            setattr(timer, name, known.get(getattr(timer, f"{name}_id")))
    return timers


def _runs_of(timers: Iterable[Timer]) -> Runs:
    """Return the closed runs of the timers by timer id. Two queries."""
    rows = list(Run.objects.filter(timer__in=[timer.pk for timer in timers]).order_by("pk"))
    versions = CalendarVersion.objects.in_bulk({run.calendar_version_id for run in rows})
    found: dict[int, list[Run]] = defaultdict(list)
    for run in rows:
        run.calendar_version = versions[run.calendar_version_id]
        found[run.timer_id].append(run)
    return found


class DraftBook(Book):
    """A book in which timers are moved to see what would become of them. It is never written."""

    def __init__(self, ticket: Any, timers: Iterable[Timer], runs: Runs, at: datetime) -> None:
        super().__init__(ticket, timers, at=at, actor=SYSTEM)
        self._known_runs = runs

    def _stored_runs(self, timer: Timer) -> Sequence[Run]:
        return () if timer.pk is None else self._known_runs.get(timer.pk, ())

    def write(self) -> None:
        """Refuse: nothing of a draft may be stored."""
        raise RuntimeError("a draft is tried, not written")


def _copy_of(timer: Timer) -> Timer:
    """Return another instance of the timer, to be moved in memory; what it refers to is shared."""
    made = Timer.__new__(Timer)
    made.__dict__.update(timer.__dict__)
    made._state = copy(timer._state)
    made._state.fields_cache = dict(timer._state.fields_cache)
    return made


def _effects(
    ticket: Any, timers: Sequence[Timer], runs: Runs, draft: Levels, now: Levels, at: datetime
) -> list[Effected]:
    before = {(timer.kind, timer.metric): standing(timer, at) for timer in timers if timer.is_active}
    after, kept = _followed(ticket, timers, runs, draft, at)
    would = {key: standing(timer, at) for key, timer in after.items()}
    changed = {key for key in would if _differ(before.get(key), would[key])}
    if changed:
        anyway, _kept = _followed(ticket, timers, runs, now, at)
        comes = {key: standing(timer, at) for key, timer in anyway.items()}
        changed = {key for key in changed if _differ(comes.get(key), would[key])}
    moved = [
        Effected(ticket, after[key], _effect(before.get(key), after[key]), before.get(key), would[key])
        for key in sorted(changed)
    ]
    keeping = [
        Effected(ticket, kept[key], Effect.KEEPS, before.get(key), standing(kept[key], at))
        for key in sorted(kept.keys() - changed)
    ]
    return moved + keeping


Followed = Mapping[Key, Timer]


def _followed(
    ticket: Any, timers: Iterable[Timer], runs: Runs, levels: Levels, at: datetime
) -> tuple[Followed, Followed]:
    """Return the newest timer of each key as it would be, and those that would keep a target which their goal no
    longer has, as they would be with the new one."""
    book = DraftBook(ticket, [_copy_of(timer) for timer in timers], runs, at)
    active = {(timer.kind, timer.metric) for timer in book.active()}
    # A policy that is switched off ends its clocks at once; what takes its place begins with the ticket's next change.
    ended = {}
    for timer in book.active():
        if levels.policy(timer.policy_id) is None:
            book.cancel(timer)
            ended[timer.kind, timer.metric] = timer
    follow_state(book, levels=levels)
    touched = {(timer.kind, timer.metric): timer for timer in book.timers if timer.pk is None or timer.is_active}
    for timer in book.timers:
        key = (timer.kind, timer.metric)
        if key in active:
            touched.setdefault(key, timer)
    touched |= ended
    kept: dict[Key, Timer] = {}
    plans = levels.plans_for(ticket, at)
    for key, timer in touched.items():
        plan = plans.get(key)
        if plan is not None and timer.is_active and _keeps_old_target(timer, plan):
            other = DraftBook(ticket, [_copy_of(timer)], runs, at)
            other.retarget(other.timers[0], plan)
            kept[key] = other.timers[0]
    return touched, kept


def _keeps_old_target(timer: Timer, plan: Plan) -> bool:
    same_goal = (timer.policy_id, timer.goal_id) == (plan.policy.policy.pk, plan.goal.goal.pk)
    if not same_goal or timer.pk is None:
        return False
    target = plan.goal.target_us(timer.calendar_version, timer.time_zone, timer.started_at)
    return bool(target != timer.target_us)


def _differ(one: Standing | None, two: Standing) -> bool:
    if one is None:
        return True
    a, b = one, two
    return (a.target_us, a.state, a.due_at, a.breached_at) != (b.target_us, b.state, b.due_at, b.breached_at)


def _effect(before: Standing | None, timer: Timer) -> Effect:
    if before is None:
        return Effect.BEGINS
    return Effect.MOVES if timer.is_active else Effect.ENDS


def standing(timer: Timer, at: datetime) -> Standing:
    """Return where the timer stands at this instant; a breach that nobody has noticed yet is one."""
    late = timer.state == State.RUNNING and timer.due_at is not None and timer.due_at < at
    return Standing(
        timer=timer,
        target_us=timer.target_us,
        state=str(timer.state),
        due_at=timer.due_at,
        breached_at=timer.breached_at or (timer.due_at if late else None),
    )


def goal_words(timer: Timer) -> str:
    """Return how the timer's goal is called in lists: its policy and its target."""
    goal = timer.goal
    if goal is not None and goal.target_unit != TargetUnit.TIME:
        words = {"count": goal.target_count or 0}
        days = (
            ngettext("%(count)d business day", "%(count)d business days", words["count"])
            if goal.target_unit == TargetUnit.BUSINESS_DAYS
            else ngettext("close of the next business day", "close of business day %(count)d", words["count"])
        )
        return f"{timer.policy.name} · {days % words}"
    return f"{timer.policy.name} · {duration_words(timer.target_s)}"


def effects_on_open(draft: Levels, now: Levels, at: datetime) -> Iterator[Effected]:
    """Yield what the draft would change on all open tickets, in batches, as `effects_on` does."""
    ids = list(tickets_at_stake().order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), BATCH):
        yield from effects_on(ids[start : start + BATCH], draft, now, at)
