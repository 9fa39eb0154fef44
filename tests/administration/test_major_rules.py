"""Rules of major incidents through the settings: order, editor, trying, change log, with the sad paths."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from incidents.actions import open_incident, set_parent
from incidents.major.actions import propose
from incidents.major.rules.actions import save_rule, switch_rule
from incidents.models import Incident, MajorRule, MajorRuleMatch
from itsm.accounts.models import AdminEvent, User
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.outbox import dispatch
from tests.cast import Cast, as_

BASE = "/desk/settings/major-rules/"
P1 = {"field": "priority", "op": "eq", "value": 1}


@pytest.fixture
def ada(cast: Cast, signed_in: Any) -> Client:
    """The browser of Ada, an administrator."""
    client: Client = signed_in(cast.ada)
    return client


def form(**more: Any) -> dict[str, Any]:
    return {"name": "Critical", "condition": "priority:1", "deed": "propose", "is_active": "on", **more}


def saved(cast: Cast, name: str, **values: Any) -> MajorRule:
    return save_rule(None, name=name, actor=as_(cast.ada), **values)


def opened(cast: Cast, requester: User | None = None, **more: Any) -> Incident:
    return open_incident(actor=as_(cast.anna), title="No network", requester=requester or cast.rita, **more)


def family_of(cast: Cast, *people: User) -> Incident:
    parent, *children = (opened(cast, who) for who in people)
    for child in children:
        set_parent(child, parent, actor=as_(cast.anna))
    return Incident.objects.get(pk=parent.pk)


def test_rules_are_added_ordered_switched_and_removed_and_the_log_keeps_it(cast: Cast, ada: Client) -> None:
    assert b"No rules yet" in ada.get(BASE).content
    assert ada.post(f"{BASE}new/", form()).status_code == 302
    accepting = form(
        name="Many", condition="", min_children="20", min_people="30", deed="accept",
        impact="{people} people cannot work.", commander=cast.ben.public_id,
    )  # fmt: skip
    assert ada.post(f"{BASE}new/", accepting).status_code == 302
    critical, many = MajorRule.objects.all()
    assert (many.min_children, many.min_people, many.commander, many.condition) == (20, 30, cast.ben, {})
    text = ada.get(BASE).content.decode()
    assert "at least 20 incidents are part of it" in text
    assert "accept it at once" in text
    assert "Ben Example" in text

    ada.post(f"{BASE}{many.public_id}/up/")
    assert [one.name for one in MajorRule.objects.all()] == ["Many", "Critical"]
    page = ada.get(f"{BASE}{many.public_id}/")
    assert page.context["form"].initial["impact"] == "{people} people cannot work."
    edited = {**accepting, "deed": "propose", "seen": page.context["form"].initial["seen"]}
    assert ada.post(f"{BASE}{many.public_id}/", edited).status_code == 302
    many.refresh_from_db()
    assert (many.impact, many.commander) == ("", None)
    answer = ada.post(f"{BASE}{many.public_id}/", {**edited, "name": "Very many"})
    assert answer.status_code == 409
    assert ada.post(f"{BASE}{many.public_id}/", {**edited, "name": "Very many", "seen": ""}).status_code == 302

    ada.post(f"{BASE}{critical.public_id}/off/")
    assert not MajorRule.objects.get(pk=critical.pk).is_active
    ada.post(f"{BASE}{critical.public_id}/on/")
    ada.post(f"{BASE}{critical.public_id}/remove/")
    assert ada.post(f"{BASE}{critical.public_id}/remove/").status_code == 302
    assert ada.post(f"{BASE}{many.public_id}/explode/").status_code == 404
    assert ada.get(f"{BASE}{many.public_id}/off/").status_code == 405
    deeds = list(AdminEvent.objects.order_by("pk").values_list("deed", flat=True))
    assert deeds == ["created", "created", "moved", "changed", "changed", "deactivated", "activated", "removed"]
    log = ada.get("/desk/settings/changes/").content.decode()
    assert "at least this many people are affected" in log.lower()
    assert "major incident rule" in log.lower()


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"condition": ""}, "condition", "Say which incidents are meant"),
        ({"condition": "priority:nine"}, "condition", "whole number"),
        ({"condition": "assignee:me"}, "condition", "depends on who is looking"),
        ({"name": " "}, "name", "required"),
        ({"name": "there ALREADY"}, "name", "a rule “there ALREADY” already"),
        ({"min_people": "0"}, "min_people", "greater than or equal to 1"),
        ({"min_children": "x"}, "min_children", "whole number"),
        ({"deed": "explode"}, "deed", "valid choice"),
        ({"deed": "accept"}, "impact", "cannot be empty"),
        ({"deed": "accept", "impact": "{who} cannot work"}, "impact", "{who} stands for nothing"),
        ({"deed": "accept", "impact": "x", "commander": "rita"}, "commander", "valid choice"),
        ({"deed": "accept", "impact": "x", "commander": "ben", "commander_team": "network"}, "commander_team", "both"),
    ],
)
def test_what_does_not_fit_is_refused_beside_its_field(
    cast: Cast, ada: Client, more: dict[str, str], field: str, words: str
) -> None:
    saved(cast, "There already", condition=P1)
    typed = {name: getattr(getattr(cast, value, None), "public_id", value) for name, value in more.items()}
    answer = ada.post(f"{BASE}new/", form(**typed))
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert MajorRule.objects.count() == 1


def test_a_draft_is_tried_on_the_open_incidents_and_nothing_is_saved(cast: Cast, ada: Client) -> None:
    hit = family_of(cast, cast.rita, cast.rosa, cast.rolf)
    family_of(cast, cast.rita, cast.rosa)
    proposed = family_of(cast, cast.rita, cast.rosa, cast.rolf)
    propose(proposed, actor=as_(cast.anna), reason="So many.")
    for more in ({"min_people": "3"}, {"min_children": "2"}, {"min_people": "3", "condition": "title:network"}):
        answer = ada.post(f"{BASE}new/", {"condition": "", **more, "read": "1"})
        assert answer.status_code == 200
        assert answer.context["hits"].incidents == [hit]
    assert "no open incident" in ada.post(f"{BASE}new/", {"condition": "priority:1", "read": "1"}).content.decode()
    assert ada.post(f"{BASE}new/", {"condition": "priority:", "read": "1"}).status_code == 422
    assert ada.post(f"{BASE}new/", {"condition": "", "read": "1"}).context["hits"] is None
    waiting = ada.post(f"{BASE}new/", {"condition": "waiting:awaiting_vendor", "read": "1"})
    assert (waiting.status_code, waiting.context["hits"].incidents) == (200, [])
    assert not MajorRule.objects.exists()


def test_trying_says_which_rule_and_why_the_others_not_as_the_worker_then_does(cast: Cast, ada: Client) -> None:
    saved(cast, "Twenty", min_people=20)
    saved(cast, "Critical mail", condition={"all": [P1, {"field": "service", "op": "eq", "value": "mail"}]})
    saved(cast, "Three", min_people=3)
    saved(cast, "Two", min_children=2)
    saved(cast, "Off", min_people=1, is_active=False)
    incident = family_of(cast, cast.rita, cast.rosa, cast.rolf)

    page = ada.get(BASE, {"try": f" {incident.number.lower()} "})
    trial = page.context["trial"]
    assert trial.winner.name == "Three"
    assert [(step.rule.name, step.matches, step.unmet) for step in trial.steps] == [
        ("Twenty", False, ("3 people are affected (the rule asks for 20)",)),
        ("Critical mail", False, ("priority is Critical", "service is mail")),
        ("Three", True, ()),
        ("Two", True, ()),
    ]
    text = page.content.decode()
    assert "would match, but comes later" in text
    assert "The next time something happens to it, it is proposed" in text
    found = ada.get(BASE, {"open": "1"}).context["hits"]
    assert [(one.rule.name, one.incidents) for one in found] == [
        ("Twenty", []), ("Critical mail", []), ("Three", [incident]), ("Two", []),
    ]  # fmt: skip

    while dispatch():
        pass
    assert MajorRuleMatch.objects.get().rule_name == "Three"
    trial = ada.get(BASE, {"try": incident.number}).context["trial"]
    assert (trial.winner, trial.blocked) == (None, "It is proposed already.")
    assert "Has acted 1 time, last" in ada.get(BASE).content.decode()
    child = incident.children.all()[0]
    assert "part of another" in ada.get(BASE, {"try": child.number}).context["trial"].blocked
    for nothing in ("INC9999999", "'; drop"):
        assert ada.get(BASE, {"try": nothing}).status_code == 200


def test_a_rule_that_cannot_be_read_is_marked_and_cannot_be_switched_on(cast: Cast, ada: Client) -> None:
    rule = saved(cast, "Old", condition=P1)
    gone = {"field": "service", "op": "eq", "value": "gone"}
    MajorRule.objects.filter(pk=rule.pk).update(condition=gone)
    incident = opened(cast)
    page = ada.get(BASE, {"try": incident.number, "open": "1"}).content.decode()
    assert "cannot be read any more" in page
    assert "is passed over" in page
    ada.post(f"{BASE}{rule.public_id}/off/")
    ada.post(f"{BASE}{rule.public_id}/on/")
    assert not MajorRule.objects.get(pk=rule.pk).is_active
    assert ada.get(f"{BASE}{rule.public_id}/").status_code == 200


def test_only_who_sets_up_the_desk_changes_rules(cast: Cast) -> None:
    rule = saved(cast, "Critical", condition=P1)
    for who in (cast.lena, cast.sven, cast.anna, cast.rita):
        with pytest.raises(Refused):
            save_rule(rule, name="Mine", condition=P1, actor=as_(who))
        with pytest.raises(Refused):
            switch_rule(rule, False, actor=as_(who))
    for wrong in ({}, {"condition": P1, "deed": "accept", "impact": "x", "commander": cast.rita}):
        with pytest.raises(Invalid):
            save_rule(None, name="All", actor=as_(cast.ada), **wrong)
    assert MajorRule.objects.get().name == "Critical"
