"""The risk: every point has a factor with its inputs, and no change of it is silent (CH-5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.actions import edit_change, open_change, perform
from changes.actions.setup import delete_risk_rule, rule_text, save_questions, save_risk_rule, save_settings
from changes.models import Change, ChangeSettings, Questionnaire, RiskRule
from changes.risk import facts_of
from changes.statuses import ChangeType, Risk, Status
from cmdb.models import Criticality
from itsm.accounts.changelog import ChangedMeanwhile, fingerprint, state_of
from itsm.accounts.models import User
from itsm.tickets.actions import assign, update
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from tests.cast import Cast, as_
from tests.changes.conftest import CLOSING, PLANS, Maker

BEST = {"loss": "nothing", "tested": "twin", "undone": "quick", "practice": "often"}
WORST_POINTS = 15 + 15 + 20 + 10


def codes(change: Change) -> list[str]:
    """Return the codes of the change's events in order."""
    return list(change.events.order_by("seq").values_list("code", flat=True))


def test_every_point_has_its_factor_and_inputs(maker: Maker, cast: Cast) -> None:
    cast.vpn.criticality = Criticality.CRITICAL
    cast.vpn.save()
    start = db_now() + timedelta(days=30)
    change = maker.open(
        affected=[cast.mail],
        planned_start=start,
        planned_end=start + timedelta(days=7),
        risk_answers={**BEST, "tested": "partly"},
    )
    assert change.risk_points == sum(factor["points"] for factor in change.risk_factors) == 25 + 5 + 10 + 5
    assert change.risk == Risk.HIGH
    by_name = {factor["name"]: factor for factor in change.risk_factors}
    critical = by_name["A critical service is affected"]
    assert (critical["met"], critical["points"], critical["inputs"]) == (True, 25, {"criticality": 1})
    assert by_name["Two to four services"]["inputs"] == {"services": 2}
    assert by_name["Within business hours"]["inputs"] == {"business_hours": True}
    assert by_name["Less than two days ahead"]["met"] is False
    assert by_name["Less than two days ahead"]["inputs"]["lead_hours"] >= 24 * 29
    assert (
        by_name["How was it tested?"] | {"answer": "Partly", "points": 5, "met": True} == by_name["How was it tested?"]
    )
    assert codes(change) == ["change.opened", "change.risk_assessed"]


def test_what_nobody_answered_counts_as_the_worst(maker: Maker) -> None:
    change = maker.open()
    assert sum(one["points"] for one in change.risk_factors if one["source"] == "question") == WORST_POINTS
    assert all(not one["met"] for one in change.risk_factors if one["source"] == "question")
    assert change.risk == Risk.VERY_HIGH


def test_an_edit_that_changes_it_says_so(maker: Maker, cast: Cast) -> None:
    change = maker.open()
    before = (change.risk, change.risk_points)
    edited = edit_change(change, {"risk_answers": BEST}, actor=as_(cast.anna))
    assert edited.risk_points == before[1] - WORST_POINTS
    event = edited.events.get(code="change.risk_assessed", seq=edited.event_seq)
    assert (event.data["before"], event.data["points_before"]) == before
    assert (event.data["risk"], event.data["points"]) == (edited.risk, edited.risk_points)
    same = edit_change(edited, {"justification": "Another reason."}, actor=as_(cast.anna))
    assert codes(same)[-1] == "change.edited"  # nothing to say about the risk


def test_service_and_team_count_also_when_changed_as_on_every_ticket(maker: Maker, cast: Cast) -> None:
    cast.mail.criticality = Criticality.CRITICAL
    cast.mail.save()
    change = maker.open()
    changed = update(change, {"service": cast.mail}, actor=as_(cast.anna))
    assert changed.risk_points == change.risk_points + 25 + 5  # critical, and two of them
    assert {row.service for row in changed.affected_rows.all()} == {cast.vpn, cast.mail}
    assert codes(changed)[-3:] == ["ticket.updated", "change.edited", "change.risk_assessed"]
    for _ in range(5):
        failed = maker.at(ChangeType.NORMAL, Status.REVIEW, service=None, affected=[cast.mail])
        perform(failed, "close", actor=SYSTEM, fields={**CLOSING, "close_code": "unsuccessful"})
    assigned = assign(changed, actor=as_(cast.anna), team=cast.desktop)
    assert assigned.risk_points == changed.risk_points + 15
    factor = next(one for one in assigned.risk_factors if one["name"] == "The team's changes failed often lately")
    assert factor["inputs"] == {"success_rate": 0, "closed": 5}


def test_it_is_worked_out_again_when_approval_is_asked_for(maker: Maker, cast: Cast) -> None:
    start = db_now() + timedelta(hours=60)
    change = maker.open(planned_start=start, planned_end=start + timedelta(hours=1))
    soon = db_now() + timedelta(hours=40)
    Change.objects.filter(pk=change.pk).update(planned_start=soon, planned_end=soon + timedelta(hours=1))
    asked = perform(change, "request_approval", actor=as_(cast.anna))
    factor = next(one for one in asked.risk_factors if one["name"] == "Less than two days ahead")
    assert factor["met"]
    assert codes(asked)[-3:-1] == ["change.risk_assessed", "change.assessment_requested"]


def test_the_window_within_business_hours(maker: Maker) -> None:
    settings = ChangeSettings.current()
    monday = db_now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)
    monday -= timedelta(days=monday.weekday())
    night = maker.open(planned_start=monday, planned_end=monday + timedelta(hours=9))
    assert facts_of(night, db_now(), settings).business_hours is False
    early = maker.open(planned_start=monday, planned_end=monday + timedelta(hours=9, minutes=1))
    assert facts_of(early, db_now(), settings).business_hours is True


def test_rules_are_typed_as_conditions(cast: Cast, mona: User, maker: Maker) -> None:
    rule = save_risk_rule(None, name="Weekend", condition="services:>=1 type:normal", points=7, actor=as_(mona))
    assert rule_text(rule) == "services:>=1 type:normal"
    assert any(one["name"] == "Weekend" and one["points"] == 7 for one in maker.open().risk_factors)
    for text in ("", "services:many", "colour:red", "services:>=1 (", "x" * 2000):
        with pytest.raises(Invalid) as refused:
            save_risk_rule(rule, name="Weekend", condition=text, points=7, actor=as_(mona))
        assert set(refused.value.fields) == {"condition"}
    with pytest.raises(Invalid):
        save_risk_rule(None, name="Weekend", condition="services:1", points=7, actor=as_(mona))
    with pytest.raises(Invalid):
        save_risk_rule(None, name="Much", condition="services:1", points=101, actor=as_(mona))
    seen = fingerprint(state_of(rule, ("name", "condition", "points", "order", "is_active")))
    save_risk_rule(rule, name="Weekend", condition="services:>=1", points=8, actor=as_(mona), seen=seen)
    with pytest.raises(ChangedMeanwhile):
        save_risk_rule(rule, name="Weekend", condition="services:>=1", points=9, actor=as_(mona), seen=seen)
    with pytest.raises(Refused):
        delete_risk_rule(rule, actor=as_(cast.lena))
    delete_risk_rule(rule, actor=as_(mona))
    assert not RiskRule.objects.filter(name="Weekend").exists()


def test_a_rule_that_can_no_longer_be_read_does_not_hold_and_says_so(maker: Maker) -> None:
    RiskRule.objects.create(name="Old", condition={"field": "gone", "op": "eq", "value": 1}, points=50)
    factor = next(one for one in maker.open().risk_factors if one["name"] == "Old")
    assert (factor["met"], factor["points"]) == (False, 0)
    assert factor["problem"]


def test_an_edit_of_the_questions_makes_a_version(mona: User, cast: Cast, maker: Maker) -> None:
    change = maker.open(risk_answers=BEST)
    first = Questionnaire.current()
    assert first is not None
    assert change.questionnaire == first
    assert save_questions(first.questions, actor=as_(mona)) == first
    shorter = save_questions(first.questions[:1], actor=as_(mona), seen=first.number)
    assert shorter.number == first.number + 1
    assert Change.objects.get(pk=change.pk).questionnaire == first
    edited = edit_change(change, {"risk_answers": {"loss": "all"}}, actor=as_(cast.anna))
    assert edited.questionnaire == shorter
    with pytest.raises(Invalid):
        save_questions(first.questions, actor=as_(mona), seen=first.number)
    with pytest.raises(Refused):
        save_questions([], actor=as_(cast.lena))
    for wrong in (
        [{"key": "a", "text": "A?", "answers": [{"key": "y", "label": "Yes", "points": 1}]}],
        [{"key": "a", "text": "", "answers": []}],
        [{"key": "a", "text": "A?", "answers": [{"key": "y", "label": "Y", "points": p} for p in (1, 2)]}],
        [{"key": "a", "text": "A?", "answers": [{"key": str(p), "label": "Y", "points": p} for p in (1, 200)]}],
    ):
        with pytest.raises(Invalid):
            save_questions(wrong, actor=as_(mona))


def test_the_levels_are_set(mona: User, cast: Cast, maker: Maker) -> None:
    values = {"clean_runs": 3, "success_days": 90, "moderate_from": 70, "high_from": 80, "very_high_from": 90}
    with pytest.raises(Refused):
        save_settings(**values, actor=as_(cast.lena))
    with pytest.raises(Invalid):
        save_settings(**{**values, "high_from": 70}, actor=as_(mona))
    with pytest.raises(Invalid):
        save_settings(**{**values, "clean_runs": 0}, actor=as_(mona))
    assert save_settings(**values, actor=as_(mona)).clean_runs == 3
    start = db_now() + timedelta(days=30)
    quiet = {"planned_start": start, "planned_end": start + timedelta(minutes=1)}
    assert maker.open(**quiet).risk_points < 80
    assert maker.open(**quiet, risk_answers=BEST).risk == Risk.LOW


def test_it_costs_few_queries(maker: Maker, cast: Cast, django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(45):  # type: ignore[operator]
        open_change(actor=as_(cast.anna), title="x", service=cast.vpn, affected=[cast.mail], plans=PLANS)
