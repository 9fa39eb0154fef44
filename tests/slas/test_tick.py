"""The tick, alone: what fires, when, who is told, and what is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from incidents.actions import cancel, hold, open_incident, resolve
from incidents.models import Incident
from itsm.accounts.models import Team
from itsm.tickets.actions import assign, override_priority
from itsm.tickets.hooks import consume
from itsm.tickets.models import OutboxEntry, Ticket, TicketEvent
from slas.models import SlaEvent, State, StepDue, Timer
from slas.tick import lag_seconds, tick
from tests.cast import Cast, as_
from tests.slas.conftest import clock, move_back, steps_of

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
