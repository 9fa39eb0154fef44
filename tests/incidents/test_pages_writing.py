"""Writing from the ticket page: moves, the composer, one property at a time; with htmx and without."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.actions import open_incident, reply
from incidents.models import Incident
from incidents.statuses import MOVES, Status
from itsm.desk import sending
from itsm.tickets.actions import update
from itsm.tickets.actors import Channel
from itsm.tickets.models import Attachment, Comment, TicketEvent, Visibility
from itsm.tickets.moves import legal_moves
from tests.cast import Cast, as_
from tests.incidents.pages import HX, LONG, ROADS, events, in_status, ok, url
from tests.incidents.test_lifecycle import FIELDS, LEGAL


@ROADS
@pytest.mark.parametrize("move", list(MOVES))
@pytest.mark.parametrize("status", Status.values)
def test_every_move_from_every_status(
    cast: Cast, anna: Client, status: str, move: str, headers: dict[str, str]
) -> None:
    incident = in_status(cast, status)
    before = events(incident)
    asked = anna.get(url(incident, "move", move))
    answer = anna.post(url(incident, "move", move), {**FIELDS[move], "version": incident.version}, headers=headers)
    incident.refresh_from_db()
    if (status, move) in LEGAL:
        assert asked.status_code == 200
        assert answer.status_code == ok(headers)
        assert incident.status == LEGAL[status, move]
    else:
        assert asked.status_code == 409
        assert answer.status_code == 409
        assert "is not possible while the ticket is" in answer.content.decode()
        assert (incident.status, events(incident)) == (status, before)


def test_the_page_offers_just_the_legal_moves(cast: Cast, anna: Client) -> None:
    for status in Status.values:
        incident = in_status(cast, status)
        html = anna.get(url(incident, "detail")).content.decode()
        legal = {move.name for move in legal_moves(incident, as_(cast.anna))}
        assert {name for name in MOVES if f'action="{url(incident, "move", name)}"' in html} == legal


@ROADS
def test_missing_fields_come_back_in_words_with_the_rest(anna: Client, incident: Incident, headers: dict) -> None:
    sent = {"resolution_code": "no_such_code", "resolution_notes": "  half a sentence"}
    answer = anna.post(url(incident, "move", "resolve"), sent, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose one of: solution_provided" in html
    assert "half a sentence" in html
    assert ("data-dialog-open" in html) == bool(headers)
    assert ("<!doctype" in html) != bool(headers)


@ROADS
def test_a_stale_move_shows_what_is_new_and_keeps_the_text(
    cast: Cast, anna: Client, incident: Incident, headers: dict
) -> None:
    sent = {**FIELDS["resolve"], "version": incident.version, "seen": incident.event_seq}
    reply(incident, "It works again, thank you!", actor=as_(cast.rita, Channel.PORTAL))
    answer = anna.post(url(incident, "move", "resolve"), sent, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed this ticket" in html
    assert "It works again, thank you!" in html
    assert "Replaced the cable." in html
    assert "Try again" in html
    incident.refresh_from_db()
    assert incident.status == Status.NEW
    again = anna.post(url(incident, "move", "resolve"), {**sent, "version": incident.version}, headers=headers)
    assert again.status_code == ok(headers)


def test_a_move_made_twice_is_made_once(anna: Client, incident: Incident) -> None:
    sent = {**FIELDS["resolve"], "version": incident.version}
    codes = [anna.post(url(incident, "move", "resolve"), sent).status_code for _ in "ab"]
    assert codes == [303, 409]
    assert TicketEvent.objects.filter(ticket=incident, code="incident.resolved").count() == 1


@pytest.mark.parametrize("version", ["x", "-1", "9" * 30, "1.5"])
def test_a_version_that_is_no_number_is_explained(anna: Client, incident: Incident, version: str) -> None:
    answer = anna.post(url(incident, "move", "start"), {"version": version})
    assert answer.status_code == 422
    assert "This page is out of date" in answer.content.decode()


def test_there_is_no_such_move(anna: Client, incident: Incident) -> None:
    assert anna.get(url(incident, "move", "explode")).status_code == 404
    assert anna.post(url(incident, "move", "explode")).status_code == 404


# The composer


@ROADS
def test_a_reply_and_a_note(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    for visibility, body in (("public", "Hello Rita"), ("internal", "Between us")):
        answer = anna.post(url(incident, "comment"), {"body": body, "visibility": visibility}, headers=headers)
        assert answer.status_code == ok(headers)
        if headers:
            assert 'id="composer-slot"' in answer.content.decode()
            assert body in answer.content.decode()
            assert json.loads(answer["HX-Trigger"])["toast"]["level"] == "success"
        written = Comment.objects.get(body=body)
        assert (written.visibility, written.author, written.channel) == (visibility, cast.anna, Channel.DESK)
    assert not Comment.objects.visible_to(cast.rita).filter(body="Between us").exists()


@ROADS
@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"body": "", "visibility": "public"}, "This cannot be empty"),
        ({"body": "   \n ", "visibility": "internal"}, "This cannot be empty"),
        ({"body": LONG, "visibility": "public"}, "at most 100000 fit"),
        ({"body": "Hi", "visibility": "secret"}, "Choose “public” or “internal”"),
        ({"body": "Hi", "visibility": "public", "then": "explode"}, "Choose one of the ways to send"),
        ({"body": "Hi", "visibility": "public", "seen": "many"}, "This page is out of date"),
        ({"body": "Hi", "visibility": "public", "submission_key": "k" * 500}, "This page is out of date"),
        ({"body": "", "visibility": "public", "then": "hold"}, "Please fill in: Message to the requester"),
    ],
)
def test_what_cannot_be_sent_comes_back(
    anna: Client, incident: Incident, headers: dict, form: dict, words: str
) -> None:
    before = events(incident)
    answer = anna.post(url(incident, "comment"), form, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert words in html
    assert form["body"].strip() in html
    assert events(incident) == before
    assert not Comment.objects.exists()


@pytest.mark.parametrize("body", ["a\x00b", "\x00"])
@ROADS
def test_nul_is_refused_before_it_gets_anywhere(anna: Client, incident: Incident, headers: dict, body: str) -> None:
    answer = anna.post(url(incident, "comment"), {"body": body, "visibility": "public"}, headers=headers)
    assert answer.status_code == 400
    broken = anna.post(
        url(incident, "comment"), b"visibility=public&body=%ff%fe", "application/x-www-form-urlencoded", headers=headers
    )
    assert broken.status_code == 400
    assert not Comment.objects.exists()


@ROADS
def test_a_reply_is_held_back_while_there_is_news(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    seen = incident.event_seq
    reply(incident, "Never mind, it works.", actor=as_(cast.rita, Channel.PORTAL))
    reply(incident, "Say nothing yet: security looks at it", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
    form = {"body": "Try this", "visibility": "public", "seen": seen, "submission_key": "k1"}
    held = anna.post(url(incident, "comment"), form, headers=headers)
    html = held.content.decode()
    assert held.status_code == 409
    assert "Rita Example, Ben Example wrote while you were writing" in html
    assert html.count("Never mind, it works.") >= 1
    assert "Say nothing yet" in html
    assert "Send anyway" in html
    assert ">\nTry this</textarea>" in html
    assert not Comment.objects.filter(body="Try this").exists()
    sent = anna.post(url(incident, "comment"), {**form, "force": "1"}, headers=headers)
    assert sent.status_code == ok(headers)
    assert Comment.objects.filter(body="Try this").count() == 1


def test_news_between_the_look_and_the_sending_is_noticed(
    cast: Cast, anna: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    look = sending.unseen_messages

    def looked(*given: Any) -> list[Comment]:
        found = look(*given)
        if not looks:
            reply(incident, "In the last moment", actor=as_(cast.rita, Channel.PORTAL))
        looks.append(len(found))
        return found

    monkeypatch.setattr(sending, "unseen_messages", looked)
    form = {"body": "Try this", "visibility": "public", "seen": incident.event_seq}
    answer = anna.post(url(incident, "comment"), form, headers=HX)
    assert answer.status_code == 409
    assert "In the last moment" in answer.content.decode()
    assert not Comment.objects.filter(body="Try this").exists()


def test_other_changes_do_not_hold_a_reply_back(cast: Cast, anna: Client, incident: Incident) -> None:
    seen = incident.event_seq
    update(incident, {"urgency": 1}, actor=as_(cast.ben))
    reply(incident, "My own", actor=as_(cast.anna))
    form = {"body": "Goes out", "visibility": "public", "seen": seen}
    assert anna.post(url(incident, "comment"), form).status_code == 303


@ROADS
def test_a_note_is_held_back_by_a_colleagues_note_alone(
    cast: Cast, anna: Client, incident: Incident, headers: dict
) -> None:
    seen = incident.event_seq
    reply(incident, "News", actor=as_(cast.rita, Channel.PORTAL))
    form = {"body": "A note", "visibility": "internal", "seen": seen}
    assert anna.post(url(incident, "comment"), form, headers=headers).status_code == ok(headers)
    reply(incident, "It is the certificate", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
    form["body"] = "Looks like the certificate"
    held = anna.post(url(incident, "comment"), form, headers=headers)
    assert held.status_code == 409
    assert "Ben Example wrote while you were writing" in held.content.decode()
    assert ">\nLooks like the certificate</textarea>" in held.content.decode()
    assert anna.post(url(incident, "comment"), {**form, "force": "1"}, headers=headers).status_code == ok(headers)


@ROADS
def test_a_move_waits_until_a_colleagues_note_is_read(
    cast: Cast, anna: Client, incident: Incident, headers: dict
) -> None:
    sent = {**FIELDS["resolve"], "version": incident.version, "seen": incident.event_seq}
    reply(incident, "Wait, it is not the cable", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
    update(incident, {"urgency": 1}, actor=as_(cast.ben))
    answer = anna.post(url(incident, "move", "resolve"), sent, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Wait, it is not the cable" in html
    assert "urgency: <s>Low</s> High" in html
    assert "Replaced the cable." in html
    again = {**sent, "version": incident.version, "seen": incident.event_seq}
    incident.refresh_from_db()
    again |= {"version": incident.version, "seen": incident.event_seq}
    assert anna.post(url(incident, "move", "resolve"), again, headers=headers).status_code == ok(headers)


@pytest.mark.parametrize("then", ["", "hold", "resolve"])
def test_a_double_click_sends_once(cast: Cast, anna: Client, incident: Incident, then: str) -> None:
    form = {"body": "Once", "visibility": "public", "then": then, "submission_key": "k1", "seen": incident.event_seq}
    files = {"files": SimpleUploadedFile("a.log", b"log")} if not then else {}
    first = anna.post(url(incident, "comment"), {**form, **files})
    files = {"files": SimpleUploadedFile("a.log", b"log")} if not then else {}
    assert anna.post(url(incident, "comment"), {**form, **files}).status_code == first.status_code == 303
    assert Comment.objects.filter(body="Once").count() == 1
    assert Attachment.objects.count() == (0 if then else 1)


def test_one_key_serves_two_incidents(cast: Cast, anna: Client, incident: Incident) -> None:
    other = open_incident(actor=as_(cast.rita), title="Printer")
    for one in (incident, other):
        form = {"body": "Hi", "visibility": "public", "submission_key": "k1"}
        assert anna.post(url(one, "comment"), form).status_code == 303
    assert Comment.objects.count() == 2


@ROADS
def test_send_and_wait_holds_with_that_message(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    form = {
        "body": "Which cable?", "visibility": "public", "then": "hold", "seen": incident.event_seq,
        "files": SimpleUploadedFile("cables.txt", b"red, blue"),
    }  # fmt: skip
    assert anna.post(url(incident, "comment"), form, headers=headers).status_code == ok(headers)
    incident.refresh_from_db()
    assert (incident.status, incident.hold_reason) == ("on_hold", "awaiting_caller")
    assert Comment.objects.get().body == "Which cable?"
    assert Attachment.objects.get().visibility == "public"
    assert "cables.txt" in anna.get(url(incident, "detail")).content.decode()


def test_send_and_resolve_asks_for_the_rest(anna: Client, incident: Incident) -> None:
    form = {"body": "I replaced it.", "visibility": "public", "then": "resolve"}
    plain = anna.post(url(incident, "comment"), form)
    assert plain["Location"] == url(incident, "move", "resolve")
    html = anna.post(url(incident, "comment"), form, headers=HX).content.decode()
    assert html.count("data-dialog-open") == 1
    assert "I replaced it.</textarea>" in html
    incident.refresh_from_db()
    assert incident.status == Status.NEW


def test_files_travel_with_the_message_and_refused_ones_leave_nothing(
    cast: Cast, anna: Client, incident: Incident, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path

    def stored() -> int:
        return sum(1 for path in tmp_path.rglob("*") if path.is_file())

    form = {"body": "See", "visibility": "internal", "files": [SimpleUploadedFile("a.txt", b"a")]}
    assert anna.post(url(incident, "comment"), form).status_code == 303
    assert (Attachment.objects.get().visibility, stored()) == ("internal", 1)
    assert not Attachment.objects.visible_to(cast.rita).exists()
    empty = {**form, "files": [SimpleUploadedFile("b.txt", b"b"), SimpleUploadedFile("c.txt", b"")]}
    refused = anna.post(url(incident, "comment"), empty)
    assert (refused.status_code, stored()) == (422, 1)
    assert "is empty" in refused.content.decode()
    many = {**form, "files": [SimpleUploadedFile(f"{at}.txt", b"x") for at in range(11)]}
    assert (anna.post(url(incident, "comment"), many).status_code, stored()) == (422, 1)
    wrong = {**form, "visibility": "nobody", "files": [SimpleUploadedFile("d.txt", b"d")]}
    assert (anna.post(url(incident, "comment"), wrong).status_code, stored()) == (422, 1)


def test_the_desk_cannot_reply_after_the_end(cast: Cast, anna: Client) -> None:
    incident = in_status(cast, "cancelled")
    answer = anna.post(url(incident, "comment"), {"body": "Too late", "visibility": "public"}, headers=HX)
    assert answer.status_code == 409
    assert "Write a work note" in answer.content.decode()
    assert "Too late" in answer.content.decode()


# One property at a time
