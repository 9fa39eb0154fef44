"""The tick, alone: what fires, when, who is told, and what is left alone."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction

from incidents.actions import cancel, hold, open_incident, resolve
from incidents.models import Incident
from itsm.accounts.models import Team
from itsm.tickets.actions import assign, override_priority
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.hooks import consume
from itsm.tickets.models import OutboxEntry, Ticket, TicketEvent
from slas import tick as ticking
from slas.actions import GoalSpec, save_calendar, save_chain, save_policy
from slas.actions.effects import Effects
from slas.models import BusinessCalendar, SlaEvent, State, StepDue, Timer
from slas.tick import MAX_ATTEMPTS, lag_seconds, tick
from slas.ticker import Ticker
from tests.cast import Cast, as_
from tests.slas.conftest import OFFICE, clock, move_back, steps_of

H = timedelta(hours=1)
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}


def opened(cast: Cast, **more: object) -> Incident:
    return open_incident(actor=as_(cast.anna), title="Cannot print", requester=cast.rita, **more)


def fired(ticket: Incident) -> list[tuple[str, int]]:
    events = SlaEvent.objects.filter(timer__ticket_id=ticket.pk).order_by("pk")
    return list(events.values_list("timer__metric", "step"))


def told(ticket: Incident, code: str = "sla.breached") -> list[dict]:
    return [event.data["notify"] for event in TicketEvent.objects.filter(ticket_id=ticket.pk, code=code)]


def test_nothing_due_fires_nothing(levels: Cast) -> None:
    opened(levels)
    assert tick() == 0
    assert lag_seconds() == 0


def test_overdue_steps_fire_in_order_with_their_own_instants(levels: Cast) -> None:
    incident = opened(levels, assignee=levels.anna)
    move_back(incident, 5 * H)
    assert tick() == 4
    assert fired(incident) == [("response", 50), ("response", 75), ("response", 100), ("resolution", 50)]
    response = clock(incident, "response")
    assert response.breached_at == response.due_at
    assert response.state == State.RUNNING
    assert response.done_steps == [50, 75, 100]
    breach = SlaEvent.objects.get(timer=response, step=100)
    assert breach.at == response.due_at
    assert breach.detected_at > breach.at + timedelta(minutes=59)
    event = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert event.at == response.due_at
    assert event.internal
    assert steps_of(incident) == [("resolution", 75), ("resolution", 100)]
    assert Ticket.objects.get(pk=incident.pk).queue_due_at == response.due_at
    assert Ticket.objects.get(pk=incident.pk).version == incident.version
    assert tick() == 0


def test_who_is_told(levels: Cast) -> None:
    incident = opened(levels, team=levels.network, assignee=levels.anna)
    for hours in (2, 1, 1):
        move_back(incident, hours * H + timedelta(seconds=1))
        tick()
    warned = TicketEvent.objects.filter(ticket_id=incident.pk, code="sla.warned", data__metric="response")
    assert [event.data["notify"] for event in warned.order_by("seq")] == [
        {"users": [levels.anna.pk], "team": None, "role": "assignee"},
        {"users": [levels.anna.pk, levels.lena.pk], "team": None, "role": "assignee|team_lead"},
    ]
    [breach] = told(incident)
    assert breach["users"] == [levels.anna.pk, levels.lena.pk, levels.ben.pk]
    assert breach["team"] == levels.network.pk
    assert breach["role"] == "assignee|team_lead|team"


def test_nobody_is_never_the_answer(levels: Cast) -> None:
    without_person = opened(levels, team=levels.desktop)
    without_team = opened(levels)
    for incident in (without_person, without_team):
        move_back(incident, 3 * H)
    Team.objects.filter(pk=levels.desktop.pk).update(lead=None)
    tick()
    first, second = told(without_person, "sla.warned")
    assert first["users"] == second["users"] == [levels.carl.pk]
    assert first["team"] == levels.desktop.pk
    assert [notice["users"] for notice in told(without_team, "sla.warned")] == [[levels.ada.pk]] * 2


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


@pytest.mark.parametrize("ending", ["resolve", "cancel", "hold"])
def test_no_step_fires_after_the_clock_stood_still(levels: Cast, ending: str) -> None:
    incident = opened(levels)
    stale = list(StepDue.objects.filter(timer__ticket_id=incident.pk))
    if ending == "resolve":
        resolve(incident, actor=as_(levels.anna), **FIXED)
    elif ending == "cancel":
        cancel(incident, actor=as_(levels.rita), reason="Never mind")
    else:
        hold(incident, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    assert steps_of(incident) == []
    versions = dict(Timer.objects.values_list("pk", "version"))
    for step in stale:
        step.pk, step.version = None, versions[step.timer_id]
    StepDue.objects.bulk_create(stale)
    move_back(incident, 9 * H)
    assert tick() == 0
    assert not StepDue.objects.exists()
    assert not SlaEvent.objects.exists()
    assert not TicketEvent.objects.filter(code__startswith="sla.").exists()


def test_a_step_of_an_older_version_goes_away_without_effect(levels: Cast) -> None:
    incident = opened(levels)
    move_back(incident, 5 * H)
    StepDue.objects.filter(timer__ticket_id=incident.pk, step=100).update(version=0)
    assert tick() == 3
    assert ("response", 100) not in fired(incident)
    assert clock(incident, "response").breached_at is None


def test_what_was_due_before_a_hold_is_caught_up_by_it(levels: Cast) -> None:
    incident = opened(levels, assignee=levels.anna)
    move_back(incident, 5 * H)
    hold(incident, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    assert fired(incident) == [("response", 50), ("response", 75), ("response", 100), ("resolution", 50)]
    assert told(incident)[0]["users"] == [levels.anna.pk]
    assert clock(incident, "response").breached_at is not None
    assert tick() == 0


def test_a_second_alarm_needs_a_new_breach(levels: Cast) -> None:
    incident = opened(levels)
    move_back(incident, 5 * H)
    tick()
    override_priority(incident, 1, reason="Director", actor=as_(levels.lena))
    assert TicketEvent.objects.filter(code="sla.breached", data__metric="response").count() == 1
    assert clock(incident, "response").breached_at == clock(incident, "response").started_at + 1 * H
    assert [
        event.data["percent"] for event in TicketEvent.objects.filter(data__metric="resolution").order_by("seq")
    ] == [
        50,
        100,
    ]


def test_a_poisonous_step_is_parked_and_the_others_go_on(levels: Cast) -> None:
    bad, good = opened(levels), opened(levels)
    for incident in (bad, good):
        move_back(incident, 5 * H)
    real = Effects.entries

    def poisoned(self: Effects, happened: list) -> list:
        if self.ticket.pk == bad.pk and 100 in [step.step for step in happened]:
            raise RuntimeError("no\x00 way")
        return real(self, happened)

    with patch.object(Effects, "entries", poisoned):
        assert tick() == 7
        assert ("response", 100) in fired(good)
        assert clock(bad, "response").breached_at is None
        for attempt in range(1, MAX_ATTEMPTS):
            left = StepDue.objects.get(attempts=attempt, parked_at__isnull=True)
            assert left.retry_at - db_now() > timedelta(seconds=2 ** (attempt - 1) - 1)
            assert tick() == 0  # left alone until then
            StepDue.objects.filter(pk=left.pk).update(retry_at=db_now())
            assert tick() == 0
        parked = StepDue.objects.get(parked_at__isnull=False)
        assert (parked.attempts, parked.step) == (MAX_ATTEMPTS, 100)
        assert parked.last_error == "RuntimeError: no way"
        assert tick() == 0
        assert StepDue.objects.get(pk=parked.pk).attempts == MAX_ATTEMPTS
    resolve(bad, actor=as_(levels.anna), **FIXED)
    assert clock(bad, "response").state == State.MISSED


def test_where_nothing_can_be_claimed_the_tick_says_so_and_does_not_turn_in_circles(levels: Cast) -> None:
    move_back(opened(levels), 5 * H)
    looks: list[int] = []
    broken = "SELECT no_such_column FROM slas_stepdue LIMIT %s"
    with (
        patch.object(ticking, "CLAIM", broken),
        patch.object(ticking, "_anything_due", lambda: looks.append(1) or len(looks) < 3),
        pytest.raises(ProgrammingError),
        transaction.atomic(),
    ):
        tick()
    assert len(looks) == 1


def test_a_fault_of_the_watch_keeps_no_step_from_being_fired(levels: Cast) -> None:
    ticker = Ticker()
    fired_in: list[bool] = []
    with (
        patch.object(Ticker, "_listen"),
        patch.object(Ticker, "_sleep"),
        patch("slas.ticker.tick", lambda **_more: fired_in.append(True)),
        patch("slas.ticker.look", side_effect=ValueError("a bad row")),
    ):
        ticker._round()
        ticker._round()
    for line in (ticker._wakes, ticker._wake):
        line.close()
    assert len(fired_in) == 2


def test_a_lost_database_is_no_fault_of_the_step(levels: Cast) -> None:
    incident = opened(levels)
    move_back(incident, 5 * H)
    with patch.object(Effects, "entries", side_effect=OperationalError("gone")), pytest.raises(OperationalError):
        tick()
    assert not StepDue.objects.filter(attempts__gt=0).exists()
    assert tick() == 4


@pytest.mark.parametrize(
    "fault",
    [
        ["SET LOCAL statement_timeout = 50", "SELECT pg_sleep(5)"],
        ["DO $$ BEGIN RAISE EXCEPTION 'canceling statement due to lock timeout' USING ERRCODE = '55P03'; END $$"],
        ["DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$"],
    ],
    ids=["statement timeout", "lock timeout", "deadlock"],
)
def test_a_ticket_on_which_the_database_gives_up_holds_up_no_other(levels: Cast, fault: list[str]) -> None:
    bad, *good = (opened(levels) for _number in range(4))
    for incident in (bad, *good):
        move_back(incident, 5 * H)
    real = Effects.entries

    def slow(self: Effects, happened: list) -> list:
        if self.ticket.pk == bad.pk:
            with connection.cursor() as cursor:
                for statement in fault:
                    cursor.execute(statement)
        return real(self, happened)

    with patch.object(Effects, "entries", slow):
        assert tick() == 4 * 3
    assert [fired(incident) != [] for incident in (bad, *good)] == [False, True, True, True]
    left = StepDue.objects.filter(timer__ticket_id=bad.pk, attempts__gte=1)
    assert left.count() == 4
    assert "OperationalError" in left[0].last_error
    left.update(retry_at=None)
    assert tick() == 4


@pytest.mark.parametrize("code", ["57P01", "53100", "08006"], ids=["shutting down", "disk full", "cut off"])
def test_what_is_no_tickets_fault_is_noted_on_no_step(levels: Cast, code: str) -> None:
    move_back(opened(levels), 5 * H)

    def broken(self: Effects, happened: list) -> list:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")
        raise AssertionError

    with patch.object(Effects, "entries", broken), pytest.raises(OperationalError):
        tick()
    assert not StepDue.objects.filter(attempts__gt=0).exists()
    assert tick() == 4


def test_the_claim_reads_the_partial_index_and_nothing_else(levels: Cast) -> None:
    from slas.tick import CLAIM

    incident = opened(levels)
    timer = clock(incident)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO slas_stepdue (timer_id, version, epoch, step, repetition, fire_at, attempts, last_error)"
            " SELECT %s, 1, 0, 50, n, now() + n * interval '1 minute', 0, '' FROM generate_series(1, 20000) n",
            [timer.pk],
        )
        cursor.execute("ANALYZE slas_stepdue")
        cursor.execute("EXPLAIN " + CLAIM, [100])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Scan using step_due_waiting" in plan or "Scan on step_due_waiting" in plan
    assert "Seq Scan on slas_stepdue" not in plan


def test_events_reach_the_outbox(levels: Cast) -> None:
    heard: list[str] = []
    consume("test-slas", lambda event: heard.append(event.code))
    try:
        incident = opened(levels)
        move_back(incident, 3 * H)
        tick()
        waiting = OutboxEntry.objects.filter(consumer="test-slas", event__code="sla.warned")
        assert waiting.count() == 2
    finally:
        from itsm.tickets import hooks

        hooks._consumers.pop("test-slas")
    assert assign(incident, actor=as_(levels.anna), assignee=levels.anna).assignee == levels.anna
