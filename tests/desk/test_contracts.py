"""What rooms hang on the ticket page: panels, properties, ways of sending; and the typed fields of moves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.desk import pages, panels, properties
from itsm.desk.answers import done
from itsm.desk.links import kind_url, ticket_url
from itsm.desk.panels import Panel, register_panel
from itsm.desk.properties import Property, register_property
from itsm.tickets.actions import update
from itsm.tickets.actors import Channel
from itsm.tickets.errors import Invalid
from itsm.tickets.moves import Move, MoveField, clean_fields
from itsm.tickets.rules import works_tickets
from itsm.tickets.values import clean_instant, local_text
from itsm.ui.words import Look, register_statuses
from tests.cast import Cast, as_

HX = {"HX-Request": "true"}


@pytest.fixture
def incident(cast: Cast) -> Incident:
    return open_incident(actor=as_(cast.rita, Channel.PORTAL), title="The vpn drops")


@pytest.fixture
def anna(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(cast.anna)


@pytest.fixture(autouse=True)
def clean_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "_panels", dict(panels._panels))
    monkeypatch.setattr(properties, "_own", {kind: dict(own) for kind, own in properties._own.items()})
    monkeypatch.setattr(pages, "_pages", dict(pages._pages))


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    find = Engine.get_template

    def found(engine: Engine, name: str) -> Any:
        if name != "test/panel.html":
            return find(engine, name)
        text = "<p>{{ said }} on {{ ticket.number }} by {{ panel.name }} {% if works %}works{% endif %}</p>"
        return Template(text, engine=engine)

    monkeypatch.setattr(Engine, "get_template", found)
    return iter(())


def test_a_panel_is_on_the_page_the_preview_and_in_each_refresh(
    cast: Cast, incident: Incident, anna: Client, templates: Any
) -> None:
    said: list[str] = ["<b>first</b>"]

    def context(request: HttpRequest, ticket: Any) -> dict[str, Any] | None:
        return {"said": said[-1], "count": 3} if said[-1] else None

    register_panel(Panel("plan", "Plan", "test/panel.html", context, kinds=("incident",), place="main"))
    register_panel(Panel("other", "Other", "test/panel.html", context, kinds=("problem",)))
    words = f"<p>&lt;b&gt;first&lt;/b&gt; on {incident.number} by plan works</p>"
    for page in ("detail", "preview"):
        html = anna.get(ticket_url(incident, page)).content.decode()
        assert words in html
        assert 'id="panel-plan"' in html
        assert '<span class="count">3</span>' in html
        assert "panel-other" not in html
    said.append("then")
    parts = anna.get(ticket_url(incident, "pulse") + "?seen=0.0", headers=HX).content.decode()
    [panel] = re.findall(r'<section id="panel-plan"[^>]*hx-swap-oob="true".*?</section>', parts, re.DOTALL)
    assert "then on" in panel
    said.append("")
    parts = anna.get(ticket_url(incident, "pulse") + "?seen=0.0", headers=HX).content.decode()
    [panel] = re.findall(r'<section id="panel-plan"[^>]*>(.*?)</section>', parts, re.DOTALL)
    assert panel == ""


def test_a_panels_own_view_answers_with_parts_or_the_page(cast: Cast, incident: Incident, rf: Any) -> None:
    class Htmx:
        history_restore_request = False
        current_url = ""

        def __init__(self, wanted: bool) -> None:
            self.wanted = wanted

        def __bool__(self) -> bool:
            return self.wanted

    def answer(wanted: bool) -> HttpResponse:
        request = rf.post("/")
        request.user, request.htmx = cast.anna, Htmx(wanted)
        request._messages = type("Messages", (), {"add": lambda *args: None})()
        return done(request, incident, "Saved")

    assert answer(True)["HX-Trigger"] == '{"toast": {"text": "Saved", "level": "success", "undo": "", "stays": 0}}'
    assert b'id="ticket-head"' in answer(True).content
    assert answer(False)["Location"] == f"/desk/incidents/{incident.number}/"


def set_external(ticket: Any, value: Any, *, actor: Any, version: int | None) -> Any:
    return update(ticket, {"external_id": value}, actor=actor, version=version)


def day(value: str) -> str:
    if value and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise Invalid({"wanted": "Write a date."})
    return value


def test_a_kinds_own_property_is_edited_like_the_others(cast: Cast, incident: Incident, anna: Client) -> None:
    def read(ticket: Any) -> str:
        return str(ticket.external_id)

    own = Property("wanted", "Wanted", read, read, day, set_external, input="date")
    register_property(own, kinds=("incident",))
    register_property(Property("hidden", "Hidden", read, read, day, set_external), kinds=("problem",))
    html = anna.get(ticket_url(incident)).content.decode()
    assert '<input class="form-control" type="date" id="prop-wanted" name="wanted" value=""' in html
    address = ticket_url(incident, "edit", "wanted")
    bad = anna.post(address, {"wanted": "soon", "was": ""}, headers=HX)
    assert bad.status_code == 422
    assert 'value="soon"' in bad.content.decode()
    assert "Write a date." in bad.content.decode()
    assert anna.post(address, {"wanted": "2026-12-01", "was": ""}).status_code == 303
    incident.refresh_from_db()
    assert incident.external_id == "2026-12-01"
    assert anna.post(address, {"wanted": "2026-12-02", "was": ""}).status_code == 409
    assert anna.get(address).status_code == 404
    assert anna.post(ticket_url(incident, "edit", "hidden"), {"hidden": ""}).status_code == 404


def test_a_long_text_of_a_kind_has_a_page_of_its_own(cast: Cast, incident: Incident, anna: Client) -> None:
    def read(ticket: Any) -> str:
        return str(ticket.external_id)

    register_property(Property("cause", "Cause", read, read, str, set_external, input="text"), kinds=("incident",))
    address = ticket_url(incident, "edit", "cause")
    assert f'href="{address}"' in anna.get(ticket_url(incident)).content.decode()
    assert '<textarea name="cause"' in anna.get(address).content.decode()
    assert anna.post(address, {"cause": "A cable", "was": ""}).status_code == 303
    assert anna.post(address, {"cause": "x" * 101, "was": "A cable"}).status_code == 422


def test_addresses_go_by_kind(incident: Incident) -> None:
    assert ticket_url(incident) == reverse("incidents:detail", args=[incident.number])
    assert ticket_url(incident, "move", "resolve").endswith("/moves/resolve/")
    assert kind_url("incident", "choices", "team") == "/desk/incidents/choices/team.json"
    shown = Template("{% load desk %}{% ticket_url t 'move' 'hold' %}").render(Context({"t": incident}))
    assert shown == f"/desk/incidents/{incident.number}/moves/hold/"
    incident.kind = "gone"
    assert ticket_url(incident) == ""


TYPED = Move(
    "plan",
    "Plan",
    frozenset({"new"}),
    "in_progress",
    works_tickets,
    (
        MoveField("start", "Start", kind="datetime"),
        MoveField("day", "Day", required=False, kind="date"),
        MoveField("duplicate_of", "Duplicate of", required=False, kind="ticket", ticket_kinds=("incident",)),
        MoveField("manager", "Manager", required=False, kind="person", workers_only=True),
        MoveField("sure", "Sure", required=False, kind="bool"),
    ),
)


def test_typed_fields_become_things(cast: Cast, incident: Incident) -> None:
    given = {"start": "2026-03-31T14:30", "day": "2026-04-01", "duplicate_of": incident.number.lower(),
             "manager": "ANNA@example.com", "sure": "on"}  # fmt: skip
    with timezone.override("Europe/Berlin"):
        values = clean_fields(TYPED, given, cast.anna)
        assert local_text(values["start"]) == "2026-03-31T14:30"
    assert values == {
        "start": datetime(2026, 3, 31, 12, 30, tzinfo=UTC),
        "day": date(2026, 4, 1),
        "duplicate_of": incident,
        "manager": cast.anna,
        "sure": True,
    }
    assert type(values["duplicate_of"]) is Incident
    assert clean_fields(TYPED, {"start": "2026-03-31T14:30+02:00"}, cast.anna) == {
        "start": datetime(2026, 3, 31, 12, 30, tzinfo=UTC),
        "day": None,
        "duplicate_of": None,
        "manager": None,
        "sure": False,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", ""),
        ("start", "tomorrow"),
        ("start", "2026-02-30T10:00"),
        ("start", "0001-01-01T00:00+23:00"),
        ("start", "9999-12-31T23:59"),
        ("start", "2026-03-29T02:30"),
        ("start", "x\x00"),
        ("start", 5),
        ("day", "2026-13-01"),
        ("day", ["2026-01-01"]),
        ("duplicate_of", "INC9999999"),
        ("duplicate_of", "x" * 300),
        ("duplicate_of", "\x00"),
        ("manager", "rita@example.com"),
        ("manager", "nobody@example.com"),
        ("manager", "😀"),
        ("sure", "perhaps"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_a_sentence(cast: Cast, name: str, value: Any) -> None:
    given = {"start": "2026-03-31T14:30", name: value}
    with timezone.override("Europe/Berlin"), pytest.raises(Invalid) as refused:
        clean_fields(TYPED, given, cast.anna)
    assert list(refused.value.fields) == [name]
    assert refused.value.fields[name].endswith((".", ":")), refused.value.fields


def test_a_time_that_comes_twice_is_the_first(cast: Cast) -> None:
    with timezone.override("Europe/Berlin"):
        assert clean_instant("2026-10-25T02:30", "start") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_ticket_that_is_not_the_persons_cannot_be_named(cast: Cast, incident: Incident) -> None:
    with pytest.raises(Invalid):
        clean_fields(TYPED, {"start": "2026-03-31T14:30", "duplicate_of": incident.number}, cast.rolf)


def test_the_dialog_of_typed_fields(
    cast: Cast, incident: Incident, anna: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = {**incident.kind_info.moves, "plan": TYPED}
    monkeypatch.setattr("incidents.statuses.MOVES", moves)
    monkeypatch.setitem(incident.kind_info.moves, "plan", TYPED)
    html = anna.get(ticket_url(incident)).content.decode()
    dialog = html[html.index('id="move-plan"') :]
    dialog = dialog[: dialog.index("</dialog>")]
    assert 'type="datetime-local" name="start"' in dialog
    assert 'type="date" name="day"' in dialog
    assert 'type="checkbox" name="sure"' in dialog
    assert 'placeholder="INC0010001"' in dialog
    assert f'<option value="{cast.ben.public_id}">' in dialog
    assert cast.rita.public_id not in dialog
    assert anna.get(ticket_url(incident, "move", "plan")).status_code == 200


def test_a_status_keeps_its_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("itsm.ui.words.STATUSES", {"new": Look("New", "circle-dashed", "st-new")})
    register_statuses({"assess": Look("Assess", "zoom-question", "st-progress")})
    register_statuses({"assess": Look("Assess", "zoom-question", "st-progress")})
    with pytest.raises(ValueError, match="has a look"):
        register_statuses({"new": Look("Brand new", "circle", "st-new")})
