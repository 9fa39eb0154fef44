"""Properties 12 to 18 and 20 of sla.md §8: a timer against a simple model of run intervals, whatever happens.

Time is given to the verbs as past instants of an import, so a week takes no time. The numbers are those of sla.md §8.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import cancel, hold, open_incident, reopen, resolve, resume
from incidents.models import Incident
from itsm.tickets.actions import override_priority
from itsm.tickets.clock import db_now
from itsm.tickets.models import NO_TARGET, Ticket
from slas.actions.book import Book
from slas.actions.following import follow_state
from slas.calendars import CompiledCalendar
from slas.calendars import compile as compile_calendar
from slas.models import Run, SlaEvent, State, StepDue, Timer
from slas.promised import Promised
from slas.rebuild import differences, rebuild
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at, clock, make_levels

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
CALENDAR: CompiledCalendar = compile_calendar(OFFICE)
TARGETS = {1: 4 * HOUR, 4: 8 * HOUR}
US = 1_000_000

quick = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
gaps = st.one_of(
    st.integers(0, 20 * HOUR),
    st.sampled_from([0, 1, HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, 24 * HOUR, 64 * HOUR]),
)
moves = st.lists(
    st.tuples(gaps, st.sampled_from(["hold", "resume", "resolve", "reopen", "retarget", "nothing"])),
    min_size=1,
    max_size=12,
)


class Model:
    """What a timer should say, from nothing but a list of stretches and the two lengths of the target."""

    def __init__(self, start: datetime) -> None:
        self.runs: list[tuple[datetime, datetime]] = []
        self.since: datetime | None = start
        self.target = 8 * HOUR * US
        self.stopped: datetime | None = None

    def halt(self, now: datetime) -> None:
        if self.since is not None:
            self.runs.append((self.since, now))
            self.since = None

    def go(self, now: datetime) -> None:
        self.since = self.since or now
        self.stopped = None

    def elapsed(self, now: datetime) -> int:
        closed = sum(CALENDAR.open_us(a, b) for a, b in self.runs)
        return closed + (CALENDAR.open_us(self.since, now) if self.since else 0)

    def full_at(self) -> datetime | None:
        """The first instant, within a stretch or at the start of one, at which the target is used up."""
        left = self.target
        for a, b in self.runs:
            due = CALENDAR.due(a, left)
            if due < b:
                return due
            left -= CALENDAR.open_us(a, b)
        return CALENDAR.due(self.since, left) if self.since else None


def drifted(*tickets: Any) -> list[str]:
    """Return where what is stored of the tickets' timers is not what their logs give."""
    return [str(one) for found in rebuild(tickets, Promised(), now=db_now()) for one in differences(found)]


def opened(cast: Cast, start: datetime = MONDAY_NINE) -> Incident:
    return open_incident(actor=at(cast.imke, start), title="Cannot print", requester=cast.rita)


def apply(incident: Any, model: Model, move: str, now: datetime, cast: Cast) -> Any:
    """Make the move on both where the incident's status allows it; return the incident as it is then."""
    actor = at(cast.imke, now)
    if move == "hold" and incident.status in {"new", "in_progress"}:
        incident = hold(incident, actor=actor, hold_reason="awaiting_vendor")
        model.halt(now)
    elif move == "resume" and incident.status == "on_hold":
        incident = resume(incident, actor=actor)
        model.go(now)
    elif move == "resolve" and incident.status != "resolved":
        incident = resolve(incident, actor=actor, **FIXED)
        if model.since is None:
            model.go(now)
        model.halt(now)
        model.stopped = now
    elif move == "reopen" and incident.status == "resolved":
        incident = reopen(incident, actor=actor, comment="Still broken")
        model.go(now)
    elif move == "retarget" and incident.status != "resolved":
        priority = 1 if incident.priority == 4 else 4
        incident = override_priority(incident, priority, reason=f"At {now}", actor=actor)
        model.target = TARGETS[priority] * US
    return incident


def check(incident: Any, model: Model, now: datetime) -> None:
    timer = clock(incident)
    full = model.full_at()
    late = full is not None and full < now if model.stopped is None else full is not None and full < model.stopped
    assert timer.elapsed_closed_us + (
        CALENDAR.open_us(timer.run_started_at, now) if timer.run_started_at else 0
    ) == model.elapsed(now)
    if model.stopped is not None:
        assert timer.state == (State.MISSED if late else State.MET)
        assert timer.stopped_at == model.stopped
    elif model.since is None:
        assert (timer.state, timer.due_at) == (State.PAUSED, None)
    else:
        assert timer.state == State.RUNNING
        assert timer.due_at == full
    if timer.breached_at is not None:
        assert timer.breached_at == full
    if timer.state != State.RUNNING:
        assert (timer.breached_at is not None) == late
    due = Timer.objects.filter(ticket=incident, state=State.RUNNING).values_list("due_at", flat=True)
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == min(due, default=NO_TARGET)


@pytest.fixture
def desk(cast: Cast) -> Cast:
    make_levels(OFFICE)
    return cast


@quick
@given(moves=moves)
def test_p12_p14_p15_p18_a_timer_says_what_its_runs_say(desk: Cast, moves: list[tuple[int, str]]) -> None:
    """Pause, retarget, reopen, and met at the boundary, in any order."""
    now = MONDAY_NINE
    incident: Any = opened(desk)
    model = Model(now)
    for gap, move in moves:
        now += timedelta(seconds=gap)
        incident = apply(incident, model, move, now, desk)
        check(incident, model, now)
    assert not StepDue.objects.filter(timer__ticket_id=incident.pk).exists()
    runs = list(Run.objects.filter(timer=clock(incident)).order_by("pk"))
    assert all(one.ended_at <= two.started_at for one, two in pairwise(runs))


@quick
@given(moves=moves)
def test_p13_the_row_can_be_rebuilt_from_its_runs_and_from_the_log(desk: Cast, moves: list[tuple[int, str]]) -> None:
    """And there is at most one event for each step and epoch, each dated inside the runs."""
    now = MONDAY_NINE
    incident: Any = opened(desk)
    model = Model(now)
    for gap, move in moves:
        now += timedelta(seconds=gap)
        incident = apply(incident, model, move, now, desk)
    for timer in Timer.objects.filter(ticket=incident):
        runs = list(timer.runs.order_by("pk"))
        assert timer.elapsed_closed_us == sum(run.elapsed_us for run in runs)
        assert all(run.elapsed_us == CALENDAR.open_us(run.started_at, run.ended_at) for run in runs)
        stretches = [(run.started_at, run.ended_at) for run in runs]
        if timer.run_started_at:
            stretches.append((timer.run_started_at, now))
        events = SlaEvent.objects.filter(timer=timer)
        assert len({(event.epoch, event.step) for event in events}) == len(events)
        for event in events:
            assert any(a <= event.at <= b for a, b in stretches)
        done = events.filter(epoch=timer.epoch).values_list("step", flat=True)
        assert set(done) <= set(timer.done_steps)
    assert drifted(incident) == []


@quick
@given(first=gaps, second=gaps, third=gaps)
def test_p12_pausing_several_times_is_pausing_once(desk: Cast, first: int, second: int, third: int) -> None:
    """N pauses equal their union, and a stop while paused is a resume and a stop in one instant."""
    a = MONDAY_NINE + timedelta(seconds=first)
    b = a + timedelta(seconds=second)
    c = b + timedelta(seconds=third)
    once, twice = opened(desk), opened(desk)
    hold(once, actor=at(desk.imke, a), hold_reason="awaiting_vendor")
    hold(twice, actor=at(desk.imke, a), hold_reason="awaiting_vendor")
    resume(twice, actor=at(desk.imke, b))
    hold(twice, actor=at(desk.imke, b), hold_reason="awaiting_change")
    resume(twice, actor=at(desk.imke, c))
    assert clock(once).elapsed_closed_us == clock(twice).elapsed_closed_us
    resolve(once, actor=at(desk.imke, c), **FIXED)
    resolve(twice, actor=at(desk.imke, c), **FIXED)
    one, two = clock(once), clock(twice)
    assert (one.state, one.due_at, one.stopped_at, one.elapsed_closed_us) == (
        two.state,
        two.due_at,
        two.stopped_at,
        two.elapsed_closed_us,
    )


@quick
@given(ran=gaps, between=gaps)
def test_p14_there_and_back_moves_no_due_instant(desk: Cast, ran: int, between: int) -> None:
    """A target that is changed and changed back leaves the due instant where it was."""
    incident: Any = opened(desk)
    before = clock(incident).due_at
    for gap, priority in ((ran, 1), (ran + between, 4)):
        moment = MONDAY_NINE + timedelta(seconds=gap)
        incident = override_priority(incident, priority, reason=f"To {priority}", actor=at(desk.imke, moment))
    timer = clock(incident)
    assert timer.due_at == before
    assert timer.elapsed_closed_us == 0
    assert (timer.breached_at is not None) == (before < MONDAY_NINE + timedelta(seconds=ran + between))


@quick
@given(moves=moves)
def test_p12_following_a_state_twice_changes_nothing(desk: Cast, moves: list[tuple[int, str]]) -> None:
    now = MONDAY_NINE
    incident: Any = opened(desk)
    model = Model(now)
    for gap, move in moves:
        now += timedelta(seconds=gap)
        incident = apply(incident, model, move, now, desk)
    before = list(Timer.objects.filter(ticket=incident).values())
    book = Book(incident, Timer.objects.of_tickets([incident]).to_work_on(), at=now, actor=at(desk.imke, now))
    follow_state(book)
    book.write()
    assert list(Timer.objects.filter(ticket=incident).values()) == before


def test_p20_cancelling_after_a_breach_keeps_it_on_record(desk: Cast) -> None:
    incident = opened(desk)
    cancel(incident, actor=at(desk.imke, MONDAY_NINE + timedelta(hours=30)), reason="Never mind")
    timer = clock(incident)
    assert timer.state == State.CANCELLED
    assert timer.breached_at == MONDAY_NINE + timedelta(hours=8)
    assert not StepDue.objects.exists()
