"""The description is valid and tells the truth; its page obeys the content policy; the guide's examples work."""

from __future__ import annotations

import re
import shlex
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from incidents.actions import merge, open_incident, set_parent
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.api.problems import PROBLEMS
from itsm.api.schema import whole_schema
from itsm.tasking.actions import open_task
from itsm.tickets.models import Ticket
from tests.api.conftest import Caller
from tests.cast import Cast, as_

GUIDE = Path(settings.BASE_DIR) / "docs" / "api.md"


def test_the_description_is_valid_and_complete() -> None:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert "openapi: 3.1" in out.getvalue()


@cache
def validator(path: str, method: str, status: str) -> Any:
    """Return what checks the JSON of an answer against the description."""
    schema = whole_schema("en")
    found = schema["paths"][path][method]["responses"][status]["content"]
    content = found.get("application/json") or found["application/problem+json"]
    return jsonschema.Draft202012Validator({**content["schema"], "components": schema["components"]})


def agree(response: Any, path: str, method: str = "get") -> dict[str, Any]:
    """Check an answer against the description, down to names that it does not declare; return it."""
    body: dict[str, Any] = response.json()
    schema = whole_schema("en")["paths"][path][method]["responses"]
    status = str(response.status_code)
    found = validator(path, method, status if status in schema else "default").iter_errors(body)
    assert [(error.json_path, error.message[:300]) for error in found] == []
    return body


def declared(name: str) -> set[str]:
    """Return the fields that the description declares for the component."""
    return set(whole_schema("en")["components"]["schemas"][name]["properties"])


def test_answers_are_as_described(cast: Cast, anna: Caller, rita: Caller, incident: Incident) -> None:
    one = "/api/v1/incidents/{ref}/"
    path = f"incidents/{incident.number}/"
    other = open_incident(actor=as_(cast.rita), title="Other")
    agree(anna.post("incidents/", {"title": "x"}), "/api/v1/incidents/", "post")
    agree(anna.patch(path, {"assignee": "anna@example.com", "category": "Hardware"}), one, "patch")
    agree(anna.post(f"{path}comments/", {"body": "x"}), one + "comments/", "post")
    agree(anna.post(f"{path}links/", {"kind": "related", "target": other.number}), one + "links/", "post")
    agree(anna.post(f"{path}watchers/"), one + "watchers/", "post")
    agree(anna.upload(f"{path}attachments/", file=SimpleUploadedFile("a", b"1")), one + "attachments/", "post")
    for caller in (anna, rita):
        shown = agree(caller.get(path), one)
        assert set(shown) | {"next_target_at", "priority_reason"} == declared("IncidentOut")
        for part in ("moves", "comments", "events", "attachments", "links", "watchers"):
            agree(caller.get(f"{path}{part}/"), f"{one}{part}/")
        for part in ("incidents", "users", "users/me", "teams", "categories", "services"):
            agree(caller.get(f"{part}/"), f"/api/v1/{part}/")
        agree(caller.get(""), "/api/v1/")
    rows = agree(anna.get(f"{path}events/"), f"{one}events/")["results"]
    assert set(rows[0]) == declared("EventOut")
    assert agree(anna.get(f"{path}timers/"), f"{one}timers/")["next"] is None
    why = agree(anna.get(f"{path}timers/sla-resolution-1/explanation/"), f"{one}timers/{{timer}}/explanation/")
    assert set(why) == declared("ExplanationOut")
    agree(anna.post(f"{path}moves/hold/", {"hold_reason": "awaiting_vendor"}), one + "moves/{move}/", "post")
    agree(anna.get("teams/network/"), "/api/v1/teams/{ref}/")
    agree(anna.get(f"users/{cast.rita.public_id}/"), "/api/v1/users/{ref}/")
    rita.post(f"{path}moves/cancel/", {"reason": "x"})
    agree(rita.post(f"{path}comments/", {"body": "Again"}), one + "comments/", "post")


def test_problems_are_as_described(anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    agree(anna.post("incidents/", {}), "/api/v1/incidents/", "post")
    agree(anna.post("incidents/", {"wrong": 1}), "/api/v1/incidents/", "post")
    agree(anna.get("incidents/?q=wat:1"), "/api/v1/incidents/")
    agree(anna.patch(path, {"title": "x", "version": 9}), "/api/v1/incidents/{ref}/", "patch")
    agree(anna.get("incidents/INC1/"), "/api/v1/incidents/{ref}/")


def test_the_description_is_served_to_everybody_and_names_no_data(cast: Cast) -> None:
    response = Client().get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    text = response.content.decode()
    assert "IncidentOut" in text
    for word in ("Network", "Rita", "VPN", "example.com", "Hardware"):
        assert word not in text, word


def test_the_page_of_the_description_obeys_the_content_policy() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "swagger-ui" in text
    assert "<style" not in text
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\s(style|on\w+)=", text)
    assert "unsafe" not in page["Content-Security-Policy"]
    script = re.search(r'src="([^"]*\?[^"]*script[^"]*)"', text)
    assert script
    code = Client().get(script[1].replace("&amp;", "&"))
    assert code["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle" in code.content


def examples() -> list[str]:
    """Return the curl commands of the guide, each on one line."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line]


@pytest.mark.parametrize("command", examples(), ids=lambda command: command[-60:])
def test_the_examples_of_the_guide_work(cast: Cast, lena: Caller, command: str) -> None:
    User.objects.filter(pk=cast.anna.pk).update(email="agent@demo.example")
    User.objects.filter(pk=cast.rita.pk).update(email="requester@demo.example")
    _make_what_the_guide_names(cast, is_merged="unmerge" in command)
    words = iter(shlex.split(command)[1:])
    method, headers, body, form, address = "get", {}, None, {}, ""
    for word in words:
        if word == "-X":
            method = next(words).lower()
        elif word == "-H":
            name, _colon, value = next(words).partition(": ")
            headers[name] = value.replace("$TOKEN", lena.token)
        elif word == "-d":
            body = next(words)
        elif word == "-F":
            name, _equals, value = next(words).partition("=")
            form[name] = SimpleUploadedFile("README.md", b"text") if value.startswith("@") else value
        else:
            address = word.removeprefix("$URL")
    if form:
        response: Any = Client().post(address, form, headers=headers)
    else:
        response = Client().generic(method.upper(), address, body or "", "application/json", headers=headers)
    assert response.status_code in {200, 201, 202}, (response.content, unquote(address))


def _make_what_the_guide_names(cast: Cast, *, is_merged: bool) -> None:
    made = []
    for number in ("INC0010001", "INC0010002", "INC0010003", "INC0010004"):
        incident = open_incident(actor=as_(cast.rita), title="VPN")
        Ticket.objects.filter(pk=incident.pk).update(number=number)
        made.append(Incident.objects.get(pk=incident.pk))
    first, _second, third, fourth = made
    task = open_task(first, actor=as_(cast.anna), title="Look at the tunnel")
    Ticket.objects.filter(pk=task.pk).update(number="TASK0010001")
    set_parent(fourth, first, actor=as_(cast.anna))
    if is_merged:
        merge([third], first, actor=as_(cast.anna))


def test_the_guide_names_every_problem_code_and_every_writable_field() -> None:
    text = GUIDE.read_text()
    for name in [*PROBLEMS, *declared("IncidentIn"), *declared("IncidentPatch")]:
        assert f"`{name}`" in text, name
