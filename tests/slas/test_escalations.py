"""Escalations: who is reached, repetitions, acknowledging, webhooks, what is late, and what can be saved."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents.actions import hold, open_incident, perform
from incidents.models import Incident
from itsm.accounts.actions import deactivate_user
from itsm.accounts.models import User
from itsm.notifications.actions import notices_for
from itsm.notifications.models import Mail
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from itsm.tickets.models import TicketEvent
from itsm.tickets.outbox import dispatch
from slas.actions import (
    GoalSpec,
    add_override,
    add_time_off,
    save_calendar,
    save_chain,
    save_policy,
    save_rota,
)
from slas.calendars import CalendarSpec
from slas.models import Rota, ServiceLevelPolicy, SlaEvent, StepDue
from slas.tick import tick
from tests.cast import Cast, as_
from tests.slas.conftest import clock, move_back

H = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def chain(*steps: dict[str, Any]) -> None:
    """Promise a resolution within 8 h round the clock, with these steps."""
    ServiceLevelPolicy.objects.filter(timers__isnull=True).delete()
    calendar = save_calendar("Hours", CalendarSpec.always(), actor=SYSTEM)
    saved = save_chain("Chain", list(steps), actor=SYSTEM)
    save_policy("Resolution", metric="resolution", goals=[GoalSpec(8 * 3600, calendar, chain=saved)], actor=SYSTEM)


def at(percent: int, *actions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"percent": percent, "actions": list(actions), **more}


def notify(**more: Any) -> dict[str, Any]:
    return {"do": "notify", **more}


def opened(cast: Cast, **more: Any) -> Incident:
    return open_incident(actor=as_(cast.anna), title="Printer", requester=cast.rita, **more)


def later(incident: Incident, by: timedelta) -> list[dict[str, Any]]:
    """Let the time pass, tick, and return what the new service-level events say, oldest first."""
    before = set(TicketEvent.objects.values_list("pk", flat=True))
    move_back(incident, by)
    tick()
    events = TicketEvent.objects.filter(ticket_id=incident.pk, code__startswith="sla.").exclude(pk__in=before)
    return [event.data for event in events.order_by("seq")]


def hand_out() -> None:
    """Hand all events to their consumers: one run stops after a while, whatever is left."""
    while dispatch(100):
        pass


@pytest.fixture
def rota(cast: Cast) -> Rota:
    """Carl is on call on the first level, Lena on the second."""
    start = (db_now() - timedelta(days=30)).date().isoformat()
    base = {"unit": "week", "every": 1, "minute": 540, "weekday": 0, "starts": start, "name": ""}
    layers = [{**base, "level": 1, "members": [cast.carl.pk]}, {**base, "level": 2, "members": [cast.lena.pk]}]
    return save_rota(None, name="Night", team=None, time_zone="UTC", layers=layers, actor=as_(cast.sven))


def test_who_is_on_call_is_found_when_the_step_fires(cast: Cast, rota: Rota) -> None:
    chain(at(50, notify(on_call=[[rota.pk, 1]])), at(75, notify(on_call=[[rota.pk, 2]])))
    incident = opened(cast)
    now = db_now()
    add_override(rota, cast.ben, starts_at=now, ends_at=now + H, actor=as_(cast.sven))
    [first] = later(incident, 4 * H + SECOND)
    assert first["notify"]["users"] == [cast.ben.pk]
    [second] = later(incident, 2 * H)
    assert second["notify"]["users"] == [cast.lena.pk]


def test_nobody_found_reaches_the_next_step_at_once_and_the_team(cast: Cast, rota: Rota) -> None:
    chain(at(50, notify(on_call=[[rota.pk, 1]])), at(75, notify(people=[cast.sven.pk])))
    incident = opened(cast, team=cast.network)
    add_time_off(cast.carl, starts_at=db_now(), ends_at=db_now() + H, actor=as_(cast.carl))
    [event] = later(incident, 4 * H + SECOND)
    assert event["notify"]["no_recipient"] is True
    assert set(event["notify"]["users"]) == {cast.sven.pk, cast.anna.pk, cast.ben.pk, cast.lena.pk}
    Rota.objects.filter(pk=rota.pk).update(is_active=False)
    hand_out()
    assert "nobody whom the step names was there" in Mail.objects.filter(user=cast.sven)[0].text


def test_a_manager_outside_the_desk_is_told_without_what_the_ticket_says(cast: Cast) -> None:
    chain(at(50, notify(who=["requester_manager"])))
    incident = opened(cast, team=cast.network)
    User.objects.filter(pk=cast.rita.pk).update(manager=cast.rosa)
    [event] = later(incident, 4 * H + SECOND)
    assert event["notify"] == {"users": [], "team": None, "role": "requester_manager", "outside": [cast.rosa.pk]}
    hand_out()
    mail = Mail.objects.get(user=cast.rosa)
    assert f"The request {incident.number} of Rita Example may take longer" in mail.text
    assert "Printer" not in mail.text + mail.subject + mail.html
    assert notices_for(cast.rosa).count() == 1
    User.objects.filter(pk=cast.rita.pk).update(manager=cast.sven)
    other = opened(cast, team=cast.network)
    [event] = later(other, 4 * H + SECOND)
    assert event["notify"]["users"] == [cast.sven.pk]


def test_who_has_left_is_skipped(cast: Cast) -> None:
    chain(at(50, notify(people=[cast.ben.pk, cast.carl.pk], roles=["service_level_manager"])))
    incident = opened(cast)
    deactivate_user(cast.ben, by=cast.ada)
    [event] = later(incident, 4 * H + SECOND)
    assert event["notify"]["users"] == [cast.carl.pk, cast.sven.pk]
    assert event["notify"]["role"] == "people|roles"


def test_steps_before_and_after_the_due_time_say_so(cast: Cast) -> None:
    chain(
        {"minutes": -30, "clock": "wall", "actions": [notify(who=["team_lead"])]},
        {"minutes": 90, "clock": "business", "actions": [notify(who=["team_lead"])]},
    )
    incident = opened(cast, team=cast.network, assignee=cast.anna)
    [warned] = later(incident, 7.5 * H + SECOND)
    assert (warned["minutes"], warned["clock"]) == (-30, "wall")
    [_breach] = later(incident, 0.5 * H)
    [_escalated] = later(incident, 1.5 * H)
    hand_out()
    texts = " ".join(Mail.objects.filter(user=cast.lena).order_by("pk").values_list("text", flat=True))
    assert "30 min before it is due" in texts
    assert "1 h 30 min of working time after it was due" in texts


def test_step_comes_again_as_often_as_it_says(cast: Cast) -> None:
    chain(at(50, notify(who=["assignee"]), repeat={"minutes": 15, "most": 2}))
    incident = opened(cast, assignee=cast.ben)
    later(incident, 4 * H + SECOND)
    quarter = timedelta(minutes=15)
    assert [later(incident, quarter)[0]["repetition"] for _time in range(2)] == [1, 2]
    assert later(incident, quarter) == []
    timer = clock(incident)
    assert timer.done_steps == [50]
    rows = SlaEvent.objects.filter(timer=timer, step=50).order_by("repetition")
    assert [row.repetition for row in rows] == [0, 1, 2]


def test_repetitions_survive_a_verb_and_stop_with_the_clock(cast: Cast) -> None:
    chain(at(50, notify(who=["assignee"]), repeat={"minutes": 60, "most": 3}))
    incident = opened(cast, assignee=cast.ben)
    later(incident, 4 * H + SECOND)
    incident = hold(incident, actor=as_(cast.ben), hold_reason="awaiting_vendor")
    assert not StepDue.objects.filter(timer__ticket_id=incident.pk).exists()
    perform(incident, "resume", actor=as_(cast.ben))
    assert StepDue.objects.get(timer__ticket_id=incident.pk, step=50).repetition == 1


def test_deeds_are_done_and_a_person_who_has_left_is_said(cast: Cast) -> None:
    chain(
        at(
            50,
            {"do": "assign_team", "team": cast.desktop.pk},
            {"do": "assign_person", "person": cast.carl.pk},
            {"do": "add_watcher", "person": cast.sven.pk},
            {"do": "add_watcher", "person": cast.ben.pk},
            {"do": "raise_priority"},
        )
    )
    incident = opened(cast, team=cast.network)
    priority = incident.priority
    deactivate_user(cast.ben, by=cast.ada)
    [event] = later(incident, 4 * H + SECOND)
    incident.refresh_from_db()
    assert (incident.team, incident.assignee, incident.priority) == (cast.desktop, cast.carl, priority - 1)
    assert list(incident.watchers.all()) == [cast.sven]
    assert [deed.get("failed", "") != "" for deed in event["deeds"]] == [False, False, False, True, False]


def test_old_stored_steps_stay_valid_and_nonsense_is_refused(cast: Cast, rota: Rota) -> None:
    old = [{"percent": 75, "actions": [{"do": "notify", "who": ["assignee", "team_lead"]}]}]
    assert save_chain("Old", old, actor=SYSTEM).current.steps == old  # type: ignore[union-attr]
    good = notify(who=["assignee"])
    for step in (
        at(0, good),
        at(True, good),
        {"actions": [good]},
        {"minutes": "5", "actions": [good]},
        {"minutes": 5, "clock": "moon", "actions": [good]},
        {"minutes": 10**7, "actions": [good]},
        at(50, {"do": "dance"}),
        at(50, notify()),
        at(50, notify(who=["everybody"])),
        at(50, notify(people=[cast.rita.pk])),
        at(50, notify(people=["1"])),
        at(50, notify(people=[10**30])),
        at(50, notify(roles=["requester"])),
        at(50, notify(on_call=[[rota.pk, 9]])),
        at(50, notify(on_call=[[0, 1]])),
        at(50, {"do": "assign_person", "person": cast.olaf.pk}),
        at(50, {"do": "add_watcher", "person": None}),
        at(50, {"do": "webhook", "endpoint": 12345}),
        at(50, good, repeat={"minutes": 0, "most": 1}),
        at(50, good, repeat={"minutes": 5, "most": 1000}),
        at(50, good, repeat={"minutes": 5, "most": 1, "clock": "moon"}),
    ):
        with pytest.raises(Invalid):
            save_chain("Bad", [step], actor=SYSTEM)
    with pytest.raises(Invalid):
        save_chain("Twice", [at(100, good), {"minutes": 0, "actions": [good]}], actor=SYSTEM)
