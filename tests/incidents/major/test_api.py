"""Running a major incident by a program: roles, stakeholders, plan, updates, timeline, review."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from incidents.actions import resolve
from incidents.major.models import MajorDuty, MajorEntry, MajorUpdate
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.notifications.models import Notice
from itsm.tickets.outbox import dispatch
from slas.actions import save_rota
from tests.api.conftest import Caller, problem
from tests.api.test_description import agree
from tests.cast import Cast, as_
from tests.incidents.major.test_deciding import FIXED, incident_of, major_of

SHAPE = "/api/v1/incidents/{ref}/major/"
PLAN = {"cadence_minutes": 30, "to_portal": True, "to_requesters": False, "to_stakeholders": True}
UPDATE = {"headline": "VPN is down", "text": "Use the web mail.", "to_stakeholders": True}


class Program:
    """Somebody's program at the parts of one major incident; it checks each answer against the description."""

    def __init__(self, user: User, incident: Incident) -> None:
        self.caller, self.path = Caller(user), f"/api/v1/incidents/{incident.number}/major/"

    def __call__(self, method: str, part: str, body: Any = None, shape: str = "", **headers: str) -> Any:
        answer = self.caller(method, self.path + part, body, **headers)
        if answer.status_code != 204:
            agree(answer, SHAPE + (shape or part), method)
        return answer


@pytest.fixture
def major(cast: Cast) -> Incident:
    return major_of(cast, service=cast.vpn)


def test_people_and_plan(cast: Cast, major: Incident) -> None:
    lena, role = Program(cast.lena, major), "roles/{role}/"
    assert lena("put", "roles/scribe/", {"person": "anna@example.com"}, role).json()["person"]["name"] == "Anna Example"
    assert lena("put", "roles/scribe/", {"person": "ben@example.com"}, role, If_Match='"99"').status_code == 412
    assert lena("put", "roles/scribe/", {"person": "ben@example.com", "version": 99}, role).status_code == 409
    assert lena("put", "roles/scribe/", {"person": "ben@example.com"}, role).status_code == 200
    assert [row["until"] is None for row in lena("get", "roles/").json()["results"]] == [True, False, True]
    dispatch()
    assert Notice.objects.filter(user=cast.ben, kind="major_role_given").count() == 1
    for name, body in (("king", {"person": "ben@example.com"}), ("scribe", {"person": "rita@example.com"})):
        problem(lena("put", f"roles/{name}/", body, role), 422, "invalid")
    assert MajorDuty.objects.filter(until=None).count() == 2

    told = lena("post", "stakeholders/", {"team": "network"})
    again = lena("post", "stakeholders/", {"team": "network"})
    assert (told.status_code, again.json()["id"]) == (201, told.json()["id"])
    assert lena("post", "stakeholders/", {"person": "sven@example.com"}).json()["team"] is None
    for body in ({}, {"team": "network", "person": "sven@example.com"}, {"team": "no such team"}):
        problem(lena("post", "stakeholders/", body), 422, "invalid")
    gone = f"stakeholders/{told.json()['id']}/"
    longer = gone.removesuffix("/") + "0/"
    problem(lena("delete", longer, shape="stakeholders/{public_id}/"), 404, "not_found")
    assert lena("delete", gone).status_code == 204
    problem(lena("delete", gone, shape="stakeholders/{public_id}/"), 404, "not_found")
    assert [row["person"]["name"] for row in lena("get", "stakeholders/").json()["results"]] == ["Sven Example"]

    saved = lena("put", "plan/", {**PLAN, "template": "We know:"}).json()
    assert saved == lena("get", "plan/").json()
    assert (saved["cadence_minutes"], saved["to_requesters"], saved["template"]) == (30, False, "We know:")
    for body in ({}, {**PLAN, "cadence_minutes": 2}):
        problem(lena("put", "plan/", body), 422, "invalid")
    assert lena("put", "plan/", PLAN, If_Match='"1"').status_code == 412
    assert lena("put", "plan/", {**PLAN, "cadence_minutes": None}).json()["next_update_at"] is None

    rota = save_rota(None, name="Nights", team=None, time_zone="UTC", layers=[], actor=as_(cast.ada))
    problem(lena("post", "call/", {"rota": rota.public_id}), 422, "invalid")  # nobody is on call
    problem(lena("post", "call/", {"rota": "nothing"}), 422, "invalid")


def test_an_update_is_sent_once_for_each_key(cast: Cast, major: Incident) -> None:
    lena = Program(cast.lena, major)
    first = lena("post", "updates/", UPDATE, Idempotency_Key="7f3a")
    again = lena("post", "updates/", UPDATE, Idempotency_Key="7f3a")
    assert (first.status_code, again.status_code, again["Idempotent-Replay"]) == (201, 200, "true")
    assert first.json() == again.json()
    assert MajorUpdate.objects.count() == 1
    assert lena("get", "").json()["is_overdue"] is False


def test_timeline_and_review(cast: Cast, major: Incident) -> None:
    lena, anna = Program(cast.lena, major), Program(cast.anna, major)
    added = lena("post", "timeline/", {"text": "Called the supplier", "is_decision": True})
    assert (added.status_code, added.json()["is_decision"], added.json()["is_own"]) == (201, True, True)
    assert lena("post", "timeline/", {"text": "Called the supplier", "is_decision": True}).json() == added.json()
    problem(lena("post", "timeline/", {"text": "x", "at": "2999-01-01T00:00:00Z"}), 422, "invalid")
    line = "timeline/{line}/"
    said = lena("patch", "timeline/event-1/", {"text": "It began"}, line).json()
    assert (said["text"], bool(said["original"]), said["is_hidden"]) == ("It began", True, False)
    hidden = lena("patch", "timeline/event-1/", {"is_hidden": True, "seen": "It began"}, line).json()
    assert (hidden["text"], hidden["is_hidden"]) == ("It began", True)
    problem(lena("patch", "timeline/event-1/", {"text": "x", "seen": "Something else"}, line), 409, "illegal_move")
    problem(lena("patch", "timeline/event-99/", {"text": "x"}, line), 422, "invalid")
    rows = lena("get", "timeline/").json()["results"]
    assert [row["text"] for row in rows if row["is_hidden"]] == ["It began"]
    assert MajorEntry.objects.count() == 2

    empty = lena("get", "review/")
    assert (empty.json()["version"], empty["ETag"], empty.json()["overview"]) == (0, '"0"', "")
    written = lena("patch", "review/", {"overview": "It broke.", "version": 0})
    assert (written.json()["version"], written["ETag"]) == (1, '"1"')
    assert lena("patch", "review/", {"findings": "x"}, If_Match='"0"').status_code == 412
    problem(lena("patch", "review/", {"findings": "x", "version": 0}), 409, "stale")
    problem(lena("patch", "review/", {"verdict": "x"}), 400, "unknown_field")
    problem(lena("post", "review/finish/", {}), 409, "illegal_move")  # it is still open
    resolve(Incident.objects.get(pk=major.pk), actor=as_(cast.lena), **FIXED)
    problem(lena("post", "review/finish/", {}), 422, "invalid")
    lena("patch", "review/", {"findings": "A switch.", "resolution": "Replaced."}, If_Match='"1"')
    assert lena("post", "review/finish/", {"version": 2}).json()["done_by"]["name"] == "Lena Example"
    problem(lena("patch", "review/", {"findings": "x"}), 409, "illegal_move")
    assert anna("get", "review/").json()["findings"] == "A switch."
    file = lena.caller.get(lena.path + "review/pdf/", Accept="application/pdf")
    assert (file.status_code, file["Content-Type"], file.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert lena("post", "review/reopen/").json()["done_at"] is None


def test_what_is_no_major_incident_has_none_of_it(cast: Cast) -> None:
    plain = Program(cast.lena, incident_of(cast))
    for part in ("roles/", "stakeholders/", "plan/", "timeline/", "review/"):
        problem(plain("get", part), 404, "not_found")
    problem(plain.caller.get(plain.path + "review/pdf/"), 404, "not_found")
    problem(plain("post", "timeline/", {"text": "x"}), 409, "illegal_move")
    problem(plain("put", "plan/", PLAN), 409, "illegal_move")
    assert Client().get(plain.path + "plan/").status_code == 401
