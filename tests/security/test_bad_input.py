"""Whatever a form is sent, the answer is a sentence that says what to do, nothing is half-written, and never a 500."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.models import Comment, Ticket, TicketEvent
from tests.cast import PASSWORD
from tests.security.addresses import address_of, routes
from tests.security.stored import changed, stored
from tests.security.world import World

TITLE_TOO_LONG, TEXT_TOO_LONG, NUL, NOBODY = "x" * 201, "x" * 100_001, "a\0b", "0" * 32
REFUSALS = {400, 403, 404, 409, 413, 422}
REPORT = {"title": "Printer", "description": "Broken", "impact": "3", "urgency": "3", "submission_key": "a1"}
NEW = {"requester_email": "rita@example.com", "channel": "phone", "title": "Printer", "impact": "3", "urgency": "3"}
RESOLVE = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
TOKEN = {"name": "Script", "scope": "read", "days": "30"}
LOOK = {"layout": "table", "density": "compact", "sort": "due"}

# Who sends what to which form: with these changes it is answered so. None leaves the field out.
FORMS: dict[str, tuple[str, str, dict[str, str], list[tuple[dict[str, Any], int]]]] = {
    "report": (
        "rita",
        "portal:report",
        REPORT,
        [
            ({"title": None}, 422),
            ({"title": "  "}, 422),
            ({"title": TITLE_TOO_LONG}, 422),
            ({"description": TEXT_TOO_LONG}, 422),
            ({"title": NUL}, 400),
            ({"title": b"\xff\xfe"}, 400),
            ({"impact": "4"}, 422),
            ({"impact": "high"}, 422),
            ({"urgency": None}, 422),
            ({"service": "999999"}, 422),
            ({"service": "x"}, 422),
            ({"category": "99999999999999999999"}, 422),
            ({"submission_key": "k" * 65}, 422),
        ],
    ),
    "reply": (
        "rita",
        "portal:reply INC",
        {"body": "Hello"},
        [
            ({"body": None}, 422),
            ({"body": " \n "}, 422),
            ({"body": TEXT_TOO_LONG}, 422),
            ({"body": NUL}, 400),
            ({"body": b"\xc3\x28"}, 400),
            ({"submission_key": "k" * 300}, 422),
        ],
    ),
    "cancel in the portal": (
        "rita",
        "portal:move INC cancel",
        {"reason": "Not needed"},
        [({"reason": NUL}, 400), ({"reason": TEXT_TOO_LONG}, 422)],
    ),
    "comment": (
        "anna",
        "incidents:comment INC",
        {"body": "Hello", "visibility": "public"},
        [
            ({"body": ""}, 422),
            ({"body": TEXT_TOO_LONG}, 422),
            ({"body": NUL}, 400),
            ({"body": b"\xff"}, 400),
            ({"visibility": "everybody"}, 422),
            ({"then": "explode"}, 422),
            ({"seen": "x"}, 422),
            ({"seen": "9" * 30}, 422),
            ({"seen": "1"}, 409),
            ({"submission_key": "k" * 300}, 422),
        ],
    ),
    "hold": (
        "anna",
        "incidents:move INC hold",
        {"hold_reason": "awaiting_caller", "comment": "Which model?"},
        [
            ({"hold_reason": ""}, 422),
            ({"hold_reason": "tired"}, 422),
            ({"comment": TEXT_TOO_LONG}, 422),
            ({"version": "1"}, 409),
            ({"version": "-1"}, 422),
            ({"version": "٣"}, 422),
            ({"version": "9" * 40}, 422),
        ],
    ),
    "resolve": (
        "anna",
        "incidents:move INC resolve",
        RESOLVE,
        [
            ({"resolution_code": ""}, 422),
            ({"resolution_code": "magic"}, 422),
            ({"resolution_notes": ""}, 422),
            ({"resolution_notes": TEXT_TOO_LONG}, 422),
            ({"resolution_notes": NUL}, 400),
            ({"version": "1"}, 409),
        ],
    ),
    "an illegal move": ("anna", "incidents:move INC resume", {}, [({}, 409)]),
    "another illegal move": ("anna", "incidents:move INC reopen", {"reason": "Again"}, [({}, 409)]),
    "a move that there is not": ("anna", "incidents:move INC explode", {}, [({}, 404)]),
    "a ticket that there is not": ("anna", "incidents:move INC9999999 start", {}, [({}, 404)]),
    "priority": (
        "lena",
        "incidents:priority INC",
        {"priority": "1", "reason": "The boss"},
        [
            ({"priority": "6"}, 422),
            ({"priority": ""}, 422),
            ({"reason": ""}, 422),
            ({"reason": TEXT_TOO_LONG}, 422),
            ({"version": "1"}, 409),
        ],
    ),
    "title": (
        "anna",
        "incidents:edit INC title",
        {"title": "New"},
        [
            ({"title": ""}, 422),
            ({"title": TITLE_TOO_LONG}, 422),
            ({"title": NUL}, 400),
            ({"title": None}, 422),
            ({"was": "Something else"}, 409),
        ],
    ),
    "description": ("anna", "incidents:edit INC description", {}, [({"description": TEXT_TOO_LONG}, 422)]),
    "impact": ("anna", "incidents:edit INC impact", {}, [({"impact": "9"}, 422), ({"impact": ""}, 422)]),
    "assignee": (
        "anna",
        "incidents:edit INC assignee",
        {},
        [({"assignee": NOBODY}, 422), ({"assignee": "x" * 500}, 422), ({"assignee": "{rita}"}, 422)],
    ),
    "team": ("anna", "incidents:edit INC team", {}, [({"team": NOBODY}, 422), ({"team": "{anna}"}, 422)]),
    "service": ("anna", "incidents:edit INC service", {}, [({"service": NOBODY}, 422)]),
    "category": ("anna", "incidents:edit INC category", {}, [({"category": NOBODY}, 422)]),
    "a property that there is not": ("anna", "incidents:edit INC status", {}, [({"status": "closed"}, 404)]),
    "link": (
        "anna",
        "incidents:add_link INC",
        {"number": "INC9999999", "kind": "related"},
        [
            ({}, 422),
            ({"number": ""}, 422),
            ({"number": "{own}"}, 422),
            ({"kind": "friend", "number": "{resolved}"}, 422),
        ],
    ),
    "watcher": ("anna", "incidents:add_watcher INC", {}, [({"person": NOBODY}, 422), ({"person": "x" * 300}, 422)]),
    "new incident": (
        "anna",
        "workspace:new",
        NEW,
        [
            ({"requester_email": ""}, 422),
            ({"requester_email": "nobody@example.com"}, 422),
            ({"requester": NOBODY}, 422),
            ({"title": ""}, 422),
            ({"title": TITLE_TOO_LONG}, 422),
            ({"title": NUL}, 400),
            ({"description": TEXT_TOO_LONG}, 422),
            ({"channel": "pigeon"}, 422),
            ({"impact": "0"}, 422),
            ({"urgency": "x"}, 422),
            ({"team": NOBODY}, 422),
            ({"assignee": "{rita}"}, 422),
            ({"service": "1"}, 422),
        ],
    ),
    "bulk": (
        "anna",
        "workspace:bulk",
        {"ticket": "{id}", "do": "take"},
        [
            ({"ticket": None}, 400),
            ({"do": "explode"}, 400),
            ({"do": ""}, 400),
            ({"do": "assignee"}, 400),
            ({"do": "assignee", "assignee": "{rita}"}, 400),
            ({"do": "team", "team": NOBODY}, 400),
        ],
    ),
    "look": (
        "anna",
        "workspace:look",
        LOOK,
        [({"layout": "x"}, 400), ({"density": "x"}, 400), ({"sort": "x"}, 400), ({"columns": "x"}, 400)],
    ),
    "profile": (
        "rita",
        "profile",
        {"display_name": "Rita", "time_zone": "UTC", "language": "en", "theme": "auto"},
        [
            ({"display_name": ""}, 422),
            ({"display_name": "x" * 1000}, 422),
            ({"time_zone": "Mars/Olympus"}, 422),
            ({"language": "tlh"}, 422),
            ({"theme": "pink"}, 422),
        ],
    ),
    "token": (
        "rita",
        "profile_add_token",
        TOKEN,
        [
            ({"name": ""}, 422),
            ({"name": "x" * 101}, 422),
            ({"scope": "root"}, 422),
            ({"days": "0"}, 422),
            ({"days": "9" * 30}, 422),
            ({"days": "x"}, 422),
        ],
    ),
    "a parked event": ("rita", "notifications:events_again", {}, [({}, 404)]),
}
CASES = [
    pytest.param(name, change, status, id=f"{name}: {str(change)[:40]}")
    for name, (_who, _where, _valid, changes) in FORMS.items()
    for change, status in changes
]


def send(world: World, client: Client, where: str, fields: dict[str, Any]) -> Any:
    """Post a form as a browser would; words in braces name things of the desk."""
    named = {
        "{id}": world.incident.public_id,
        "{own}": world.incident.number,
        "{resolved}": world.resolved.number,
        "{rita}": world.cast.rita.public_id,
        "{anna}": world.cast.anna.public_id,
    }
    name, *parts = (world.incident.number if part == "INC" else part for part in where.split())
    given = {key: named.get(value, value) if isinstance(value, str) else value for key, value in fields.items()}
    body = "&".join(f"{key}={quoted(value)}" for key, value in given.items() if value is not None)
    address = reverse(name, args=parts)
    return client.post(address, body.encode(), content_type="application/x-www-form-urlencoded")


def quoted(value: str | bytes) -> str:
    raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02x}" for byte in raw)


@pytest.fixture
def clients(world: World, signed_in: Any) -> dict[str, Client]:
    """Browsers of those who fill in forms; a fault is an answer, as it is for people."""
    found = {name: signed_in(getattr(world.cast, name)) for name in ("rita", "anna", "lena")}
    for client in found.values():
        client.raise_request_exception = False
    # Who makes a token has just typed the password again.
    found["rita"].post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return found


@pytest.mark.parametrize(("form", "change", "status"), CASES)
def test_what_does_not_fit_is_refused_with_a_sentence(
    world: World, clients: dict[str, Client], form: str, change: dict[str, Any], status: int
) -> None:
    who, where, valid, _changes = FORMS[form]
    before = stored()
    answer = send(world, clients[who], where, valid | change)
    assert answer.status_code == status
    assert changed(before) == set()
    words = re.sub(r"<[^>]+>", " ", answer.content.decode())
    assert re.search(r"[A-Z“][^.!?]{8,}[.!?]", words), words


FITTING = [name for name, (_who, _where, valid, changes) in FORMS.items() if valid and ({}, 409) not in changes]


@pytest.mark.parametrize("form", [name for name in FITTING if name != "link"])
def test_a_fitting_form_would_have_been_taken(world: World, clients: dict[str, Client], form: str) -> None:
    """Else the refusals above would say nothing."""
    who, where, valid, _changes = FORMS[form]
    before = stored()
    assert send(world, clients[who], where, valid).status_code in {200, 302, 303}
    assert changed(before)


@pytest.mark.parametrize(
    ("form", "made"), [("report", Incident), ("new incident", Incident), ("reply", Comment), ("comment", Comment)]
)
def test_sent_twice_is_done_once(world: World, clients: dict[str, Client], form: str, made: Any) -> None:
    who, where, valid, _changes = FORMS[form]
    before = made.objects.count()
    fields = valid | {"submission_key": uuid4().hex}
    answers = [send(world, clients[who], where, fields) for _time in range(2)]
    assert [answer.status_code for answer in answers] in ([302, 302], [303, 303])
    assert answers[0]["Location"] == answers[1]["Location"]
    assert made.objects.count() == before + 1


def test_a_move_sent_twice_is_a_conflict_that_says_so(world: World, clients: dict[str, Client]) -> None:
    version = str(Incident.objects.get(pk=world.incident.pk).version)
    fields = RESOLVE | {"version": version}
    assert send(world, clients["anna"], "incidents:move INC resolve", fields).status_code == 303
    before = stored()
    assert send(world, clients["anna"], "incidents:move INC resolve", fields).status_code == 409
    assert changed(before) == set()


@pytest.mark.parametrize("fields", [{"title": "x" * 3_000_000}, {f"field{at}": "x" for at in range(1_500)}])
def test_a_form_beyond_all_measure_is_told_so(world: World, clients: dict[str, Client], fields: dict[str, str]) -> None:
    before = stored()
    for answer in (
        send(world, clients["rita"], "portal:report", fields),
        clients["rita"].post(reverse("portal:report"), fields),
    ):
        assert answer.status_code == 413
        assert "at most" in answer.content.decode()
    assert changed(before) == set()


@pytest.mark.parametrize("where", ["portal:report", "portal:reply", "incidents:comment", "workspace:new"])
def test_files_that_do_not_fit_leave_nothing_behind(
    world: World, clients: dict[str, Client], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itsm.tickets.actions.files.MAX_FILE_BYTES", 10)
    form = next(valid for _who, place, valid, _changes in FORMS.values() if place.split()[0] == where)
    client = clients["rita" if where.startswith("portal") else "anna"]
    address = reverse(where, args=[world.incident.number] if where.endswith(("reply", "comment")) else [])
    before = stored()
    for files, status in (
        ([b"small", b"much too large"], 413),
        ([b"x"] * 11, 422),
    ):
        uploads = [SimpleUploadedFile(f"{at}.txt", content) for at, content in enumerate(files)]
        answer = client.post(address, {**form, "files": uploads})
        assert answer.status_code == status
        assert changed(before) == set()


NAMES = st.sampled_from(
    [
        *("title", "description", "body", "visibility", "impact", "urgency", "service", "category", "team", "assignee"),
        *("requester", "requester_email", "channel", "hold_reason", "comment", "resolution_code", "resolution_notes"),
        *("reason", "priority", "version", "seen", "was", "then", "force", "submission_key", "ticket", "do", "person"),
        *("number", "kind"),
    ]
)
WORDS = st.sampled_from(
    [
        *("1", "3", "public", "internal", "hold", "awaiting_caller", "solution_provided", "take", "move-start"),
        *("related", "rita@example.com", "{id}", "{rita}", "{anna}", "{own}", "{resolved}"),
    ]
)
VALUES = WORDS | st.text(max_size=250) | st.integers().map(str)
PLACES = [
    *(("rita", f"portal:{place}") for place in ("report", "reply INC", "move INC cancel", "move INC reopen")),
    *(("lena", f"incidents:move INC {move}") for move in ("start", "hold", "resume", "resolve", "reopen", "cancel")),
    *(("lena", f"incidents:edit INC {name}") for name in ("title", "description", "impact", "urgency", "assignee")),
    *(("lena", f"incidents:edit INC {name}") for name in ("team", "service", "category")),
    *(("lena", f"incidents:{place} INC") for place in ("comment", "priority", "add_link", "add_watcher")),
    ("lena", "workspace:new"),
    ("lena", "workspace:bulk"),
]  # fmt: skip


HOSTILE = ["x" * 100_001, "a\0b", b"\xff", "-1", "9" * 40, "0" * 32, "\u0661\u202e", "[["]
FIELD = re.compile(r"<(?:input|textarea|select)\b[^>]*\bname=[\"']([^\"']+)")


@pytest.mark.parametrize(
    ("person", "rooms"),
    [
        ("rita", ("portal:", "profile", "notifications:")),
        ("anna", ("incidents:", "workspace:")),
        ("ada", ("administration:",)),
    ],
)
def test_every_form_of_every_page_survives_hostile_values(
    world: World, signed_in: Callable[[User], Client], person: str, rooms: tuple[str, ...]
) -> None:
    """Whatever forms there are now and later: all their fields get the same hostile value."""
    client = signed_in(getattr(world.cast, person))
    client.raise_request_exception = False
    tried = 0
    for name, route in routes():
        if not name.startswith(rooms):
            continue
        address = address_of(name, route, world)
        page = client.get(address)
        names = set() if page.streaming else set(FIELD.findall(page.content.decode())) - {"csrfmiddlewaretoken"}
        for value in HOSTILE if names else [""]:
            body = "&".join(f"{quoted(one)}={quoted(value)}" for one in sorted(names))
            answer = client.post(address, body.encode(), content_type="application/x-www-form-urlencoded")
            assert answer.status_code in REFUSALS | {200, 204, 302, 303, 405}, (address, value[:40], answer.status_code)
            tried += 1
    assert tried > 20


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), fields=st.dictionaries(NAMES, VALUES, max_size=8))
def test_no_form_breaks_anything(
    world: World, clients: dict[str, Client], place: tuple[str, str], fields: dict[str, str]
) -> None:
    who, where = place
    before = (Ticket.objects.count(), TicketEvent.objects.count(), Comment.objects.count())
    answer = send(world, clients[who], where, fields)
    assert answer.status_code in REFUSALS | {200, 204, 302, 303}, answer.content
    if answer.status_code >= 400:
        assert (Ticket.objects.count(), TicketEvent.objects.count(), Comment.objects.count()) == before
