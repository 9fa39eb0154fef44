"""What must be there for a move, and that each refusal names all of it (CH-10, CH-11, CH-12)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.actions import edit_change, open_change, perform
from changes.actions.library import retire_template
from changes.models import Change, ChangeTemplate
from changes.statuses import ChangeType, Status
from itsm.accounts.models import User
from itsm.tickets.actions import assign, update
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from tests.cast import Cast, as_
from tests.changes.conftest import PLANS, Maker

PLAN_FIELDS = {"justification", "implementation_plan", "backout_plan", "test_plan"}


def test_nothing_is_asked_at_first_and_all_of_it_before_approval(cast: Cast) -> None:
    change = open_change(actor=as_(cast.anna), title="Short first")
    with pytest.raises(Invalid) as refused:
        perform(change, "request_approval", actor=as_(cast.anna))
    assert set(refused.value.fields) == {*PLAN_FIELDS, "team", "planned_start", "affected"}
    assert Change.objects.get(pk=change.pk).status == Status.NEW


@pytest.mark.parametrize("name", sorted(PLAN_FIELDS))
def test_each_plan_is_needed(maker: Maker, cast: Cast, name: str) -> None:
    change = maker.open(plans={**PLANS, name: "  \n "})
    with pytest.raises(Invalid) as refused:
        perform(change, "request_approval", actor=as_(cast.anna))
    assert set(refused.value.fields) == {name}


def test_a_window_that_is_over_cannot_be_approved(maker: Maker, cast: Cast) -> None:
    now = db_now()
    change = maker.open(planned_start=now - timedelta(hours=3), planned_end=now - timedelta(hours=1))
    with pytest.raises(Invalid) as refused:
        perform(change, "request_approval", actor=as_(cast.anna))
    assert set(refused.value.fields) == {"planned_start"}


def test_a_thing_outside_the_register_is_enough_to_be_affected(maker: Maker, cast: Cast) -> None:
    change = maker.open(service=None, team=cast.network, affected_other=["Rack 7", "Rack 7", "  "])
    assert change.affected_other == ["Rack 7"]
    assert perform(change, "request_approval", actor=as_(cast.anna)).status == Status.ASSESS


def test_the_team_behind_the_service_makes_the_change(maker: Maker, cast: Cast) -> None:
    assert maker.open().team == cast.network
    change = maker.open(service=None, affected=[cast.mail])
    assert change.team == cast.desktop


def test_from_the_assessment_on_there_is_a_team(maker: Maker, cast: Cast) -> None:
    change = assign(maker.open(), actor=as_(cast.anna), team=None)
    with pytest.raises(Invalid) as refused:
        perform(change, "request_approval", actor=as_(cast.anna))
    assert set(refused.value.fields) == {"team"}
    change = maker.at(ChangeType.NORMAL, Status.ASSESS)
    with pytest.raises(IllegalMove, match="needs a team"):
        assign(change, actor=as_(cast.anna), team=None)
    assert assign(change, actor=as_(cast.anna), team=cast.desktop).team == cast.desktop


@pytest.mark.parametrize("kind", [ChangeType.NORMAL, ChangeType.STANDARD])
def test_work_begins_within_the_window(maker: Maker, cast: Cast, kind: str) -> None:
    now = db_now()
    early = maker.open(kind, planned_start=now + timedelta(hours=1), planned_end=now + timedelta(hours=2))
    for move in ("request_approval", "assessed", "authorised") if kind == ChangeType.NORMAL else ("schedule",):
        early = perform(early, move, actor=SYSTEM)
    with pytest.raises(IllegalMove, match="The window opens"):
        perform(early, "start", actor=as_(cast.anna))


def test_work_does_not_begin_after_the_window(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.SCHEDULED)
    now = db_now()
    Change.objects.filter(pk=change.pk).update(
        planned_start=now - timedelta(hours=3), planned_end=now - timedelta(seconds=1)
    )
    with pytest.raises(IllegalMove, match="The window closed"):
        perform(change, "start", actor=as_(cast.anna))


def test_an_emergency_begins_when_it_is_authorised(maker: Maker, cast: Cast) -> None:
    now = db_now()
    window = {"planned_start": now + timedelta(hours=1), "planned_end": now + timedelta(hours=2)}
    change = maker.at(ChangeType.EMERGENCY, Status.SCHEDULED, **window)
    change = perform(change, "start", actor=as_(cast.anna))
    assert change.status == Status.IMPLEMENT
    assert change.actual_start is not None
    assert change.assignee == cast.anna


def test_closing_needs_code_and_notes(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.REVIEW)
    with pytest.raises(Invalid) as refused:
        perform(change, "close", actor=as_(cast.anna))
    assert set(refused.value.fields) == {"close_code", "close_notes"}
    with pytest.raises(Invalid) as refused:
        perform(change, "close", actor=as_(cast.anna), fields={"close_code": "splendid", "close_notes": "x"})
    assert set(refused.value.fields) == {"close_code"}
    change = perform(change, "close", actor=as_(cast.anna), fields={"close_code": "successful", "close_notes": "Well."})
    assert (change.status, change.close_code, change.resolved_at) == (Status.CLOSED, "successful", change.closed_at)


@pytest.mark.parametrize(
    ("kind", "code", "needed"),
    [
        (ChangeType.NORMAL, "successful", False),
        (ChangeType.NORMAL, "successful_issues", False),
        (ChangeType.NORMAL, "unsuccessful", True),
        (ChangeType.STANDARD, "unsuccessful", True),
        (ChangeType.EMERGENCY, "successful", True),
    ],
)
def test_who_needs_a_review(maker: Maker, cast: Cast, kind: str, code: str, needed: bool) -> None:
    change = maker.at(kind, Status.REVIEW)
    fields = {"close_code": code, "close_notes": "So it went."}
    if needed:
        with pytest.raises(Invalid) as refused:
            perform(change, "close", actor=as_(cast.anna), fields=fields)
        assert set(refused.value.fields) == {"review_notes"}
        change = edit_change(change, {"review_notes": "The script was wrong."}, actor=as_(cast.ben))
    change = perform(change, "close", actor=as_(cast.anna), fields=fields)
    assert change.status == Status.CLOSED
    assert change.review_notes == ("The script was wrong." if needed else "")


def test_an_emergency_recorded_after_the_act(maker: Maker, cast: Cast) -> None:
    with pytest.raises(Invalid):
        open_change(actor=as_(cast.anna), title="x", change_type=ChangeType.NORMAL, is_retroactive=True)
    change = open_change(
        actor=as_(cast.anna),
        title="Restarted the gateway",
        change_type=ChangeType.EMERGENCY,
        is_retroactive=True,
        service=cast.vpn,
        plans=PLANS,
    )
    with pytest.raises(Invalid) as refused:
        perform(change, "request_authorisation", actor=as_(cast.anna))
    assert set(refused.value.fields) == {"actual_start"}
    now = db_now()
    times = {"actual_start": now - timedelta(hours=2), "actual_end": now - timedelta(hours=1)}
    change = edit_change(change, times, actor=as_(cast.anna))
    change = perform(change, "request_authorisation", actor=as_(cast.anna))
    change = perform(change, "rejected", actor=SYSTEM)
    assert (change.status, change.is_unauthorised) == (Status.NEW, True)
    for move in ("request_authorisation", "authorised_afterwards"):
        change = perform(change, move, actor=SYSTEM)
    assert change.status == Status.REVIEW
    assert change.actual_start == times["actual_start"]


def test_a_standard_change_needs_a_template_that_still_is_one(maker: Maker, cast: Cast, mona: User) -> None:
    change = maker.open(ChangeType.STANDARD)
    retire_template(ChangeTemplate.objects.get(), actor=as_(mona), reason="Obsolete.")
    with pytest.raises(IllegalMove, match="retired"):
        perform(change, "schedule", actor=as_(cast.anna))
    with pytest.raises(Invalid, match="made from its template"):
        open_change(actor=as_(cast.anna), title="x", change_type=ChangeType.STANDARD)


def test_what_is_approved_is_frozen(maker: Maker, cast: Cast) -> None:
    now = db_now()
    edits = (
        {"change_type": ChangeType.EMERGENCY},
        {"backout_plan": "Another one."},
        {"planned_start": now, "planned_end": now + timedelta(days=1)},
        {"affected": [cast.mail]},
        {"affected_other": ["Rack 7"]},
        {"risk_answers": {"tested": "not"}},
    )
    for status in (Status.ASSESS, Status.AUTHORISE, Status.SCHEDULED, Status.IMPLEMENT, Status.REVIEW, Status.CLOSED):
        change = maker.at(ChangeType.NORMAL, status)
        for values in edits:
            with pytest.raises(IllegalMove):
                edit_change(change, values, actor=as_(cast.anna))
        if status != Status.CLOSED:
            with pytest.raises(IllegalMove):
                update(change, {"service": cast.mail}, actor=as_(cast.anna))
        assert Change.objects.get(pk=change.pk).version == change.version
    change = maker.open()
    for values in edits:
        change = edit_change(change, values, actor=as_(cast.anna))
    assert (change.change_type, change.backout_plan) == (ChangeType.EMERGENCY, "Another one.")
    assert {row.service for row in change.affected_rows.all()} == {cast.mail, cast.vpn}  # it is about the VPN


def test_back_to_new_opens_it_for_editing(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.SCHEDULED)
    change = perform(change, "revert", actor=as_(cast.anna), fields={"reason": "Another night."})
    assert edit_change(change, {"change_type": "emergency"}, actor=as_(cast.anna)).change_type == "emergency"


def test_a_standard_change_keeps_the_plans_and_moves_its_window(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.STANDARD, Status.SCHEDULED)
    now = db_now()
    window = {"planned_start": now + timedelta(days=1), "planned_end": now + timedelta(days=1, hours=1)}
    assert edit_change(change, window, actor=as_(cast.anna)).planned_start == window["planned_start"]
    fresh = maker.open(ChangeType.STANDARD)
    with pytest.raises(IllegalMove, match="plans of its template"):
        edit_change(fresh, {"backout_plan": "None."}, actor=as_(cast.anna))
    fresh = edit_change(fresh, {"change_type": "normal"}, actor=as_(cast.anna))
    assert edit_change(fresh, {"backout_plan": "Another."}, actor=as_(cast.anna)).backout_plan == "Another."
    with pytest.raises(Invalid):
        edit_change(fresh, {"change_type": "standard"}, actor=as_(cast.anna))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"planned_start": None}, "planned_start"),
        ({"planned_end": "before"}, "planned_end"),
        ({"backout_plan": "x" * 50_001}, "backout_plan"),
        ({"backout_plan": "a\x00b"}, "backout_plan"),
        ({"change_type": "urgent"}, "change_type"),
        ({"risk_answers": {"nonsense": "x"}}, "risk_answers"),
        ({"risk_answers": {"tested": "maybe"}}, "risk_answers"),
        ({"risk_answers": "tested"}, "risk_answers"),
        ({"affected_other": ["x" * 201]}, "affected_other"),
        ({"affected_other": [f"Rack {place}" for place in range(51)]}, "affected_other"),
        ({"status": "closed"}, "status"),
        ({"is_retroactive": True}, "is_retroactive"),
    ],
)
def test_values_that_do_not_fit(maker: Maker, cast: Cast, values: dict[str, object], field: str) -> None:
    change = maker.open()
    if values.get("planned_end") == "before":
        values = {"planned_end": change.planned_start}
    with pytest.raises(Invalid) as refused:
        edit_change(change, values, actor=as_(cast.anna))
    assert set(refused.value.fields) == {field}
    assert Change.objects.get(pk=change.pk).version == change.version


def test_who_may_edit(maker: Maker, cast: Cast, mona: User) -> None:
    change = maker.open()
    for person in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            edit_change(change, {"justification": "x"}, actor=as_(person))
        with pytest.raises(Refused):
            open_change(actor=as_(person, Channel.PORTAL), title="x")
    with pytest.raises(Refused):
        edit_change(change, {"is_unauthorised": True}, actor=as_(cast.anna))
    assert edit_change(change, {"is_unauthorised": True}, actor=as_(mona)).needs_review


def test_a_stale_reader_and_the_same_edit_twice(maker: Maker, cast: Cast) -> None:
    change = maker.open()
    edited = edit_change(change, {"justification": "🔒 Audit"}, actor=as_(cast.anna), version=change.version)
    with pytest.raises(Stale):
        edit_change(change, {"justification": "Mine"}, actor=as_(cast.ben), version=change.version)
    again = edit_change(change, {"justification": "🔒 Audit"}, actor=as_(cast.anna))
    assert (again.version, again.event_seq) == (edited.version, edited.event_seq)


def test_the_same_form_twice_opens_one_change(cast: Cast) -> None:
    first = open_change(actor=as_(cast.anna), title="Once", submission_key="k", service=cast.vpn)
    again = open_change(actor=as_(cast.anna), title="Once", submission_key="k", service=cast.vpn)
    assert first.pk == again.pk
    assert again.event_seq == first.event_seq
