"""Properties 12 and 14 to 18 and 20 of sla.md §8, each as a law between two lives of a ticket or two instants."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import cancel, hold, reopen, resolve, resume
from itsm.tickets.actions import lock, override_priority
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.log import write
from slas.actions import follow_setup, save_calendar, settle_imported
from slas.actions.setting_up import touch_setup
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.models import CalendarVersion, ServiceLevelPolicy, SetupVersion, SlaEvent, State, StepDue, Sweep, Timer
from slas.tick import tick
from slas.timing import elapsed_us
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at, clock, make_levels, move_back
from tests.slas.promises import FIXED, answers, asks, cycles, no_promises, opened, promise

CALENDAR = compile_calendar(OFFICE)
US = 1_000_000
few = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
gaps = st.one_of(st.integers(0, 20 * HOUR), st.sampled_from([0, 1, HOUR, 8 * HOUR, 16 * HOUR, 24 * HOUR, 64 * HOUR]))
METRICS = ("response", "next_response", "update", "resolution", "team_stay", "supplier")


@pytest.fixture
def desk(cast: Cast) -> Cast:
    make_levels(OFFICE)
    return cast


def after(start: datetime, *seconds: int) -> list[datetime]:
    """Return instants so many seconds after each other."""
    found = []
    for gap in seconds:
        start += timedelta(seconds=gap)
        found.append(start)
    return found


@few
@given(ran=gaps, paused=gaps)
def test_p12_a_pause_moves_the_due_instant_by_its_open_length(desk: Cast, ran: int, paused: int) -> None:
    incident: Any = opened(desk)
    before = clock(incident).due_at
    since, until = after(MONDAY_NINE, ran, paused)
    incident = hold(incident, actor=at(desk.imke, since), hold_reason="awaiting_problem")
    resume(incident, actor=at(desk.imke, until))
    length = CALENDAR.open_us(since, until)
    timer = clock(incident)
    if since > before:  # the target was used up before the pause
        assert timer.due_at == timer.breached_at == before
    elif not length:
        # Paused in the very instant at which it was due, it is in time, and due at once when it goes on.
        assert timer.due_at == (until if since == before else before)
    else:
        assert CALENDAR.measure(timer.due_at) == CALENDAR.measure(before) + length


@few
@given(ran=st.integers(4 * HOUR + 1, 40 * HOUR), pause=gaps)
def test_p14_a_target_below_what_has_run_is_missed_within_the_runs(desk: Cast, ran: int, pause: int) -> None:
    incident: Any = opened(desk)
    held, resumed, raised = after(MONDAY_NINE, 3 * HOUR, pause, ran)
    incident = hold(incident, actor=at(desk.imke, held), hold_reason="awaiting_problem")
    incident = resume(incident, actor=at(desk.imke, resumed))
    elapsed = elapsed_us(clock(incident), raised)
    override_priority(incident, 1, reason="Urgent", actor=at(desk.imke, raised))
    timer = clock(incident)
    assert elapsed_us(timer, raised) == elapsed
    assert (timer.breached_at is not None) == (elapsed > 4 * HOUR * US)
    if timer.breached_at is not None:
        assert MONDAY_NINE <= timer.breached_at <= held or resumed <= timer.breached_at <= raised
        assert CALENDAR.open_us(resumed, timer.breached_at) == HOUR * US


@few
@given(ran=gaps, between=gaps, more=gaps)
def test_p15_reopening_is_as_if_the_stop_had_been_a_pause(desk: Cast, ran: int, between: int, more: int) -> None:
    stopped, again, end = after(MONDAY_NINE, ran, between, more)
    one: Any = opened(desk)
    one = resolve(one, actor=at(desk.imke, stopped), **FIXED)
    one = reopen(one, actor=at(desk.imke, again), comment="No")
    two: Any = opened(desk)
    two = hold(two, actor=at(desk.imke, stopped), hold_reason="awaiting_problem")
    two = resume(two, actor=at(desk.imke, again))
    kept = ("state", "due_at", "breached_at", "elapsed_closed_us", "run_started_at", "done_steps", "stopped_at")
    assert [getattr(clock(one), name) for name in kept] == [getattr(clock(two), name) for name in kept]
    resolve(one, actor=at(desk.imke, end), **FIXED)
    resolve(two, actor=at(desk.imke, end), **FIXED)
    assert [getattr(clock(one), name) for name in kept] == [getattr(clock(two), name) for name in kept]


@few
@given(ran=gaps, between=gaps, more=st.lists(gaps, max_size=3))
def test_p15_a_new_cycle_leaves_the_old_one_byte_equal(cast: Cast, ran: int, between: int, more: list[int]) -> None:
    no_promises()
    if not Timer.objects.exists():
        promise("resolution", 8 * HOUR, on_reopen="new_cycle")
    stopped, again, *later = after(MONDAY_NINE, ran, between, *more)
    incident: Any = opened(cast)
    incident = resolve(incident, actor=at(cast.imke, stopped), **FIXED)
    (first,) = Timer.objects.filter(ticket=incident).values()
    incident = reopen(incident, actor=at(cast.imke, again), comment="No")
    for number, instant in enumerate(later):
        incident = override_priority(incident, 1 + number, reason=f"{number}", actor=at(cast.imke, instant))
    assert Timer.objects.filter(ticket=incident).values().get(cycle_no=1) == first
    assert cycles(incident, "resolution")[1].started_at == again


@few
@given(moves=st.lists(st.tuples(gaps, st.sampled_from(["ask", "answer", "hold", "resume"])), max_size=8))
def test_p16_metrics_are_independent_and_cycles_follow_the_messages(cast: Cast, moves: list[tuple[int, str]]) -> None:
    """With all metrics promised each has the cycles that it has alone."""
    lives: dict[str, list[Any]] = {}
    for promised in (METRICS, *((metric,) for metric in METRICS)):
        with_promises(promised)
        incident: Any = opened(cast)
        now = MONDAY_NINE
        for gap, move in moves:
            now += timedelta(seconds=gap)
            if move == "ask":
                asks(cast, incident, now)
            elif move == "answer":
                answers(cast, incident, now)
            elif move == "hold" and incident.status != "on_hold":
                incident = hold(incident, actor=at(cast.imke, now), hold_reason="awaiting_vendor")
            elif move == "resume" and incident.status == "on_hold":
                incident = resume(incident, actor=at(cast.imke, now))
        for metric in promised:
            kept = [(t.started_at, t.state, t.due_at, t.stopped_at, t.breached_at) for t in cycles(incident, metric)]
            assert lives.setdefault(metric, kept) == kept
    turns, waiting, answered = [], False, False
    for _gap, move in moves:
        if move == "ask" and answered and not waiting:
            turns.append(move)
        waiting = answered and (move == "ask" or (waiting and move != "answer"))
        answered = answered or move == "answer"
    assert len(lives["next_response"]) == len(turns)
    assert len(lives["update"]) == sum(move == "answer" for _gap, move in moves)


def with_promises(metrics: tuple[str, ...]) -> None:
    """Let these metrics be promised and no other."""
    known = set(ServiceLevelPolicy.objects.filter(name__startswith="only ").values_list("metric", flat=True))
    ServiceLevelPolicy.objects.update(is_active=False)
    for metric in set(metrics) - known:
        promise(metric, 3 * HOUR, name=f"only {metric}")
    ServiceLevelPolicy.objects.filter(name__startswith="only ", metric__in=metrics).update(is_active=True)
    touch_setup()


@few
@given(ago=st.integers(1, 400 * HOUR), hours=st.sampled_from([(540, 1020), (0, 1440), (600, 615)]))
def test_p17_an_edit_of_the_hours_changes_nothing_of_the_past(desk: Cast, ago: int, hours: tuple[int, int]) -> None:
    save_calendar("Hours", OFFICE, actor=SYSTEM)
    incident = opened(desk, db_now() - timedelta(seconds=ago))
    settle_imported(actor=SYSTEM)
    before, events = clock(incident), list(SlaEvent.objects.filter(timer__ticket_id=incident.pk).values())
    wanted = CalendarSpec("UTC", ((hours,),) * 5 + ((), ()))
    counts = [model.objects.count() for model in (CalendarVersion, SetupVersion, Sweep)]
    save_calendar("Hours", wanted, actor=SYSTEM)
    now, timer = db_now(), clock(incident)
    if wanted == OFFICE:
        assert counts == [model.objects.count() for model in (CalendarVersion, SetupVersion, Sweep)]
        assert Timer.objects.filter(pk=timer.pk).values().get() == Timer.objects.filter(pk=before.pk).values().get()
        assert timer.version == before.version
        return
    edited = Sweep.objects.filter(ticket=incident).latest("pk").at
    assert timer.version > before.version
    assert elapsed_us(timer, edited) == elapsed_us(before, edited)
    assert elapsed_us(timer, now) == elapsed_us(before, edited) + timer.hours.open_us(edited, now)
    assert timer.breached_at == before.breached_at
    assert list(SlaEvent.objects.filter(timer__ticket_id=incident.pk).values()) == events


@few
@given(off=st.sampled_from([-1, 0, 1]), paused=gaps)
def test_p18_met_is_to_the_microsecond(desk: Cast, off: int, paused: int) -> None:
    incident: Any = opened(desk)
    held, resumed = after(MONDAY_NINE, HOUR, paused)
    incident = hold(incident, actor=at(desk.imke, held), hold_reason="awaiting_problem")
    incident = resume(incident, actor=at(desk.imke, resumed))
    due = clock(incident).due_at
    resolve(incident, actor=at(desk.imke, due + timedelta(microseconds=off)), **FIXED)
    timer = clock(incident)
    assert timer.state == (State.MET if off <= 0 else State.MISSED)
    assert (timer.stopped_at <= timer.due_at) == (timer.state == State.MET)
    assert timer.breached_at == (due if off > 0 else None)


@few
@given(how=st.sampled_from(["cancel", "resolve", "merge", "switch off", "hold"]), later=st.integers(1, 200))
def test_p20_no_step_fires_after_the_clock_ended(desk: Cast, how: str, later: int) -> None:
    ServiceLevelPolicy.objects.update(is_active=True)
    save_calendar("Hours", CalendarSpec.always(), actor=SYSTEM)
    now = db_now()
    incident: Any = opened(desk, now - timedelta(minutes=1))
    settle_imported(actor=SYSTEM)
    assert StepDue.objects.filter(timer__ticket_id=incident.pk).exists()
    if how == "cancel":
        cancel(incident, actor=SYSTEM, reason="Never mind")
    elif how == "resolve":
        resolve(incident, actor=SYSTEM, **FIXED)
    elif how == "hold":
        hold(incident, actor=SYSTEM, hold_reason="awaiting_problem")
    elif how == "merge":
        merge_away(incident, now)
    else:
        ServiceLevelPolicy.objects.update(is_active=False)
        touch_setup()
        follow_setup()
    happened = SlaEvent.objects.filter(timer__ticket_id=incident.pk).count()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    move_back(incident, timedelta(hours=later))
    tick()
    assert SlaEvent.objects.filter(timer__ticket_id=incident.pk).count() == happened
    assert not StepDue.objects.filter(timer__ticket_id=incident.pk).exists()


def merge_away(incident: Any, now: datetime) -> None:
    """End the ticket without a resolution, as a merge does."""
    write(lock(incident), "incident.cancelled", actor=SYSTEM, changes={"status": "cancelled", "closed_at": now}, at=now)
