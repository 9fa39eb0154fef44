"""Changing what stands beside the conversation: single properties, priority, links, watchers; with htmx and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.actions import hold, open_incident, reply
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import assign, link, update
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.models import Link
from tests.cast import Cast, as_
from tests.incidents.pages import HX, LONG, ROADS, events, in_status, ok, url


@ROADS
def test_each_property_is_saved_alone(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    wanted: dict[str, tuple[str, Callable[[Incident], Any], Any]] = {
        "title": ("A new title", lambda one: one.title, "A new title"),
        "description": ("New\r\nlines", lambda one: one.description, "New\nlines"),
        "impact": ("1", lambda one: one.impact, 1),
        "urgency": ("2", lambda one: one.urgency, 2),
        "assignee": (cast.ben.public_id, lambda one: one.assignee, cast.ben),
        "team": (cast.desktop.public_id, lambda one: one.team, cast.desktop),
        "service": (cast.vpn.public_id, lambda one: one.service, cast.vpn),
        "category": (cast.printers.public_id, lambda one: one.category, cast.printers),
    }
    for name, (value, read, expected) in wanted.items():
        before = events(incident)
        everything = {other: given for other, (given, *_rest) in wanted.items() if other != name}
        answer = anna.post(url(incident, "edit", name), {**everything, name: value}, headers=headers)
        assert answer.status_code == ok(headers), name
        incident = Incident.objects.get(pk=incident.pk)
        assert read(incident) == expected
        assert events(incident) == before + 1, name
    for name in ("assignee", "team", "service", "category"):
        assert anna.post(url(incident, "edit", name), {name: ""}, headers=headers).status_code == ok(headers)
        assert getattr(Incident.objects.get(pk=incident.pk), name) is None


@ROADS
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("title", "", "This cannot be empty"),
        ("title", "t" * 201, "at most 200 fit"),
        ("description", LONG, "at most 100000 fit"),
        ("impact", "9", "Choose high, medium or low"),
        ("urgency", "high", "Choose high, medium or low"),
        ("assignee", "0" * 32, "Choose a person from the list"),
        ("assignee", "1", "Choose a person from the list"),
        ("team", "network", "Choose a team from the list"),
        ("service", "' OR 1=1 --" * 9, "Choose a service from the list"),
        ("category", "é" * 40, "Choose a category from the list"),
    ],
)
def test_a_wrong_value_is_explained_at_the_field(
    anna: Client, incident: Incident, headers: dict, name: str, value: str, words: str
) -> None:
    before = events(incident)
    answer = anna.post(url(incident, "edit", name), {name: value}, headers=headers)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert events(incident) == before


def test_a_requester_is_not_assigned(cast: Cast, anna: Client, incident: Incident) -> None:
    answer = anna.post(url(incident, "edit", "assignee"), {"assignee": cast.rita.public_id}, headers=HX)
    assert answer.status_code == 422
    assert "does not work on tickets" in answer.content.decode()


@pytest.mark.parametrize("name", ["status", "number", "requester", "priority", "version", "custom"])
def test_nothing_else_is_edited(anna: Client, incident: Incident, name: str) -> None:
    assert anna.post(url(incident, "edit", name), {name: "x"}).status_code == 404


def test_a_form_without_its_value_is_explained(anna: Client, incident: Incident) -> None:
    assert anna.post(url(incident, "edit", "team"), {"service": ""}).status_code == 422


def test_an_overtaken_property_shows_theirs(cast: Cast, anna: Client, incident: Incident) -> None:
    was = cast.network.public_id
    assign(incident, actor=as_(cast.ben), team=cast.desktop)
    form = {"team": "", "was": was}
    answer = anna.post(url(incident, "edit", "team"), form, headers=HX)
    assert answer.status_code == 409
    assert "Team was changed meanwhile to “Desktop”" in answer.content.decode()
    assert Incident.objects.get(pk=incident.pk).team == cast.desktop
    again = anna.post(url(incident, "edit", "team"), {**form, "was": cast.desktop.public_id}, headers=HX)
    assert again.status_code == 200


def test_changes_of_other_things_are_no_obstacle(cast: Cast, anna: Client, incident: Incident) -> None:
    was = cast.network.public_id
    reply(incident, "News", actor=as_(cast.rita, Channel.PORTAL))
    update(incident, {"urgency": 1}, actor=as_(cast.ben))
    assert anna.post(url(incident, "edit", "team"), {"team": "", "was": was}).status_code == 303


def test_an_edit_can_be_undone_from_its_toast(cast: Cast, anna: Client, incident: Incident) -> None:
    saved = anna.post(url(incident, "edit", "team"), {"team": cast.desktop.public_id}, headers=HX)
    undo = json.loads(saved["HX-Trigger"])["toast"]["undo"]
    assert anna.post(undo).status_code == 303
    assert Incident.objects.get(pk=incident.pk).team == cast.network


def test_an_ended_incident_is_not_edited(cast: Cast, anna: Client) -> None:
    incident = in_status(cast, "closed")
    for name in ("title", "team", "urgency"):
        value = {"title": "x", "team": "", "urgency": "1"}[name]
        assert anna.post(url(incident, "edit", name), {name: value}, headers=HX).status_code == 409


@ROADS
def test_take(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    assert anna.post(url(incident, "take"), headers=headers).status_code == ok(headers)
    assert Incident.objects.get(pk=incident.pk).assignee == cast.anna
    before = events(incident)
    assert anna.post(url(incident, "take"), headers=headers).status_code == ok(headers)
    assert events(incident) == before


def test_what_another_has_taken_is_not_taken_away_unseen(cast: Cast, anna: Client, incident: Incident) -> None:
    assign(incident, actor=as_(cast.ben), assignee=cast.ben)
    answer = anna.post(url(incident, "take"), {"was": ""}, headers=HX)
    assert answer.status_code == 409
    assert "Assignee was changed meanwhile to “Ben Example”" in answer.content.decode()
    assert Incident.objects.get(pk=incident.pk).assignee == cast.ben
    assert anna.post(url(incident, "take"), {"was": cast.ben.public_id}, headers=HX).status_code == 200


@ROADS
def test_the_priority_is_set_by_hand_by_those_who_may(
    cast: Cast, signed_in: Callable[[User], Client], anna: Client, incident: Incident, headers: dict
) -> None:
    form = {"priority": "1", "reason": "The board is watching", "version": incident.version}
    refused = anna.post(url(incident, "priority"), form, headers=headers)
    assert refused.status_code == 403
    assert "Only a team lead or a manager" in refused.content.decode()
    lena = signed_in(cast.lena)
    for wrong, words in (({"priority": "7"}, "Choose a priority"), ({"reason": ""}, "This cannot be empty")):
        answer = lena.post(url(incident, "priority"), {**form, **wrong}, headers=headers)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert lena.post(url(incident, "priority"), form, headers=headers).status_code == ok(headers)
    incident.refresh_from_db()
    assert (incident.priority, incident.priority_reason) == (1, "The board is watching")


# Links and watchers


@ROADS
def test_links_are_added_and_removed_from_either_end(
    cast: Cast, anna: Client, incident: Incident, headers: dict
) -> None:
    other = open_incident(actor=as_(cast.rolf), title="Printer")
    form = {"number": f" {other.number.lower()} ", "kind": "caused_by"}
    for _ in "ab":
        assert anna.post(url(incident, "add_link"), form, headers=headers).status_code == ok(headers)
    made = Link.objects.get()
    stranger = open_incident(actor=as_(cast.rita), title="Mouse")
    assert anna.post(url(stranger, "remove_link", made.public_id), headers=headers).status_code == 404
    assert anna.post(url(other, "remove_link", made.public_id), headers=headers).status_code == ok(headers)
    assert not Link.objects.exists()
    assert anna.post(url(other, "remove_link", made.public_id), headers=headers).status_code == 404


@ROADS
@pytest.mark.parametrize("number", ["", "INC9999999", "x" * 300, "self"])
def test_a_link_to_nothing_is_explained(anna: Client, incident: Incident, headers: dict, number: str) -> None:
    form = {"number": incident.number if number == "self" else number, "kind": "related"}
    answer = anna.post(url(incident, "add_link"), form, headers=headers)
    assert answer.status_code == 422
    assert 'id="link-error"' in answer.content.decode()
    wrong = anna.post(url(incident, "add_link"), {"number": incident.number, "kind": "likes"}, headers=headers)
    assert wrong.status_code == 422


@ROADS
def test_watchers_are_added_and_removed(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    assert anna.post(url(incident, "add_watcher"), headers=headers).status_code == ok(headers)
    sent = {"person": cast.rosa.public_id}
    assert anna.post(url(incident, "add_watcher"), sent, headers=headers).status_code == ok(headers)
    assert set(incident.watchers.all()) == {cast.anna, cast.rosa}
    assert anna.post(url(incident, "add_watcher"), {"person": "nobody"}, headers=headers).status_code == 422
    gone = anna.post(url(incident, "remove_watcher", cast.rosa.public_id), headers=headers)
    assert gone.status_code == ok(headers)
    assert set(incident.watchers.all()) == {cast.anna}
    assert anna.post(url(incident, "remove_watcher", "0" * 32), headers=headers).status_code == 404


def test_a_resumed_incident_says_why(cast: Cast, anna: Client, incident: Incident) -> None:
    hold(incident, actor=as_(cast.anna), hold_reason="awaiting_caller", comment="Which one?")
    reply(incident, "The red one", actor=as_(cast.rita, Channel.PORTAL))
    html = anna.get(url(incident, "detail")).content.decode()
    assert "resumed, because the requester replied" in html
    assert SYSTEM.user is None
    assert "The system" in html


def test_linked_tickets_say_what_they_are_to_this_one(cast: Cast, anna: Client, incident: Incident) -> None:
    other = open_incident(actor=as_(cast.rita), title="Again")
    link(other, incident, "duplicate_of", actor=as_(cast.anna))
    assert "Has the duplicate" in anna.get(url(incident, "detail")).content.decode()
