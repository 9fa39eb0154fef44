"""Opening, reading, changing and moving incidents over the API."""

from __future__ import annotations

import pytest
from django.utils.dateparse import parse_datetime

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.models import TicketEvent
from tests.api.conftest import Caller, problem
from tests.cast import Cast

CONTRACT = {
    "id",
    "number",
    "kind",
    "title",
    "description",
    "status",
    "priority",
    "impact",
    "urgency",
    "team",
    "assignee",
    "requester",
    "opened_by",
    "category",
    "service",
    "hold_reason",
    "resolution_code",
    "resolution_notes",
    "channel",
    "version",
    "external_id",
    "reopen_count",
    "reassignment_count",
    "opened_at",
    "updated_at",
    "resolved_at",
    "closed_at",
    "url",
    "web_url",
}


def test_a_requester_opens_an_incident(cast: Cast, rita: Caller) -> None:
    body = {"title": " VPN is  down ", "description": "Since noon.", "impact": 1, "urgency": 2}
    response = rita.post("incidents/", {**body, "category": "Hardware / Printers", "service": "vpn"})
    assert response.status_code == 201
    shown = response.json()
    assert shown.keys() >= CONTRACT
    assert "next_target_at" not in shown
    assert len(shown["id"]) == 32
    assert shown["number"].startswith("INC")
    assert (shown["title"], shown["status"], shown["priority"], shown["channel"]) == ("VPN is down", "new", 2, "api")
    assert shown["team"] == {"id": cast.network.public_id, "name": "Network", "key": "network"}
    assert shown["requester"] == shown["opened_by"]
    assert shown["requester"]["email"] == "rita@example.com"
    assert shown["category"]["path"] == "Hardware / Printers"
    assert shown["service"]["key"] == "vpn"
    assert shown["assignee"] is None
    assert shown["opened_at"].endswith("Z")
    assert parse_datetime(shown["opened_at"]) is not None
    assert response["ETag"] == f'"{shown["version"]}"'
    assert rita.get(shown["url"]).json() == shown
    stored = Incident.objects.get()
    assert (stored.requester, stored.opened_by, stored.channel) == (cast.rita, cast.rita, "api")
    assert TicketEvent.objects.get().code == "incident.opened"


def test_an_agent_opens_for_somebody_and_chooses_who_works(cast: Cast, anna: Caller) -> None:
    body = {
        "title": "Screen is black",
        "requester": "Rita@example.com",
        "team": "desktop",
        "assignee": cast.carl.public_id,
        "external_id": "EXT-7",
        "category": {"id": cast.hardware.public_id},
    }
    shown = anna.post("incidents/", body).json()
    assert shown["requester"]["email"] == "rita@example.com"
    assert shown["opened_by"]["email"] == "anna@example.com"
    assert (shown["team"]["key"], shown["assignee"]["email"]) == ("desktop", "carl@example.com")
    assert (shown["external_id"], shown["impact"], shown["urgency"], shown["priority"]) == ("EXT-7", 3, 3, 4)
    assert "next_target_at" in shown


def test_the_same_key_opens_once(rita: Caller, anna: Caller) -> None:
    first = rita.post("incidents/", {"title": "Printer"}, Idempotency_Key="k 1")
    again = rita.post("incidents/", {"title": "Printer"}, Idempotency_Key="k 1")
    other = anna.post("incidents/", {"title": "Printer"}, Idempotency_Key="k 1")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert "Idempotent-Replay" not in first
    assert again["Idempotent-Replay"] == "true"
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert Incident.objects.count() == 2


def test_a_key_opens_no_door_to_what_became_somebody_elses(rita: Caller, anna: Caller) -> None:
    number = rita.post("incidents/", {"title": "Printer"}, Idempotency_Key="k").json()["number"]
    assert anna.patch(f"incidents/{number}/", {"requester": "rolf@example.com"}).status_code == 200
    problem(rita.post("incidents/", {"title": "Printer"}, Idempotency_Key="k"), 404, "not_found")
    assert Incident.objects.count() == 1


def test_why_a_priority_was_set_by_hand_is_the_desks(rita: Caller, lena: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    assert lena.patch(path, {"priority": 5, "priority_reason": "Cries wolf"}).json()["priority_reason"] == "Cries wolf"
    assert "Cries wolf" not in rita.get(path).content.decode()


@pytest.mark.parametrize("key", ["", "k" * 256, "k\tk", "schlüssel"])
def test_a_key_that_cannot_be_stored_is_refused(rita: Caller, key: str) -> None:
    found = problem(rita.post("incidents/", {"title": "Printer"}, Idempotency_Key=key), 400, "bad_request")
    assert "Idempotency-Key" in found["errors"]
    assert not Incident.objects.exists()


def test_it_is_read_by_id_and_by_number_in_any_case(rita: Caller, incident: Incident) -> None:
    assert rita.get(f"incidents/{incident.number}/").json()["web_url"].endswith(f"/requests/{incident.number}/")
    for ref in (incident.public_id, incident.public_id.upper(), incident.number, incident.number.lower()):
        assert rita.get(f"incidents/{ref}/").json()["id"] == incident.public_id


def test_an_agent_changes_everything_at_once(cast: Cast, lena: Caller, incident: Incident) -> None:
    body = {
        "title": "VPN drops",
        "description": "Every hour",
        "impact": 1,
        "urgency": 1,
        "category": cast.printers.public_id,
        "service": "E-mail",
        "requester": "rosa@example.com",
        "external_id": "X",
        "team": "desktop",
        "assignee": "carl@example.com",
        "priority": 5,
        "priority_reason": "Planned for spring",
        "version": 1,
    }
    response = lena.patch(f"incidents/{incident.number}/", body)
    assert response.status_code == 200, response.content
    shown = response.json()
    assert (shown["title"], shown["description"], shown["impact"], shown["urgency"]) == (
        "VPN drops",
        "Every hour",
        1,
        1,
    )
    assert (shown["category"]["name"], shown["service"]["key"], shown["team"]["key"]) == ("Printers", "mail", "desktop")
    assert (shown["requester"]["email"], shown["assignee"]["email"]) == ("rosa@example.com", "carl@example.com")
    assert (shown["priority"], shown["priority_reason"]) == (5, "Planned for spring")
    assert response["ETag"] == f'"{shown["version"]}"'
    codes = list(TicketEvent.objects.filter(ticket=incident).values_list("code", flat=True))
    assert codes == ["incident.opened", "ticket.updated", "ticket.assigned", "ticket.priority_overridden"]
    cleared = lena.patch(f"incidents/{incident.number}/", {"assignee": None, "category": None, "service": None}).json()
    assert (cleared["assignee"], cleared["category"], cleared["service"]) == (None, None, None)


def test_a_change_is_all_or_nothing(cast: Cast, anna: Caller, incident: Incident) -> None:
    body = {"title": "New title", "team": "desktop", "priority": 1, "priority_reason": "I say so"}
    problem(anna.patch(f"incidents/{incident.number}/", body), 403, "refused")
    incident.refresh_from_db()
    assert (incident.title, incident.team, incident.version) == ("VPN is down", cast.network, 1)
    assert TicketEvent.objects.filter(ticket=incident).count() == 1


def test_a_requester_does_not_edit(rita: Caller, incident: Incident) -> None:
    for body in ({"title": "Mine"}, {"assignee": None}, {"priority": 1, "priority_reason": "me"}, {}):
        problem(rita.patch(f"incidents/{incident.number}/", body), 403, "refused")


def test_a_stale_version_changes_nothing(anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    assert anna.patch(path, {"title": "First"}, If_Match='"1"').status_code == 200
    found = problem(anna.patch(path, {"title": "Second", "version": 1}), 409, "stale")
    assert found["version"] == 2
    found = problem(anna.patch(path, {"title": "Second"}, If_Match='"1"'), 412, "precondition_failed")
    assert found["version"] == 2
    problem(anna.post(f"{path}moves/start/", {"version": 1}), 409, "stale")
    problem(anna.post(f"{path}moves/start/", If_Match='"1"'), 412, "precondition_failed")
    problem(anna.post(f"{path}comments/", {"body": "Hello", "version": 1}), 409, "stale")
    problem(anna.patch(path, {"version": 1}), 409, "stale")
    problem(anna.patch(path, {"title": "Second"}, If_Match="1"), 400, "bad_request")
    shown = anna.get(path).json()
    assert (shown["title"], shown["status"], shown["version"]) == ("First", "new", 2)
    assert anna.patch(path, {"title": "Third"}, If_Match="*").json()["title"] == "Third"


def test_moves_are_listed_with_their_fields_and_can_be_made(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    moves = {move["name"]: move for move in anna.get(f"{path}moves/").json()["results"]}
    assert list(moves) == ["start", "hold", "resolve", "cancel"]
    hold = {field["name"]: field for field in moves["hold"]["fields"]}
    assert moves["hold"]["target"] == "on_hold"
    assert (hold["hold_reason"]["required"], hold["comment"]["required"]) == (True, "sometimes")
    assert hold["hold_reason"]["choices"][0]["value"] == "awaiting_caller"
    assert hold["comment"]["max_length"] == 100_000
    assert [move["name"] for move in rita.get(f"{path}moves/").json()["results"]] == ["cancel"]

    assert anna("post", f"{path}moves/start/").json()["status"] == "in_progress"
    shown = anna.post(f"{path}moves/hold/", {"hold_reason": "awaiting_caller", "comment": "Which office?"}).json()
    assert (shown["status"], shown["hold_reason"]) == ("on_hold", "awaiting_caller")
    assert rita.post(f"{path}comments/", {"body": "The one in Kiel."}).json()["incident"]["status"] == "in_progress"
    body = {"resolution_code": "solution_provided", "resolution_notes": "Restarted the gateway."}
    shown = anna.post(f"{path}moves/resolve/", body).json()
    assert (shown["status"], shown["resolution_code"]) == ("resolved", "solution_provided")
    assert shown["resolved_at"] is not None
    shown = rita.post(f"{path}moves/reopen/", {"comment": "Still down."}).json()
    assert (shown["status"], shown["reopen_count"], shown["resolved_at"]) == ("in_progress", 1, None)
    anna.post(f"{path}moves/resolve/", body)
    shown = rita.post(f"{path}moves/close/").json()
    assert shown["status"] == "closed"
    assert shown["closed_at"] is not None
    assert rita.get(f"{path}moves/").json()["results"] == []


def test_moves_that_do_not_fit_say_why(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/moves/"
    problem(anna.post(f"{path}close/"), 409, "illegal_move")
    problem(rita.post(f"{path}start/"), 403, "refused")
    problem(anna.post(f"{path}explode/"), 404, "not_found")
    found = problem(anna.post(f"{path}resolve/", {"resolution_code": "magic"}), 422, "invalid")
    assert found["errors"].keys() == {"resolution_code", "resolution_notes"}
    found = problem(anna.post(f"{path}hold/", {"hold_reason": "awaiting_caller"}), 422, "invalid")
    assert found["errors"].keys() == {"comment"}
    found = problem(anna.post(f"{path}start/", {"status": "closed"}), 400, "unknown_field")
    assert found["errors"].keys() == {"status"}
    problem(anna.post(f"{path}hold/", {"hold_reason": 5}), 422, "invalid")
    problem(anna.post(f"{path}start/", {"version": "x"}), 422, "invalid")
    problem(anna("post", f"{path}start/", []), 400, "bad_request")
    incident.refresh_from_db()
    assert (incident.status, incident.version) == ("new", 1)


def test_the_other_moves_say_why_not_when_asked(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/moves/"
    rows = {row["name"]: row for row in anna.get(f"{path}?all=true").json()["results"]}
    assert list(rows) == ["start", "hold", "resume", "resolve", "reopen", "close", "cancel"]
    assert rows["start"]["possible"]
    assert (rows["start"]["why_not"], rows["start"]["missing"]) == ("", [])
    assert not rows["close"]["possible"]
    assert rows["close"]["why_not"] == "“Close” is not possible while the ticket is New."
    rows = {row["name"]: row for row in rita.get(f"{path}?all=true").json()["results"]}
    assert rows["start"]["why_not"] == "Only the service desk can do this."
    assert all("possible" not in row for row in anna.get(path).json()["results"])
    problem(anna.get(f"{path}?all=maybe"), 400, "bad_request")


def test_a_closed_incident_is_not_edited(anna: Caller, rita: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    assert rita.post(f"{path}moves/cancel/", {"reason": "Solved itself"}).status_code == 200
    problem(anna.patch(path, {"title": "Late"}), 409, "illegal_move")
    problem(anna.patch(path, {"team": "desktop"}), 409, "illegal_move")
    problem(anna.post(f"{path}comments/", {"body": "Late"}), 409, "illegal_move")


def test_naming_people_tells_a_requester_nothing(cast: Cast, rita: Caller) -> None:
    answers = [
        rita.post("incidents/", {"title": "x", "requester": ref})
        for ref in ("rolf@example.com", cast.rolf.public_id, "nobody@example.com", "f" * 32, "anna@example.com")
    ]
    texts = {answer.content for answer in answers}
    assert len(texts) == 1
    assert "requester" in problem(answers[0], 422, "invalid")["errors"]
    for field, real, none in (("team", "network", "nothing"), ("assignee", "anna@example.com", "no@example.com")):
        first, second = (rita.post("incidents/", {"title": "x", field: ref}) for ref in (real, none))
        assert first.content == second.content
        problem(first, 422, "invalid")
    assert not Incident.objects.exists()


def test_only_people_who_work_can_be_assigned(cast: Cast, anna: Caller, incident: Incident) -> None:
    User.objects.filter(pk=cast.ben.pk).update(is_active=False)
    for ref in ("rita@example.com", "olaf@example.com", "ben@example.com", 7, ["anna@example.com"], "", "x" * 9999):
        found = problem(anna.patch(f"incidents/{incident.number}/", {"assignee": ref}), 422, "invalid")
        assert found["errors"].keys() == {"assignee"}
        problem(anna.post("incidents/", {"title": "x", "assignee": ref}), 422, "invalid")


def test_a_reason_without_a_priority_is_told(lena: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    assert problem(lena.patch(path, {"priority_reason": "so"}), 422, "invalid")["errors"].keys() == {"priority"}
    assert problem(lena.patch(path, {"priority": 1}), 422, "invalid")["errors"].keys() == {"priority_reason"}
