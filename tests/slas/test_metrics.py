"""What each metric times, in cycles: turns of the requester, periodic updates, stays with teams and suppliers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents.actions import cancel, hold, reopen, resolve, resume
from itsm.accounts.models import Team
from itsm.tickets.actions import assign
from itsm.tickets.actors import SYSTEM
from slas.actions import save_calendar
from slas.actions.setting_up import touch_setup
from slas.calendars import CalendarSpec
from slas.models import Kind, TeamCalendar
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at
from tests.slas.promises import FIXED, answers, asks, cycles, no_promises, opened, promise, told

H = timedelta(hours=1)


@pytest.fixture
def desk(cast: Cast) -> Cast:
    no_promises()
    return cast


def then(hours: float) -> Any:
    return MONDAY_NINE + timedelta(hours=hours)


def test_next_response_times_each_turn_of_the_requester_after_the_first_answer(desk: Cast) -> None:
    promise("next_response", 2 * HOUR)
    incident = opened(desk)
    asks(desk, incident, then(1))  # before the first answer: the first response times it
    answers(desk, incident, then(2))
    assert told(incident, "next_response") == []
    asks(desk, incident, then(3))
    asks(desk, incident, then(4))  # the same turn: the oldest message counts
    answers(desk, incident, then(5))
    answers(desk, incident, then(6))
    asks(desk, incident, then(7))
    answers(desk, incident, then(9.5))
    assert told(incident, "next_response") == [("met", 3, 5), ("missed", 7, 9.5)]


def test_a_requester_who_reopens_waits_for_an_answer(desk: Cast) -> None:
    promise("next_response", 2 * HOUR)
    incident = opened(desk)
    resolve(incident, actor=at(desk.imke, then(1)), **FIXED)
    from tests.slas.promises import requester_at

    reopen(incident, actor=requester_at(desk.rita, then(2)), comment="Still broken")
    assert told(incident, "next_response") == [("running", 2, None)]


def test_updates_are_due_again_and_again_after_the_first_answer_also_on_hold(desk: Cast) -> None:
    promise("update", 4 * HOUR, pause_condition=None)
    incident: Any = opened(desk)
    asks(desk, incident, then(1))
    assert told(incident, "update") == []
    answers(desk, incident, then(2))
    hold(incident, actor=at(desk.imke, then(3)), hold_reason="awaiting_problem")
    answers(desk, incident, then(5))
    answers(desk, incident, then(10))
    incident = resolve(incident, actor=at(desk.imke, then(11)), **FIXED)
    reopen(incident, actor=at(desk.imke, then(12)), comment="Reported by phone")
    assert told(incident, "update") == [
        ("met", 2, 5),
        ("missed", 5, 10),
        ("met", 10, 11),
        ("running", 12, None),
    ]


def test_each_stay_with_a_team_is_timed_by_the_hours_of_that_team(desk: Cast) -> None:
    goal = {"target_s": 2 * HOUR, "use_team_calendar": True}
    promise("team_stay", goal, kind=Kind.OLA)
    office = save_calendar("Office", OFFICE, actor=SYSTEM)
    TeamCalendar.objects.create(team=desk.network, calendar=office)
    touch_setup()
    other = Team.objects.exclude(pk=desk.network.pk).filter(is_active=True)[0]
    incident: Any = opened(desk)
    incident = assign(incident, actor=at(desk.imke, then(7)), team=desk.network)
    incident = assign(incident, actor=at(desk.imke, then(25.5)), team=other)
    incident = assign(incident, actor=at(desk.imke, then(27)), team=None)
    incident = assign(incident, actor=at(desk.imke, then(28)), team=desk.network)
    incident = resolve(incident, actor=at(desk.imke, then(29)), **FIXED)
    incident = reopen(incident, actor=at(desk.imke, then(30)), comment="No")
    assert told(incident, "team_stay") == [("missed", 7, 25.5), ("met", 25.5, 27), ("running", 28, None)]
    first, second, third = cycles(incident, "team_stay")
    assert [timer.team_id for timer in (first, second, third)] == [desk.network.pk, other.pk, desk.network.pk]
    assert [timer.calendar_version.calendar.name for timer in (first, second, third)] == ["Office", "Always", "Office"]
    assert first.breached_at == then(25)  # an hour on Monday until five, another on Tuesday from nine
    assert third.elapsed_closed_us == HOUR * 1_000_000


def test_a_supplier_is_timed_from_hand_over_to_return(desk: Cast) -> None:
    promise("supplier", 3 * HOUR, kind=Kind.UC)
    incident: Any = opened(desk)
    incident = hold(incident, actor=at(desk.imke, then(1)), hold_reason="awaiting_problem")
    incident = resume(incident, actor=at(desk.imke, then(2)))
    incident = hold(incident, actor=at(desk.imke, then(3)), hold_reason="awaiting_vendor")
    incident = resume(incident, actor=at(desk.imke, then(5)))
    incident = hold(incident, actor=at(desk.imke, then(6)), hold_reason="awaiting_vendor")
    incident = resolve(incident, actor=at(desk.imke, then(10)), **FIXED)
    assert told(incident, "supplier") == [("met", 3, 5), ("missed", 6, 10)]


def test_metrics_of_one_ticket_do_not_move_each_other(desk: Cast) -> None:
    for metric in ("response", "next_response", "update", "resolution", "team_stay", "supplier"):
        promise(metric, 8 * HOUR)
    incident: Any = opened(desk, team=desk.network)
    due = {timer.metric: timer.due_at for timer in incident.timers.all()}
    assert set(due) == {"response", "resolution", "team_stay"}
    answers(desk, incident, then(1))
    asks(desk, incident, then(2))
    answers(desk, incident, then(3))
    assert {timer.metric: timer.due_at for timer in incident.timers.filter(cycle_no=1)} == {
        **due,
        "update": then(9),
        "next_response": then(10),
    }


def test_a_cancelled_ticket_cancels_every_clock(desk: Cast) -> None:
    for metric in ("response", "update", "resolution", "team_stay"):
        promise(metric, 8 * HOUR)
    incident: Any = opened(desk, team=desk.network)
    answers(desk, incident, then(1))
    cancel(incident, actor=at(desk.imke, then(2)), reason="Never mind")
    assert {(timer.metric, timer.state) for timer in incident.timers.all()} == {
        ("response", "met"),
        ("update", "cancelled"),
        ("resolution", "cancelled"),
        ("team_stay", "cancelled"),
    }


@pytest.mark.parametrize(("zone_from", "expected"), [("calendar", ""), ("requester", "Asia/Tokyo"), ("location", "")])
def test_the_zone_is_the_goals_choice_and_fixed_when_the_clock_begins(
    desk: Cast, zone_from: str, expected: str
) -> None:
    office = save_calendar("Office", OFFICE, actor=SYSTEM)
    promise("resolution", {"target_s": HOUR, "zone_from": zone_from}, calendar=office)
    desk.rita.time_zone = "Asia/Tokyo"
    desk.rita.save()
    incident = opened(desk)
    (timer,) = cycles(incident, "resolution")
    assert timer.time_zone == expected
    # 09:00 UTC is 18:00 in Tokyo: the hour is counted on Tuesday from nine there, midnight UTC
    assert timer.due_at == (then(16) if expected else then(1))
    desk.rita.time_zone = "Europe/Berlin"
    desk.rita.save()
    hold(incident, actor=at(desk.imke, then(0.1)), hold_reason="awaiting_problem")
    resume(incident, actor=at(desk.imke, then(0.2)))
    assert cycles(incident, "resolution")[0].time_zone == expected


@pytest.mark.parametrize(("days", "expected"), [(0, 8), (1, 32), (5, 7 * 24 + 8)])
def test_a_target_may_be_the_close_of_a_business_day(desk: Cast, days: int, expected: float) -> None:
    office = save_calendar("Office", OFFICE, actor=SYSTEM)
    goal = {"target_s": 8 * HOUR, "target_unit": "close_of_day", "target_count": days}
    promise("resolution", goal, calendar=office)
    incident = opened(desk, then(2))
    assert cycles(incident, "resolution")[0].due_at == then(expected)


def test_hours_round_the_clock_close_at_midnight(desk: Cast) -> None:
    always = save_calendar("Always", CalendarSpec.always("Europe/Berlin"), actor=SYSTEM)
    promise("resolution", {"target_s": HOUR, "target_unit": "close_of_day", "target_count": 0}, calendar=always)
    assert cycles(opened(desk), "resolution")[0].due_at == then(14)
