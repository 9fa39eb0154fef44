"""The one door: which rows exist for whom."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.tickets.actions import comment, override_priority, update, watch
from itsm.tickets.models import Comment, Ticket, TicketEvent, Visibility
from itsm.tickets.querysets import get_visible
from itsm.tickets.timeline import timeline
from tests.cast import Cast, as_


def test_requesters_see_their_own_staff_sees_all(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="Mine")
    hers = open_incident(actor=as_(cast.rosa), title="Hers")
    assert set(Incident.objects.visible_to(cast.rita)) == {mine}
    assert set(Incident.objects.visible_to(cast.rosa)) == {hers}
    assert not Incident.objects.visible_to(cast.rolf).exists()
    assert not Incident.objects.visible_to(AnonymousUser()).exists()
    for person in (cast.anna, cast.carl, cast.lena, cast.olaf, cast.ada):
        assert set(Incident.objects.visible_to(person)) == {mine, hers}


def test_a_deactivated_agent_sees_only_what_they_asked_for(cast: Cast) -> None:
    open_incident(actor=as_(cast.rita), title="Mine")
    cast.anna.is_active = False
    cast.anna.__dict__.pop("permissions", None)
    assert not Incident.objects.visible_to(cast.anna).exists()


@pytest.mark.parametrize("ref", ["INC9999999", "0" * 32, "x", "", "INC\x00", "../../etc/passwd", "9" * 500, "１２"])
def test_what_is_not_there_and_what_is_not_yours_look_alike(cast: Cast, ref: str) -> None:
    with pytest.raises(Http404):
        get_visible(Incident.objects.all(), cast.ada, ref)


def test_number_and_public_id_both_find(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="Mine")
    for ref in (mine.number, mine.number.lower(), mine.public_id, mine.public_id.upper()):
        assert get_visible(Incident.objects.all(), cast.rita, ref) == mine
        with pytest.raises(Http404):
            get_visible(Incident.objects.all(), cast.rolf, ref)


def test_work_notes_never_reach_the_requester(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="Mine")
    comment(mine, "Hello Rita", actor=as_(cast.anna))
    comment(mine, "She did it herself", actor=as_(cast.anna), visibility=Visibility.INTERNAL)
    assert [row.body for row in Comment.objects.visible_to(cast.rita)] == ["Hello Rita"]
    assert not TicketEvent.objects.visible_to(cast.rita).filter(code="ticket.noted").exists()
    assert TicketEvent.objects.visible_to(cast.anna).filter(code="ticket.noted").exists()
    for person, count in ((cast.rita, 1), (cast.anna, 2)):
        assert len([entry for entry in timeline(mine, person) if entry.is_comment]) == count
    assert timeline(mine, cast.rolf) == []


def test_the_names_of_routing_rules_stay_at_the_desk(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="VPN")
    for person, is_named in ((cast.rita, False), (cast.anna, True)):
        (opened,) = [entry for entry in timeline(mine, person) if not entry.is_comment]
        assert ("VPN words" in opened.text) == is_named
        assert "Network" in opened.text


def test_the_reason_of_a_priority_stays_at_the_desk(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="Mine")
    override_priority(mine, 1, reason="CRIES-WOLF", actor=as_(cast.lena))
    update(mine, {"impact": 1}, actor=as_(cast.anna))
    assert "CRIES-WOLF" not in " ".join(entry.text for entry in timeline(mine, cast.rita))
    assert "CRIES-WOLF" in " ".join(entry.text for entry in timeline(mine, cast.anna))


def test_the_timeline_costs_the_same_however_long(cast: Cast, django_assert_max_num_queries: object) -> None:
    mine = open_incident(actor=as_(cast.rita), title="Mine")
    for index in range(25):
        comment(mine, f"Comment {index}", actor=as_(cast.anna))
    watch(mine, cast.rosa, actor=as_(cast.anna))
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        entries = timeline(mine, cast.anna)
    assert len(entries) == 27
    assert any("Rosa Example now watches" in entry.text for entry in entries)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_search_takes_any_text(cast: Cast, text: str) -> None:
    if "\x00" in text:
        return
    list(Ticket.objects.matching_text(text)[:1])


def test_search_finds_all_words_by_prefix_and_the_number(cast: Cast) -> None:
    mine = open_incident(actor=as_(cast.rita), title="Finance VPN drops", description="every few minutes")
    for text in ("vpn", "VPN fin", "drops minutes", "minut", mine.number, mine.number.lower()):
        assert Ticket.objects.matching_text(text).filter(pk=mine.pk).exists(), text
    for text in ("vpn payroll", "pn", "''", "& | !", "…"):
        assert not Ticket.objects.matching_text(text).filter(pk=mine.pk).exists(), text
