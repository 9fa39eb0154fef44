"""Comments, files, events, links and watchers over the API, and who sees which."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.tickets.actions import watch
from itsm.tickets.models import Attachment, Comment, Link
from tests.api.conftest import Caller, problem
from tests.cast import Cast, as_


def results(response: Any) -> list[dict[str, Any]]:
    """Return the rows of a list that must be there."""
    assert response.status_code == 200, response.content
    body = response.json()
    assert body.keys() == {"results", "next"}
    rows: list[dict[str, Any]] = body["results"]
    return rows


def test_a_conversation_without_the_work_notes(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/comments/"
    first = rita.post(path, {"body": "Any news? 😀 שלום"})
    assert first.status_code == 201
    assert first.json()["incident"]["number"] == incident.number
    assert first.json()["opened_new"] is False
    note = anna.post(path, {"body": "She is impatient.", "visibility": "internal"})
    assert note.json()["visibility"] == "internal"
    anna.post(path, {"body": "Soon."})
    assert [row["body"] for row in results(anna.get(path))] == ["Any news? 😀 שלום", "She is impatient.", "Soon."]
    seen = results(rita.get(path))
    assert [row["body"] for row in seen] == ["Any news? 😀 שלום", "Soon."]
    assert seen[1]["author"] == {"id": anna.user.public_id, "name": "Anna Example"}
    assert "impatient" not in rita.get(f"incidents/{incident.number}/events/").content.decode()
    assert all(not row["internal"] for row in results(rita.get(f"incidents/{incident.number}/events/")))


def test_a_requester_writes_no_work_note(rita: Caller, incident: Incident) -> None:
    problem(
        rita.post(f"incidents/{incident.number}/comments/", {"body": "x", "visibility": "internal"}), 403, "refused"
    )
    assert not Comment.objects.exists()


def test_the_same_key_writes_once_even_after_the_end(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    first = rita.post(f"{path}comments/", {"body": "Hello"}, Idempotency_Key="k")
    rita.post(f"{path}moves/cancel/", {"reason": "Done"})
    again = rita.post(f"{path}comments/", {"body": "Hello"}, Idempotency_Key="k")
    assert (first.status_code, again.status_code, again["Idempotent-Replay"]) == (201, 200, "true")
    assert first.json()["id"] == again.json()["id"]
    assert (Comment.objects.count(), Incident.objects.count()) == (1, 1)


def test_a_key_belongs_to_its_ticket(cast: Cast, rita: Caller, incident: Incident) -> None:
    other = open_incident(actor=as_(cast.rita), title="Second")
    for found in (incident, other):
        response = rita.post(f"incidents/{found.number}/comments/", {"body": "Hello"}, Idempotency_Key="k")
        assert response.status_code == 201
    assert Comment.objects.count() == 2


def test_a_reply_after_the_end_opens_a_new_incident_once(rita: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    rita.post(f"{path}moves/cancel/", {"reason": "Done"})
    first = rita.post(f"{path}comments/", {"body": "It is back."}, Idempotency_Key="k")
    again = rita.post(f"{path}comments/", {"body": "It is back."}, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    shown = first.json()
    assert (shown["id"], shown["body"], shown["attachments"], shown["opened_new"]) == (None, None, [], True)
    fresh = rita.get(shown["incident"]["url"]).json()
    assert (fresh["description"], fresh["status"]) == ("It is back.", "new")
    assert fresh["number"] != incident.number
    assert Incident.objects.count() == 2
    [link] = results(rita.get(f"incidents/{fresh['number']}/links/"))
    assert (link["kind"], link["direction"], link["ticket"]["number"]) == ("follows", "outward", incident.number)


def upload(content: bytes, name: str = "log.txt") -> SimpleUploadedFile:
    """Return a file as a form sends it."""
    return SimpleUploadedFile(name, content, content_type="text/html")


def test_a_file_goes_up_and_comes_down_as_a_harmless_download(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/attachments/"
    made = rita.upload(path, file=upload(b"<script>alert(1)</script>", "../../évil\u202e.html"))
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["name"], shown["size"], shown["visibility"]) == ("évil.html", 25, "public")
    assert len(shown["sha256"]) == 64
    for caller in (rita, anna):
        response = caller.get(shown["url"])
        assert response.status_code == 200
        assert b"".join(response.streaming_content) == b"<script>alert(1)</script>"
        assert response["Content-Disposition"].startswith("attachment")
        assert "html" not in response["Content-Type"]
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"] == "no-store"
    assert [row["id"] for row in results(anna.get(path))] == [shown["id"]]
    response = anna.get(shown["url"], Accept="image/png")
    assert b"".join(response.streaming_content)


def test_a_file_for_the_desk_is_not_there_for_others(
    cast: Cast, rita: Caller, rolf: Caller, anna: Caller, incident: Incident
) -> None:
    path = f"incidents/{incident.number}/attachments/"
    hidden = anna.upload(path, file=upload(b"trace"), visibility="internal").json()
    public = anna.upload(path, file=upload(b"manual")).json()
    assert [row["id"] for row in results(rita.get(path))] == [public["id"]]
    problem(rita.get(hidden["url"]), 404, "not_found")
    for caller in (rolf,):
        problem(caller.get(hidden["url"]), 404, "not_found")
        problem(caller.get(public["url"]), 404, "not_found")
    problem(Client().get(public["url"]), 401, "not_authenticated")
    problem(rita.get("attachments/" + "0" * 32 + "/"), 404, "not_found")
    problem(rita.upload(path, file=upload(b"x"), visibility="internal"), 403, "refused")


def test_the_page_address_of_a_file_keeps_the_same_door(cast: Cast, anna: Caller, incident: Incident) -> None:
    shown = anna.upload(f"incidents/{incident.number}/attachments/", file=upload(b"manual")).json()
    address = f"/attachments/{shown['id']}/log.txt"
    codes = {}
    for user in (cast.rita, cast.rolf, cast.anna):
        client = Client()
        client.force_login(user, backend="itsm.accounts.backends.RoleBackend")
        response = client.get(address)
        codes[user.email] = response.status_code
        if response.streaming:
            list(response.streaming_content)  # type: ignore[arg-type]
    assert codes == {"rita@example.com": 200, "rolf@example.com": 404, "anna@example.com": 200}
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 422, "invalid"),
        ({"file": "not a file"}, 422, "invalid"),
        ({"file": [SimpleUploadedFile("a", b"1"), SimpleUploadedFile("b", b"2")]}, 422, "invalid"),
        ({"file": SimpleUploadedFile("empty", b"")}, 422, "invalid"),
        ({"file": SimpleUploadedFile("a", b"1"), "visibility": "secret"}, 422, "invalid"),
        ({"file": SimpleUploadedFile("a", b"1"), "owner": "me"}, 400, "unknown_field"),
    ],
)
def test_uploads_that_do_not_fit(rita: Caller, incident: Incident, fields: Any, status: int, code: str) -> None:
    problem(rita.upload(f"incidents/{incident.number}/attachments/", **fields), status, code)
    assert not Attachment.objects.exists()


def test_a_file_that_is_too_large_is_413_and_not_kept(
    rita: Caller, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("itsm.tickets.actions.files.MAX_FILE_BYTES", 10)
    problem(rita.upload(f"incidents/{incident.number}/attachments/", file=upload(b"x" * 11)), 413, "too_large")
    assert not Attachment.objects.exists()


def test_events_tell_the_desk_the_values_behind_the_words(rita: Caller, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/"
    anna.patch(path, {"assignee": "anna@example.com"})
    told = results(anna.get(f"{path}events/"))
    assert [row["code"] for row in told] == ["incident.opened", "ticket.assigned"]
    person = {"id": anna.user.public_id, "name": "Anna Example"}
    assert told[1]["data"]["changes"]["assignee"] == [None, person]
    assert told[0]["data"]["team"] == "Network"
    assert "Anna Example" in told[1]["text"]
    seen = results(rita.get(f"{path}events/"))
    assert all("data" not in row for row in seen)


def test_links_are_made_seen_from_both_sides_and_removed(
    cast: Cast, rita: Caller, anna: Caller, incident: Incident
) -> None:
    other = open_incident(actor=as_(cast.rolf), title="Same in the south")
    path = f"incidents/{incident.number}/links/"
    made = anna.post(path, {"kind": "duplicate_of", "target": other.number.lower()})
    assert made.status_code == 201
    assert (made.json()["direction"], made.json()["ticket"]["id"]) == ("outward", other.public_id)
    [back] = results(anna.get(f"incidents/{other.number}/links/"))
    assert (back["direction"], back["ticket"]["number"]) == ("inward", incident.number)
    assert results(rita.get(path)) == []
    problem(rita.post(path, {"kind": "related", "target": incident.number}), 422, "invalid")
    problem(anna.post(path, {"kind": "related", "target": incident.number}), 422, "invalid")
    problem(anna.post(path, {"kind": "cousin", "target": other.number}), 422, "invalid")
    hidden = problem(rita.post(path, {"kind": "related", "target": other.number}), 422, "invalid")
    missing = problem(rita.post(path, {"kind": "related", "target": "INC9999999"}), 422, "invalid")
    assert hidden == missing
    third = open_incident(actor=as_(cast.rita), title="Third")
    problem(anna.delete(f"incidents/{third.number}/links/{made.json()['id']}/"), 404, "not_found")
    assert anna.delete(f"{path}{made.json()['id']}/").status_code == 204
    assert not Link.objects.exists()
    problem(anna.delete(f"{path}{made.json()['id']}/"), 404, "not_found")


def test_watchers_see_the_public_side_and_only_the_desk_signs_up_others(
    cast: Cast, rita: Caller, rolf: Caller, anna: Caller, incident: Incident
) -> None:
    path = f"incidents/{incident.number}/watchers/"
    problem(rolf.post(path), 404, "not_found")
    problem(rita.post(path, {"user": "rolf@example.com"}), 422, "invalid")
    assert anna.post(path, {"user": "rolf@example.com"}).status_code == 201
    assert rita.post(path).status_code == 201
    assert {row["name"] for row in results(anna.get(path))} == {"Rita Example", "Rolf Example"}
    assert [row["name"] for row in results(rita.get(path))] == ["Rita Example"]
    assert rolf.get(f"incidents/{incident.number}/").json()["requester"] == {
        "id": cast.rita.public_id,
        "name": "Rita Example",
    }
    problem(rita.delete(f"{path}{cast.rolf.public_id}/"), 404, "not_found")
    assert rolf.delete(f"{path}{cast.rolf.public_id}/").status_code == 204
    problem(rolf.get(f"incidents/{incident.number}/"), 404, "not_found")


def test_comments_come_in_pages(cast: Cast, anna: Caller, incident: Incident) -> None:
    path = f"incidents/{incident.number}/comments/"
    for number in range(5):
        anna.post(path, {"body": f"{number}"})
    seen, address = [], f"/api/v1/{path}?limit=2"
    while address:
        page = anna.get(address).json()
        seen += [row["body"] for row in page["results"]]
        address = page["next"]
    assert seen == ["0", "1", "2", "3", "4"]


def test_a_watcher_does_not_read_the_notes(cast: Cast, anna: Caller, rolf: Caller, incident: Incident) -> None:
    watch(incident, cast.rolf, actor=as_(cast.anna))
    anna.post(f"incidents/{incident.number}/comments/", {"body": "Secret", "visibility": "internal"})
    for part in ("comments", "events", "attachments", "links"):
        assert "Secret" not in rolf.get(f"incidents/{incident.number}/{part}/").content.decode()
