"""Approvals by the API: who reads what, deciding, and refusals with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.approvals.actions import delegate, request_approval, withdraw_approvals
from itsm.approvals.models import ApprovalRound, Ask, Mode
from itsm.tickets.actions import update
from itsm.tickets.clock import db_now
from tests.api.conftest import Caller
from tests.approvals.conftest import add_person, codes, people, policy, stage
from tests.cast import Cast, as_


@pytest.fixture
def boss(cast: Cast) -> User:
    return add_person("Berta")


@pytest.fixture
def round_(cast: Cast, chris: User, ticket: Incident, boss: User) -> ApprovalRound:
    policy(chris, stage(people(boss, cast.lena), mode=Mode.ALL, name="Business", expires_hours=48, then="reject"))
    return request_approval(ticket, actor=as_(cast.carl))


def rows(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_what_waits_and_deciding_it(cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident) -> None:
    call = Caller(boss)
    (row,) = rows(call.get("approvals/"))
    assert (row["approval"], row["ticket"]["number"], row["stage"]) == (round_.public_id, ticket.number, "Business")
    assert row["expires_at"] is not None
    path = f"approvals/{round_.public_id}/"
    shown = call.get(path).json()
    assert (shown["facts"]["title"], shown["digest"]) == ("Replace the core switch", round_.digest)
    assert [one["person"]["name"] for one in shown["own"]] == ["Berta Example"]
    assert call.post(f"{path}decide/", {"decision": "reject"}).status_code == 422
    assert call.post(f"{path}decide/", {"decision": "wave"}).status_code == 422
    assert call.post(f"{path}decide/", {"decision": "approve", "colour": 1}).status_code == 400
    for _again in range(2):
        done = call.post(f"{path}decide/", {"decision": "approve", "digest": shown["digest"], "comment": "Go 🚀"})
        assert (done.status_code, done.json()["own"][0]["state"]) == (200, "approved")
    assert (rows(call.get("approvals/")), len(rows(call.get("approvals/?state=done")))) == ([], 1)
    assert codes(ticket) == ["requested", "decided"]
    assert call.get("approvals/?state=later").status_code == 422
    assert Ask.objects.get(person=boss).channel == "api"


def test_refusals_say_why(cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident) -> None:
    decide = f"approvals/{round_.public_id}/decide/"
    assert Caller(cast.olaf).post(decide, {"decision": "approve"}).status_code == 403
    assert Caller(boss, "read").post(decide, {"decision": "approve"}).status_code == 403
    stale = Caller(boss).post(decide, {"decision": "approve", "digest": "0" * 64})
    assert (stale.status_code, "plan changed" in stale.json()["detail"]) == (409, True)
    update(Incident.objects.get(pk=ticket.pk), {"title": "Both"}, actor=as_(cast.anna))
    assert Caller(boss).post(decide, {"decision": "approve"}).status_code == 409
    old = Caller(boss).get(f"approvals/{round_.public_id}/").json()
    assert (old["state"], old["facts"]) == ("superseded", None)
    withdraw_approvals(ticket, actor=as_(cast.anna), reason="x")
    assert Caller(boss).post(decide, {"decision": "approve"}).status_code == 409


def test_a_delegate_decides_in_somebodys_name(cast: Cast, round_: ApprovalRound, boss: User) -> None:
    call, path = Caller(cast.rosa), f"approvals/{round_.public_id}/"
    assert call.get(path).status_code == 404
    now = db_now()
    delegate(boss, cast.rosa, actor=as_(boss), starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1))
    (row,) = rows(call.get("approvals/"))
    assert row["person"]["name"] == "Berta Example"
    body = {"decision": "approve", "on_behalf_of": cast.olaf.email}
    assert call.post(f"{path}decide/", body).status_code == 422
    for wrong in ({"decision": "approve"}, {"decision": "approve", "on_behalf_of": cast.lena.email}):
        assert call.post(f"{path}decide/", wrong).status_code == 403
    assert call.post(f"{path}decide/", {"decision": "approve", "on_behalf_of": boss.public_id}).status_code == 200
    assert Ask.objects.get(person=boss).decided_by == cast.rosa


def test_the_desk_reads_a_tickets_approvals(cast: Cast, round_: ApprovalRound, boss: User, ticket: Incident) -> None:
    path = f"tickets/{ticket.number}/approvals/"
    (found,) = rows(Caller(cast.olaf).get(path))
    assert (found["policy"], found["state"]) == ("Everything v1", "open")
    assert {one["person"]["name"] for one in found["stages"][0]["people"]} == {"Berta Example", "Lena Example"}
    for person in (boss, cast.rita):
        assert Caller(person).get(path).status_code == 404
        assert Caller(person).get(f"tickets/{ticket.number}/").status_code == 404
