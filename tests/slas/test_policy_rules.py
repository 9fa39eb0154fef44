"""The rules of a policy: stop, cancel, start anew, a start in the past, another target, a ticket taken up again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import hold, reopen, resolve, resume
from itsm.tickets.actions import assign, override_priority, update
from itsm.tickets.actors import SYSTEM
from slas.actions import follow_setup, save_calendar, save_chain, set_team_calendar
from slas.models import Setup, SlaEvent, StepDue
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at
from tests.slas.promises import (
    FIXED,
    answers,
    asks,
    cycles,
    hours_of,
    is_,
    no_promises,
    opened,
    promise,
    steps_listed,
    told,
)

P1 = is_("priority", 1)


def then(hours: float) -> datetime:
    return MONDAY_NINE + timedelta(hours=hours)


@pytest.fixture
def desk(cast: Cast) -> Cast:
    no_promises()
    return cast


def urgent(cast: Cast, incident: Any, hours: float, priority: int = 1) -> Any:
    return override_priority(incident, priority, reason=f"At {hours}", actor=at(cast.imke, then(hours)))


def test_a_stop_condition_stops_and_its_end_takes_the_clock_up_again(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, stop_condition={"field": "assignee", "op": "is_not_empty"})
    incident: Any = opened(desk)
    incident = assign(incident, actor=at(desk.imke, then(2)), team=desk.network, assignee=desk.anna)
    assert told(incident, "resolution") == [("met", 0, 2)]
    incident = urgent(desk, incident, 3)
    assert told(incident, "resolution") == [("met", 0, 2)]
    assign(incident, actor=at(desk.imke, then(5)), assignee=None)
    (timer,) = cycles(incident, "resolution")
    assert (timer.state, timer.due_at) == ("running", then(11))


def test_a_cancel_condition_beats_stopping_and_keeps_a_clock_from_beginning(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, cancel_condition=P1)
    incident: Any = opened(desk)
    incident = urgent(desk, incident, 1)
    assert told(incident, "resolution") == [("cancelled", 0, 1)]
    incident = update(incident, {"title": "Still"}, actor=at(desk.imke, then(2)))
    assert len(cycles(incident, "resolution")) == 1
    incident = urgent(desk, incident, 3, priority=4)
    assert told(incident, "resolution") == [("cancelled", 0, 1), ("running", 3, None)]


def test_a_cancel_condition_holds_at_the_resolution_too(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, cancel_condition=is_("status", "resolved"))
    incident = opened(desk)
    resolve(incident, actor=at(desk.imke, then(1)), **FIXED)
    assert told(incident, "resolution") == [("cancelled", 0, 1)]


def test_a_condition_to_start_anew_counts_once_as_long_as_it_holds(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, reset_condition=P1)
    incident: Any = opened(desk)
    incident = urgent(desk, incident, 2)
    incident = update(incident, {"title": "Still"}, actor=at(desk.imke, then(3)))
    incident = urgent(desk, incident, 4, priority=4)
    incident = urgent(desk, incident, 5)
    assert told(incident, "resolution") == [("cancelled", 0, 2), ("cancelled", 2, 5), ("running", 5, None)]


def test_a_clock_that_starts_late_counts_from_the_opening_without_the_pauses(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, condition=P1, start_from="opened")
    incident: Any = opened(desk)
    incident = hold(incident, actor=at(desk.imke, then(1)), hold_reason="awaiting_vendor")
    incident = resume(incident, actor=at(desk.imke, then(3)))
    incident = urgent(desk, incident, 4)
    (timer,) = cycles(incident, "resolution")
    assert (timer.started_at, timer.due_at) == (then(0), then(10))
    runs = timer.runs.order_by("pk").values_list("started_at", "ended_at")
    assert [(hours_of(a), hours_of(b)) for a, b in runs] == [(0, 1)]
    assert hours_of(timer.run_started_at) == 3


@pytest.mark.parametrize(("late", "steps"), [("highest", [100, 150]), ("none", [100]), ("all", [50, 75, 100, 150])])
def test_the_policy_says_which_of_the_steps_that_are_past_happen(desk: Cast, late: str, steps: list[int]) -> None:
    chain = save_chain("Steps", steps_listed(50, 75, 100, 150, 900), actor=SYSTEM)
    promise("resolution", HOUR, condition=P1, start_from="opened", late_steps=late, chain=chain)
    incident = urgent(desk, opened(desk), 4)
    (timer,) = cycles(incident, "resolution")
    assert (timer.breached_at, timer.retroactive, timer.state) == (then(1), True, "running")
    assert list(SlaEvent.objects.filter(timer=timer).order_by("at").values_list("step", flat=True)) == steps
    assert list(SlaEvent.objects.filter(timer=timer, step=100).values_list("at", flat=True)) == [then(1)]
    assert not StepDue.objects.filter(timer=timer, step__lte=150).exists()


def test_a_clock_that_starts_late_on_a_ticket_on_hold_stands_still(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, condition=P1, start_from="opened")
    incident: Any = opened(desk)
    incident = hold(incident, actor=at(desk.imke, then(3)), hold_reason="awaiting_vendor")
    incident = urgent(desk, incident, 4)
    (timer,) = cycles(incident, "resolution")
    assert (timer.state, timer.elapsed_closed_us, timer.due_at) == ("paused", 3 * HOUR * 1_000_000, None)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("keep", [("running", 0, None)]),
        ("restart", [("cancelled", 0, 3), ("running", 3, None)]),
        ("retroactive", [("cancelled", 1, 3), ("running", 0, None)]),
    ],
)
def test_another_target_keeps_restarts_or_looks_back(desk: Cast, how: str, expected: list[Any]) -> None:
    goals = [{"target_s": 4 * HOUR, "condition": P1}, {"target_s": 8 * HOUR}]
    promise("resolution", *goals, condition=is_("service", "vpn"), on_retarget=how)
    incident: Any = opened(desk) if how == "retroactive" else opened(desk, service=desk.vpn)
    if how == "retroactive":
        incident = update(incident, {"service": desk.vpn}, actor=at(desk.imke, then(1)))
    incident = urgent(desk, incident, 3)
    assert told(incident, "resolution") == expected
    due = {"keep": 4, "restart": 7, "retroactive": 4}[how]
    assert cycles(incident, "resolution")[-1].due_at == then(due)


def test_reopening_begins_a_new_clock_where_the_policy_says_so(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, on_reopen="new_cycle", start_from="opened")
    incident: Any = opened(desk)
    incident = resolve(incident, actor=at(desk.imke, then(2)), **FIXED)
    before = cycles(incident, "resolution")[0].__dict__ | {"_state": None}
    reopen(incident, actor=at(desk.imke, then(5)), comment="No")
    assert told(incident, "resolution") == [("met", 0, 2), ("running", 5, None)]
    assert cycles(incident, "resolution")[0].__dict__ | {"_state": None} == before


def test_a_turn_that_waits_when_its_policy_comes_to_apply_is_timed_from_its_message(desk: Cast) -> None:
    promise("next_response", 2 * HOUR, condition=P1, start_from="opened")
    incident: Any = opened(desk)
    answers(desk, incident, then(1))
    asks(desk, incident, then(2))
    asks(desk, incident, then(2.5))
    incident = urgent(desk, incident, 3)
    assert told(incident, "next_response") == [("running", 2, None)]


def test_a_stay_that_its_policy_finds_is_timed_from_the_hand_over(desk: Cast) -> None:
    promise("team_stay", 8 * HOUR, condition=P1, start_from="opened", kind="ola")
    incident: Any = opened(desk)
    incident = assign(incident, actor=at(desk.imke, then(2)), team=desk.network)
    incident = urgent(desk, incident, 3)
    assert told(incident, "team_stay") == [("running", 2, None)]


def test_a_condition_may_ask_what_the_ticket_waits_for(desk: Cast) -> None:
    promise("resolution", 8 * HOUR, pause_condition=is_("waiting", "awaiting_caller"))
    incident: Any = opened(desk)
    incident = hold(incident, actor=at(desk.imke, then(1)), hold_reason="awaiting_vendor")
    assert cycles(incident, "resolution")[0].state == "running"
    incident = resume(incident, actor=at(desk.imke, then(2)))
    hold(incident, actor=at(desk.imke, then(3)), hold_reason="awaiting_caller", comment="Which one?")
    assert cycles(incident, "resolution")[0].state == "paused"


def test_a_new_requester_brings_their_zone(desk: Cast) -> None:
    promise("resolution", {"target_s": 8 * HOUR, "zone_from": "requester"})
    incident: Any = opened(desk)
    desk.rosa.time_zone = "Asia/Tokyo"
    desk.rosa.save()
    update(incident, {"requester": desk.rosa}, actor=at(desk.imke, then(1)))
    (timer,) = cycles(incident, "resolution")
    assert (timer.time_zone, timer.elapsed_closed_us) == ("Asia/Tokyo", HOUR * 1_000_000)


def test_an_edit_of_a_teams_hours_reaches_the_clocks_that_run(desk: Cast) -> None:
    goal = {"target_s": 8 * HOUR, "use_team_calendar": True}
    promise("resolution", goal, {"target_s": HOUR}, name="by team")
    promise("response", 8 * HOUR, name="not by team")
    incident = opened(desk, team=desk.network)
    office = save_calendar("Office", OFFICE, actor=SYSTEM)
    set_team_calendar(desk.network, office, actor=SYSTEM)
    follow_setup()
    names = {timer.metric: timer.calendar_version.calendar.name for timer in incident.timers.all()}
    assert names == {"resolution": "Office", "response": "Always"}
    setup = Setup.objects.get()
    assert setup.followed == setup.stamp
    with CaptureQueriesContext(connection) as queries:
        follow_setup()
    assert not [query for query in queries if "use_team_calendar" in query["sql"]]
    set_team_calendar(desk.network, None, actor=SYSTEM)
    follow_setup()
    assert incident.timers.get(metric="resolution").calendar_version.calendar.name == "Always"


def test_a_team_that_was_only_begun_with_is_gone_on_with(desk: Cast) -> None:
    promise("resolution", {"target_s": 8 * HOUR, "use_team_calendar": True})
    incidents = [opened(desk, team=desk.network) for _number in range(2)]
    set_team_calendar(desk.network, save_calendar("Office", OFFICE, actor=SYSTEM), actor=SYSTEM)
    with patch("slas.actions.batches._move_of_ticket", return_value=0):  # somebody else was quicker
        assert follow_setup(limit=1) == 0
    assert follow_setup() == 2
    names = {one.timers.get(metric="resolution").calendar_version.calendar.name for one in incidents}
    assert names == {"Office"}
