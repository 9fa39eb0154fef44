"""Replies that can be taken back: held on the server, sent exactly once, at the instant when they go out."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from incidents.actions import merge, open_incident, perform, reply
from incidents.models import Incident
from itsm.desk import holding
from itsm.desk.keeping import clean_drafts
from itsm.desk.models import StoredDraft
from itsm.desk.tasks import send_held
from itsm.notifications.models import Notice
from itsm.tickets.actors import Channel
from itsm.tickets.clock import db_now
from itsm.tickets.models import Attachment, Comment
from tests.cast import Cast, as_

HX = {"HX-Request": "true"}


def page(incident: Incident, tail: str = "") -> str:
    return f"/desk/incidents/{incident.number}/{tail}"


def send(client: Client, incident: Incident, body: str, **more: Any) -> Any:
    form = {"body": body, "visibility": "public", "undo": "1", **more}
    return client.post(page(incident, "comments/"), form, headers=HX)


def undo_of(answer: Any) -> str:
    return str(json.loads(answer["HX-Trigger"])["toast"]["undo"])


def make_due() -> None:
    StoredDraft.objects.held().update(sends_at=db_now() - timedelta(seconds=1))


def test_a_reply_waits_and_goes_out_once(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    file = SimpleUploadedFile("a.log", b"log")
    answer = send(anna, incident, "On its way", submission_key="k1", files=[file])
    assert answer.status_code == 200
    toast = json.loads(answer["HX-Trigger"])["toast"]
    assert (toast["text"], toast["stays"]) == ("The reply goes out in 8 seconds", 8)
    shown = answer.content.decode()
    assert "is-held" in shown
    assert ">\n</textarea>" in shown
    assert send(anna, incident, "On its way", submission_key="k1").status_code == 200  # a second click
    assert StoredDraft.objects.count() == 1
    assert send_held() == 0
    assert not Comment.objects.exists()
    # Others learn that she sends, not what.
    seen = ben.get(page(incident)).content.decode()
    assert "Anna Example is sending a reply…" in seen
    assert "On its way" not in seen
    make_due()
    before = db_now()
    assert [send_held(), send_held()] == [1, 0]
    written = Comment.objects.get()
    assert (written.body, written.author, written.channel) == ("On its way", cast.anna, Channel.DESK)
    assert written.created_at > before
    assert Attachment.objects.get().comment == written
    assert not StoredDraft.objects.exists()
    assert "Anna Example is sending" not in ben.get(page(incident)).content.decode()
    assert send(anna, incident, "On its way", submission_key="k1").status_code == 200
    assert send_held() == 0
    assert Comment.objects.count() == 1


def test_it_is_taken_back_into_the_composer(cast: Cast, anna: Client, ben: Client, incident: Incident) -> None:
    file = SimpleUploadedFile("a.log", b"log")
    undo = undo_of(send(anna, incident, "Not like this", then="hold", files=[file]))
    assert ben.post(undo, headers=HX).status_code == 409  # not his
    back = anna.post(undo, headers=HX)
    shown = back.content.decode()
    assert back.status_code == 200
    assert ">\nNot like this</textarea>" in shown
    assert "a.log" in shown
    assert 'data-send name="then" value="hold"' in shown
    make_due()
    assert send_held() == 0
    assert not Comment.objects.exists()
    again = send(anna, incident, "Like this", kept=[StoredDraft.objects.get().files[0]["storage_key"]], then="hold")
    assert again.status_code == 200
    make_due()
    assert send_held() == 1
    incident.refresh_from_db()
    assert (incident.status, Attachment.objects.get().name) == ("on_hold", "a.log")
    late = anna.post(undo_of(again), headers=HX)
    assert late.status_code == 409
    assert "has gone out already" in late.content.decode()
    assert anna.post(undo_of(again)).status_code == 409


def test_what_was_begun_meanwhile_is_kept_too(anna: Client, incident: Incident) -> None:
    undo = undo_of(send(anna, incident, "First"))
    anna.post("/drafts/save/", {"ticket": incident.number, "place": "public", "body": "Second"})
    shown = anna.post(undo, headers=HX).content.decode()
    assert ">\nSecond</textarea>" in shown
    assert [one["body"] for one in StoredDraft.objects.get().versions] == ["First"]


@pytest.mark.parametrize("tail", ["", "preview/", "pulse/"])
def test_the_next_look_sends_what_is_due(anna: Client, ben: Client, incident: Incident, tail: str) -> None:
    send(anna, incident, "No worker runs")
    make_due()
    assert "No worker runs" in ben.get(page(incident, tail)).content.decode()
    assert Comment.objects.count() == 1


def test_what_is_done_next_comes_after_it(cast: Cast, anna: Client, incident: Incident) -> None:
    send(anna, incident, "First", submission_key="a")
    assert send(anna, incident, "Second", submission_key="b").status_code == 200
    assert [one.body for one in Comment.objects.all()] == ["First"]
    sent = {"version": Incident.objects.get().version, "seen": Incident.objects.get().event_seq}
    assert anna.post(page(incident, "moves/start/"), sent, headers=HX).status_code == 200
    assert [one.body for one in Comment.objects.all()] == ["First", "Second"]
    assert Incident.objects.get().status == "in_progress"


def test_who_wants_no_undo_waits_for_nothing(cast: Cast, anna: Client, incident: Incident) -> None:
    assert anna.post("/profile/sending/", {"undo_seconds": "5"}).status_code == 422
    assert anna.post("/profile/sending/", {"undo_seconds": "0"}).status_code == 303
    send(anna, incident, "At once")
    assert Comment.objects.get().body == "At once"
    assert anna.post("/profile/sending/", {"undo_seconds": "20"}).status_code == 303
    assert "20 seconds" in json.loads(send(anna, incident, "Later")["HX-Trigger"])["toast"]["text"]
    left = StoredDraft.objects.get().sends_at - db_now()  # type: ignore[operator]
    assert timedelta(seconds=15) < left <= timedelta(seconds=21)
    # A note, a reply after which a dialog opens, and a page without JavaScript never wait.
    for form in ({"visibility": "internal"}, {"then": "resolve"}):
        send(anna, incident, "Now", **form)
    anna.post(page(incident, "comments/"), {"body": "Plain", "visibility": "public", "undo": "1"})
    assert not StoredDraft.objects.exists()
    assert Comment.objects.count() == 5


def test_what_sending_would_refuse_is_refused_at_once(cast: Cast, anna: Client, incident: Incident) -> None:
    seen = incident.event_seq
    reply(incident, "News", actor=as_(cast.rita, Channel.PORTAL))
    assert send(anna, incident, "Hm", seen=seen).status_code == 409
    assert send(anna, incident, "   ").status_code == 422
    assert send(anna, incident, "x" * 100_001).status_code == 422
    assert send(anna, incident, "x", then="explode").status_code == 422
    assert not StoredDraft.objects.exists()
    assert Comment.objects.count() == 1


def test_what_cannot_go_out_any_more_comes_back_and_is_told(cast: Cast, anna: Client, incident: Incident) -> None:
    send(anna, incident, "Please try again")
    perform(incident, "cancel", actor=as_(cast.ben), fields={"reason": "Twice"})
    make_due()
    assert [send_held(), send_held()] == [0, 0]
    row = StoredDraft.objects.get()
    assert (row.sends_at, row.body) == (None, "Please try again")
    assert "Write a work note" in row.problem
    notice = Notice.objects.get(user=cast.anna, kind=holding.NOTICE)
    assert "was not sent" in notice.text
    assert notice.path == page(incident)
    assert "Please try again" in anna.get(page(incident)).content.decode()
    assert "Not sent" in anna.get("/desk/").content.decode()


def test_what_breaks_is_tried_again_and_given_back_in_the_end(
    cast: Cast, anna: Client, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(anna, incident, "Again and again")
    make_due()
    broken = monkeypatch.context()
    with broken as patch:
        patch.setattr(holding, "send", lambda *given, **named: 1 / 0)
        assert [send_held(), send_held()] == [0, 0]
        assert StoredDraft.objects.held().get().sends_at > db_now()  # type: ignore[operator]
        StoredDraft.objects.update(created_at=db_now() - timedelta(minutes=11))
        make_due()
        assert send_held() == 0
    assert "Something went wrong" in StoredDraft.objects.unsent().get().problem
    assert clean_drafts() == 0


def test_a_merge_takes_it_along(cast: Cast, anna: Client, incident: Incident) -> None:
    survivor = open_incident(actor=as_(cast.rosa, Channel.PORTAL), title="vpn down")
    send(anna, incident, "Still going out")
    merge([incident], survivor, actor=as_(cast.ben))
    make_due()
    assert send_held() == 1
    assert Comment.objects.get().ticket_id == survivor.pk


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_it_once(cast: Cast, anna: Client, incident: Incident) -> None:
    send(anna, incident, "Only once", submission_key="k1")
    make_due()
    sent: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        try:
            start.wait()
            sent.append(send_held())
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(sent) == [0, 0, 0, 1]
    assert Comment.objects.count() == 1
