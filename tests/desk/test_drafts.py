"""Drafts on the server: what is written survives crash, logout, another device and a merge, for its author alone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.actions import merge, open_incident, reply
from incidents.models import Incident
from itsm.desk.keeping import clean_drafts
from itsm.desk.models import StoredDraft
from itsm.tickets.actors import Channel
from itsm.tickets.clock import db_now
from itsm.tickets.models import Attachment, Comment, Ticket, TicketEvent
from tests.cast import Cast, as_

JSON = {"Accept": "application/json"}
HX = {"HX-Request": "true"}


def save(client: Client, incident: Incident, body: str, place: str = "public", **more: Any) -> Any:
    form = {"ticket": incident.number, "place": place, "body": body, **more}
    return client.post("/drafts/save/", form, headers=JSON)


def page(incident: Incident, tail: str = "") -> str:
    return f"/desk/incidents/{incident.number}/{tail}"


def html(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_reply_and_note_are_kept_apart_until_each_is_sent(
    cast: Cast, anna: Client, ben: Client, rita: Client, incident: Incident
) -> None:
    before = TicketEvent.objects.count()
    first = save(anna, incident, "Half a reply 👩‍🔧").json()
    save(anna, incident, "A secret note", "internal")
    again = save(anna, incident, "Half a reply 👩‍🔧 and more\r\n", base=first["rev"]).json()
    assert again["rev"] != first["rev"]
    assert again["versions"] == []
    rows = StoredDraft.objects.order_by("place")
    assert [(row.place, row.body) for row in rows] == [
        ("internal", "A secret note"),
        ("public", "Half a reply 👩‍🔧 and more\n"),
    ]
    # The tab written last is shown, the other one waits in the page; a fresh session finds both.
    anna.logout()
    anna.force_login(cast.anna, backend="itsm.accounts.backends.RoleBackend")
    shown = html(anna, page(incident))
    assert ">\nHalf a reply 👩‍🔧 and more\n</textarea>" in shown
    assert "A secret note" in shown
    # Nobody else: no page, search, log, export or portal has it.
    for address in (page(incident), page(incident, "history/"), "/desk/search/?q=secret", "/desk/queue/?q=reply"):
        assert "secret note" not in html(ben, address)
    assert "secret note" not in html(rita, f"/requests/{incident.number}/")
    assert TicketEvent.objects.count() == before
    # Sent, the reply leaves; the note stays.
    sent = {"body": "Half a reply 👩‍🔧 and more", "visibility": "public", "draft_rev": again["rev"]}
    assert anna.post(page(incident, "comments/"), sent).status_code == 303
    assert [row.place for row in StoredDraft.objects.all()] == ["internal"]
    assert ">\nA secret note</textarea>" in html(anna, page(incident))


def test_two_devices_lose_nothing(anna: Client, incident: Incident) -> None:
    desk = save(anna, incident, "From the desk").json()
    # The laptop had the page open before and knows no revision.
    laptop = save(anna, incident, "From the laptop", base="").json()
    assert [one["body"] for one in laptop["versions"]] == ["From the desk"]
    assert StoredDraft.objects.get().body == "From the laptop"
    back = save(anna, incident, "From the desk, longer", base=desk["rev"], aside="An old local copy").json()
    assert {one["body"] for one in back["versions"]} == {"From the laptop", "An old local copy"}
    shown = html(anna, page(incident))
    assert "2 other versions" in shown
    assert "An old local copy" in shown
    # An empty page that knows nothing of it does not wipe it out; one that knows it does.
    assert save(anna, incident, "", base="").json()["body"] == "From the desk, longer"
    for text in ("a", "b", "c", "d", "e", "f"):
        save(anna, incident, text, base="")
    assert len(StoredDraft.objects.get().versions) == 5
    StoredDraft.objects.update(versions=[])
    known = StoredDraft.objects.get().revision
    assert save(anna, incident, "  ", base=known).json()["rev"] == ""
    assert not StoredDraft.objects.exists()


def test_what_another_device_wrote_outlives_the_sending_of_this_one(anna: Client, incident: Incident) -> None:
    here = save(anna, incident, "I look at it").json()
    save(anna, incident, "Please restart the gateway", base="")
    StoredDraft.objects.update(versions=[])
    sent = {"body": "I look at it", "visibility": "public", "draft_rev": here["rev"]}
    assert anna.post(page(incident, "comments/"), sent).status_code == 303
    assert StoredDraft.objects.get().body == "Please restart the gateway"


def test_a_saving_that_arrives_after_the_sending_brings_nothing_back(anna: Client, incident: Incident) -> None:
    sent = {"body": "Once", "visibility": "public", "submission_key": "k1"}
    assert anna.post(page(incident, "comments/"), sent).status_code == 303
    assert save(anna, incident, "Once", key="k1").json() == {"sent": True}
    assert not StoredDraft.objects.exists()


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"body": "x" * 100_001}, 422),
        ({"body": "a\x00b"}, 400),
        ({"body": "x", "fields": "no json"}, 422),
        ({"body": "x", "fields": json.dumps({"title": "t" * 400})}, 422),
        ({"body": "x", "fields": json.dumps({"title": "a\x00"})}, 422),
        ({"body": "x", "fields": json.dumps({str(at): "x" for at in range(30)})}, 422),
        ({"body": "x", "place": "secret"}, 404),
        ({"body": "x", "ticket": "INC9999999"}, 404),
        ({"body": "x", "ticket": "", "place": "public"}, 404),
        ({"body": "x", "person": "0" * 32}, 409),
    ],
)
def test_what_cannot_be_kept_is_refused(anna: Client, incident: Incident, form: dict[str, str], status: int) -> None:
    sent = {"ticket": incident.number, "place": "public", **form}
    assert anna.post("/drafts/save/", sent, headers=JSON).status_code == status
    assert not StoredDraft.objects.exists()


def test_requesters_write_only_where_they_may(cast: Cast, rita: Client, signed_in: Any, incident: Incident) -> None:
    places = {"public": 404, "internal": 404, "portal": 200}
    assert {place: save(rita, incident, "x", place).status_code for place in places} == places
    assert save(signed_in(cast.rolf), incident, "x", "portal").status_code == 404
    assert rita.post("/drafts/save/", {"place": "new-incident", "body": "x"}).status_code == 404
    assert Client().post("/drafts/save/", {"place": "portal-report", "body": "x"}).status_code == 401
    assert ">x</textarea>" in html(rita, f"/requests/{incident.number}/")
    assert rita.post(f"/requests/{incident.number}/reply/", {"body": "xy"}).status_code == 302
    assert not StoredDraft.objects.exists()


def test_discarded_and_had_back(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    save(anna, incident, "Thrown away")
    where = {"ticket": incident.number, "place": "public"}
    done = anna.post("/drafts/discard/", where, headers=JSON).json()
    assert "Thrown away" not in html(anna, page(incident))
    assert ben.post(done["undo"]).status_code == 404
    save(anna, incident, "Begun anew")
    back = anna.post(done["undo"], headers=HX).content.decode()
    assert ">\nBegun anew</textarea>" in back
    assert "Thrown away" in back
    assert anna.post(done["undo"]).status_code == 404
    # Without JavaScript the composer's own form does it.
    plain = anna.post("/drafts/discard/", {"ticket": incident.number, "visibility": "public", "body": "Begun anew"})
    assert (plain.status_code, plain["Location"]) == (303, page(incident))
    assert anna.post("/drafts/discard/", where, headers=JSON).json()["undo"] == ""


def test_files_wait_with_the_draft_and_go_with_it(
    cast: Cast, anna: Client, ben: Client, incident: Incident, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    where = {"ticket": incident.number, "place": "public"}

    def stage(client: Client, *names: str) -> Any:
        files = [SimpleUploadedFile(name, name.encode()) for name in names]
        return client.post("/drafts/files/", {**where, "files": files}, headers=JSON)

    kept = stage(anna, "a.log", "b.log").json()["files"]
    foreign = stage(ben, "ben.log").json()["files"][0]["key"]
    assert "a.log" in html(anna, page(incident))
    gone = anna.post("/drafts/files/remove/", {**where, "file": kept[1]["key"]}, headers=JSON)
    assert [one["name"] for one in gone.json()["files"]] == ["a.log"]
    assert stage(anna, *(f"{at}.log" for at in range(10))).status_code == 422
    # Somebody else's file is nobody's to send.
    sent = {"body": "See", "visibility": "public", "kept": [kept[0]["key"], foreign]}
    assert anna.post(page(incident, "comments/"), sent).status_code == 303
    assert [file.name for file in Attachment.objects.all()] == ["a.log"]
    assert default_storage.exists(kept[0]["key"])
    assert [row.author for row in StoredDraft.objects.all()] == [cast.ben]


def test_a_merge_takes_the_drafts_along(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    survivor = open_incident(actor=as_(cast.rosa, Channel.PORTAL), title="vpn down")
    save(anna, incident, "On the first")
    save(anna, survivor, "On the second")
    save(ben, incident, "Ben's note", "internal")
    merge([incident], survivor, actor=as_(cast.lena))
    row = StoredDraft.objects.get(author=cast.anna)
    assert (row.ticket_id, row.body) == (survivor.pk, "On the second")
    assert [one["body"] for one in row.versions] == ["On the first"]
    assert StoredDraft.objects.get(author=cast.ben).ticket_id == survivor.pk


def test_old_drafts_are_cleaned_up_with_their_files(anna: Client, incident: Incident) -> None:
    file = SimpleUploadedFile("old.log", b"old")
    where = {"ticket": incident.number, "place": "internal", "files": [file]}
    key = anna.post("/drafts/files/", where, headers=JSON).json()["files"][0]["key"]
    save(anna, incident, "Old")
    StoredDraft.objects.update(updated_at=db_now() - timedelta(days=31))
    save(anna, open_incident(actor=as_(StoredDraft.objects.first().author), title="x"), "Young")  # type: ignore[union-attr]
    discarded = anna.post("/drafts/save/", {"place": "new-incident", "body": "Gone"}, headers=JSON)
    assert discarded.status_code == 200
    anna.post("/drafts/discard/", {"place": "new-incident"}, headers=JSON)
    StoredDraft.objects.filter(place="new-incident").update(discarded_at=db_now() - timedelta(hours=2))
    assert clean_drafts() == 3
    assert StoredDraft.objects.get().body == "Young"
    assert key


def test_the_list_on_home_and_the_mark_in_the_queue(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    token = html(anna, "/desk/queue/").partition('data-token="')[2].partition('"')[0]
    save(anna, incident, "Half a reply")
    anna.post("/drafts/save/", {"place": "new-incident", "fields": json.dumps({"title": "Mouse broken"})})
    home = html(anna, "/desk/")
    assert "My drafts" in home
    assert "Half a reply" in home
    assert page(incident) in home
    assert "Mouse broken" in home
    assert "My drafts" not in html(ben, "/desk/")
    assert "You left a text here" in html(anna, "/desk/queue/")
    assert "You left a text here" in html(anna, "/desk/queue/?layout=table")
    assert "You left a text here" not in html(ben, "/desk/queue/")
    assert anna.get(f"/desk/queue/live/?token={token}").status_code == 200
    fresh = html(anna, "/desk/queue/").partition('data-token="')[2].partition('"')[0]
    assert anna.get(f"/desk/queue/live/?token={fresh}").status_code == 204


def test_the_forms_come_back_after_a_session_has_ended(cast: Cast, rita: Client, anna: Client) -> None:
    fields = {"title": "Printer jams", "urgency": "2", "impact": "1", "service": str(cast.vpn.pk), "category": "bad"}
    form = {"place": "portal-report", "body": "It eats paper", "fields": json.dumps(fields)}
    assert rita.post("/drafts/save/", form).status_code == 200
    rita.logout()
    rita.force_login(cast.rita, backend="itsm.accounts.backends.RoleBackend")
    shown = html(rita, "/report/")
    assert 'value="Printer jams"' in shown
    assert "It eats paper</textarea>" in shown
    assert f'<option value="{cast.vpn.pk}" selected>' in shown
    sent = {"title": "Printer jams", "description": "It eats paper", "impact": 1, "urgency": 2, "submission_key": "k"}
    assert rita.post("/report/", sent).status_code == 302
    assert Ticket.objects.get().description == "It eats paper"
    assert not StoredDraft.objects.exists()
    form = {"place": "new-incident", "body": "By phone", "fields": json.dumps({"requester": cast.rosa.public_id})}
    assert anna.post("/drafts/save/", form).status_code == 200
    shown = html(anna, "/desk/new/")
    assert f'<option value="{cast.rosa.public_id}" selected>Rosa Example' in shown
    assert "By phone</textarea>" in shown
    sent = {"requester": cast.rosa.public_id, "channel": "phone", "title": "Mouse", "description": "By phone",
            "impact": 1, "urgency": 1, "submission_key": "n"}  # fmt: skip
    assert anna.post("/desk/new/", sent).status_code == 302
    assert not StoredDraft.objects.exists()


def test_a_reply_to_what_has_ended_is_shown_not_lost(cast: Cast, anna: Client, incident: Incident) -> None:
    save(anna, incident, "Too late a word")
    Ticket.objects.filter(pk=incident.pk).update(status="closed")
    assert "Too late a word" in html(anna, page(incident))


def test_the_session_can_be_taken_up_again(cast: Cast, anna: Client) -> None:
    assert anna.get("/drafts/session/").json()["person"] == cast.anna.public_id
    assert Client().get("/drafts/session/").status_code == 401


def test_news_is_shown_above_the_kept_draft(cast: Cast, anna: Client, incident: Incident) -> None:
    rev = save(anna, incident, "Try this").json()["rev"]
    seen = incident.event_seq
    reply(incident, "It works again", actor=as_(cast.rita, Channel.PORTAL))
    form = {"body": "Try this", "visibility": "public", "seen": seen, "draft_rev": rev, "then": "hold"}
    refused = anna.post(page(incident, "comments/"), form, headers=HX)
    shown = refused.content.decode()
    assert refused.status_code == 409
    assert "It works again" in shown
    assert ">\nTry this</textarea>" in shown
    assert "Edit" in shown
    # “Send anyway” sends in the way that was chosen.
    assert '<input type="hidden" name="then" value="hold">' in shown
    assert StoredDraft.objects.get().body == "Try this"
    assert not Comment.objects.filter(body="Try this").exists()
