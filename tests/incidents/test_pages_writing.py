"""Writing from the ticket page: moves, the composer, one property at a time; with htmx and without."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from incidents import sending
from incidents.actions import hold, open_incident, perform, reply
from incidents.models import Incident
from incidents.statuses import MOVES, Status
from itsm.accounts.models import User
from itsm.tickets.actions import assign, link, update
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.models import Attachment, Comment, Link, TicketEvent, Visibility
from itsm.tickets.moves import legal_moves
from tests.cast import Cast, as_
from tests.incidents.test_lifecycle import FIELDS, LEGAL

HX = {"HX-Request": "true"}
ROADS = pytest.mark.parametrize("headers", [{}, HX], ids=["plain", "htmx"])
LONG = "x" * 100_001


def url(incident: Incident, name: str, *args: Any) -> str:
    return reverse(f"incidents:{name}", args=[incident.number, *args])


def events(incident: Incident) -> int:
    return TicketEvent.objects.filter(ticket=incident).count()


def ok(headers: dict[str, str]) -> int:
    return 200 if headers else 303


def in_status(cast: Cast, status: str) -> Incident:
    """Return an incident that got to the status by moves."""
    incident = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="The vpn drops")
    roads = {"new": (), "in_progress": ("start",), "on_hold": ("hold",), "resolved": ("resolve",),
             "closed": ("resolve", "close"), "cancelled": ("cancel",)}  # fmt: skip
    for move in roads[status]:
        incident = perform(incident, move, actor=as_(cast.anna), fields=FIELDS[move])
    return incident


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
    assert answer.status_code in {400, 422}
    broken = anna.post(
        url(incident, "comment"), b"visibility=public&body=%ff%fe", "application/x-www-form-urlencoded", headers=headers
    )
    assert broken.status_code in {400, 422}
    assert not Comment.objects.exists()


@ROADS
def test_a_reply_is_held_back_while_there_is_news(cast: Cast, anna: Client, incident: Incident, headers: dict) -> None:
    seen = incident.event_seq
    reply(incident, "Never mind, it works.", actor=as_(cast.rita, Channel.PORTAL))
    reply(incident, "A note is no news", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
    form = {"body": "Try this", "visibility": "public", "seen": seen, "submission_key": "k1"}
    held = anna.post(url(incident, "comment"), form, headers=headers)
    html = held.content.decode()
    assert held.status_code == 409
    assert "Rita Example wrote while you were writing" in html
    assert html.count("Never mind, it works.") >= 1
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


def test_a_note_is_never_held_back(cast: Cast, anna: Client, incident: Incident) -> None:
    seen = incident.event_seq
    reply(incident, "News", actor=as_(cast.rita, Channel.PORTAL))
    form = {"body": "A note", "visibility": "internal", "seen": seen}
    assert anna.post(url(incident, "comment"), form).status_code == 303


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
