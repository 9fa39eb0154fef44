"""Acknowledging: it stops the chain, loses nothing that was due, and works from a mail."""

from __future__ import annotations

from typing import Any

import pytest

from itsm.accounts.models import User
from itsm.notifications.models import Mail
from itsm.tickets.actions import override_priority
from itsm.tickets.actors import SYSTEM
from itsm.tickets.errors import Refused
from itsm.tickets.models import TicketEvent
from slas.ack_links import ack_token
from slas.actions import (
    GoalSpec,
    acknowledge,
    save_calendar,
    save_chain,
    save_policy,
)
from slas.calendars import CalendarSpec
from slas.models import ServiceLevelPolicy, SlaEvent, StepDue
from slas.tick import tick
from tests.cast import Cast, as_
from tests.slas.conftest import clock, move_back
from tests.slas.test_escalations import SECOND, H, at, chain, hand_out, later, notify, opened


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
