"""Changes over the API: every type × state × move × role, opening, editing, and the gate of a pipeline (CH-14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from changes.models import Change, Track
from changes.statuses import MOVES, ChangeType, Status
from itsm.accounts.models import User
from itsm.approvals.actions import decide
from itsm.approvals.models import ApprovalRound
from itsm.tickets.clock import db_now
from tests.api.conftest import Caller
from tests.cast import Cast, as_
from tests.changes.conftest import CLOSING, PLANS, Maker, Template
from tests.changes.test_moves import APPROVERS, CASES, FIELDS, expected, make


@pytest.mark.parametrize(("kind", "status", "held"), CASES)
def test_every_move_over_the_api(maker: Maker, cast: Cast, kind: str, status: str, held: bool) -> None:
    """`next` names the moves of the way, or why not; whatever is asked for, the answer is as in the table."""
    change = make(maker, kind, status, held)
    legal = expected(kind, status, held)
    named = Caller(cast.anna).get(f"changes/{change.number}/next/").json()["moves"]
    assert {one["name"] for one in named if one["possible"]} == set(legal) - APPROVERS
    for one in named:
        if not one["possible"]:
            assert one["missing"] or one["why_not"] or one["waits_for"] or one["name"] in APPROVERS, one
    for person, works in ((cast.rita, None), (cast.olaf, False), (cast.anna, True)):
        call = Caller(person)
        for move in MOVES:
            said = f"{person}: {move} at {kind}/{status}{' held' if held else ''}"
            with transaction.atomic():
                answer = call.post(f"changes/{change.number}/moves/{move}/", FIELDS.get(move, {}))
                now = Change.objects.get(pk=change.pk).status
                transaction.set_rollback(True)
            if works is None:
                assert (answer.status_code, now) == (404, status), said
            elif move not in legal:
                assert (answer.status_code, now) == (409, status), said
            elif not works or move in APPROVERS:
                assert (answer.status_code, now) == (403, status), said
            else:
                assert (answer.status_code, answer.json()["status"]) == (200, legal[move]), said


def standing(call: Caller, number: str, move: str) -> dict[str, Any]:
    """Return what `next` says of the move."""
    moves = call.get(f"changes/{number}/next/").json()["moves"]
    found: dict[str, Any] = next(one for one in moves if one["name"] == move)
    return found


def test_a_pipeline_opens_waits_starts_and_closes(cast: Cast, mona: User) -> None:
    call = Caller(cast.anna)
    start = db_now() + timedelta(hours=1)
    body = {
        "title": "Deploy 4.2",
        "affected": ["vpn"],
        "affected_other": ["api.example.com"],
        **PLANS,
        "planned_start": start.isoformat(),
        "planned_end": (start + timedelta(hours=1)).isoformat(),
        "risk_answers": {"tested": "twin"},
    }
    opened = call.post("changes/", body, Idempotency_Key="build-77")
    again = call.post("changes/", body, Idempotency_Key="build-77")
    assert (opened.status_code, again.status_code) == (201, 200)
    change = opened.json()
    assert again.json()["number"] == change["number"]
    assert (change["affected"][0]["key"], change["template"], change["status"]) == ("vpn", None, "new")
    assert sum(factor["points"] for factor in change["risk_factors"]) == change["risk_points"]
    number = change["number"]
    assert call.post(f"changes/{number}/moves/request_approval/").status_code == 200
    waits = standing(call, number, "assessed")["waits_for"]
    assert [one["purpose"] for one in waits] == ["assess"]
    assert {person["name"] for person in waits[0]["people"]} == {"Ben Example", "Lena Example"}
    for person in (cast.ben, mona):
        found = ApprovalRound.objects.live().get(ticket__number=number)
        decide(found, actor=as_(person), decision="approve")
    gate = standing(call, number, "start")
    assert gate["opens_at"] == change["planned_start"]
    assert not gate["possible"]
    assert "window opens" in gate["missing"][0]["message"]
    early = call.post(f"changes/{number}/moves/start/")
    assert early.status_code == 409
    assert "window opens" in early.json()["detail"]
    Change.objects.filter(number=number).update(planned_start=db_now() - timedelta(minutes=1))
    assert standing(call, number, "start")["possible"]
    assert call.post(f"changes/{number}/moves/start/").json()["status"] == "implement"
    assert call.post(f"changes/{number}/moves/finish/").json()["status"] == "review"
    assert standing(call, number, "close")["needs"] == ["close_code", "close_notes"]
    refused = call.post(f"changes/{number}/moves/close/", {"close_code": "successful"})
    assert refused.status_code == 422
    closed = call.post(f"changes/{number}/moves/close/", CLOSING).json()
    assert (closed["status"], closed["close_code"]) == ("closed", "successful")
    assert call.get(f"changes/{number}/next/").json()["moves"] == []


def test_from_a_template(cast: Cast, make_template: Template) -> None:
    make_template(track=Track.STANDARD, duration_minutes=45)
    call = Caller(cast.anna)
    start = db_now()
    body = {"template": "renew-a-certificate", "planned_start": start.isoformat(), "external_id": "build-78"}
    change = call.post("changes/", body).json()
    assert (change["change_type"], change["template"]["version"]) == ("standard", 1)
    assert change["planned_end"] == (start + timedelta(minutes=45)).isoformat().replace("+00:00", "Z")
    assert change["backout_plan"] == PLANS["backout_plan"]
    for move in ("schedule", "start", "finish"):
        assert call.post(f"changes/{change['number']}/moves/{move}/").status_code == 200
    refused = call.post("changes/", {**body, "backout_plan": "None.", "impact": 1})
    assert refused.status_code == 422
    assert set(refused.json()["errors"]) == {"backout_plan", "impact"}
    assert call.post("changes/", {"template": "nothing"}).status_code == 422
    assert call.post("changes/", {}).status_code == 422
    assert call.post("changes/", {"title": "x", "change_type": "standard"}).status_code == 422


def test_next_names_everything_that_is_missing(cast: Cast) -> None:
    call = Caller(cast.anna)
    number = call.post("changes/", {"title": "Bare"}).json()["number"]
    fields = {lack["field"] for lack in standing(call, number, "request_approval")["missing"]}
    assert fields == {*PLANS, "team", "planned_start", "affected"}
    answer = call.post(f"changes/{number}/moves/request_approval/")
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == fields


def test_patch_edits_what_is_a_change_s_own(cast: Cast, maker: Maker) -> None:
    change = maker.open()
    call = Caller(cast.anna)
    path = f"changes/{change.number}/"
    body = {"title": "Renamed", "backout_plan": "Another.", "affected": ["mail"], "version": change.version}
    edited = call.patch(path, body)
    assert edited.status_code == 200
    assert {service["key"] for service in edited.json()["affected"]} == {"mail", "vpn"}
    assert call.patch(path, body).status_code == 409
    for wrong, status in (
        ({"backout_plan": "x" * 50_001}, 422),
        ({"planned_start": "soon"}, 422),
        ({"planned_start": None}, 422),
        ({"affected": ["nothing"]}, 422),
        ({"risk_answers": {"tested": "maybe"}}, 422),
        ({"change_type": "standard"}, 422),
        ({"status": "closed"}, 400),
        ({"is_unauthorised": True}, 403),
    ):
        assert call.patch(path, wrong).status_code == status, wrong
    frozen = maker.at(ChangeType.NORMAL, Status.ASSESS)
    assert call.patch(f"changes/{frozen.number}/", {"backout_plan": "x"}).status_code == 409
    assert Caller(cast.olaf).patch(path, {"backout_plan": "x"}).status_code == 403
    assert Caller(cast.rita).patch(path, {"backout_plan": "x"}).status_code == 404


def test_the_list_takes_as_many_queries_for_many(cast: Cast, maker: Maker, django_assert_max_num_queries: Any) -> None:
    for number in range(12):
        maker.open(title=f"Change {number}", affected=[cast.mail])
    call = Caller(cast.anna)
    call.get("changes/")
    with django_assert_max_num_queries(12):
        rows = call.get("changes/").json()["results"]
    assert len(rows) == 12
    assert len(call.get("changes/?q=kind:change").json()["results"]) == 12
    assert call.get("changes/?status=new").json()["results"]
    assert call.get("changes/?status=nonsense").status_code == 400
