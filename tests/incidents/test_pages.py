"""The agent's ticket page: who gets in, what it shows, how many queries it takes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import close, hold, open_incident, reply, resolve, start
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import link, store_upload, update, watch
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.markdown import render_markdown
from itsm.tickets.models import Visibility
from tests.cast import Cast, as_
from tests.slas.conftest import make_levels

HX = {"HX-Request": "true"}
READS = ["", "preview/", "pulse/", "history/", "moves/resolve/", "priority/", "edit/title/", "edit/description/"]
WRITES = ["comments/", "moves/start/", "priority/", "edit/team/", "take/", "links/", "watchers/"]
# Twelve of the page, one of drafts and held replies; tasks three (its form offers people and teams), problems two, the
# family and majors one each.
QUERIES = 20


def page(incident: Incident, tail: str = "") -> str:
    return reverse("incidents:detail", args=[incident.number]) + tail


@pytest.mark.parametrize("tail", READS)
def test_only_the_desk_reads(
    cast: Cast, incident: Incident, signed_in: Callable[[User], Client], client: Client, tail: str
) -> None:
    login = client.get(page(incident, tail))
    assert login.status_code == 302
    assert login["Location"].startswith("/accounts/login/?next=/desk/incidents/")
    assert client.get(page(incident, tail), headers=HX).status_code == 401
    for person in (cast.rita, cast.rosa, cast.rolf):
        assert signed_in(person).get(page(incident, tail)).status_code == 404
    for person in (cast.anna, cast.carl, cast.lena, cast.sven, cast.olaf, cast.ada):
        code = signed_in(person).get(page(incident, tail)).status_code
        reads_only = person == cast.olaf and tail == "moves/resolve/"
        assert code == (403 if reads_only else 200), (person, tail)


@pytest.mark.parametrize("tail", WRITES)
def test_only_agents_write(
    cast: Cast, incident: Incident, signed_in: Callable[[User], Client], client: Client, tail: str
) -> None:
    form = {
        "body": "x",
        "visibility": "internal",
        "team": "",
        "priority": "1",
        "reason": "x",
        "number": incident.number,
    }
    head = (incident.version, incident.event_seq)
    assert client.post(page(incident, tail), form).status_code == 302
    for person, expected in ((cast.rita, 404), (cast.rolf, 404), (cast.olaf, 403)):
        # An auditor who names no ticket to link is told about the number first.
        code = 422 if tail == "links/" and person == cast.olaf else expected
        assert signed_in(person).post(page(incident, tail), form).status_code == code, person
    incident.refresh_from_db()
    assert (incident.version, incident.event_seq) == head


def test_a_form_needs_its_token(cast: Cast, incident: Incident) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.anna, backend="itsm.accounts.backends.RoleBackend")
    assert strict.post(page(incident, "take/")).status_code == 403
    incident.refresh_from_db()
    assert incident.assignee is None


@pytest.mark.parametrize("ref", ["INC9999999", "nothing", "0" * 32, "x" * 500, "INC0010001%00", "%ff", "..%2f"])
def test_what_is_not_there_is_not_found(anna: Client, ref: str) -> None:
    assert anna.get(f"/desk/incidents/{ref}/").status_code == (400 if "%00" in ref else 404)


def test_the_page_is_found_by_number_and_by_public_id(anna: Client, incident: Incident) -> None:
    for ref in (incident.number, incident.number.lower(), incident.public_id):
        assert incident.title in anna.get(f"/desk/incidents/{ref}/").content.decode()


def test_the_page_shows_the_incident(cast: Cast, anna: Client, incident: Incident) -> None:
    other = open_incident(actor=as_(cast.rita), title="Printer", service=cast.mail)
    link(incident, other, "blocked_by", actor=as_(cast.anna))
    watch(incident, cast.ben, actor=as_(cast.anna))
    start(incident, actor=as_(cast.anna))
    reply(incident, "Please *restart* it.", actor=as_(cast.anna))
    reply(incident, "The tunnel is old.", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    html = anna.get(page(incident)).content.decode()
    for expected in (
        "It <strong>always</strong> drops at noon.",
        "Please <em>restart</em> it.",
        "The tunnel is old.",
        "Work note",
        "routed to Network by rule",
        "In progress",
        other.number,
        "Blocked by",
        "Ben Example",
        "Northwind",
        "1 other",
        'data-hotkey="E"',
        'name="resolution_notes"',
    ):
        assert expected in html, expected
    assert "Blocks" in anna.get(page(other)).content.decode()
    assert html.count("<h1") == 1


def test_markup_of_strangers_stays_text(cast: Cast, anna: Client) -> None:
    evil = '<img src=x onerror=alert(1)> <script>alert(1)</script> <b hx-get="/x" style="a:b">b</b>'
    incident = open_incident(actor=as_(cast.rita), title=evil[:150], description=evil)
    reply(incident, evil, actor=as_(cast.rita, Channel.PORTAL))
    for tail in ("", "preview/", "history/", "moves/resolve/"):
        html = anna.get(page(incident, tail)).content.decode()
        assert "<img" not in html
        assert "<script>alert" not in html
        assert "<b hx" not in html
        assert 'href="javascript:' not in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("see https://a.example/x(1).", 'href="https://a.example/x(1)"'),
        ("(https://a.example/b)", 'href="https://a.example/b"'),
        ("write to help@a.example!", 'href="mailto:help@a.example"'),
        ("# Big", "<strong>Big</strong>"),
        ("one\ntwo", "one<br>"),
        ("a https://a.example b", 'rel="nofollow noopener noreferrer"'),
    ],
)
def test_markdown_as_people_write_it(text: str, html: str) -> None:
    assert html in render_markdown(text)


@pytest.mark.parametrize(
    "text",
    [
        "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](data:text/html,x)", "![a](https://a.example/p.png)",
        "<svg onload=alert(1)>", '<a href="x" hx-get="/y">z</a>', "<div data-hx-get='/x'>", "ftp://a.example/x",
        "[a](vbscript:x)", "<https://a.example/\" onclick=\"x>",
    ],
)  # fmt: skip
def test_markdown_lets_nothing_through(text: str) -> None:
    html = str(render_markdown(text))
    tags = re.findall(r"<\s*(\w+)([^>]*)>", html)
    assert {name for name, _attributes in tags} <= {"p", "a"}
    for _name, attributes in tags:
        assert not re.search(r"\bon\w+=|hx-|style=|javascript:|data:|vbscript:", attributes.lower())


@pytest.mark.parametrize(
    "piece", ["[", "*a ", "a@", "> ", "`", "|a", "- ", "![", "_a", "<", "&", "x.x", "http://", "(("]
)
def test_markdown_takes_hostile_text_in_its_stride(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    with CaptureTime() as spent:
        render_markdown(text)
    assert spent.seconds < 60  # a reader that goes back over its text would take many minutes


def test_tables_do_not_grow_beyond_what_was_written() -> None:
    small = "a | b\n--|--\n1\n\n"
    assert render_markdown(small * 3).count("<table>") == 3
    wide = "|".join("a" * 256) + "\n" + "|".join("-" * 256) + "\n" + "x\n" * 256 + "\n"
    html = str(render_markdown(small + wide * 60))
    assert html.count("<table>") == 1
    assert len(html) < 200_000


class CaptureTime:
    """How much processor time a block took: what else the machine does must not fail a test."""

    def __enter__(self) -> CaptureTime:
        self.begun = time.process_time()
        return self

    def __exit__(self, *_details: object) -> None:
        self.seconds = time.process_time() - self.begun


def _grow(incident: Incident, cast: Cast, times: int) -> None:
    for at in range(times):
        files = (store_upload(SimpleUploadedFile(f"{at}.log", b"log")),) if at % 3 == 0 else ()
        reply(incident, f"Message {at}", actor=as_(cast.rita, Channel.PORTAL), files=files)
        reply(incident, f"Note {at}", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
        update(incident, {"urgency": 1 + at % 3}, actor=as_(cast.lena))


@pytest.mark.parametrize("tail", ["", "preview/", "pulse/"])
def test_the_number_of_queries_does_not_grow(cast: Cast, anna: Client, incident: Incident, tail: str) -> None:
    watch(incident, cast.ben, actor=as_(cast.anna))
    counts = []
    for times in (5, 55):
        _grow(incident, cast, times)
        with CaptureQueriesContext(connection) as taken:
            assert anna.get(page(incident, tail)).status_code == 200
        counts.append(len(taken))
    assert counts[0] == counts[1]
    assert counts[0] <= QUERIES


def test_a_pulse_without_news_is_cheap(anna: Client, incident: Incident) -> None:
    with CaptureQueriesContext(connection) as taken:
        quiet = anna.get(page(incident, f"pulse/?seen={incident.version}.{incident.event_seq}"), headers=HX)
    assert quiet.status_code == 204
    assert len(taken) <= 3


def test_a_pulse_with_news_leaves_the_composer_alone(cast: Cast, anna: Client, incident: Incident) -> None:
    seen = f"{incident.version}.{incident.event_seq}"
    reply(incident, "Any news?", actor=as_(cast.rita, Channel.PORTAL))
    news = anna.get(page(incident, f"pulse/?seen={seen}"), headers=HX)
    html = news.content.decode()
    assert news.status_code == 200
    assert "Any news?" in html
    assert 'id="ticket-head"' in html
    assert 'id="composer-slot"' not in html
    incident.refresh_from_db()
    assert f"seen={incident.version}.{incident.event_seq}" in html


def test_long_runs_of_events_are_folded(cast: Cast, anna: Client, incident: Incident) -> None:
    for urgency in (1, 2, 1, 2, 1, 2, 1):
        update(incident, {"urgency": urgency}, actor=as_(cast.anna))
    assert "7 more events" in anna.get(page(incident)).content.decode()


def test_times_are_shown_in_the_viewers_zone(
    cast: Cast, signed_in: Callable[[User], Client], incident: Incident
) -> None:
    Incident.objects.filter(pk=incident.pk).update(opened_at=incident.opened_at.replace(hour=20) - timedelta(days=3))
    incident.refresh_from_db()
    cast.anna.time_zone = "Asia/Tokyo"
    cast.anna.save()
    html = signed_in(cast.anna).get(page(incident)).content.decode()
    assert (incident.opened_at + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M+09:00") in html


def test_service_levels_are_shown_and_a_pause_says_so(cast: Cast, anna: Client) -> None:
    make_levels()
    incident = open_incident(actor=as_(cast.rita), title="The vpn drops")
    assert "data-sla" in anna.get(page(incident)).content.decode()
    hold(incident, actor=as_(cast.anna), hold_reason="awaiting_vendor")
    assert "Paused" in anna.get(page(incident)).content.decode()


def test_history_shows_old_and_new_values_and_the_road(cast: Cast, anna: Client, incident: Incident) -> None:
    update(incident, {"urgency": 1}, actor=as_(cast.anna, Channel.API))
    reply(incident, "secret", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    html = anna.get(page(incident, "history/")).content.decode()
    assert "urgency: <s>Low</s> → <b>High</b>" in html
    assert "API" in html
    assert "wrote a work note" in html


def test_a_long_history_is_paged(cast: Cast, anna: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itsm.desk.history.ON_A_PAGE", 3)
    for urgency in (1, 2, 1, 2):
        update(incident, {"urgency": urgency}, actor=as_(cast.anna))
    first = anna.get(page(incident, "history/")).content.decode()
    assert re.findall(r'id="event-(\d+)"', first) == ["5", "4", "3"]
    second = anna.get(page(incident, "history/?before=3")).content.decode()
    assert re.findall(r'id="event-(\d+)"', second) == ["2", "1"]
    assert "Older events" not in second
    assert anna.get(page(incident, "history/?before=" + "9" * 40)).status_code == 200


def test_a_long_conversation_shows_its_end_and_on_request_all(cast: Cast, anna: Client, incident: Incident) -> None:
    _grow(incident, cast, 20)
    short = anna.get(page(incident)).content.decode()
    assert "It <strong>always</strong> drops" in short
    assert "Message 19" in short
    assert "Message 0<" not in short
    assert "Show 21 earlier entries" in short
    address = f"http://testserver{page(incident)}?all=1"
    for whole in (
        anna.get(page(incident, "?all=1")),
        anna.get(page(incident, "pulse/"), headers={**HX, "HX-Current-URL": address}),
        anna.post(page(incident, "take/"), headers={**HX, "HX-Current-URL": address}),
    ):
        assert "Message 0<" in whole.content.decode()
    assert anna.get(page(incident, "?" + "a&" * 900)).status_code == 200


def test_choices_are_searched(cast: Cast, anna: Client) -> None:
    def found(what: str, text: str) -> list[str]:
        return [row["text"] for row in anna.get(f"/desk/incidents/choices/{what}.json", {"q": text}).json()]

    assert found("assignee", "ann") == ["Anna Example"]
    assert found("assignee", "rita") == []
    assert found("person", "rita") == ["Rita Example"]
    assert found("team", "NET") == ["Network"]
    assert found("service", "mail") == ["E-mail"]
    assert found("category", "print") == ["Hardware / Printers"]
    assert found("category", "%") == []
    assert anna.get("/desk/incidents/choices/secrets.json").status_code == 404


def test_an_ended_incident_takes_notes_only(cast: Cast, anna: Client, incident: Incident) -> None:
    resolve(incident, actor=as_(cast.anna), resolution_code="solution_provided", resolution_notes="Done.")
    close(incident, actor=SYSTEM)
    html = anna.get(page(incident)).content.decode()
    assert "Work note" in html
    assert "Reply to" not in html
    assert "prop-team" not in html
    assert "Solution provided" in html
