"""Everybody at every address: who gets what, in one table. An address that the table does not name fails the test."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from changes.actions import open_change
from incidents.actions import open_incident
from incidents.major.actions import accept, add_stakeholder
from incidents.models import Incident
from itsm.approvals.actions import request_approval
from itsm.tasking.actions import open_task
from itsm.tickets.actions import attach, link
from itsm.tickets.actors import SYSTEM
from itsm.tickets.models import LinkKind
from problems.actions import open_problem
from slas.actions import save_rota
from tests.api.conftest import Caller
from tests.cast import Cast, as_

# Whose answers: anonymous; the requester; another requester of her organisation; one of another; an agent of the team;
# an agent of another team; the lead; an auditor; an administrator.
WHO = ("nobody", "rita", "rosa", "rolf", "anna", "carl", "lena", "olaf", "ada")
OPEN = "200 200 200 200 200 200 200 200 200"
SIGNED_IN = "401 200 200 200 200 200 200 200 200"
OWN = "401 200 404 404 200 200 200 200 200"
DESK_ONLY = "401 404 404 404 200 200 200 200 200"
WORK = "401 403 404 404 {0} {0} {0} 403 {0}"
DESK_LIST = "401 403 403 403 200 200 200 200 200"
DESK_WORK = "401 404 404 404 {0} {0} {0} 403 {0}"
WORK_BAD = "401 403 404 404 422 422 422 403 422"

NAMES = {
    "start",
    "assess",
    "reanalyse",
    "resolve",
    "cancel",
    "close",
    "scribe",
    "event-1",
    "network",
    "vpn",
}  # what stands for a part of an address
INCIDENT = "/api/v1/incidents/{ref}/"
TASK = "/api/v1/tasks/{task}/"
CHANGE = "/api/v1/changes/{change}/"
OUTSIDE = "401 404 404 404 {0} {0} {0} {0} {0}"
CHANGE_WORK = "401 404 404 404 {0} {0} {0} 403 {0}"
PROBLEM = "/api/v1/problems/{problem}/"
MAJOR = "/api/v1/incidents/{major}/major/"
MAJOR_WORK = "401 403 404 404 403 403 {0} 403 {0}"  # Lena commands it, Ada decides on such
PLAN = {"cadence_minutes": 30, "to_portal": True, "to_requesters": True, "to_stakeholders": False}
TABLE: list[tuple[str, str, Any, str]] = [
    ("get", "/api/v1/changes/", None, "401 403 403 403 200 200 200 200 200"),
    ("post", "/api/v1/changes/", {"title": "x"}, "401 403 403 403 201 201 201 403 201"),
    ("get", CHANGE, None, OUTSIDE.format(200)),
    ("patch", CHANGE, {"title": "x"}, CHANGE_WORK.format(200)),
    ("patch", CHANGE, {"is_unauthorised": True}, "401 404 404 404 403 403 403 403 200"),
    ("get", CHANGE + "next/", None, OUTSIDE.format(200)),
    ("get", CHANGE + "moves/", None, OUTSIDE.format(200)),
    ("post", CHANGE + "moves/cancel/", {"reason": "x"}, CHANGE_WORK.format(200)),
    ("post", CHANGE + "moves/close/", {}, OUTSIDE.format(409)),
    ("get", CHANGE + "comments/", None, OUTSIDE.format(200)),
    ("post", CHANGE + "comments/", {"body": "x", "visibility": "internal"}, CHANGE_WORK.format(201)),
    ("get", CHANGE + "attachments/", None, OUTSIDE.format(200)),
    ("get", CHANGE + "events/", None, OUTSIDE.format(200)),
    ("get", CHANGE + "timers/", None, OUTSIDE.format(200)),
    ("get", CHANGE + "timers/sla-resolution-1/explanation/", None, OUTSIDE.format(404)),
    ("post", CHANGE + "timers/acknowledge/", None, CHANGE_WORK.format(200)),
    ("get", CHANGE + "links/", None, OUTSIDE.format(200)),
    ("delete", CHANGE + "links/{link}/", None, OUTSIDE.format(404)),
    ("get", CHANGE + "watchers/", None, OUTSIDE.format(200)),
    ("delete", CHANGE + "watchers/{person}/", None, OUTSIDE.format(404)),
    ("get", "/api/v1/", None, SIGNED_IN),
    ("get", "/api/v1/nothing/", None, "401 404 404 404 404 404 404 404 404"),
    ("get", "/api/v1/incidents/", None, SIGNED_IN),
    ("post", "/api/v1/incidents/", {"title": "x"}, "401 201 201 201 201 201 201 201 201"),
    ("get", INCIDENT, None, OWN),
    ("patch", INCIDENT, {"title": "x"}, WORK.format(200)),
    ("patch", INCIDENT, {"priority": 1, "priority_reason": "x"}, "401 403 404 404 403 403 200 403 200"),
    ("put", INCIDENT, {}, "401 405 405 405 405 405 405 405 405"),
    ("delete", INCIDENT, None, "401 405 405 405 405 405 405 405 405"),
    ("get", INCIDENT + "moves/", None, OWN),
    ("post", INCIDENT + "moves/start/", {}, WORK.format(200)),
    ("post", INCIDENT + "moves/resolve/", {}, WORK_BAD),
    ("post", INCIDENT + "moves/cancel/", {"reason": "x"}, "401 200 404 404 200 200 200 403 200"),
    ("post", INCIDENT + "moves/close/", {}, "401 409 404 404 409 409 409 409 409"),
    ("get", INCIDENT + "comments/", None, OWN),
    ("post", INCIDENT + "comments/", {"body": "x"}, "401 201 404 404 201 201 201 403 201"),
    ("post", INCIDENT + "comments/", {"body": "x", "visibility": "internal"}, WORK.format(201)),
    ("get", INCIDENT + "attachments/", None, OWN),
    ("post", INCIDENT + "attachments/", None, "401 422 404 404 422 422 422 422 422"),
    ("get", INCIDENT + "events/", None, OWN),
    ("get", INCIDENT + "timers/", None, "401 403 404 404 200 200 200 200 200"),
    ("get", INCIDENT + "timers/sla-resolution-1/explanation/", None, "401 403 404 404 200 200 200 200 200"),
    ("post", INCIDENT + "timers/acknowledge/", None, WORK.format(200)),
    ("get", INCIDENT + "links/", None, OWN),
    ("post", INCIDENT + "links/", {"kind": "related", "target": "{other}"}, "401 422 404 404 201 201 201 403 201"),
    ("delete", INCIDENT + "links/{link}/", None, "401 404 404 404 204 204 204 403 204"),
    ("get", INCIDENT + "watchers/", None, OWN),
    ("post", INCIDENT + "watchers/", {}, "401 201 404 404 201 201 201 403 201"),
    ("post", INCIDENT + "watchers/", {"user": "sven@example.com"}, "401 422 404 404 201 201 201 403 201"),
    ("delete", INCIDENT + "watchers/{person}/", None, "401 404 404 404 404 404 404 404 404"),
    ("get", INCIDENT + "tasks/", None, "401 403 404 404 200 200 200 200 200"),
    ("post", INCIDENT + "tasks/", {"title": "x"}, WORK.format(201)),
    ("get", "/api/v1/tickets/{ref}/tasks/", None, "401 403 404 404 200 200 200 200 200"),
    ("get", "/api/v1/tasks/", None, "401 403 403 403 200 200 200 200 200"),
    ("post", "/api/v1/tasks/", {"title": "x", "parent": "{ref}"}, "401 403 403 403 201 201 201 403 201"),
    ("get", TASK, None, DESK_ONLY),
    ("patch", TASK, {"order": 3}, DESK_WORK.format(200)),
    ("get", TASK + "moves/", None, DESK_ONLY),
    ("post", TASK + "moves/start/", {}, DESK_WORK.format(200)),
    ("post", TASK + "moves/cancel/", {"reason": "x"}, DESK_WORK.format(200)),
    ("get", TASK + "comments/", None, DESK_ONLY),
    ("post", TASK + "comments/", {"body": "x"}, "401 404 404 404 422 422 422 422 422"),
    ("post", TASK + "comments/", {"body": "x", "visibility": "internal"}, DESK_WORK.format(201)),
    ("get", TASK + "attachments/", None, DESK_ONLY),
    ("get", TASK + "events/", None, DESK_ONLY),
    ("get", TASK + "timers/", None, DESK_ONLY),
    ("get", TASK + "timers/sla-resolution-1/explanation/", None, "401 404 404 404 404 404 404 404 404"),
    ("post", TASK + "timers/acknowledge/", None, DESK_WORK.format(200)),
    ("get", TASK + "links/", None, DESK_ONLY),
    ("post", TASK + "links/", {"kind": "related", "target": "{other}"}, DESK_WORK.format(201)),
    ("delete", TASK + "links/{link}/", None, "401 404 404 404 404 404 404 404 404"),
    ("get", TASK + "watchers/", None, DESK_ONLY),
    ("post", TASK + "watchers/", {}, DESK_WORK.format(201)),
    ("post", TASK + "watchers/", {"user": "rosa@example.com"}, "401 404 404 404 422 422 422 403 422"),
    ("delete", TASK + "watchers/{person}/", None, "401 404 404 404 404 404 404 404 404"),
    ("put", INCIDENT + "parent/", {"parent": "{other}"}, "401 403 404 404 200 200 200 403 200"),
    ("get", INCIDENT + "parent/", None, "401 403 404 404 404 404 404 404 404"),
    ("delete", INCIDENT + "parent/", None, WORK.format(204)),
    ("get", INCIDENT + "children/", None, "401 403 404 404 200 200 200 200 200"),
    ("post", INCIDENT + "children/comments/", {"body": "x"}, "401 403 404 404 409 409 409 403 409"),
    ("post", INCIDENT + "merge/", {"into": "{other}"}, "401 403 404 404 200 200 200 403 200"),
    ("post", INCIDENT + "unmerge/", None, "401 403 404 404 409 409 409 403 409"),
    ("post", INCIDENT + "split/", {"title": "x"}, "401 403 404 404 422 422 422 403 422"),
    ("get", INCIDENT + "similar/", None, "401 403 404 404 200 200 200 200 200"),
    ("get", INCIDENT + "outage/", None, "401 403 404 404 404 404 404 404 404"),
    ("put", INCIDENT + "outage/", {"title": "x", "text": "x"}, WORK.format(200)),
    ("delete", INCIDENT + "outage/", None, WORK.format(204)),
    ("get", INCIDENT + "major/", None, "401 403 404 404 404 404 404 404 404"),
    ("post", INCIDENT + "major/propose/", {"reason": "x"}, WORK.format(200)),
    ("post", INCIDENT + "major/accept/", {"impact": "x", "note": "x"}, "401 403 404 404 403 403 200 403 200"),
    ("post", INCIDENT + "major/reject/", {"reason": "x"}, "401 403 404 404 403 403 409 403 409"),
    ("post", INCIDENT + "major/demote/", {"reason": "x"}, "401 403 404 404 403 403 409 403 409"),
    ("get", INCIDENT + "major/updates/", None, "401 403 404 404 200 200 200 200 200"),
    ("post", INCIDENT + "major/updates/", {"headline": "x", "text": "x"}, "401 403 404 404 403 403 409 403 409"),
    ("get", MAJOR + "roles/", None, "401 403 404 404 200 200 200 200 200"),
    ("put", MAJOR + "roles/scribe/", {"person": "anna@example.com"}, MAJOR_WORK.format(200)),
    ("get", MAJOR + "stakeholders/", None, "401 403 404 404 200 200 200 200 200"),
    ("post", MAJOR + "stakeholders/", {"team": "network"}, MAJOR_WORK.format(201)),
    ("delete", MAJOR + "stakeholders/{stakeholder}/", None, MAJOR_WORK.format(204)),
    ("get", MAJOR + "plan/", None, "401 403 404 404 200 200 200 200 200"),
    ("put", MAJOR + "plan/", PLAN, MAJOR_WORK.format(200)),
    ("post", MAJOR + "call/", {"rota": "x"}, "401 403 404 404 422 422 422 422 422"),
    ("get", MAJOR + "timeline/", None, "401 403 404 404 200 200 200 200 200"),
    ("post", MAJOR + "timeline/", {"text": "x"}, MAJOR_WORK.format(201)),
    ("patch", MAJOR + "timeline/event-1/", {"is_hidden": True}, MAJOR_WORK.format(200)),
    ("get", MAJOR + "review/", None, "401 403 404 404 200 200 200 200 200"),
    ("patch", MAJOR + "review/", {"overview": "x"}, MAJOR_WORK.format(200)),
    ("post", MAJOR + "review/finish/", {}, MAJOR_WORK.format(409)),
    ("post", MAJOR + "review/reopen/", {}, MAJOR_WORK.format(409)),
    ("get", MAJOR + "review/pdf/", None, "401 403 404 404 200 200 200 200 200"),
    ("get", "/api/v1/outages/", None, SIGNED_IN),
    ("post", "/api/v1/outages/{person}/join/", None, "401 404 404 404 404 404 404 404 404"),
    ("get", "/api/v1/attachments/{public}/", None, OWN),
    ("get", "/api/v1/attachments/{internal}/", None, DESK_ONLY),
    ("get", "/api/v1/users/", None, SIGNED_IN),
    ("get", "/api/v1/users/me/", None, SIGNED_IN),
    ("get", "/api/v1/users/{person}/", None, DESK_ONLY),
    ("get", "/api/v1/teams/", None, SIGNED_IN),
    ("get", "/api/v1/teams/network/", None, DESK_ONLY),
    ("get", "/api/v1/categories/", None, SIGNED_IN),
    ("get", "/api/v1/categories/{category}/", None, SIGNED_IN),
    ("get", "/api/v1/services/", None, SIGNED_IN),
    ("get", "/api/v1/services/vpn/", None, SIGNED_IN),
    ("get", "/api/v1/problems/", None, DESK_LIST),
    ("post", "/api/v1/problems/", {"title": "x"}, "401 403 403 403 201 201 201 403 201"),
    ("get", PROBLEM, None, DESK_ONLY),
    ("patch", PROBLEM, {"cause_notes": "x"}, DESK_WORK.format(200)),
    ("patch", PROBLEM, {"is_known_error": True}, DESK_WORK.format(422)),
    ("get", PROBLEM + "moves/", None, DESK_ONLY),
    ("post", PROBLEM + "moves/assess/", {}, DESK_WORK.format(200)),
    ("post", PROBLEM + "moves/cancel/", {"close_notes": "x"}, DESK_WORK.format(200)),
    ("post", PROBLEM + "moves/reanalyse/", {"reason": "x"}, "401 404 404 404 409 409 409 409 409"),
    ("get", PROBLEM + "comments/", None, DESK_ONLY),
    ("post", PROBLEM + "comments/", {"body": "x"}, DESK_WORK.format(201)),
    ("get", PROBLEM + "attachments/", None, DESK_ONLY),
    ("get", PROBLEM + "events/", None, DESK_ONLY),
    ("get", PROBLEM + "timers/", None, DESK_ONLY),
    ("get", PROBLEM + "timers/sla-resolution-1/explanation/", None, "401 404 404 404 404 404 404 404 404"),
    ("post", PROBLEM + "timers/acknowledge/", None, DESK_WORK.format(200)),
    ("get", PROBLEM + "links/", None, DESK_ONLY),
    ("post", PROBLEM + "links/", {"kind": "related", "target": "{other}"}, DESK_WORK.format(201)),
    ("delete", PROBLEM + "links/{behind}/", None, "401 404 404 404 204 204 204 403 204"),
    ("get", PROBLEM + "watchers/", None, DESK_ONLY),
    ("post", PROBLEM + "watchers/", {}, DESK_WORK.format(201)),
    ("delete", PROBLEM + "watchers/{person}/", None, "401 404 404 404 404 404 404 404 404"),
    ("get", PROBLEM + "workarounds/", None, DESK_ONLY),
    ("get", PROBLEM + "communications/", None, DESK_ONLY),
    ("post", PROBLEM + "communicate/", {"what": "fix", "text": "x"}, DESK_WORK.format(200)),
    ("get", PROBLEM + "incidents/", None, DESK_ONLY),
    ("post", PROBLEM + "incidents/", {"numbers": ["{other}"]}, DESK_WORK.format(200)),
    ("get", "/api/v1/known-errors/", None, DESK_LIST),
    ("get", "/api/v1/approvals/", None, SIGNED_IN),
    ("get", "/api/v1/approvals/{approval}/", None, DESK_ONLY),
    (
        "post",
        "/api/v1/approvals/{approval}/decide/",
        {"decision": "approve"},
        "401 404 404 404 403 403 403 403 200",  # only Ada is asked
    ),
    ("get", "/api/v1/tickets/{ref}/approvals/", None, DESK_ONLY),
    ("get", "/api/v1/change-windows/", None, "401 403 403 403 200 200 200 200 200"),
    ("get", "/api/v1/changes/{planned}/conflicts/", None, DESK_ONLY),
    ("get", "/api/v1/changes/{planned}/free-slots/", None, DESK_ONLY),
    ("get", "/api/v1/changes/{planned}/free-slots/?count=0", None, "401 404 404 404 422 422 422 422 422"),
    ("get", "/api/v1/on-call/", None, "401 403 403 403 200 200 200 200 200"),
    ("get", "/api/v1/rotas/", None, "401 403 403 403 200 200 200 200 200"),
    ("get", "/api/v1/rotas/{rota}/", None, "401 404 404 404 200 200 200 200 200"),
    ("get", "/api/schema/", None, OPEN),
    ("get", "/api/docs/", None, OPEN),
]


def routes(resolver: Any, prefix: str = "/") -> list[str]:
    """Return the patterns of all routes below the resolver."""
    found = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += routes(entry, path)
        elif isinstance(entry, URLPattern):
            found.append(path)
    return found


def test_every_address_of_the_api_is_in_the_table() -> None:
    known = {path.partition("?")[0] for _method, path, _body, _codes in TABLE}
    shapes = {tuple("*" if "{" in part or part in NAMES else part for part in path.split("/")) for path in known}
    for route in routes(get_resolver()):
        if route.startswith("/api/") and "^" not in route:
            shape = tuple("*" if part.startswith("<") else part for part in route.split("/"))
            assert any(
                len(shape) == len(other) and all(a == b or a == "*" for a, b in zip(shape, other, strict=True))
                for other in shapes
            ), route


def things(cast: Cast, stored: Any, path: str) -> dict[str, str]:
    """Return the names that stand in the path for things, made anew: Rita's incident and what hangs on it."""
    incident: Incident = open_incident(actor=as_(cast.rita), title="VPN is down", service=cast.vpn)
    other = open_incident(actor=as_(cast.carl), title="Other")
    names = {
        "ref": incident.number,
        "other": other.number,
        "person": cast.imke.public_id,
        "category": cast.printers.public_id,
    }
    for visibility in ("public", "internal"):
        if f"{{{visibility}}}" in path:
            files = (stored(b"1", "a"),)
            names[visibility] = attach(incident, files, actor=as_(cast.anna), visibility=visibility)[0].public_id
    if "{major}" in path:
        accept(incident, actor=as_(cast.lena), impact="x", note="x")
        names["major"] = incident.number
        names["stakeholder"] = add_stakeholder(incident, actor=as_(cast.lena), person=cast.sven).public_id
    if "{task}" in path:
        names["task"] = open_task(incident, actor=as_(cast.anna), title="Look at the tunnel").number
    if "{rota}" in path:
        names["rota"] = save_rota(None, name="Nights", team=None, time_zone="UTC", layers=[], actor=SYSTEM).public_id
    if "{change}" in path:
        names["change"] = open_change(actor=as_(cast.anna), title="New certificate", service=cast.vpn).number
    if "{approval}" in path:
        change = open_change(actor=as_(cast.anna), title="New gateway", team=cast.network)
        names["approval"] = request_approval(change, actor=as_(cast.anna)).public_id
    if "{planned}" in path:
        names["planned"] = open_change(actor=as_(cast.anna), title="New gateway", team=cast.network).number
    if "{problem}" in path:
        problem = open_problem(actor=as_(cast.anna), title="Behind it", incidents=[incident])
        names |= {"problem": problem.number, "behind": problem.links_in.get().public_id}
    if "{link}" in path:
        names["link"] = link(incident, other, LinkKind.CAUSED_BY, actor=as_(cast.anna)).public_id
    return names


@pytest.mark.parametrize(("method", "path", "body", "codes"), TABLE, ids=lambda value: str(value)[:60])
def test_who_gets_what(cast: Cast, stored: Any, method: str, path: str, body: Any, codes: str) -> None:
    expected = dict(zip(WHO, map(int, codes.split()), strict=True))
    answers = {}
    names: dict[str, str] = {}
    for who in WHO:
        if not names or method != "get":
            names = things(cast, stored, path)
        address = path.format(**names)
        sent = (
            None
            if body is None
            else json.loads(json.dumps(body).replace("{other}", names["other"]).replace("{ref}", names["ref"]))
        )
        if who == "nobody":
            content = "" if sent is None else json.dumps(sent)
            answer = Client().generic(method.upper(), address, content, content_type="application/json")
        else:
            caller = Caller(getattr(cast, who))
            is_form = path.endswith("attachments/") and method == "post"
            answer = caller.upload(address.removeprefix("/api/v1/")) if is_form else caller(method, address, sent)
        answers[who] = answer.status_code
        if answer.streaming:
            list(answer.streaming_content)
    assert answers == expected


def test_lists_hold_what_each_may_see(cast: Cast) -> None:
    own = open_incident(actor=as_(cast.rita), title="Rita's")
    open_incident(actor=as_(cast.rolf), title="Rolf's")
    for who, count in (("rita", 1), ("rosa", 0), ("rolf", 1), ("anna", 2), ("olaf", 2), ("ada", 2)):
        for query in ("", "?q=is:open", "?ordering=priority", "?open=true", "?q=kind:incident or status:new"):
            rows = Caller(getattr(cast, who)).get(f"incidents/{query}").json()["results"]
            assert len(rows) == count, (who, query)
    assert Caller(cast.rita).get("incidents/").json()["results"][0]["id"] == own.public_id
    assert len(Caller(cast.rita).get("users/").json()["results"]) == 1
    assert Caller(cast.rita).get("teams/").json()["results"] == []
    assert len(Caller(cast.anna).get("users/").json()["results"]) == 11
    assert "support_team" not in Caller(cast.rita).get("services/vpn/").json()
    assert Caller(cast.anna).get("services/vpn/").json()["support_team"]["key"] == "network"
    assert {row["email"] for row in Caller(cast.anna).get("teams/network/").json()["members"]} == {
        "anna@example.com",
        "ben@example.com",
        "lena@example.com",
    }
