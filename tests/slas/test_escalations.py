"""Escalations: who is reached, repetitions, acknowledging, webhooks, what is late, and what can be saved."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from incidents.actions import hold, open_incident, perform
from incidents.models import Incident
from itsm.accounts.actions import deactivate_user
from itsm.accounts.models import User
from itsm.notifications.actions import notices_for
from itsm.notifications.models import Delivery, Endpoint, Mail, Notice
from itsm.tickets.actions import override_priority
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.models import TicketEvent
from itsm.tickets.outbox import dispatch
from itsm.tickets.verification import broken_events
from slas.ack_links import ack_token
from slas.actions import (
    GoalSpec,
    acknowledge,
    add_override,
    add_time_off,
    retry_parked,
    save_calendar,
    save_chain,
    save_policy,
    save_rota,
)
from slas.actions.effects import Effects
from slas.calendars import CalendarSpec
from slas.models import Rota, ServiceLevelPolicy, SlaEvent, StepDue
from slas.tick import MAX_ATTEMPTS, tick
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


def test_acknowledging_stops_the_chain_and_the_breach_is_still_recorded(cast: Cast) -> None:
    chain(
        at(50, notify(who=["assignee"]), repeat={"minutes": 15, "most": 9}),
        at(75, notify(who=["team_lead"])),
        at(100, notify(who=["team"]), {"do": "raise_priority"}),
        at(150, notify(who=["team"])),
    )
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    later(incident, 4 * H + SECOND)
    assert [timer.metric for timer in acknowledge(incident, actor=as_(cast.ben))] == ["resolution"]
    assert acknowledge(incident, actor=as_(cast.lena)) == []
    assert TicketEvent.objects.filter(ticket_id=incident.pk, code="sla.acknowledged").count() == 1
    assert later(incident, 3 * H) == []
    [breach] = later(incident, H)
    assert breach["notify"]["users"] == [cast.ben.pk]
    assert "deeds" not in breach
    assert later(incident, 6 * H) == []
    timer = clock(incident)
    assert timer.breached_at == timer.due_at
    assert timer.acknowledged_by == cast.ben


def test_what_was_due_before_somebody_acknowledges_is_not_lost(cast: Cast) -> None:
    """The tick had not come yet: the warnings are on record, those whom they name are told, and the deeds are left."""
    chain(
        at(50, notify(who=["assignee"])),
        at(75, notify(who=["team_lead"]), {"do": "raise_priority"}),
        at(100, notify(who=["team"])),
        at(150, notify(who=["team"])),
    )
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    priority = incident.priority
    move_back(incident, 6 * H + SECOND)
    acknowledge(incident, actor=as_(cast.anna))
    events = TicketEvent.objects.filter(ticket_id=incident.pk, code__startswith="sla.").order_by("seq")
    assert [event.code for event in events] == ["sla.warned", "sla.warned", "sla.acknowledged"]
    assert [event.data["notify"]["users"] for event in events[:2]] == [[cast.ben.pk], [cast.lena.pk]]
    assert [event.at for event in events[:2]] == [clock(incident).started_at + part * H for part in (4, 6)]
    assert list(SlaEvent.objects.values_list("step", flat=True)) == [50, 75]
    incident.refresh_from_db()
    assert incident.priority == priority
    assert list(StepDue.objects.values_list("step", flat=True)) == [100]
    assert tick() == 0
    [breach] = later(incident, 2 * H)
    assert breach["notify"]["users"] == [cast.anna.pk]


def test_a_breach_that_was_due_before_somebody_acknowledges_is_told_as_ever(cast: Cast) -> None:
    chain(at(100, notify(who=["team_lead"])))
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    move_back(incident, 9 * H)
    acknowledge(incident, actor=as_(cast.ben))
    breach = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert breach.data["notify"]["users"] == [cast.lena.pk]
    assert clock(incident).breached_at == breach.at
    assert later(incident, H) == []


def test_a_new_target_that_puts_steps_ahead_calls_anew(cast: Cast) -> None:
    ServiceLevelPolicy.objects.filter(timers__isnull=True).delete()
    calendar = save_calendar("Hours", CalendarSpec.always(), actor=SYSTEM)
    saved = save_chain("Chain", [at(50, notify(who=["assignee"]))], actor=SYSTEM)
    urgent = {"field": "priority", "op": "eq", "value": 1}
    goals = [GoalSpec(4 * 3600, calendar, condition=urgent, chain=saved), GoalSpec(8 * 3600, calendar, chain=saved)]
    save_policy("Resolution", metric="resolution", goals=goals, actor=SYSTEM)
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    incident = override_priority(incident, 1, reason="urgent", actor=as_(cast.lena))
    later(incident, 2 * H + SECOND)
    acknowledge(incident, actor=as_(cast.ben))
    incident.refresh_from_db()
    override_priority(incident, 4, reason="calmer", actor=as_(cast.lena))
    timer = clock(incident)
    assert (timer.epoch, timer.acknowledged_at) == (1, None)
    assert set(StepDue.objects.filter(timer=timer).values_list("step", flat=True)) == {50, 100}


def test_only_who_works_on_tickets_acknowledges(cast: Cast) -> None:
    chain(at(50, notify(who=["assignee"])))
    incident = opened(cast)
    for who in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            acknowledge(incident, actor=as_(who))


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


def test_webhook_is_called_once_for_each_event(cast: Cast) -> None:
    endpoint = Endpoint.objects.create(name="Chat", url="https://hooks.example.com/x", secret="whsec_c2VjcmV0")
    chain(at(50, {"do": "webhook", "endpoint": endpoint.pk}))
    incident = opened(cast, assignee=cast.ben)
    later(incident, 4 * H + SECOND)
    hand_out()
    event = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.warned")
    delivery = Delivery.objects.get()
    assert delivery.message_id == f"evt_{event.pk}"
    said = json.loads(delivery.body)
    assert (said["type"], said["data"]["ticket"], said["data"]["percent"]) == ("sla.warned", incident.number, 50)
    assert "Printer" not in delivery.body


def test_whoever_comes_before_the_tick_has_caught_up_leaves_one_message_too(cast: Cast) -> None:
    chain(at(50, notify(who=["assignee"])), at(75, notify(who=["team_lead"])))
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    move_back(incident, 20 * H)
    looks = iter((False, True))
    with patch("slas.tick.FIRST_BATCH", 1):
        tick(stopping=lambda: next(looks))  # the first step fires, and leaves it to the last one to tell Ben
    hold(incident, actor=as_(cast.anna), hold_reason="awaiting_vendor")
    events = [one.data for one in TicketEvent.objects.filter(code__startswith="sla.").order_by("seq")]
    assert [event.get("folded", False) for event in events] == [True, True, False]
    assert events[-1]["late_steps"] == [[50, 0], [75, 0]]
    assert {cast.ben.pk, cast.network.lead_id or cast.ben.pk} <= set(events[-1]["notify"]["users"])


def test_after_an_outage_one_message_speaks_for_all_steps_of_a_timer(cast: Cast) -> None:
    chain(
        at(50, notify(who=["assignee"])),
        at(75, notify(who=["team_lead"]), {"do": "raise_priority"}),
        at(100, notify(who=["team"])),
    )
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    priority = incident.priority
    events = later(incident, 9 * H)
    assert [event.get("folded", False) for event in events] == [True, True, False]
    assert set(events[-1]["notify"]["users"]) == {cast.ben.pk, cast.lena.pk, cast.anna.pk}
    assert [step for step, _number in events[-1]["late_steps"]] == [50, 75]
    assert [deed["do"] for event in events for deed in event.get("deeds", ())] == ["raise_priority"]
    incident.refresh_from_db()
    assert incident.priority == priority - 1
    hand_out()
    sla = Notice.objects.filter(user=cast.ben, event__code__startswith="sla.")
    assert sla.count() == 1
    assert "late: noticed only" in Mail.objects.get(user=cast.lena, event=sla[0].event).text


def test_a_last_step_that_is_parked_takes_no_notice_with_it(cast: Cast) -> None:
    """After an outage the last step is to speak for all; its effects fail, and those before it are told anyway."""
    chain(at(50, notify(who=["assignee"])), at(75, notify(who=["team_lead"])), at(100, notify(who=["team"])))
    incident, other = opened(cast, team=cast.network, assignee=cast.ben), opened(cast, assignee=cast.ben)
    real = Effects.entries

    def poisoned(self: Effects, happened: Any) -> Any:
        if self.ticket.pk == incident.pk and any(step.step == 100 for step in happened):
            raise RuntimeError("no way")
        return real(self, happened)

    for one in (incident, other):
        move_back(one, 9 * H)
    with patch.object(Effects, "entries", poisoned):
        for _attempt in range(MAX_ATTEMPTS):
            tick()
            StepDue.objects.update(retry_at=None)
    assert list(StepDue.objects.filter(parked_at__isnull=False).values_list("step", flat=True)) == [100]
    events = TicketEvent.objects.filter(ticket_id=incident.pk, code__startswith="sla.").order_by("seq")
    assert [event.code for event in events] == ["sla.warned", "sla.warned", "sla.caught_up"]
    assert [event.data.get("folded") for event in events] == [True, True, None]
    assert events[2].data["late_steps"] == [[50, 0], [75, 0]]
    assert events[2].data["notify"]["users"] == [cast.ben.pk, cast.lena.pk]
    assert not TicketEvent.objects.filter(ticket_id=other.pk, code="sla.caught_up").exists()
    assert list(broken_events()) == []
    hand_out()
    assert Notice.objects.filter(user=cast.lena, event=events[2]).count() == 1
    assert "50 % of the target, 75 % of the target" in Mail.objects.get(user=cast.ben, event=events[2]).text
    retry_parked(actor=as_(cast.sven))
    tick()
    breach = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.breached")
    assert cast.lena.pk in breach.data["notify"]["users"]


def test_a_parked_step_that_was_to_speak_for_none_tells_nobody(cast: Cast) -> None:
    chain(at(50, notify(who=["assignee"])), at(100, notify(who=["team"])))
    incident = opened(cast, team=cast.network, assignee=cast.ben)
    assert [event["percent"] for event in later(incident, 4 * H + SECOND)] == [50]
    move_back(incident, 5 * H)
    with patch.object(Effects, "entries", side_effect=RuntimeError("no way")):
        for _attempt in range(MAX_ATTEMPTS):
            tick()
            StepDue.objects.update(retry_at=None)
    assert StepDue.objects.filter(parked_at__isnull=False).count() == 1
    assert not TicketEvent.objects.filter(code="sla.caught_up").exists()


def test_repetitions_that_were_missed_are_in_the_one_message_too(cast: Cast) -> None:
    chain(at(50, notify(who=["assignee"]), repeat={"minutes": 30, "most": 4}))
    incident = opened(cast, assignee=cast.ben)
    events = later(incident, 7 * H)
    assert [(event.get("repetition", 0), event.get("folded", False)) for event in events] == [
        (0, True), (1, True), (2, True), (3, True), (4, False),
    ]  # fmt: skip
    assert events[-1]["notify"]["users"] == [cast.ben.pk]


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


def test_the_link_in_the_mail_acknowledges_as_its_reader(cast: Cast, client: Any) -> None:
    chain(at(50, notify(who=["assignee"])))
    incident = opened(cast, assignee=cast.ben)
    later(incident, 4 * H + SECOND)
    hand_out()
    mail = Mail.objects.get(user=cast.ben, kind="sla_warned")
    address = next(line for line in mail.text.splitlines() if "/r/acknowledge/" in line)
    path = address[address.index("/r/") :]
    assert client.get(path).status_code == 200
    assert clock(incident).acknowledged_at is None
    for _time in range(2):
        assert client.post(path).status_code == 302
    assert b"has stopped" in client.get(path).content
    assert clock(incident).acknowledged_by == cast.ben
    assert client.get(path[:-4] + "xx/").status_code == 404
    event = TicketEvent.objects.get(ticket_id=incident.pk, code="sla.warned")
    of_reader = ack_token(event, User.objects.get(pk=cast.olaf.pk))
    assert client.post(f"/r/acknowledge/{of_reader}/").status_code == 403
    # Who has left the desk since the mail is shown nothing of the ticket any more.
    User.objects.filter(pk=cast.ben.pk).update(roles=["requester"])
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code == 404
        assert incident.number.encode() not in answer.content
