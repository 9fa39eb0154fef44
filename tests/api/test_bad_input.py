"""Whatever is sent, the answer is a sentence that says what to do, nothing half-written, and never a 500."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.models import Incident
from itsm.api.parsers import read_json
from itsm.api.problems import BadRequest
from itsm.tickets.models import Comment, TicketEvent
from tests.api.conftest import Caller, problem
from tests.cast import Cast

DEEP = 100_000
UNREADABLE: list[tuple[str, bytes]] = [
    ("no JSON", b"title=VPN"),
    ("cut short", b'{"title": "VPN"'),
    ("nested arrays", b"[" * DEEP),
    ("nested arrays, closed", b"[" * DEEP + b"]" * DEEP),
    ("nested objects", b'{"a":' * DEEP + b"1" + b"}" * DEEP),
    ("nested below a field", b'{"title":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    ("a name twice", b'{"title": "a", "title": "b"}'),
    ("NaN", b'{"title": "a", "impact": NaN}'),
    ("infinity", b'{"title": "a", "impact": -Infinity}'),
    ("1e400", b'{"title": "a", "impact": 1e400}'),
    ("a number of 5000 digits", b'{"title": "a", "impact": ' + b"9" * 5000 + b"}"),
    ("NUL in a value", b'{"title": "a\\u0000b"}'),
    ("NUL in a name", b'{"ti\\u0000tle": "ab"}'),
    ("raw NUL", b'{"title": "a\x00b"}'),
    ("NUL inside a list", b'{"title": ["\\u0000"]}'),
    ("half a pair", b'{"title": "a\\ud800b"}'),
    ("other half of a pair", b'{"title": "a\\uDFFFb"}'),
    ("no UTF-8", b'{"title": "\xff\xfe"}'),
    ("UTF-16", '{"title": "a"}'.encode("utf-16")),
    ("array", b"[]"),
    ("text", b'"title"'),
    ("number", b"1"),
    ("null", b"null"),
    ("true", b"true"),
    ("white space", b"   "),
    ("100,000 names", json.dumps({f"name{number}": number for number in range(DEEP)}).encode()),
]


@pytest.mark.parametrize("raw", [raw for _name, raw in UNREADABLE], ids=[name for name, _raw in UNREADABLE])
def test_what_cannot_be_read_is_400_at_once(rita: Caller, raw: bytes) -> None:
    begun = time.process_time()
    response = rita("post", "incidents/", raw=raw)
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"]
    assert len(response.content) < 20_000
    assert time.process_time() - begun < 1
    assert not Incident.objects.exists()


def test_what_only_looks_suspect_is_read() -> None:
    assert read_json(rb'{"title": "C:\\u0000\\users \ud83d\ude00"}') == {"title": "C:\\u0000\\users 😀"}
    assert read_json(b"\xef\xbb\xbf{}") == {}
    with pytest.raises(BadRequest, match="UTF-8"):
        read_json(b"\xff")


TOO_LONG = "x" * 201
VALUES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["title"]),
    ({"title": ""}, ["title"]),
    ({"title": "   "}, ["title"]),
    ({"title": None}, ["title"]),
    ({"title": ["a"]}, ["title"]),
    ({"title": {"a": 1}}, ["title"]),
    ({"title": True}, ["title"]),
    ({"title": TOO_LONG}, ["title"]),
    ({"title": "a", "description": "x" * 100_001}, ["description"]),
    ({"title": "a", "description": None}, ["description"]),
    ({"title": "a", "external_id": "x" * 101}, ["external_id"]),
    ({"title": "a", "impact": 0}, ["impact"]),
    ({"title": "a", "impact": 4}, ["impact"]),
    ({"title": "a", "impact": -1}, ["impact"]),
    ({"title": "a", "impact": 2**63}, ["impact"]),
    ({"title": "a", "impact": 10**4000}, ["impact"]),
    ({"title": "a", "impact": 1.5}, ["impact"]),
    ({"title": "a", "impact": True}, ["impact"]),
    ({"title": "a", "impact": "high"}, ["impact"]),
    ({"title": "a", "impact": None}, ["impact"]),
    ({"title": "a", "urgency": [1]}, ["urgency"]),
    ({"title": "a", "urgency": {}}, ["urgency"]),
    ({"title": "a", "category": "Void"}, ["category"]),
    ({"title": "a", "category": 1}, ["category"]),
    ({"title": "a", "category": {"name": "Hardware"}}, ["category"]),
    ({"title": "a", "service": "x" * 10_000}, ["service"]),
    ({"title": "a", "service": []}, ["service"]),
    ({"title": "a", "requester": "' OR 1=1 --"}, ["requester"]),
    ({"title": "a", "team": {"id": {"id": "network"}}}, ["team"]),
    ({"impact": 9, "urgency": 9}, ["title", "impact", "urgency"]),
]


@pytest.mark.parametrize(("body", "fields"), VALUES, ids=lambda value: str(value)[:50])
def test_values_that_do_not_fit_are_422_and_named(anna: Caller, body: dict[str, Any], fields: list[str]) -> None:
    found = problem(anna.post("incidents/", body), 422, "invalid")
    assert sorted(found["errors"]) == sorted(fields)
    assert all(texts and all(texts) for texts in found["errors"].values())
    assert not Incident.objects.exists()


NOT_FOR_WRITING = [
    "id",
    "pk",
    "number",
    "kind",
    "status",
    "version",
    "opened_by",
    "opened_at",
    "at",
    "resolved_at",
    "closed_at",
    "event_hash",
    "reopen_count",
    "channel",
    "is_staff",
    "submission_key",
    "custom",
    "priority",
    "Title",
    "__class__",
]


@pytest.mark.parametrize("name", NOT_FOR_WRITING)
def test_fields_that_are_not_for_writing_are_named(anna: Caller, incident: Incident, name: str) -> None:
    found = problem(anna.post("incidents/", {"title": "a", name: "x"}), 400, "unknown_field")
    assert list(found["errors"]) == [name]
    if name not in {"version", "priority"}:
        problem(anna.patch(f"incidents/{incident.number}/", {name: "x"}), 400, "unknown_field")
    incident.refresh_from_db()
    assert incident.version == 1
    assert Incident.objects.count() == 1


OTHER_KINDS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]


@pytest.mark.parametrize("content_type", OTHER_KINDS)
def test_a_body_of_another_kind_is_415(rita: Caller, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {rita.token}"}
    response = Client().generic("POST", "/api/v1/incidents/", b"title=x", content_type=content_type, headers=headers)
    problem(response, 415, "unsupported_media_type")


def test_a_json_body_where_a_file_belongs_is_415(rita: Caller, incident: Incident) -> None:
    problem(rita.post(f"incidents/{incident.number}/attachments/", {"file": "x"}), 415, "unsupported_media_type")


def test_a_body_that_is_too_large_is_413(rita: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(rita.post("incidents/", {"title": "a", "description": "x" * 2000}), 413, "too_large")


def test_what_the_caller_wants_cannot_be_had_is_406(rita: Caller) -> None:
    problem(rita.get("incidents/", Accept="text/html"), 406, "not_acceptable")


def test_another_method_is_405(rita: Caller) -> None:
    response = rita("put", "incidents/", {})
    problem(response, 405, "method_not_allowed")
    assert "POST" in response["Allow"]


@pytest.mark.parametrize(
    "ref", ["INC9999999", "0" * 32, "x" * 500, "%00", "%ff", "..%2f..", "'", "١", "%F0%9F%98%80", "a b", "1e400", "-1"]
)
def test_an_address_of_nothing_is_404_or_400(anna: Caller, ref: str) -> None:
    for path in ("", "moves/", "comments/", "events/", "attachments/", "links/", "watchers/", "timers/"):
        response = anna.get(f"incidents/{ref}/{path}")
        assert response.status_code == (400 if ref == "%00" else 404), (ref, path)
        assert response["Content-Type"] == "application/problem+json"


def test_a_header_with_a_nul_or_a_wrong_version_is_400(anna: Caller, incident: Incident) -> None:
    for tag in ("1", '"x"', '"1", "2"', '"99999999999999999999"', "\xff"):
        problem(anna.patch(f"incidents/{incident.number}/", {"title": "a"}, If_Match=tag), 400, "bad_request")


@pytest.mark.parametrize("version", [0, -1, "x", 2**31, 10**30, 1.5, None, [1], True])
def test_a_version_that_is_none_is_422(anna: Caller, incident: Incident, version: Any) -> None:
    body = {"title": "a", "version": version}
    problem(anna.patch(f"incidents/{incident.number}/", body), 422, "invalid")


TEXTS = [
    "e\u0301 combining",
    "שלום \u202eevil\u202c",
    "😀🏳️\u200d🌈",
    "<script>alert(1)</script>",
    "=1+1",
    "'; DROP TABLE x; --",
    "a\u2028line",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_all_scripts_come_back_unchanged(rita: Caller, text: str) -> None:
    made = rita.post("incidents/", {"title": "x", "description": text}).json()
    assert rita.get(made["url"]).json()["description"] == text


NAMES = st.sampled_from(
    [
        "title",
        "description",
        "impact",
        "urgency",
        "category",
        "service",
        "requester",
        "team",
        "assignee",
        "external_id",
        "priority",
        "priority_reason",
        "version",
        "body",
        "visibility",
        "hold_reason",
        "comment",
        "kind",
        "target",
        "user",
    ]
)
WORDS = st.sampled_from(
    ["network", "vpn", "anna@example.com", "public", "internal", "awaiting_caller", "related", "1", ""]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | st.text() | WORDS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
BODIES = st.dictionaries(NAMES, JSON, max_size=6) | JSON


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=BODIES, address=st.integers(0, 9))
def test_no_body_breaks_anything(cast: Cast, lena: Caller, incident: Incident, body: Any, address: int) -> None:
    path = f"incidents/{incident.number}/"
    calls = [
        ("post", "incidents/"),
        ("patch", path),
        ("post", f"{path}comments/"),
        ("post", f"{path}links/"),
        ("post", f"{path}watchers/"),
        *(("post", f"{path}moves/{move}/") for move in ("start", "hold", "resolve", "reopen", "cancel")),
    ]
    method, target = calls[address]
    before = (Incident.objects.count(), TicketEvent.objects.count(), Comment.objects.count())
    response = lena(method, target, body) if body is not None else lena(method, target, raw=b"null")
    assert response.status_code < 500, response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert (Incident.objects.count(), TicketEvent.objects.count(), Comment.objects.count()) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200) | st.text(alphabet='{}[]":,\\u0dD8a1eE+-.NI', max_size=60).map(str.encode))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    with contextlib.suppress(BadRequest):
        json.dumps(read_json(raw), allow_nan=False).encode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        [
            "q",
            "ordering",
            "limit",
            "cursor",
            "status",
            "priority",
            "team",
            "assignee",
            "requester",
            "category",
            "service",
            "external_id",
            "opened_after",
            "opened_before",
            "updated_since",
            "open",
            "wrong",
        ]
    ),
    value=st.text(max_size=60)
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "٣", "1,,1"]),
)
def test_no_parameter_breaks_the_list(cast: Cast, lena: Caller, rita: Caller, name: str, value: str) -> None:
    for caller in (lena, rita):
        response = caller.client.get(
            "/api/v1/incidents/", {name: value}, headers={"Authorization": f"Bearer {caller.token}"}
        )
        assert response.status_code in {200, 400}, response.content
        assert response["Content-Type"] in {"application/json", "application/problem+json"}
