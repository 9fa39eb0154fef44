"""The panel on the ticket page: who is asked, what was said, and asking anew from there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.approvals import subjects
from itsm.approvals.actions import decide, delegate, request_approval
from itsm.approvals.models import ApprovalRound, Mode
from itsm.tickets.actions import update
from itsm.tickets.clock import db_now
from tests.approvals.conftest import add_person, asked, people, policy, stage
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]
ELEMENT = 'id="panel-approvals"'


def panel(client: Client, ticket: Incident) -> str:
    answer = client.get(f"/desk/incidents/{ticket.number}/")
    assert answer.status_code == 200
    text = answer.content.decode()
    begin = text.index(ELEMENT)
    return text[begin : text.index("</section>", begin)]


def test_it_says_who_is_asked_who_decided_and_what_they_said(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    client = signed_in(cast.olaf)
    assert "hidden" in panel(client, ticket)[:120]
    policy(chris, stage(people(cast.lena, cast.ben, cast.anna), mode=Mode.ALL, name="Peers"), stage(people(cast.sven)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    now = db_now()
    delegate(cast.ben, cast.sven, actor=as_(cast.ben), starts_at=now - timedelta(days=1), ends_at=now + timedelta(1))
    decide(round_, actor=as_(cast.lena), decision="approve", comment="<b>Looks</b> right")
    shown = panel(client, ticket)
    for words in (
        "Peers",
        "all of them have to approve",
        "Lena Example",
        "&lt;b&gt;Looks&lt;/b&gt; right",
        "Sven Example decides in their place now",
        "Left out:",
        "Anna Example</bdi> (carries it out)",
        "Not yet asked",
    ):
        assert words in shown, words
    assert "See it and decide" not in shown
    for person in (cast.ben, cast.sven):
        assert "See it and decide" in panel(signed_in(person), ticket)
    decide(round_, actor=as_(cast.sven), decision="approve", on_behalf_of=cast.ben)
    assert "by Sven Example" in panel(client, ticket)


def test_a_changed_plan_is_said_and_asked_anew_from_there(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    request_approval(ticket, actor=as_(cast.carl))
    update(Incident.objects.get(pk=ticket.pk), {"title": "Both switches"}, actor=as_(cast.anna))
    assert "Ask everybody anew" in panel(signed_in(cast.carl), ticket)
    assert "Ask everybody anew" not in panel(signed_in(cast.olaf), ticket)
    old = ApprovalRound.objects.get()
    answer = signed_in(cast.carl).post(
        f"/approvals/{old.public_id}/again/", {"back": "ticket"}, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, ELEMENT in answer.content.decode()) == (200, True)
    text = panel(signed_in(cast.carl), ticket)
    assert "Earlier approvals" in text
    assert "Asked anew" in text
    refused = signed_in(cast.olaf).post(f"/approvals/{old.public_id}/again/", {"back": "ticket"})
    assert refused.status_code == 403


def test_when_everybody_asked_has_left_the_desk_asks_anew(
    cast: Cast, chris: User, ticket: Incident, signed_in: SignIn
) -> None:
    row = policy(chris, stage(people(cast.ben, cast.lena), mode=Mode.ALL))
    old = request_approval(ticket, actor=as_(cast.carl))
    assert request_approval(ticket, actor=as_(cast.carl)) == old
    cast.ben.is_active = False
    cast.ben.save()
    client = signed_in(cast.carl)
    assert "cannot approve it any more" in panel(client, ticket)
    assert row.current is not None
    client.post(f"/approvals/{old.public_id}/again/", {"back": "ticket"})
    new = ApprovalRound.objects.live().get()
    assert new != old
    assert asked(new) == {cast.lena}
    assert "cannot approve it any more" not in panel(client, ticket)


def test_fallback_and_problem_are_said(cast: Cast, chris: User, ticket: Incident, signed_in: SignIn) -> None:
    request_approval(ticket, actor=as_(cast.carl))
    shown = panel(signed_in(cast.olaf), ticket)
    assert "No approval policy is for this ticket, so the fallback role is asked." in shown


def test_it_costs_the_same_for_two_people_and_for_twenty_and_nothing_for_other_kinds(
    cast: Cast, chris: User, signed_in: SignIn
) -> None:
    client = signed_in(cast.olaf)
    counts = []
    for size in (2, 20):
        ticket = open_incident(actor=as_(cast.carl), title="Core", requester=cast.rita)
        crowd = [add_person(f"P{size}x{number}") for number in range(size)]
        policy(chris, stage(people(*crowd), mode=Mode.ALL), stage(people(*crowd), mode=Mode.ALL))
        request_approval(ticket, actor=as_(cast.carl))
        panel(client, ticket)
        with CaptureQueriesContext(connection) as seen:
            panel(client, ticket)
        counts.append(len(seen))
    assert counts[0] == counts[1]
    del subjects._subjects["incident"]
    with CaptureQueriesContext(connection) as seen:
        panel(client, ticket)
    assert not [query for query in seen if "approvals_" in query["sql"]]
