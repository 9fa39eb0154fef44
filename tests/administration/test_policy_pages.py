"""The pages of policies with all their rules, and targets as people write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from itsm.accounts.models import User
from slas.actions import GoalSpec, save_calendar, save_policy
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.models import BusinessCalendar, ServiceLevelPolicy
from tests.cast import Cast, as_
from workspace.administration.hours import Unreadable
from workspace.administration.targets import due_of, read_target, say_target, write_target

SignIn = Callable[[User], Client]
BASE = "/desk/settings/"
OFFICE = CalendarSpec("Europe/London", (((540, 720), (780, 1020)),) * 5 + ((), ()))


@pytest.fixture
def sven(cast: Cast, signed_in: SignIn) -> Client:
    return signed_in(cast.sven)


@pytest.mark.parametrize(
    ("text", "unit", "seconds", "count"),
    [
        ("4h", "time", 14400, None),
        (" 1H  30m", "time", 5400, None),
        ("3 business days", "business_days", 0, 3),
        ("1 Business Day", "business_days", 0, 1),
        ("5bd", "business_days", 0, 5),
        ("2 working days", "business_days", 0, 2),
        ("end of the business day", "close_of_day", 0, 0),
        ("end of business day", "close_of_day", 0, 0),
        ("End of the next business day", "close_of_day", 0, 1),
        ("close of next day", "close_of_day", 0, 1),
        ("end of the 2nd business day", "close_of_day", 0, 2),
        ("end of the 11th business day after", "close_of_day", 0, 11),
    ],
)
def test_targets_as_people_write_them(text: str, unit: str, seconds: int, count: int | None) -> None:
    found = read_target(text)
    assert (found.unit, found.seconds, found.count) == (unit, seconds, count)
    assert read_target(write_target(unit, seconds, count)) == found
    assert say_target(unit, seconds, count)


@given(st.sampled_from(["business_days", "close_of_day"]), st.integers(1, 2500))
def test_targets_in_days_are_read_back_as_written(unit: str, count: int) -> None:
    found = read_target(write_target(unit, 0, count))
    assert (found.unit, found.count) == (unit, count)


@pytest.mark.parametrize(
    "text",
    ["2d", "2 days", "0 business days", "2501bd", "end of the 9999th business day", "soon", "end of time", "4h x", ""],
)
def test_a_target_that_says_nothing_exact_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_target(text)
    assert str(refused.value)


def test_when_a_target_is_due_and_when_never() -> None:
    hours, friday = compile_calendar(OFFICE), datetime(2026, 11, 27, 16, tzinfo=UTC)
    assert due_of(hours, friday, "time", 3600, None) == datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert due_of(hours, friday, "close_of_day", 0, 1) == datetime(2026, 11, 30, 17, tzinfo=UTC)
    never = compile_calendar(CalendarSpec("UTC", ((),) * 7, allow_never=True))
    assert due_of(never, friday, "time", 3600, None) is due_of(never, friday, "close_of_day", 0, 1) is None


def policy(goals: list[dict[str, str]], **more: str) -> dict[str, str]:
    always = BusinessCalendar.objects.get(name="24×7").public_id
    values = {"name": "Gold", "metric": "update", "kind": "ola", "condition": "", "pause": "on_hold", "order": "5"}
    values |= {"is_active": "on", "form-TOTAL_FORMS": str(len(goals)), "form-INITIAL_FORMS": "0"}
    for at, goal in enumerate(goals):
        row = {"calendar": always, **goal}
        values |= {f"form-{at}-{name}": value for name, value in row.items()}
    return values | more


def test_all_rules_of_a_policy_are_set_in_the_browser(cast: Cast, sven: Client) -> None:
    rules = {
        "start_from": "opened",
        "on_retarget": "retroactive",
        "on_reopen": "new_cycle",
        "late_steps": "none",
        "stop_condition": "priority:5",
        "cancel_condition": "service:vpn",
        "reset_condition": "priority:1",
    }
    goals = [
        {"condition": "priority:1", "target": "end of the next business day", "zone_from": "requester"},
        {"target": "3 business days", "use_team_calendar": "on"},
    ]
    sent = policy(goals, **rules)
    preview = sven.post(f"{BASE}policies/new/", {**sent, "preview": "1"})
    assert preview.status_code == 200
    assert [line["target"] for line in preview.context["lines"]] == ["end of the next business day", "3 business days"]
    assert all(line["due"] and line["zone"] == "UTC" for line in preview.context["lines"])
    assert sven.post(f"{BASE}policies/new/", sent).status_code == 302
    gold = ServiceLevelPolicy.objects.get(name="Gold")
    for name in ("start_from", "on_retarget", "on_reopen", "late_steps"):
        assert getattr(gold, name) == rules[name]
    assert gold.stop_condition == {"field": "priority", "op": "eq", "value": 5}
    assert gold.reset_condition["value"] == 1
    assert gold.cancel_condition["field"] == "service"
    stored = list(
        gold.goals.order_by("order").values_list("target_unit", "target_count", "use_team_calendar", "zone_from")
    )
    assert stored == [("close_of_day", 1, False, "requester"), ("business_days", 3, True, "calendar")]
    page = sven.get(f"{BASE}policies/{gold.public_id}/")
    form = page.context["form"]
    assert {name: form[name].value() for name in rules} == rules
    assert [row["target"].value() for row in page.context["goals"].forms[:2]] == [goal["target"] for goal in goals]
    assert form.has_rules
    # What the page shows, sent again, changes nothing.
    again = {**sent, "seen": form["seen"].value()}
    assert sven.post(f"{BASE}policies/{gold.public_id}/", again).status_code == 302
    assert sven.get(f"{BASE}policies/{gold.public_id}/").context["form"]["seen"].value() == form["seen"].value()


def test_a_simple_policy_stays_simple(cast: Cast, sven: Client) -> None:
    desk = save_calendar("Desk", OFFICE, actor=as_(cast.sven))
    save_policy("Plain", metric="response", goals=[GoalSpec(3600, desk)], actor=as_(cast.sven))
    plain = ServiceLevelPolicy.objects.get(name="Plain")
    page = sven.get(f"{BASE}policies/{plain.public_id}/")
    assert not page.context["form"].has_rules
    assert not page.context["goals"].forms[0].has_more
    assert not sven.get(f"{BASE}policies/new/").context["form"].has_rules


@pytest.mark.parametrize(
    ("goal", "more", "field"),
    [
        ({"target": "4h"}, {"stop_condition": "colour:red"}, "stop_condition"),
        ({"target": "4h"}, {"reset_condition": "assignee:me"}, "reset_condition"),
        ({"target": "4h"}, {"cancel_condition": "("}, "cancel_condition"),
        ({"target": "4h"}, {"start_from": "birth"}, "start_from"),
        ({"target": "4h"}, {"on_reopen": "x"}, "on_reopen"),
        ({"target": "2 days"}, {}, ""),
        ({"target": "4h", "zone_from": "moon"}, {}, ""),
    ],
)
def test_a_rule_that_cannot_be_read_stands_at_its_field(
    cast: Cast, sven: Client, goal: dict[str, str], more: dict[str, str], field: str
) -> None:
    page = sven.post(f"{BASE}policies/new/", policy([goal], **more))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == ([field] if field else [])
    assert any(page.context["goals"].errors) == (not field)
    assert not ServiceLevelPolicy.objects.filter(name="Gold").exists()


def test_what_the_verb_refuses_of_a_goal_stands_in_its_row(cast: Cast, sven: Client) -> None:
    never = save_calendar("Never", CalendarSpec("UTC", ((),) * 7, allow_never=True), actor=as_(cast.sven))
    goals = [{"target": "4h"}, {"target": "4h", "calendar": never.public_id}]
    page = sven.post(f"{BASE}policies/new/", policy(goals))
    assert page.status_code == 422
    rows = page.context["goals"].forms
    assert (rows[0].errors, list(rows[1].errors)) == ({}, ["target"])
    assert "weekly hours" in page.content.decode()


def test_the_policies_page_shows_all_by_metric_with_their_kind(cast: Cast, sven: Client) -> None:
    desk = save_calendar("Desk", OFFICE, actor=as_(cast.sven))
    for kind, metric in (("ola", "team_stay"), ("uc", "supplier"), ("sla", "response")):
        save_policy(f"P {kind}", metric=metric, kind=kind, goals=[GoalSpec(3600, desk)], actor=as_(cast.sven))
    page = sven.get(f"{BASE}policies/")
    shown = [metric.value for metric, _lines in page.context["metrics"]]
    assert shown == [metric for metric in ("response", "resolution", "team_stay", "supplier") if metric in shown]
    assert {"response", "team_stay", "supplier"} <= set(shown)
    for badge in (">SLA<", ">OLA<", ">UC<"):
        assert badge in page.content.decode()
