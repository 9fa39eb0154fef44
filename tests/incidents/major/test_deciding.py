"""Proposing, accepting, rejecting and demoting: each state × verb × person, and two people at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from incidents.actions import cancel, close, merge, open_incident, publish_outage, reopen, resolve, set_parent
from incidents.closing import close_resolved
from incidents.major.actions import accept, demote, finish_review, propose, reject, save_review
from incidents.major.models import MajorDuty, MajorIncident
from incidents.models import Incident, IncidentSettings, Outage
from itsm.accounts.models import User
from itsm.notifications.models import Mail, Notice
from itsm.tickets.actors import Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from itsm.tickets.models import Comment, TicketEvent, Visibility
from itsm.tickets.outbox import dispatch
from tests.cast import Cast, as_, make_cast

WHY = {"reason": "All of Kiruna is without VPN."}
ACCEPTED = {"impact": "400 people cannot work.", "note": "Bridge opened."}
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}
FIELDS: dict[str, dict[str, str]] = {"propose": WHY, "accept": ACCEPTED, "reject": WHY, "demote": WHY}
VERBS: dict[str, Any] = {"propose": propose, "accept": accept, "reject": reject, "demote": demote}
ROADS: dict[str, tuple[str, ...]] = {
    "": (),
    "proposed": ("propose",),
    "accepted": ("accept",),
    "rejected": ("propose", "reject"),
    "demoted": ("accept", "demote"),
}
LEGAL = {
    ("", "propose"): "proposed",
    ("rejected", "propose"): "proposed",
    ("demoted", "propose"): "proposed",
    ("", "accept"): "accepted",
    ("proposed", "accept"): "accepted",
    ("rejected", "accept"): "accepted",
    ("demoted", "accept"): "accepted",
    ("proposed", "reject"): "rejected",
    ("accepted", "demote"): "demoted",
}
MAY = {"propose": {"anna", "lena", "ada"}, **{verb: {"lena", "ada"} for verb in ("accept", "reject", "demote")}}


def incident_of(cast: Cast, **more: Any) -> Incident:
    return open_incident(actor=as_(cast.anna), title="vpn is down", requester=cast.rita, **more)


def major_of(cast: Cast, **more: Any) -> Incident:
    return accept(incident_of(cast, **more), actor=as_(cast.lena), **ACCEPTED)


def in_state(cast: Cast, state: str) -> Incident:
    incident = incident_of(cast)
    for verb in ROADS[state]:
        incident = VERBS[verb](incident, actor=as_(cast.lena), **FIELDS[verb])
    assert incident.major_state == state
    return incident


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", ROADS)
def test_every_verb_in_every_state_by_everybody(cast: Cast, state: str, verb: str) -> None:
    for name in ("rita", "rolf", "olaf", "anna", "lena", "ada"):
        incident = in_state(cast, state)
        before = TicketEvent.objects.filter(ticket=incident.pk).count()
        person: User = getattr(cast, name)
        if name not in MAY[verb]:
            with pytest.raises(Refused):
                VERBS[verb](incident, actor=as_(person), **FIELDS[verb])
        elif (state, verb) not in LEGAL:
            with pytest.raises(IllegalMove):
                VERBS[verb](incident, actor=as_(person), **FIELDS[verb])
        else:
            VERBS[verb](incident, actor=as_(person), **FIELDS[verb])
            assert Incident.objects.get(pk=incident.pk).major_state == LEGAL[state, verb]
            continue
        assert Incident.objects.get(pk=incident.pk).major_state == state
        assert TicketEvent.objects.filter(ticket=incident.pk).count() == before


def test_words_are_mandatory_and_are_checked(cast: Cast) -> None:
    incident = incident_of(cast)
    for verb, fields in (("propose", {}), ("accept", {"impact": "x"}), ("accept", {"note": "x"}), ("accept", {})):
        with pytest.raises(Invalid):
            VERBS[verb](incident, actor=as_(cast.lena), **fields)
    for bad in ("\x00", "x" * 10_000, " "):
        with pytest.raises(Invalid):
            propose(incident, actor=as_(cast.anna), reason=bad)
    with pytest.raises(Invalid) as caught:
        accept(incident, actor=as_(cast.lena), **ACCEPTED, commander=cast.rita)
    assert set(caught.value.fields) == {"commander"}
    with pytest.raises(Stale):
        propose(incident, actor=as_(cast.anna), **WHY, version=99)
    assert Incident.objects.get(pk=incident.pk).major_state == ""
    assert not Comment.objects.filter(ticket=incident.pk).exists()
    propose(incident, actor=as_(cast.anna), reason="🔥 Обрыв связи")
    assert MajorIncident.objects.get().proposal == "🔥 Обрыв связи"


def test_only_open_incidents_that_stand_alone_can_be_major_ones(cast: Cast) -> None:
    top = incident_of(cast)
    child = set_parent(incident_of(cast), top, actor=as_(cast.anna))
    ended = resolve(incident_of(cast), actor=as_(cast.anna), **FIXED)
    for verb in ("propose", "accept"):
        for incident in (child, ended):
            with pytest.raises(IllegalMove):
                VERBS[verb](incident, actor=as_(cast.lena), **FIELDS[verb])
    major = major_of(cast)
    with pytest.raises(IllegalMove, match="major"):
        set_parent(major, top, actor=as_(cast.anna))
    with pytest.raises(IllegalMove, match="major"):
        merge([major], top, actor=as_(cast.anna))
    assert set_parent(incident_of(cast), major, actor=as_(cast.anna)).parent_id == major.pk


def test_accepting_writes_the_note_names_the_commander_and_starts_the_clock(cast: Cast) -> None:
    incident = propose(incident_of(cast), actor=as_(cast.anna), **WHY)
    accept(incident, actor=as_(cast.lena), **ACCEPTED, commander=cast.ben)
    major = MajorIncident.objects.get()
    assert (major.impact, major.decided_by, major.proposed_by) == (ACCEPTED["impact"], cast.lena, cast.anna)
    assert major.accepted_at is not None
    assert major.next_update_at is not None
    assert (major.next_update_at - major.accepted_at).total_seconds() == 3600
    note = Comment.objects.get(ticket=incident.pk)
    assert (note.body, note.visibility) == ("Bridge opened.", Visibility.INTERNAL)
    assert MajorDuty.objects.get().person == cast.ben
    while dispatch():
        pass
    assert Notice.objects.filter(kind="major_role_given", user=cast.ben).count() == 1
    assert Notice.objects.filter(kind="major_accepted", user=cast.anna).count() == 1
    assert Notice.objects.filter(kind="major_proposed", user=cast.lena).count() == 1
    outside = Mail.objects.filter(user=cast.rita).values_list("text", flat=True)
    assert not any("major" in text.lower() or "Kiruna" in text for text in outside)


def test_rejecting_leaves_the_incident_as_it_was(cast: Cast) -> None:
    incident = incident_of(cast)
    watched = ("status", "priority", "assignee_id", "team_id", "title")
    before = [getattr(incident, name) for name in watched]
    reject(propose(incident, actor=as_(cast.anna), **WHY), actor=as_(cast.lena), reason="One floor only.")
    fresh = Incident.objects.get(pk=incident.pk)
    assert [getattr(fresh, name) for name in watched] == before
    assert MajorIncident.objects.get().decision == "One floor only."


def test_demoting_takes_banner_clock_and_roles(cast: Cast) -> None:
    incident = major_of(cast)
    publish_outage(incident, title="VPN", text="Down.", actor=as_(cast.anna))
    demote(incident, actor=as_(cast.lena), **WHY)
    assert not Outage.objects.live().exists()
    assert MajorIncident.objects.get().next_update_at is None
    assert not MajorDuty.objects.filter(until=None).exists()


def test_the_requester_neither_ends_nor_reopens_a_major_incident(cast: Cast) -> None:
    incident, rita = major_of(cast), as_(cast.rita, Channel.PORTAL)
    with pytest.raises(Refused, match="major incident"):
        cancel(incident, actor=rita, reason="Works again")
    resolve(incident, actor=as_(cast.anna), **FIXED)
    with pytest.raises(Refused, match="major incident"):
        close(incident, actor=rita)
    with pytest.raises(Refused, match="major incident"):
        reopen(incident, actor=rita, comment="No")
    ordinary = resolve(incident_of(cast), actor=as_(cast.anna), **FIXED)
    assert close(ordinary, actor=rita).status == "closed"


def test_nobody_and_no_clock_closes_it_before_the_review_is_done(cast: Cast) -> None:
    incident = resolve(major_of(cast), actor=as_(cast.anna), **FIXED)
    ordinary = resolve(incident_of(cast), actor=as_(cast.anna), **FIXED)
    IncidentSettings(pk=1, auto_close_days=1).save()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tickets_ticket SET resolved_at = resolved_at - interval '3 days'")
    assert close_resolved() == 1
    assert Incident.objects.get(pk=ordinary.pk).status == "closed"
    with pytest.raises(Refused, match="review"):
        close(incident, actor=as_(cast.ada))
    save_review(incident, {"overview": "a", "findings": "b", "resolution": "c"}, actor=as_(cast.lena))
    assert close_resolved() == 0
    finish_review(incident, actor=as_(cast.lena))
    assert close_resolved() == 1
    assert Incident.objects.get(pk=incident.pk).status == "closed"


@pytest.mark.django_db(transaction=True)
def test_two_people_who_decide_at_once_have_one_effect() -> None:
    cast = make_cast()
    incident = propose(incident_of(cast), actor=as_(cast.anna), **WHY)
    together = threading.Barrier(4)
    said: list[str] = []

    def decide(verb: str, person: User) -> None:
        together.wait()
        try:
            VERBS[verb](incident, actor=as_(person), **FIELDS[verb])
            said.append("done")
        except IllegalMove:
            said.append("refused")
        finally:
            connection.close()

    who = (("accept", cast.lena), ("accept", cast.ada), ("reject", cast.lena), ("reject", cast.ada))
    threads = [threading.Thread(target=decide, args=pair) for pair in who]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    # After a rejection it can still be accepted, once; an accepted one is neither accepted nor rejected.
    decided = list(TicketEvent.objects.filter(ticket=incident.pk, code__contains="major_").order_by("seq"))
    codes = [event.code.rpartition("_")[2] for event in decided if event.code.rpartition("_")[2] != "given"]
    assert codes in (["proposed", "accepted"], ["proposed", "rejected", "accepted"])
    assert sorted(said).count("done") == len(codes) - 1
    assert len(said) == 4
