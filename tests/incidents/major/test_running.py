"""Updates, the alarm when one is overdue, roles, the timeline and the review."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from incidents.actions import cancel, join_outage, open_incident, reopen, reply, resolve, set_parent
from incidents.major.actions import (
    add_entry,
    add_stakeholder,
    alarm_overdue,
    edit_line,
    finish_review,
    give_role,
    page_on_call,
    remove_stakeholder,
    save_plan,
    save_review,
    send_update,
    take_up_review,
)
from incidents.major.models import MajorDuty, MajorIncident, MajorReview, MajorStakeholder, MajorUpdate
from incidents.major.timeline import timeline_of
from incidents.models import Incident, Outage
from itsm.notifications.models import Mail, Notice
from itsm.tickets.actors import Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from itsm.tickets.models import Comment, TicketEvent, Visibility
from itsm.tickets.outbox import dispatch
from itsm.tickets.spreading import work
from tests.cast import Cast, as_, make_cast
from tests.incidents.major.test_deciding import FIXED, incident_of, major_of

TEXT = {"headline": "VPN is down", "text": "Use the web mail. More at noon."}
ALL = {"to_portal": True, "to_requesters": True, "to_stakeholders": True}


def handed_out() -> None:
    while dispatch():
        pass


def let_it_be_late(incident: Incident) -> None:
    """Move the due instant into the past."""
    MajorIncident.objects.filter(pk=incident.pk).update(next_update_at=datetime(2020, 1, 1, tzinfo=UTC))


def codes(incident: Incident, name: str) -> int:
    return TicketEvent.objects.filter(ticket=incident.pk, code=f"incident.major_{name}").count()


def test_an_update_reaches_everybody_it_is_for_once(cast: Cast) -> None:
    major = major_of(cast)
    child = set_parent(
        open_incident(actor=as_(cast.anna), title="vpn", requester=cast.rosa), major, actor=as_(cast.anna)
    )
    for person in (cast.sven, cast.rolf):
        add_stakeholder(major, person=person, actor=as_(cast.lena))
        add_stakeholder(major, person=person, actor=as_(cast.lena))
    add_stakeholder(major, team=cast.desktop, actor=as_(cast.lena))
    assert MajorStakeholder.objects.count() == 3
    for _click in range(2):
        update = send_update(major, actor=as_(cast.lena), submission_key="k", **TEXT, **ALL)
    work()
    handed_out()
    assert MajorUpdate.objects.get() == update
    assert Outage.objects.live().get().text == TEXT["text"]
    for ticket in (major, child):
        said = Comment.objects.get(ticket=ticket.pk, visibility=Visibility.PUBLIC)
        assert TEXT["text"] in said.body
    told = Notice.objects.filter(kind="major_update").values_list("user__display_name", flat=True)
    assert sorted(told) == ["Carl Example", "Rolf Example", "Sven Example"]
    mail = Mail.objects.get(kind="major_update", user=cast.rolf)
    assert TEXT["text"] in mail.text
    assert major.number not in mail.text, "who does not see the incident learns nothing of it"
    handed_out()
    assert Mail.objects.filter(kind="major_update").count() == 3
    remove_stakeholder(major, MajorStakeholder.objects.get(person=cast.rolf).public_id, actor=as_(cast.lena))
    send_update(major, actor=as_(cast.lena), **TEXT, to_stakeholders=True)
    handed_out()
    assert Mail.objects.filter(kind="major_update", user=cast.rolf).count() == 1


def test_an_update_needs_words_an_audience_and_somebody_who_runs_it(cast: Cast) -> None:
    major, ordinary = major_of(cast), incident_of(cast)
    for words in ({}, {"headline": "x"}, {"headline": "x", "text": "\x00"}, {"headline": "x" * 10_000, "text": "x"}):
        with pytest.raises(Invalid):
            send_update(major, actor=as_(cast.lena), **words, to_portal=True)
    with pytest.raises(Invalid, match="who gets"):
        send_update(major, actor=as_(cast.lena), **TEXT)
    for person in (cast.rita, cast.olaf, cast.anna):
        with pytest.raises(Refused):
            send_update(major, actor=as_(person), **TEXT, **ALL)
    with pytest.raises(IllegalMove):
        send_update(ordinary, actor=as_(cast.lena), **TEXT, **ALL)
    give_role(major, "communications", cast.anna, actor=as_(cast.lena))
    send_update(major, actor=as_(cast.anna), **TEXT, to_portal=True)
    resolve(major, actor=as_(cast.anna), **FIXED)
    with pytest.raises(IllegalMove, match="over"):
        send_update(major, actor=as_(cast.lena), **TEXT, **ALL)
    assert MajorUpdate.objects.count() == 1


def test_the_portal_shows_the_public_words_only_and_nothing_when_it_is_over(cast: Cast, client: Client) -> None:
    major = major_of(cast)
    reply(major, "SECRET of the desk", actor=as_(cast.anna), visibility="internal")
    add_entry(major, actor=as_(cast.lena), text="SECRET decision", is_decision=True)
    send_update(major, actor=as_(cast.lena), **TEXT, to_portal=True)
    client.force_login(cast.rolf)
    page = client.get(reverse("portal:outages")).content.decode() + client.get(reverse("portal:home")).content.decode()
    assert TEXT["headline"] in page
    for secret in ("SECRET", "400 people", "Bridge opened", "Lena", major.number, "vpn is down"):
        assert secret not in page
    mine = join_outage(Outage.objects.get(), actor=as_(cast.rolf, Channel.PORTAL))
    assert mine.parent_id == major.pk
    resolve(Incident.objects.get(pk=major.pk), actor=as_(cast.anna), **FIXED)
    assert TEXT["headline"] not in client.get(reverse("portal:outages")).content.decode()
    work()
    assert Incident.objects.get(pk=mine.pk).status == "resolved"


def test_one_alarm_for_each_due_instant(cast: Cast) -> None:
    major = major_of(cast)
    assert alarm_overdue() == 0
    let_it_be_late(major)
    assert [alarm_overdue(), alarm_overdue()] == [1, 0]
    handed_out()
    assert Notice.objects.filter(kind="major_update_overdue", user=cast.lena).count() == 1
    send_update(major, actor=as_(cast.lena), **TEXT, to_portal=True)
    assert alarm_overdue() == 0
    MajorIncident.objects.update(next_update_at=datetime(2020, 1, 2, tzinfo=UTC))
    assert alarm_overdue() == 1
    let_it_be_late(major)
    cancel(major, actor=as_(cast.lena), reason="x")
    assert MajorIncident.objects.get().next_update_at is None
    assert alarm_overdue() == 0


@pytest.mark.django_db(transaction=True)
def test_four_workers_alarm_once() -> None:
    cast = make_cast()
    major = major_of(cast)
    let_it_be_late(major)
    together = threading.Barrier(4)
    made: list[int] = []

    def look() -> None:
        together.wait()
        try:
            made.append(alarm_overdue())
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(made) == [0, 0, 0, 1]
    assert codes(major, "update_overdue") == 1


def test_the_plan_moves_the_next_update(cast: Cast) -> None:
    major = major_of(cast)
    for bad in ("4", "1441", "-5", "ten", "٣٠", "1" * 400):
        with pytest.raises(Invalid):
            save_plan(major, actor=as_(cast.lena), cadence_minutes=bad)
    row = save_plan(major, actor=as_(cast.lena), cadence_minutes="30", template="We know:", to_portal=True)
    assert row.next_update_at == (row.accepted_at or datetime.now(UTC)) + timedelta(minutes=30)
    assert (row.to_portal, row.to_requesters) == (True, False)
    sent = send_update(major, actor=as_(cast.lena), **TEXT, to_portal=True)
    assert MajorIncident.objects.get().next_update_at == sent.sent_at + timedelta(minutes=30)
    assert save_plan(major, actor=as_(cast.lena), cadence_minutes="").next_update_at is None
    with pytest.raises(Refused):
        save_plan(major, actor=as_(cast.anna), cadence_minutes="30")


def test_a_handover_is_recorded_and_a_role_has_one_person(cast: Cast) -> None:
    major = major_of(cast)
    for person in (cast.ben, cast.ben, cast.anna):
        give_role(major, "scribe", person, actor=as_(cast.lena))
    with pytest.raises(Invalid):
        give_role(major, "scribe", cast.rita, actor=as_(cast.lena))
    with pytest.raises(Invalid):
        give_role(major, "king", cast.ben, actor=as_(cast.lena))
    held = MajorDuty.objects.filter(role="scribe").order_by("since").values_list("person", "until")
    assert [(person, until is None) for person, until in held] == [(cast.ben.pk, False), (cast.anna.pk, True)]
    with pytest.raises(Invalid):
        page_on_call(major, None, actor=as_(cast.lena))


def test_the_timeline_writes_itself_and_edits_leave_the_log_alone(cast: Cast) -> None:
    major = major_of(cast)
    for _number in range(3):
        set_parent(incident_of(cast), major, actor=as_(cast.anna))
    reply(major, "The switch in Kiruna is broken.", actor=as_(cast.anna))
    lines = timeline_of(major)
    said = [line.text for line in lines]
    assert any("3 incidents became part" in text for text in said)
    assert any("The switch in Kiruna" in text for text in said)
    assert not any("Bridge opened" in text for text in said), "a work note is not quoted"
    joined = next(line for line in lines if "3 incidents" in line.text)
    log = list(TicketEvent.objects.filter(ticket=major.pk).values_list("seq", "hash"))
    edit_line(major, joined.ref, actor=as_(cast.lena), text="Three 🔥 more", seen=joined.text)
    with pytest.raises(IllegalMove, match="meantime"):
        edit_line(major, joined.ref, actor=as_(cast.ada), text="Other", seen=joined.text)
    edited = next(line for line in timeline_of(major) if line.ref == joined.ref)
    assert (edited.text, edited.original, edited.is_edited) == ("Three 🔥 more", joined.text, True)
    assert list(TicketEvent.objects.filter(ticket=major.pk).values_list("seq", "hash"))[: len(log)] == log
    edit_line(major, joined.ref, actor=as_(cast.lena), text=joined.text, is_hidden=True)
    hidden = next(line for line in timeline_of(major) if line.ref == joined.ref)
    assert (hidden.text, hidden.is_edited, hidden.is_hidden) == (joined.text, False, True)
    for ref in ("event-999", "event-x", "nothing", "\x00", "event-" + "9" * 50):
        with pytest.raises(Invalid):
            edit_line(major, ref, actor=as_(cast.lena), text="x")
    for _click in range(2):
        own = add_entry(major, actor=as_(cast.lena), text="Called the supplier", is_decision=True)
    assert [line.text for line in timeline_of(major) if line.is_decision] == ["Called the supplier"]
    with pytest.raises(Invalid):
        edit_line(major, own.public_id, actor=as_(cast.lena), text=" ")
    with pytest.raises(Invalid, match="future"):
        add_entry(major, actor=as_(cast.lena), text="x", at=datetime.now(UTC) + timedelta(days=1))
    with pytest.raises(Refused):
        add_entry(major, actor=as_(cast.anna), text="x")


def test_the_review_is_done_when_it_says_enough_and_the_incident_is_over(cast: Cast) -> None:
    major, lena = major_of(cast), as_(cast.lena)
    whole = {"overview": "Обзор 🔥", "findings": "b", "resolution": "c"}
    saved = save_review(major, whole, actor=lena)
    with pytest.raises(IllegalMove, match="still open"):
        finish_review(major, actor=lena)
    with pytest.raises(Stale):
        save_review(major, {"overview": "x"}, actor=as_(cast.ada), edition=saved.edition - 1)
    with pytest.raises(Invalid):
        save_review(major, {"overview": "\x00", "done_at": "x"}, actor=lena)
    resolve(major, actor=lena, **FIXED)
    save_review(major, {"findings": ""}, actor=lena)
    with pytest.raises(Invalid) as caught:
        finish_review(major, actor=lena)
    assert set(caught.value.fields) == {"findings"}
    save_review(major, {"findings": "b"}, actor=lena)
    for _click in range(2):
        finish_review(major, actor=lena)
    assert codes(major, "review_done") == 1
    for deed in (
        lambda: save_review(major, {"overview": "x"}, actor=lena),
        lambda: add_entry(major, actor=lena, text="x"),
    ):
        with pytest.raises(IllegalMove, match="Take it up again"):
            deed()
    take_up_review(major, actor=lena)
    save_review(major, {"overview": "Better"}, actor=lena)
    finish_review(major, actor=lena)
    reopen(Incident.objects.get(pk=major.pk), actor=as_(cast.anna), comment="Down again")
    assert MajorReview.objects.get().done_at is None
    assert MajorIncident.objects.get().next_update_at is not None
