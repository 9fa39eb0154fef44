"""Timers follow their ticket: through the verbs, with past instants where time matters."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incidents.actions import cancel, close, hold, open_incident, reopen, reply, resolve, resume, start
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import assign, comment, override_priority, update, watch
from itsm.tickets.actors import SYSTEM
from itsm.tickets.models import NO_TARGET, Ticket, TicketEvent
from slas.actions import save_chain
from slas.models import Run, ServiceLevelPolicy, SlaEvent, State, StepDue, Timer
from slas.tick import tick
from tests.cast import Cast, as_
from tests.slas.conftest import MONDAY_NINE, at, clock, make_levels, move_back, steps_of

H = timedelta(hours=1)
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}


def opened(cast: Cast, *, hours: float = 0, impact: int = 3, urgency: int = 3, **more: object) -> Incident:
    return open_incident(
        actor=at(cast.imke, MONDAY_NINE + hours * H),
        title="Cannot print",
        requester=cast.rita,
        impact=impact,
        urgency=urgency,
        **more,
    )


def test_opening_starts_both_clocks(levels: Cast) -> None:
    incident = open_incident(actor=as_(levels.rita), title="Cannot print")
    response, resolution = clock(incident, "response"), clock(incident)
    assert response.state == resolution.state == State.RUNNING
    assert response.started_at == incident.opened_at
    assert response.due_at == incident.opened_at + 4 * H
    assert resolution.due_at == incident.opened_at + 8 * H
    assert incident.queue_due_at == response.due_at
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == response.due_at
    assert steps_of(incident) == [(metric, step) for metric in ("resolution", "response") for step in (50, 75, 100)]


def test_the_first_goal_that_matches_wins(levels: Cast) -> None:
    incident = open_incident(actor=as_(levels.anna), title="All down", impact=1, urgency=1)
    assert clock(incident, "response").target_s == 3600
    assert clock(incident).target_s == 4 * 3600


def test_hold_pauses_and_resume_goes_on(levels: Cast) -> None:
    incident = opened(levels)
    hold(incident, actor=at(levels.imke, MONDAY_NINE + 1 * H), hold_reason="awaiting_vendor")
    paused = clock(incident)
    assert (paused.state, paused.due_at, paused.elapsed_closed_us) == (State.PAUSED, None, 3600 * 10**6)
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == NO_TARGET
    resume(incident, actor=at(levels.imke, MONDAY_NINE + 3 * H))
    running = clock(incident)
    assert running.state == State.RUNNING
    assert running.due_at == MONDAY_NINE + 10 * H
    assert clock(incident, "response").due_at == MONDAY_NINE + 6 * H


def test_a_public_reply_of_the_desk_stops_the_response(levels: Cast) -> None:
    incident = opened(levels)
    comment(incident, "Me again", actor=as_(levels.rita))
    assert clock(incident, "response").state == State.RUNNING
    reply(incident, "Not for you", actor=at(levels.imke, MONDAY_NINE + 1 * H), visibility="internal")
    assert clock(incident, "response").state == State.RUNNING


def test_the_reply_within_hold_counts(levels: Cast) -> None:
    incident = opened(levels)
    hold(
        incident,
        actor=at(levels.imke, MONDAY_NINE + 2 * H),
        hold_reason="awaiting_caller",
        comment="Which printer?",
    )
    assert clock(incident, "response").state == State.MET
    assert clock(incident, "response").stopped_at == MONDAY_NINE + 2 * H
    assert clock(incident).state == State.PAUSED


def test_a_requesting_agent_does_not_answer_herself(levels: Cast) -> None:
    incident = open_incident(actor=as_(levels.anna), title="My own chair")
    comment(incident, "It squeaks", actor=as_(levels.anna))
    assert clock(incident, "response").state == State.RUNNING
    comment(incident, "On my way", actor=as_(levels.ben))
    assert clock(incident, "response").state == State.MET


def test_resolving_stops_both_and_leaves_no_step(levels: Cast) -> None:
    incident = opened(levels)
    start(incident, actor=as_(levels.anna))
    resolve(incident, actor=as_(levels.anna), **FIXED)
    assert clock(incident, "response").state in {State.MET, State.MISSED}
    assert steps_of(incident) == []
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == NO_TARGET


def test_reopening_takes_up_the_same_cycle(levels: Cast) -> None:
    incident = opened(levels)
    resolve(incident, actor=at(levels.imke, MONDAY_NINE + 2 * H), **FIXED)
    assert clock(incident).state == State.MET
    reopen(incident, actor=at(levels.imke, MONDAY_NINE + 50 * H), comment="Still broken")
    again = clock(incident)
    assert (again.cycle_no, again.state, again.stopped_at) == (1, State.RUNNING, None)
    assert again.due_at == MONDAY_NINE + 56 * H
    assert clock(incident, "response").state == State.MET
    close_after = resolve(incident, actor=at(levels.imke, MONDAY_NINE + 57 * H), **FIXED)
    assert clock(incident).state == State.MISSED
    assert clock(incident).breached_at == MONDAY_NINE + 56 * H
    close(close_after, actor=at(levels.imke, MONDAY_NINE + 58 * H))
    assert clock(incident).stopped_at == MONDAY_NINE + 57 * H


def test_cancelling_cancels(levels: Cast) -> None:
    incident = opened(levels)
    cancel(incident, actor=as_(levels.rita), reason="Never mind")
    assert set(Timer.objects.filter(ticket=incident).values_list("state", flat=True)) == {State.CANCELLED}
    assert steps_of(incident) == []


def test_a_missed_stop_is_dated_to_the_due_instant(levels: Cast) -> None:
    incident = opened(levels)
    resolve(incident, actor=at(levels.imke, MONDAY_NINE + 9 * H), **FIXED)
    missed = clock(incident)
    assert missed.state == State.MISSED
    assert missed.breached_at == MONDAY_NINE + 8 * H
    events = SlaEvent.objects.filter(timer=missed).order_by("at")
    assert [(e.step, e.at, e.told) for e in events] == [
        (50, MONDAY_NINE + 4 * H, False),
        (75, MONDAY_NINE + 6 * H, False),
        (100, MONDAY_NINE + 8 * H, False),
    ]
    noted = TicketEvent.objects.get(ticket=incident, code="sla.breached", data__metric="resolution")
    assert noted.at == MONDAY_NINE + 8 * H
    assert noted.data["imported"]
    assert noted.data["notify"] == {"users": [], "team": None, "role": ""}
    assert not noted.outbox.exists()


def test_stopping_at_the_due_instant_is_in_time(levels: Cast) -> None:
    for late, state in ((timedelta(0), State.MET), (timedelta(microseconds=1), State.MISSED)):
        incident = opened(levels)
        resolve(incident, actor=at(levels.imke, MONDAY_NINE + 8 * H + late), **FIXED)
        assert clock(incident).state == state


def test_an_import_that_ended_leaves_no_step_and_one_that_is_open_keeps_quiet(levels: Cast) -> None:
    incident = opened(levels)
    assert steps_of(incident) == []
    update(incident, {"title": "Cannot print at all"}, actor=at(levels.imke, MONDAY_NINE + 1 * H))
    assert StepDue.objects.count() == 0


def test_a_nearer_target_keeps_what_has_run(levels: Cast) -> None:
    incident = opened(levels)
    update(incident, {"impact": 1, "urgency": 1}, actor=at(levels.imke, MONDAY_NINE + 2 * H))
    resolution, response = clock(incident), clock(incident, "response")
    assert resolution.due_at == MONDAY_NINE + 4 * H
    assert resolution.elapsed_closed_us == 0
    assert response.breached_at == response.due_at == MONDAY_NINE + 1 * H
    assert response.retroactive
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == MONDAY_NINE + 1 * H
    update(incident, {"impact": 3}, actor=at(levels.imke, MONDAY_NINE + 2 * H))
    update(incident, {"urgency": 3}, actor=at(levels.imke, MONDAY_NINE + 3 * H))
    assert clock(incident).due_at == MONDAY_NINE + 8 * H
    back = clock(incident, "response")
    assert (back.due_at, back.breached_at, back.epoch) == (MONDAY_NINE + 4 * H, None, 1)


def test_a_longer_target_warns_anew_of_what_lies_ahead_again(levels: Cast) -> None:
    incident = open_incident(actor=as_(levels.anna), title="All down", impact=1, urgency=1, requester=levels.rita)
    move_back(incident, 3.5 * H)
    assert tick() == 5
    before = clock(incident)
    assert (before.done_steps, before.epoch) == ([50, 75], 0)
    override_priority(incident, 4, reason="Calmer", actor=as_(levels.lena))
    after, response = clock(incident), clock(incident, "response")
    assert (after.done_steps, after.epoch, after.due_at) == ([], 1, before.started_at + 8 * H)
    assert (response.done_steps, response.epoch, response.breached_at) == ([50, 75], 1, None)
    assert steps_of(incident) == [("resolution", 50), ("resolution", 75), ("resolution", 100), ("response", 100)]
    override_priority(incident, 1, reason="Back", actor=as_(levels.lena))
    assert clock(incident).due_at == before.due_at
    override_priority(incident, 4, reason="Calmer again", actor=as_(levels.lena))
    move_back(incident, 3 * H)
    tick()
    events = SlaEvent.objects.filter(timer=after).order_by("pk").values_list("epoch", "step")
    assert list(events) == [(0, 50), (0, 75), (1, 75), (2, 50), (2, 75)]


def test_a_longer_target_that_was_passed_too_keeps_its_breach_and_tells_it_once(levels: Cast) -> None:
    steps = [{"percent": 75, "actions": []}, {"percent": 150, "actions": []}]
    save_chain("Chain", steps, actor=SYSTEM)
    incident = opened(levels, impact=1, urgency=1)
    override_priority(incident, 4, reason="Calmer", actor=at(levels.imke, MONDAY_NINE + 9 * H))
    timer = clock(incident)
    assert (timer.epoch, timer.breached_at) == (1, MONDAY_NINE + 8 * H)
    assert sorted(timer.done_steps) == [75, 100]
    events = SlaEvent.objects.filter(timer=timer).order_by("pk").values_list("epoch", "step")
    assert list(events) == [(0, 75), (0, 100), (0, 150)]


def test_what_no_policy_covers_has_no_clock(levels: Cast) -> None:
    incident = open_incident(actor=as_(levels.rita), title="Cannot print")
    assert Timer.objects.filter(ticket=incident).count() == 2
    before = StepDue.objects.count()
    assign(incident, actor=as_(levels.lena), team=levels.network)
    assert StepDue.objects.count() == before
    assert Run.objects.count() == 0


def test_an_override_retargets_too(levels: Cast) -> None:
    incident = open_incident(actor=as_(levels.rita), title="Cannot print")
    override_priority(incident, 1, reason="The director waits", actor=as_(levels.lena))
    assert clock(incident).target_s == 4 * 3600
    assert clock(incident).version == 2
    assert {step.version for step in clock(incident).steps_due.all()} == {2}
    assert SYSTEM.is_system


def test_a_pause_in_the_due_instant_is_no_breach_however_the_target_moves(levels: Cast) -> None:
    incident = opened(levels)
    hold(incident, actor=at(levels.imke, MONDAY_NINE + 8 * H), hold_reason="awaiting_vendor")
    assert clock(incident).breached_at is None
    override_priority(incident, 1, reason="Nearer", actor=at(levels.imke, MONDAY_NINE + 9 * H))
    assert clock(incident).breached_at == MONDAY_NINE + 4 * H
    override_priority(incident, 4, reason="Back", actor=at(levels.imke, MONDAY_NINE + 10 * H))
    assert (clock(incident).breached_at, clock(incident).epoch) == (None, 1)
    resolve(incident, actor=at(levels.imke, MONDAY_NINE + 11 * H), **FIXED)
    assert clock(incident).state == State.MET


def test_no_event_of_a_clock_lies_before_its_last_one(levels: Cast) -> None:
    incident = opened(levels, hours=5)
    hold(incident, actor=at(levels.imke, MONDAY_NINE + 6 * H), hold_reason="awaiting_vendor")
    resume(incident, actor=at(levels.imke, MONDAY_NINE + 3 * H))
    timer = clock(incident)
    assert timer.run_started_at == timer.touched_at == MONDAY_NINE + 6 * H
    assert timer.due_at == MONDAY_NINE + 13 * H


@pytest.mark.parametrize(("author", "clocks"), [("rosa", 2), ("anna", 1)])
def test_only_the_desk_has_answered_where_a_response_clock_would_start_late(
    cast: Cast, author: str, clocks: int
) -> None:
    ServiceLevelPolicy.objects.all().delete()
    incident = open_incident(actor=as_(cast.rita), title="Cannot print")
    watch(incident, cast.rosa, actor=as_(cast.anna))
    comment(incident, "It is the one on the third floor", actor=as_(getattr(cast, author)))
    User.objects.filter(pk=getattr(cast, author).pk).update(is_active=False)
    make_levels()
    update(incident, {"title": "Cannot print at all"}, actor=as_(cast.ben))
    assert Timer.objects.filter(ticket=incident).count() == clocks
