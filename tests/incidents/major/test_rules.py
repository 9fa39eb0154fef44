"""Rules that propose or accept major incidents: what sets them off, what they leave alone, and that they act once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from incidents.actions import (
    cancel,
    join_outage,
    leave_parent,
    merge,
    open_incident,
    publish_outage,
    reopen,
    resolve,
    set_parent,
)
from incidents.major.actions import accept, demote, propose, reject
from incidents.major.models import MajorDuty, MajorIncident
from incidents.major.rules import running
from incidents.major.rules.actions import save_rule
from incidents.major.rules.models import MajorRule, MajorRuleMatch
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.notifications.models import Notice
from itsm.tickets.actions import assign, override_priority, update
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.events import words_of
from itsm.tickets.models import Comment, OutboxEntry, TicketEvent
from itsm.tickets.outbox import dispatch
from slas.actions import save_rota
from tests.cast import Cast, as_, make_cast

P1 = {"field": "priority", "op": "eq", "value": 1}
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}
NO = {"reason": "One floor only."}


def rule(cast: Cast, name: str, **values: Any) -> MajorRule:
    return save_rule(None, name=name, actor=as_(cast.ada), **values)


def opened(cast: Cast, requester: User | None = None, **more: Any) -> Incident:
    return open_incident(actor=as_(cast.anna), title="No network", requester=requester or cast.rita, **more)


def run() -> None:
    while dispatch():
        pass


def state(incident: Incident) -> str:
    run()
    return Incident.objects.get(pk=incident.pk).major_state


def acts(incident: Incident) -> list[str]:
    codes = ("incident.major_proposed", "incident.major_accepted")
    found = TicketEvent.objects.filter(ticket_id=incident.pk, code__in=codes)
    return list(found.order_by("seq").values_list("code", flat=True))


def test_the_first_active_rule_in_order_decides_and_says_why(cast: Cast) -> None:
    rule(cast, "Off", condition=P1, is_active=False)
    rule(cast, "VIP only", condition={"all": [P1, {"field": "vip", "op": "eq", "value": True}]})
    first = rule(cast, "Critical", condition={"all": [P1, {"field": "service", "op": "eq", "value": "vpn"}]})
    rule(cast, "All critical ones", condition=P1)
    quiet = opened(cast, impact=3, urgency=3, service=cast.vpn)
    loud = opened(cast, impact=1, urgency=1, service=cast.vpn)
    assert (loud.major_state, state(quiet), state(loud)) == ("", "", "proposed")

    major = MajorIncident.objects.get()
    assert major.proposal == "Rule “Critical”: priority is Critical; service is vpn."
    assert major.proposed_by is None
    event = TicketEvent.objects.get(code="incident.major_proposed")
    assert (event.actor, event.channel, event.internal) == (None, Channel.SYSTEM, True)
    assert event.data["rule"] == {
        "id": first.public_id,
        "name": "Critical",
        "why": "priority is Critical; service is vpn",
    }
    assert Notice.objects.filter(kind="major_proposed", user=cast.lena).count() == 1
    done = MajorRuleMatch.objects.get()
    assert (done.rule, done.incident, done.event.code) == (first, loud, "incident.opened")


def test_each_thing_that_can_change_the_answer_sets_it_off(cast: Cast) -> None:
    rule(cast, "Printers of Carl", condition={"all": [P1, {"field": "assignee", "op": "eq", "value": cast.carl.email}]})
    rule(cast, "Mail", condition={"all": [P1, {"field": "service", "op": "eq", "value": "mail"}]})
    rule(cast, "Hardware", condition={"field": "category", "op": "eq", "value": "hardware"})
    rule(cast, "Three parts", min_children=3)
    rule(cast, "Three people", min_people=3, condition={"field": "title", "op": "contains", "value": "network"})
    anna = as_(cast.anna)

    graded = opened(cast, service=cast.mail)
    update(graded, {"impact": 1, "urgency": 1}, actor=anna)
    served = opened(cast, impact=1, urgency=1)
    update(served, {"service": cast.mail}, actor=anna)
    sorted_in = opened(cast)
    update(sorted_in, {"category": cast.printers}, actor=anna)
    forced = opened(cast, service=cast.mail)
    override_priority(forced, 1, reason="The board.", actor=as_(cast.lena))
    given = opened(cast, impact=1, urgency=1)
    assign(given, actor=anna, assignee=cast.carl)
    parent = opened(cast)
    children = [opened(cast) for _ in range(3)]
    for child in children[:2]:
        set_parent(child, parent, actor=anna)
    assert [state(one) for one in (graded, served, sorted_in, forced, given, parent)] == ["proposed"] * 5 + [""]
    set_parent(children[2], parent, actor=anna)
    assert state(parent) == "proposed"

    survivor = opened(cast)
    merge([opened(cast, cast.rosa), opened(cast)], survivor, actor=anna)
    assert state(survivor) == ""
    merge([opened(cast, cast.rolf)], survivor, actor=anna)
    assert state(survivor) == "proposed"
    why = MajorRuleMatch.objects.get(incident=survivor).why
    assert why == "title contains “network”; 3 people are affected (the rule asks for 3)"
    assert MajorRuleMatch.objects.get(incident=parent).why == "3 incidents are part of it (the rule asks for 3)"


def test_me_too_counts_and_what_was_taken_back_does_not(cast: Cast) -> None:
    rule(cast, "Three people", min_people=3)
    incident = opened(cast)
    outage = publish_outage(incident, title="No network", text="We look at it.", actor=as_(cast.anna))
    first = join_outage(outage, actor=as_(cast.rosa, Channel.PORTAL))
    cancel(first, actor=as_(cast.anna), reason="Was the plug.")
    join_outage(outage, actor=as_(cast.rolf, Channel.PORTAL))
    assert state(incident) == ""
    join_outage(outage, actor=as_(cast.olaf, Channel.PORTAL))
    assert state(incident) == "proposed"


def test_acceptance_at_once_fills_in_the_impact_and_finds_the_commander(cast: Cast) -> None:
    turns = {"unit": "week", "every": 1, "minute": 0, "weekday": 0}
    starts = (db_now() - timedelta(days=30)).date().isoformat()
    layers = [{**turns, "name": "All day", "level": 1, "members": [cast.ben.pk], "starts": starts}]
    save_rota(None, name="Net", team=cast.network, time_zone="UTC", layers=layers, actor=as_(cast.ada))
    rule(
        cast,
        "Critical",
        condition=P1,
        deed="accept",
        impact="{service} is gone for {people} ({children} reports): {title}. {priority}!",
        commander_team=cast.network,
    )
    incident = opened(cast, impact=1, urgency=1, service=cast.vpn)
    assert state(incident) == "accepted"
    major = MajorIncident.objects.get()
    assert major.impact == "Remote access (VPN) is gone for 1 (0 reports): No network. Critical!"
    assert (major.decided_by, major.next_update_at is not None) == (None, True)
    assert MajorDuty.objects.get(until=None).person == cast.ben
    note = Comment.objects.get(ticket=incident.pk)
    assert (note.body, note.visibility) == ("Accepted by the rule “Critical”: priority is Critical.", "internal")
    run()
    assert Notice.objects.filter(kind="major_accepted", user=cast.lena).count() == 1
    assert Notice.objects.filter(kind="major_role_given", user=cast.ben).count() == 1
    event = TicketEvent.objects.get(code="incident.major_accepted")
    assert event.data["rule"]["name"] == "Critical"
    said = words_of(event.code, event.data, {}, inside=True)
    assert "accepted by the rule “Critical”: priority is Critical. Business impact: Remote access" in said


@pytest.mark.parametrize("commander", ["team", "person"])
def test_a_commander_who_cannot_is_left_out_and_the_note_says_so(cast: Cast, commander: str) -> None:
    who: dict[str, Any] = {"commander_team": cast.desktop} if commander == "team" else {"commander": cast.ben}
    rule(cast, "Critical", condition=P1, deed="accept", impact="Bad.", **who)
    User.objects.filter(pk=cast.ben.pk).update(roles=["requester"])
    incident = opened(cast, impact=1, urgency=1)
    assert state(incident) == "accepted"
    assert not MajorDuty.objects.exists()
    assert "so it has no commander yet" in Comment.objects.get(ticket=incident.pk).body


def test_what_people_decided_and_what_cannot_be_one_is_left_alone(cast: Cast) -> None:
    lead, anna = as_(cast.lena), as_(cast.anna)
    rejected, demoted, ended, child, parent, proposed = (opened(cast) for _ in range(6))
    reject(propose(rejected, actor=anna, **NO), actor=lead, **NO)
    demote(accept(demoted, actor=lead, impact="x", note="x"), actor=lead, **NO)
    propose(proposed, actor=anna, **NO)
    resolve(ended, actor=anna, **FIXED)
    set_parent(child, parent, actor=anna)
    run()
    rule(cast, "Critical", condition=P1)
    for one in (rejected, demoted, ended, child, proposed):
        update(Incident.objects.get(pk=one.pk), {"impact": 1, "urgency": 1}, actor=anna)
    found = [state(one) for one in (rejected, demoted, ended, child, proposed)]
    assert found == ["rejected", "demoted", "", "", "proposed"]
    assert not MajorRuleMatch.objects.exists()

    leave_parent(child, actor=anna)
    reopen(ended, actor=anna, comment="Again.")
    assert [state(child), state(ended)] == ["proposed", "proposed"]
    rule(cast, "Whatever", min_people=1)
    reject(Incident.objects.get(pk=child.pk), actor=lead, **NO)
    update(Incident.objects.get(pk=child.pk), {"impact": 2}, actor=anna)
    assert state(child) == "rejected"
    assert acts(child) == ["incident.major_proposed"]


def test_the_past_that_an_import_tells_sets_nothing_off(cast: Cast) -> None:
    rule(cast, "Critical", condition=P1)
    then = Actor(cast.imke, Channel.API, at=db_now() - timedelta(days=30))
    old = open_incident(actor=then, title="No network", requester=cast.rita, impact=1, urgency=1)
    assert state(old) == ""
    assign(old, actor=as_(cast.anna), assignee=cast.anna)
    assert state(old) == "proposed"


def test_a_rule_that_cannot_be_read_is_passed_over(cast: Cast) -> None:
    broken = rule(cast, "Broken", condition=P1)
    rule(cast, "Critical", condition=P1)
    gone = {"field": "service", "op": "eq", "value": "gone"}
    MajorRule.objects.filter(pk=broken.pk).update(condition=gone)
    incident = opened(cast, impact=1, urgency=1)
    assert state(incident) == "proposed"
    assert MajorRuleMatch.objects.get().rule_name == "Critical"
    assert not OutboxEntry.objects.exists()


def test_the_same_event_twice_and_a_worker_killed_between_propose_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule(cast, "Critical", condition=P1)
    incident = opened(cast, impact=1, urgency=1)
    event = TicketEvent.objects.get(ticket_id=incident.pk, code="incident.opened")

    class Killed(BaseException):
        """Not an error that a worker would catch."""

    def killed(*_args: Any, **_more: Any) -> None:
        raise Killed

    real = running._propose
    monkeypatch.setattr(running, "_propose", killed)
    with pytest.raises(Killed), transaction.atomic():
        running.follow(event)
    assert not MajorRuleMatch.objects.exists()
    monkeypatch.setattr(running, "_propose", real)
    running.follow(event)
    running.follow(event)
    run()
    assert acts(incident) == ["incident.major_proposed"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_with_two_events_propose_once() -> None:
    cast = make_cast()
    rule(cast, "Critical", condition=P1, deed="accept", impact="Bad.")
    incident = opened(cast, impact=1, urgency=1)
    update(incident, {"title": "No network at all"}, actor=as_(cast.anna))
    events = list(TicketEvent.objects.filter(ticket_id=incident.pk, code__in=running.CODES))
    assert len(events) >= 2
    start = threading.Barrier(4)
    errors: list[BaseException] = []

    def worker(event: TicketEvent) -> None:
        try:
            start.wait()
            with transaction.atomic():
                running.follow(event)
        except BaseException as error:  # noqa: BLE001  reported below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker, args=(event,)) for event in (events * 2)[:4]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert acts(incident) == ["incident.major_accepted"]
    assert MajorRuleMatch.objects.count() == 1
    assert Comment.objects.filter(ticket=incident.pk).count() == 1
