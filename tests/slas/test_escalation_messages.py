"""What an escalation says to whom: one message for many steps, and none twice."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from incidents.actions import hold
from itsm.notifications.models import Delivery, Endpoint, Mail, Notice
from itsm.tickets.models import TicketEvent
from itsm.tickets.verification import broken_events
from slas.actions import (
    retry_parked,
)
from slas.actions.effects import Effects
from slas.models import StepDue
from slas.tick import MAX_ATTEMPTS, tick
from tests.cast import Cast, as_
from tests.slas.conftest import move_back
from tests.slas.test_escalations import SECOND, H, at, chain, hand_out, later, notify, opened


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
