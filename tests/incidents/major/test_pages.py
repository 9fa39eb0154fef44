"""The page from which a major incident is run, its panel, its list, and the same over the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import resolve, set_parent
from incidents.major.actions import propose
from incidents.major.models import MajorDuty, MajorEntry, MajorIncident, MajorReview, MajorStakeholder, MajorUpdate
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.models import Comment
from tests.api.conftest import Caller
from tests.cast import Cast, as_
from tests.incidents.major.test_deciding import ACCEPTED, FIXED, WHY, incident_of, major_of

TEXT = {"headline": "VPN is down", "text": "Use the web mail."}


@pytest.fixture
def lena(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Lena, who leads the network team."""
    return signed_in(cast.lena)


def send(client: Client, incident: Incident, deed: str, **fields: Any) -> Any:
    return client.post(reverse("incidents:major_act", args=[incident.number, deed]), fields)


def shown(client: Client, incident: Incident) -> str:
    return client.get(reverse("incidents:major", args=[incident.number])).content.decode()


def test_from_the_proposal_to_the_review_by_the_page(cast: Cast, lena: Client, signed_in: Any) -> None:
    incident, anna = incident_of(cast), signed_in(cast.anna)
    assert (
        "Propose as a major incident" in anna.get(reverse("incidents:detail", args=[incident.number])).content.decode()
    )
    assert send(anna, incident, "propose", **WHY).status_code == 303
    assert send(anna, incident, "accept", **ACCEPTED).status_code == 403
    assert WHY["reason"] in shown(lena, incident)
    assert send(lena, incident, "accept", impact="400 people").status_code == 422
    assert send(lena, incident, "accept", **ACCEPTED, commander=cast.ben.public_id).status_code == 303
    assert MajorDuty.objects.get().person == cast.ben
    for deed, fields in (
        ("role", {"role": "scribe", "person": cast.anna.public_id}),
        ("stakeholder", {"person": "sven@example.com"}),
        ("stakeholder", {"team": cast.desktop.public_id}),
        ("plan", {"cadence_minutes": "30", "to_portal": "1", "template": "We know:"}),
        ("update", {**TEXT, "to_portal": "1", "submission_key": "k"}),
        ("update", {**TEXT, "to_portal": "1", "submission_key": "k"}),
        ("entry", {"text": "Called the supplier", "is_decision": "1"}),
        ("line", {"line": "event-1", "text": "It began", "anchor": "timeline"}),
        ("review", {"overview": "a", "findings": "b", "resolution": "c", "edition": "0"}),
    ):
        assert send(lena, incident, deed, **fields).status_code == 303, deed
    assert MajorUpdate.objects.count() == 1
    assert MajorStakeholder.objects.count() == 2
    row = MajorStakeholder.objects.get(team=None)
    assert send(lena, incident, "no-stakeholder", stakeholder=row.public_id).status_code == 303
    page = shown(lena, incident)
    for words in ("400 people", "Ben Example", "Called the supplier", "It began", "Decision log", "We know:"):
        assert words in page
    resolve(Incident.objects.get(), actor=as_(cast.anna), **FIXED)
    done = {"overview": "a", "findings": "b", "resolution": "c", "edition": "1", "do": "finish"}
    assert send(lena, incident, "review", **done).status_code == 303
    assert MajorReview.objects.get().done_at is not None
    assert "Take the review up again" in shown(lena, incident)
    assert send(lena, incident, "review-again").status_code == 303


def test_what_was_refused_comes_back_with_what_was_typed(cast: Cast, lena: Client) -> None:
    major = major_of(cast)
    answer = send(lena, major, "update", headline="", text="Typed <b>words</b>", to_portal="1")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Typed &lt;b&gt;words&lt;/b&gt;" in page
    for deed, fields, status in (
        ("plan", {"cadence_minutes": "2"}, 422),
        ("role", {"role": "scribe"}, 422),
        ("role", {"role": "\x00", "person": "nobody"}, 400),
        ("stakeholder", {}, 422),
        ("stakeholder", {"team": "nothing"}, 422),
        ("call", {"rota": "99999999999"}, 422),
        ("call", {"rota": "7"}, 422),
        ("entry", {"text": " "}, 422),
        ("entry", {"text": "x", "at": "yesterday"}, 422),
        ("line", {"line": "event-x", "text": "x"}, 422),
        ("line", {"line": "event-1", "text": "x", "seen": "something else"}, 409),
        ("review", {"overview": "x", "edition": "7"}, 409),
        ("propose", WHY, 409),
        ("accept", {**ACCEPTED, "version": "99"}, 409),
        ("demote", {"reason": "x" * 10_000}, 422),
        ("explode", {}, 404),
    ):
        assert send(lena, major, deed, **fields).status_code == status, (deed, fields)
    stale = send(lena, major, "review", overview="Typed long", edition="7").content.decode()
    assert "Typed long" in stale
    assert not MajorEntry.objects.exists()
    assert not MajorUpdate.objects.exists()


def test_requesters_see_nothing_of_it(cast: Cast, signed_in: Any) -> None:
    major = major_of(cast)
    for person in (cast.rita, cast.rolf):
        client = signed_in(person)
        assert client.get(reverse("incidents:majors")).status_code == 404
        assert client.get(reverse("incidents:major", args=[major.number])).status_code == 404
        assert send(client, major, "update", **TEXT, to_portal="1").status_code == 404
    page = signed_in(cast.rita).get(reverse("portal:request", args=[major.number])).content.decode()
    for secret in ("400 people", "Bridge opened", "ajor incident", "Commander"):
        assert secret not in page


def test_the_list_has_what_is_to_be_done_first(cast: Cast, lena: Client) -> None:
    running, proposed = major_of(cast), propose(incident_of(cast), actor=as_(cast.anna), **WHY)
    page = lena.get(reverse("incidents:majors")).content.decode()
    assert (
        page.index("Running") < page.index(running.number) < page.index("Proposed, to be") < page.index(proposed.number)
    )


def test_the_page_asks_no_more_questions_the_more_happened(cast: Cast, lena: Client) -> None:
    major = major_of(cast)
    set_parent(incident_of(cast), major, actor=as_(cast.anna))
    shown(lena, major)
    with CaptureQueriesContext(connection) as few:
        shown(lena, major)
    for number in range(8):
        set_parent(incident_of(cast), major, actor=as_(cast.anna))
        send(lena, major, "entry", text=f"line {number}", is_decision="1")
        send(lena, major, "update", **TEXT, to_portal="1", submission_key=str(number))
    with CaptureQueriesContext(connection) as many:
        shown(lena, major)
    assert len(many) <= len(few) + 1


def test_the_same_over_the_api(cast: Cast) -> None:
    incident = incident_of(cast)
    there = f"/api/v1/incidents/{incident.number}/major/"
    anna, lena = Caller(cast.anna), Caller(cast.lena)
    assert anna.get(there).status_code == 404
    assert anna.post(there + "propose/", WHY).status_code == 200
    assert anna.get(there).json()["state"] == "proposed"
    assert lena.post(there + "accept/", {"impact": "x"}).status_code == 422
    accepted = lena.post(there + "accept/", {**ACCEPTED, "commander": "ben@example.com"}).json()
    assert (accepted["state"], accepted["impact"]) == ("accepted", ACCEPTED["impact"])
    assert accepted["roles"][0]["role"] == "commander"
    assert accepted["next_update_at"]
    assert lena.post(there + "updates/", TEXT).status_code == 422
    assert lena.post(there + "updates/", {**TEXT, "to_requesters": True}).status_code == 201
    assert len(lena.get(there + "updates/").json()["results"]) == 1
    assert Comment.objects.filter(body__contains=TEXT["text"]).count() == 1
    assert lena.post(there + "accept/", {**ACCEPTED, "version": 1}).status_code == 409
    assert lena.post(there + "demote/", WHY).json()["state"] == "demoted"
    assert json.dumps(Caller(cast.rita).get(f"/api/v1/incidents/{incident.number}/").json()).count("major") == 0
    assert MajorIncident.objects.count() == 1
