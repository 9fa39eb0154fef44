"""Who else has a ticket open: in words on its page, as a dot in the queue; never for requesters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from incidents.models import Incident
from itsm.desk import presence
from tests.cast import Cast

HX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    presence._asked_again_at = 0.0


def page(incident: Incident, tail: str = "") -> str:
    return f"/desk/incidents/{incident.number}/{tail}"


def pulse(client: Client, incident: Incident, doing: str, shown: str = "") -> Any:
    incident.refresh_from_db()
    seen = f"{incident.version}.{incident.event_seq}"
    return client.get(page(incident, f"pulse/?seen={seen}&doing={doing}&shown={shown}"), headers=HX)


def token(answer: Any) -> str:
    return str(answer.content.decode().partition('name="shown" value="')[2].partition('"')[0])


def test_people_see_each_other_view_write_and_leave(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    first = anna.get(page(incident)).content.decode()
    assert "is viewing" not in first
    assert "Anna Example is viewing this" in ben.get(page(incident)).content.decode()
    for doing, words in (
        ("view", "Ben Example is viewing this"),
        ("reply", "Ben Example is writing a reply"),
        ("note", "Ben Example is writing a note"),
        ("idle", "Ben Example has this open, away"),
        ("nonsense", "Ben Example is viewing this"),
    ):
        pulse(ben, incident, doing)
        news = pulse(anna, incident, "view")
        assert news.status_code == 200
        assert words in news.content.decode()
        assert 'id="timeline"' not in news.content.decode()  # the people alone
        assert pulse(anna, incident, "view", token(news)).status_code == 204
    # Repeated above the composer while somebody writes, and only then.
    pulse(ben, incident, "reply")
    assert pulse(anna, incident, "view").content.decode().count("Ben Example is writing a reply") == 3
    pulse(ben, incident, "view")
    assert ben.post("/drafts/leave/", {"ref": incident.public_id}).status_code == 204
    assert pulse(anna, incident, "view").status_code == 204


def test_a_browser_that_falls_silent_is_forgotten(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    ben.get(page(incident))
    server = Redis.from_url(settings.REDIS_URL)
    key = presence.PREFIX + incident.public_id
    assert 0 < server.ttl(key) <= presence.IDLE_FORGOTTEN_AFTER_S
    people = json.loads(server.get(key))  # type: ignore[arg-type]
    now = server.time()[0]  # type: ignore[index]
    state, until, name = people[cast.ben.public_id]
    assert (state, name) == ("view", "Ben Example")
    assert until <= now + presence.FORGOTTEN_AFTER_S
    server.set(key, json.dumps({cast.ben.public_id: [state, now - 1, name]}))
    assert "Ben Example is viewing" not in anna.get("/desk/queue/").content.decode()
    assert "Ben Example" not in presence_of(anna.get(page(incident)))


def presence_of(answer: Any) -> str:
    return str(answer.content.decode().partition('id="ticket-presence"')[2].partition("</div>")[0])


def test_the_queue_shows_a_dot_for_what_others_have_open(
    cast: Cast, anna: Client, ben: Client, incident: Incident
) -> None:
    before = anna.get("/desk/queue/").content.decode()
    mark = before.partition('data-token="')[2].partition('"')[0]
    assert "q-dot" not in before
    ben.get(page(incident))
    assert anna.get(f"/desk/queue/live/?token={mark}").status_code == 200
    shown = anna.get("/desk/queue/").content.decode()
    assert "Open at: Ben Example" in shown
    assert "q-dot" not in ben.get("/desk/queue/").content.decode()  # his own


def test_requesters_see_nothing_and_show_nothing(
    cast: Cast, anna: Client, ben: Client, rita: Client, incident: Incident
) -> None:
    pulse(ben, incident, "reply")
    shown = rita.get(f"/requests/{incident.number}/").content.decode()
    assert "Ben Example" not in shown
    assert rita.get(page(incident, "pulse/")).status_code == 404
    assert "Rita Example" not in presence_of(anna.get(page(incident)))


def test_without_valkey_nobody_is_shown_and_all_works(
    cast: Cast, anna: Client, ben: Client, incident: Incident, broken_valkey: None
) -> None:
    ben.get(page(incident))
    answer = anna.get(page(incident))
    assert answer.status_code == 200
    assert "Ben Example" not in presence_of(answer)
    assert pulse(anna, incident, "view").status_code == 204
    assert anna.get("/desk/queue/").status_code == 200
    assert anna.post("/drafts/leave/", {"ref": incident.public_id}).status_code == 204
