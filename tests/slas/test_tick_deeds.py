"""The tick, alone: what the steps of a chain do to the ticket, and what that does to its clocks."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from incidents.actions import resolve
from itsm.accounts.models import Team
from itsm.tickets.actors import SYSTEM
from itsm.tickets.models import Ticket, TicketEvent
from slas.actions import GoalSpec, save_calendar, save_chain, save_policy
from slas.models import BusinessCalendar, SlaEvent, State
from slas.tick import tick
from tests.cast import Cast, as_
from tests.slas.conftest import OFFICE, clock, move_back, steps_of
from tests.slas.test_tick import FIXED, H, fired, opened, told


def test_a_breach_is_told_also_without_a_chain(levels: Cast) -> None:
    save_chain("Chain", [], actor=SYSTEM)
    incident = opened(levels, assignee=levels.anna)
    move_back(incident, 5 * H)
    assert tick() == 1
    assert told(incident)[0]["users"] == [levels.anna.pk]


def test_a_chain_may_raise_the_priority_and_hand_over(levels: Cast) -> None:
    steps = [
        {"percent": 75, "actions": [{"do": "raise_priority"}]},
        {"percent": 100, "actions": [{"do": "assign_team", "team": levels.network.pk}]},
        {"percent": 150, "actions": [{"do": "notify", "who": ["team_lead"]}]},
    ]
    save_chain("Chain", steps, actor=SYSTEM)
    incident = opened(levels, team=levels.desktop)
    move_back(incident, 7 * H)
    assert tick() == 4
    ticket = Ticket.objects.get(pk=incident.pk)
    assert ticket.team == levels.network
    assert ticket.priority == 2
    assert ticket.priority_reason
    assert fired(incident) == [("response", 75), ("response", 100), ("resolution", 75), ("response", 150)] or fired(
        incident
    ) == [("response", 75), ("response", 100), ("response", 150), ("resolution", 75)]
    assert TicketEvent.objects.filter(ticket_id=incident.pk, code="sla.escalated").count() == 1
    breach = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert breach.data["deeds"] == [{"do": "assign_team"}]


def test_a_deed_that_is_refused_is_said_and_stops_nothing(levels: Cast) -> None:
    save_chain("Chain", [{"percent": 100, "actions": [{"do": "assign_team", "team": levels.network.pk}]}], actor=SYSTEM)
    incident = opened(levels, assignee=levels.anna)
    Team.objects.filter(pk=levels.network.pk).update(is_active=False)
    move_back(incident, 5 * H)
    assert tick() == 1
    breach = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert "no longer active" in breach.data["deeds"][0]["failed"]
    assert breach.data["notify"]["users"] == [levels.anna.pk]


def test_a_team_that_is_gone_does_not_take_the_ticket_out_of_its_queue(levels: Cast) -> None:
    gone = Team.objects.create(name="Night shift", key="night")
    save_chain("Chain", [{"percent": 100, "actions": [{"do": "assign_team", "team": gone.pk}]}], actor=SYSTEM)
    incident = opened(levels, team=levels.network)
    gone.delete()
    move_back(incident, 5 * H)
    assert tick() == 1
    assert Ticket.objects.get(pk=incident.pk).team == levels.network
    breach = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert breach.data["deeds"] == [{"do": "assign_team", "failed": "The team no longer exists."}]


@pytest.mark.parametrize("batch", [1, 100])
def test_a_deed_that_moves_another_clock_loses_no_deed_of_it(levels: Cast, batch: int) -> None:
    """The raised priority retargets the other clock, whose own step is due but not in this batch."""
    save_chain("Chain", [{"percent": 50, "actions": [{"do": "raise_priority"}]}], actor=SYSTEM)
    team = {"percent": 50, "actions": [{"do": "assign_team", "team": levels.network.pk}]}
    other = save_chain("Other", [team], actor=SYSTEM)
    calendar = BusinessCalendar.objects.get(name="Hours")
    goals = [
        GoalSpec(hours * 3600, calendar, {"field": "priority", "op": "eq", "value": priority}, other)
        for priority, hours in ((3, 6), (4, 8))
    ]
    save_policy("Resolution", metric="resolution", goals=goals, actor=SYSTEM)
    incident = opened(levels, team=levels.desktop)
    move_back(incident, 5 * H)
    with patch("slas.tick.BATCH", batch):
        assert tick() == 3
    assert (Ticket.objects.get(pk=incident.pk).priority, Ticket.objects.get(pk=incident.pk).team) == (3, levels.network)
    assert sorted(fired(incident)) == [("resolution", 50), ("response", 50), ("response", 100)]
    warned = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.warned", data__metric="resolution")
    assert warned.data["deeds"] == [{"do": "assign_team"}]
    assert warned.at == clock(incident).started_at + 4 * H
    assert tick() == 0


def test_a_step_that_a_deed_puts_into_the_past_is_done_too(levels: Cast) -> None:
    save_chain("Chain", [{"percent": 50, "actions": [{"do": "raise_priority"}]}], actor=SYSTEM)
    team = {"percent": 100, "actions": [{"do": "assign_team", "team": levels.network.pk}]}
    other = save_chain("Other", [team], actor=SYSTEM)
    calendar = BusinessCalendar.objects.get(name="Hours")
    goals = [
        GoalSpec(hours * 3600, calendar, {"field": "priority", "op": "eq", "value": priority}, other)
        for priority, hours in ((3, 1), (4, 8))
    ]
    save_policy("Resolution", metric="resolution", goals=goals, actor=SYSTEM)
    incident = opened(levels, team=levels.desktop)
    move_back(incident, 3 * H)
    assert tick() == 2
    assert Ticket.objects.get(pk=incident.pk).team == levels.network
    timer = clock(incident)
    assert (timer.breached_at, timer.done_steps) == (timer.started_at + 1 * H, [100])
    assert SlaEvent.objects.get(timer=timer).retroactive
    breach = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert breach.data["deeds"] == [{"do": "assign_team"}]
    assert breach.data["retroactive"]


@pytest.mark.parametrize(
    ("target", "ran", "expected", "epoch"), [(6, 3.75, [(0, 60), (0, 70)], 1), (5, 3.25, [(0, 60)], 0)]
)
def test_what_a_deed_makes_longer_or_takes_off_the_chain_is_on_record_all_the_same(
    levels: Cast, target: int, ran: float, expected: list[tuple[int, int]], epoch: int
) -> None:
    save_chain("Chain", [{"percent": 50, "actions": [{"do": "raise_priority"}]}], actor=SYSTEM)
    other = save_chain("Other", [{"percent": 60, "actions": []}, {"percent": 70, "actions": []}], actor=SYSTEM)
    without = save_chain("Without", [{"percent": 70, "actions": []}], actor=SYSTEM)
    calendar = BusinessCalendar.objects.get(name="Hours")
    goals = [
        GoalSpec(hours * 3600, calendar, {"field": "priority", "op": "eq", "value": priority}, chain)
        for priority, hours, chain in ((3, target, without), (4, 5, other))
    ]
    save_policy("Resolution", metric="resolution", goals=goals, actor=SYSTEM)
    incident = opened(levels)
    move_back(incident, ran * H)
    with patch("slas.tick.BATCH", 1):
        tick()
    events = SlaEvent.objects.filter(timer=clock(incident)).order_by("pk").values_list("epoch", "step")
    assert list(events) == expected
    assert clock(incident).epoch == epoch
    assert steps_of(incident)[:2] == [("resolution", 70), ("resolution", 100)]


def test_an_edit_of_the_hours_leaves_overdue_deeds_to_the_tick(levels: Cast) -> None:
    deeds = [{"do": "assign_team", "team": levels.network.pk}]
    save_chain("Chain", [{"percent": 100, "actions": deeds}], actor=SYSTEM)
    incident, stopped = opened(levels, team=levels.desktop), opened(levels, team=levels.desktop)
    for one in (incident, stopped):
        move_back(one, 5 * H)
    save_calendar("Hours", OFFICE, actor=as_(levels.sven))
    response = clock(incident, "response")
    assert response.breached_at == response.due_at == response.started_at + 4 * H
    assert not SlaEvent.objects.exists()
    resolve(stopped, actor=as_(levels.anna), **FIXED)
    assert clock(stopped, "response").state == State.MISSED
    assert fired(stopped) == [("response", 100)]
    assert tick() == 1
    assert fired(incident) == [("response", 100)]
    assert SlaEvent.objects.get(timer=response).at == response.due_at
    assert Ticket.objects.get(pk=incident.pk).team == levels.network
    assert Ticket.objects.get(pk=stopped.pk).team == levels.desktop
