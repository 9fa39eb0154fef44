"""Known outages, “Me too”, splitting an incident, and similar open incidents."""

from __future__ import annotations

import threading

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import (
    cancel,
    join_outage,
    open_incident,
    publish_outage,
    reply,
    resolve,
    set_parent,
    split,
    withdraw_outage,
)
from incidents.models import Incident, Outage
from itsm.accounts.models import User
from itsm.notifications.models import Mail, Notice
from itsm.tickets.actions import attach, store_upload
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from itsm.tickets.models import Attachment, Comment, Link, TicketEvent
from itsm.tickets.outbox import dispatch
from itsm.tickets.spreading import work
from itsm.tickets.timeline import timeline
from tests.cast import Cast, as_, make_cast

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}
WORDS = {"title": "No remote access", "text": "The VPN gateway is down. We are working on it."}


def incident_of(cast: Cast, requester: User | None = None, title: str = "vpn is down", **more: object) -> Incident:
    return open_incident(actor=as_(cast.anna), title=title, requester=requester or cast.rita, **more)  # type: ignore[arg-type]


def handed_out() -> None:
    while dispatch():
        pass


@pytest.fixture
def outage(cast: Cast) -> Outage:
    """The outage of Rita's incident."""
    return publish_outage(incident_of(cast, service=cast.vpn), actor=as_(cast.anna), **WORDS)


def test_an_outage_lives_as_long_as_its_incident(cast: Cast, outage: Outage) -> None:
    assert list(Outage.objects.live()) == [outage]
    assert publish_outage(outage.incident, actor=as_(cast.anna), **WORDS).pk == outage.pk
    changed = publish_outage(outage.incident, actor=as_(cast.ben), title="VPN", text="Back at noon.")
    assert (changed.pk, changed.published_by, changed.published_at) == (outage.pk, cast.anna, outage.published_at)
    withdraw_outage(outage.incident, actor=as_(cast.anna))
    withdraw_outage(outage.incident, actor=as_(cast.anna))
    assert not Outage.objects.live().exists()
    publish_outage(outage.incident, actor=as_(cast.anna), **WORDS)
    assert Outage.objects.live().exists()
    resolve(outage.incident, actor=as_(cast.anna), **FIXED)
    assert not Outage.objects.live().exists()
    codes = TicketEvent.objects.filter(ticket_id=outage.incident_id, code__contains="outage").order_by("seq")
    assert [event.code.rpartition("_")[2] for event in codes] == ["published", "changed", "withdrawn", "published"]


def test_what_cannot_be_shown_is_refused(cast: Cast, outage: Outage) -> None:
    child = set_parent(incident_of(cast), outage.incident, actor=as_(cast.anna))
    ended = cancel(incident_of(cast), actor=as_(cast.anna), reason="x")
    with pytest.raises(IllegalMove, match="Show that one"):
        publish_outage(child, actor=as_(cast.anna), **WORDS)
    with pytest.raises(IllegalMove, match="Only an open incident"):
        publish_outage(ended, actor=as_(cast.anna), **WORDS)
    for words in ({"title": "", "text": "x"}, {"title": "x", "text": " "}, {"title": "x" * 201, "text": "x\x00"}):
        with pytest.raises(Invalid):
            publish_outage(outage.incident, actor=as_(cast.anna), **words)
    for nobody in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            publish_outage(outage.incident, actor=as_(nobody), **WORDS)
        with pytest.raises(Refused):
            withdraw_outage(outage.incident, actor=as_(nobody))
    with pytest.raises(Stale):
        publish_outage(outage.incident, actor=as_(cast.anna), version=99, **WORDS)


def test_who_joins_has_one_incident_of_their_own_and_hears_of_the_fix(cast: Cast, outage: Outage) -> None:
    own = [join_outage(outage, actor=as_(cast.rosa, Channel.PORTAL)) for _click in range(2)]
    assert own[0].pk == own[1].pk
    mine = own[0]
    assert (mine.parent_id, mine.requester, mine.service, mine.title) == (
        outage.incident_id,
        cast.rosa,
        cast.vpn,
        "No remote access",
    )
    other = join_outage(outage, actor=as_(cast.rolf, Channel.PORTAL), comment="In Kiruna as well.")
    assert other.description == "In Kiruna as well."
    assert Outage.objects.with_joined().get().joined == 2
    assert join_outage(outage, actor=as_(cast.rita, Channel.PORTAL)).pk == outage.incident_id
    handed_out()
    assert not Notice.objects.filter(kind="queued", ticket=mine.pk).exists(), "no team is woken for each who joins"
    assert Notice.objects.filter(kind="received", ticket=mine.pk, user=cast.rosa).exists()
    Mail.objects.all().delete()
    resolve(outage.incident, actor=as_(cast.anna), **FIXED)
    work()
    handed_out()
    told = Mail.objects.filter(kind="resolved").values_list("user__display_name", flat=True)
    assert sorted(told) == ["Rita Example", "Rolf Example", "Rosa Example"]


def test_joining_again_after_giving_up_and_joining_too_late(cast: Cast, outage: Outage) -> None:
    mine = join_outage(outage, actor=as_(cast.rosa, Channel.PORTAL))
    cancel(mine, actor=as_(cast.rosa, Channel.PORTAL), reason="Works again")
    again = join_outage(outage, actor=as_(cast.rosa, Channel.PORTAL))
    assert (again.pk != mine.pk, again.parent_id) == (True, outage.incident_id)
    resolve(outage.incident, actor=as_(cast.anna), **FIXED)
    with pytest.raises(IllegalMove, match="is over"):
        join_outage(outage, actor=as_(cast.rolf, Channel.PORTAL))
    with pytest.raises(Refused):
        join_outage(outage, actor=SYSTEM)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_and_a_rush_make_one_each() -> None:
    cast = make_cast()
    outage = publish_outage(incident_of(cast), actor=as_(cast.anna), **WORDS)
    together = threading.Barrier(4)
    failed: list[Exception] = []

    def join(user: User) -> None:
        together.wait()
        try:
            join_outage(outage, actor=as_(user, Channel.PORTAL))
        except Exception as error:  # noqa: BLE001  it would end unseen in its thread
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=join, args=(user,)) for user in (cast.rosa, cast.rosa, cast.rolf, cast.rosa)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failed
    children = Incident.objects.filter(parent=outage.incident_id)
    assert sorted(children.values_list("requester__display_name", flat=True)) == ["Rolf Example", "Rosa Example"]
    assert Incident.objects.get(pk=outage.incident_id).child_count == 2


def test_split_loses_nothing_and_shows_where_it_came_from(cast: Cast) -> None:
    one = incident_of(cast, cast.rita)
    file = store_upload(ContentFile(b"log of the printer", name="printer.log"))
    first = reply(one, "And my printer is dead.", actor=as_(cast.rita, Channel.PORTAL), files=(file,)).comment
    note = reply(one, "Toner?", actor=as_(cast.anna), visibility="internal").comment
    reply(one, "The VPN is back.", actor=as_(cast.anna))
    attach(one, (store_upload(ContentFile(b"photo", name="photo.txt")),), actor=as_(cast.rita, Channel.PORTAL))
    assert first
    assert note
    loose = Attachment.objects.get(name="photo.txt")
    before = list(Comment.objects.filter(ticket_id=one.pk).values())
    for _click in range(2):
        fresh = split(
            one,
            actor=as_(cast.ben),
            title="Printer is dead",
            comments=[first.public_id, note.public_id],
            attachments=[loose.public_id],
            requester=cast.rosa,
            version=Incident.objects.get(pk=one.pk).version,
            submission_key="k",
        )
    assert Incident.objects.count() == 2
    assert list(Comment.objects.filter(ticket_id=one.pk).values()) == before
    assert (fresh.requester, fresh.opened_by, fresh.title) == (cast.rosa, cast.ben, "Printer is dead")
    assert Link.objects.get(source=fresh.pk).kind == "split_from"
    seen = [(e.comment.body, e.origin, e.actor) for e in timeline(fresh, cast.anna) if e.comment]
    assert seen == [("And my printer is dead.", one.number, cast.rita), ("Toner?", one.number, cast.anna)]
    assert [e.comment.body for e in timeline(fresh, cast.rosa) if e.comment] == ["And my printer is dead."]
    copies = list(Attachment.objects.filter(ticket_id=fresh.pk).order_by("name"))
    assert [copy.name for copy in copies] == ["photo.txt", "printer.log"]
    assert copies[1].comment is not None
    for copy in copies:
        with default_storage.open(copy.storage_key) as content:
            assert content.read() in (b"log of the printer", b"photo")
    assert len(set(Attachment.objects.values_list("storage_key", flat=True))) == 4


def test_split_needs_something_of_this_incident_and_the_desk(cast: Cast) -> None:
    one, other = incident_of(cast), incident_of(cast)
    foreign = reply(other, "Hello", actor=as_(cast.rita, Channel.PORTAL)).comment
    own = reply(one, "Hello", actor=as_(cast.rita, Channel.PORTAL)).comment
    assert own
    assert foreign
    for refs in ([], [foreign.public_id], ["nonsense"], ["\x00"], [own.public_id] * 101):
        with pytest.raises(Invalid):
            split(one, actor=as_(cast.anna), title="X", comments=refs)
    with pytest.raises(Invalid):
        split(one, actor=as_(cast.anna), title=" ", comments=[own.public_id])
    with pytest.raises(Refused):
        split(one, actor=as_(cast.rita), title="X", comments=[own.public_id])
    with pytest.raises(Stale):
        split(one, actor=as_(cast.anna), title="X", comments=[own.public_id], version=99)
    assert Incident.objects.count() == 2


def test_similar_open_incidents_are_found_in_one_query(cast: Cast) -> None:
    same = incident_of(cast, title="VPN connection drops at noon")
    service = incident_of(cast, title="Tunnel drops", service=cast.vpn)
    incident_of(cast, title="Printer jams")
    resolve(incident_of(cast, title="VPN connection drops"), actor=as_(cast.anna), **FIXED)
    with CaptureQueriesContext(connection) as asked:
        found = list(Incident.objects.similar_to("vpn connection drops again", service_id=cast.vpn.pk)[:5])
    assert len(asked) == 1
    assert found == [same, service] or found == [same]
    assert found[0].likeness >= 0.7
    named = list(Incident.objects.similar_to("vpn drops", service_id=cast.vpn.pk))
    assert set(named) == {same, service}
    for nothing in ("", "a b", "!!! ???", "' | :*", "x" * 10_000, "Kaffee"):
        assert list(Incident.objects.similar_to(nothing)) == []
    assert list(Incident.objects.visible_to(cast.rolf).similar_to("vpn connection drops")) == []
