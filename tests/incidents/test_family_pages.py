"""Families, merges, splitting and outages on the pages of desk and portal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import merge, open_incident, publish_outage, reply, resolve, set_parent
from incidents.models import Incident, Outage
from itsm.accounts.models import User
from itsm.tickets.actors import Channel
from itsm.tickets.models import Link, SpreadTarget
from itsm.tickets.spreading import work
from tests.cast import Cast, as_

HX = {"HX-Request": "true"}
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}


def page(incident: Incident, name: str = "detail", *more: str) -> str:
    return reverse(f"incidents:{name}", args=[incident.number, *more])


def another(cast: Cast, requester: User | None = None, title: str = "The vpn drops at home", **more: Any) -> Incident:
    return open_incident(actor=as_(cast.anna), title=title, requester=requester or cast.rosa, **more)


def fresh(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


@pytest.fixture
def rita(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Rita, who asks for help."""
    return signed_in(cast.rita)


def test_a_family_is_made_shown_and_told(cast: Cast, anna: Client, incident: Incident) -> None:
    child = another(cast)
    answer = anna.post(page(child, "set_parent"), {"number": f" {incident.number.lower()} "}, headers=HX)
    assert answer.status_code == 200
    assert "is now part of" in answer["HX-Trigger"]
    assert incident.number in answer.content.decode()
    shown = anna.get(page(incident)).content.decode()
    assert child.number in shown
    assert "Rosa Example" in shown
    assert anna.post(page(incident, "tell_children"), {"body": "Use the cable."}).status_code == 303
    assert "0 of 1 so far" in anna.get(page(incident)).content.decode()
    assert "every 2s" in anna.get(page(incident, "spreads")).content.decode()
    work()
    assert "done on 1 of 1" in anna.get(page(incident, "spreads")).content.decode()
    assert "every 2s" not in anna.get(page(incident, "spreads")).content.decode()
    assert "Use the cable." in anna.get(page(child)).content.decode()
    answer = anna.post(page(child, "leave_parent"), {"from_parent": "1"})
    assert answer["Location"] == page(incident)
    assert fresh(incident).child_count == 0


def test_what_went_wrong_is_said_and_tried_again(cast: Cast, anna: Client, incident: Incident) -> None:
    child = set_parent(another(cast), incident, actor=as_(cast.anna))
    resolve(incident, actor=as_(cast.anna), **FIXED)
    SpreadTarget.objects.update(state="parked", reason="RuntimeError: disk full")
    shown = anna.get(page(incident)).content.decode()
    assert "1 failed" in shown
    assert "disk full" in shown
    order = SpreadTarget.objects.get().spread
    assert anna.post(page(incident, "retry_spread", order.public_id), headers=HX).status_code == 200
    assert anna.post(page(child, "retry_spread", order.public_id)).status_code == 404
    work()
    assert fresh(child).status == "resolved"


BAD = ["", " ", "INC9999999", "x" * 300, "0", "';--"]


@pytest.mark.parametrize("number", BAD)
@pytest.mark.parametrize("form", ["set_parent", "merge"])
def test_a_number_that_is_none_comes_back_with_a_sentence(
    cast: Cast, anna: Client, incident: Incident, form: str, number: str
) -> None:
    for headers in ({}, HX):
        answer = anna.post(page(incident, form), {"number": number}, headers=headers)
        assert answer.status_code == 422
        assert "There is no incident with that number" in answer.content.decode()
    assert fresh(incident).version == incident.version


def test_merging_and_its_undo_from_both_ends(cast: Cast, anna: Client, incident: Incident) -> None:
    other = another(cast)
    answer = anna.post(page(other, "merge"), {"number": incident.number}, headers=HX)
    assert answer.status_code == 200
    assert page(other, "unmerge") in answer["HX-Trigger"]
    assert "Undo the merge" in anna.get(page(other)).content.decode()
    assert other.number in anna.get(page(incident)).content.decode()
    again = anna.post(page(incident, "merge"), {"number": other.number})
    assert again.status_code == 409
    assert "was merged into" in again.content.decode()
    assert anna.post(page(other, "unmerge"), headers=HX).status_code == 200
    assert anna.post(page(other, "unmerge"), headers=HX).status_code == 409
    anna.post(page(other, "merge"), {"number": incident.number})
    answer = anna.post(page(other, "unmerge"), {"from_survivor": "1"})
    assert (answer.status_code, answer["Location"]) == (303, page(incident))
    assert fresh(other).status == "new"


@pytest.mark.parametrize(("do", "status"), [("merge", "resolved"), ("parent", "new"), ("link", "new")])
def test_a_similar_one_is_offered_with_one_click(
    cast: Cast, anna: Client, incident: Incident, do: str, status: str
) -> None:
    other = another(cast)
    assert "Similar open incidents" in anna.get(page(other)).content.decode()
    assert anna.post(page(other, "same", incident.number), {"do": do}, headers=HX).status_code == 200
    row = fresh(other)
    assert row.status == status
    assert (row.merged_into_id == incident.pk) is (do == "merge")
    assert (row.parent_id == incident.pk) is (do == "parent")
    assert Link.objects.filter(source=other.pk, target=incident.pk).exists() is (do != "parent")
    assert page(other, "same", incident.number) not in anna.get(page(other)).content.decode()
    assert anna.post(page(other, "same", incident.number), {"do": "nothing"}).status_code == 422


def test_auditors_read_and_requesters_know_nothing(
    cast: Cast, incident: Incident, rita: Client, signed_in: Callable[[User], Client]
) -> None:
    other = another(cast)
    olaf = signed_in(cast.olaf)
    posts: list[tuple[str, tuple[str, ...], dict[str, str]]] = [
        ("set_parent", (), {"number": other.number}),
        ("merge", (), {"number": other.number}),
        ("unmerge", (), {}),
        ("tell_children", (), {"body": "x"}),
        ("same", (other.number,), {"do": "merge"}),
        ("outage", (), {"title": "x", "text": "x"}),
        ("split", (), {"title": "x"}),
    ]
    for name, more, form in posts:
        assert rita.post(page(incident, name, *more), form).status_code == 404, name
        assert olaf.post(page(incident, name, *more), form).status_code == 403, name
    assert olaf.get(page(incident)).status_code == 200
    assert fresh(incident).version == incident.version


def test_splitting_off_from_the_page(cast: Cast, anna: Client, incident: Incident) -> None:
    said = reply(incident, "And the printer jams.", actor=as_(cast.rita, Channel.PORTAL)).comment
    assert said
    shown = anna.get(page(incident, "split")).content.decode()
    assert "And the printer jams." in shown
    form = {"title": "Printer jams", "submission_key": "s1", "version": str(fresh(incident).version)}
    refused = anna.post(page(incident, "split"), form)
    assert refused.status_code == 422
    assert "Choose at least one" in refused.content.decode()
    stale = anna.post(page(incident, "split"), {**form, "comment": said.public_id, "version": "1"})
    assert stale.status_code == 409
    assert 'value="Printer jams"' in stale.content.decode()
    form |= {"comment": said.public_id, "requester": cast.rosa.public_id}
    answers = [anna.post(page(incident, "split"), form) for _click in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    made = Incident.objects.exclude(pk=incident.pk).get()
    assert made.requester == cast.rosa
    assert f"from {incident.number}" in anna.get(page(made)).content.decode()
    assert "Split from" in anna.get(page(made)).content.decode()
    assert "Split off" in anna.get(page(incident)).content.decode()


def test_an_outage_from_the_desk_to_the_portal_and_back(
    cast: Cast, anna: Client, incident: Incident, signed_in: Callable[[User], Client]
) -> None:
    secret = incident.title
    refused = anna.post(page(incident, "outage"), {"title": "No remote access", "text": ""})
    assert refused.status_code == 422
    words = {"title": "No remote access <b>", "text": "The gateway is down."}
    assert anna.post(page(incident, "outage"), words).status_code == 302
    rosa = signed_in(cast.rosa)
    for address in (reverse("portal:home"), reverse("portal:outages")):
        shown = rosa.get(address).content.decode()
        assert "No remote access &lt;b&gt;" in shown
        assert "The gateway is down." in shown
        assert secret not in shown
        assert incident.number not in shown
    near = rosa.get(reverse("portal:similar"), {"title": "my remote access fails"}).content.decode()
    assert "The gateway is down." in near
    assert "The gateway" not in rosa.get(reverse("portal:similar"), {"title": "printer jams"}).content.decode()
    join = reverse("portal:join", args=[Outage.objects.get().public_id])
    answers = [rosa.post(join) for _click in range(2)]
    own = Incident.objects.get(requester=cast.rosa)
    assert {answer["Location"] for answer in answers} == {reverse("portal:request", args=[own.number])}
    assert rosa.get(answers[0]["Location"]).status_code == 200
    assert "You are in" in rosa.get(reverse("portal:home")).content.decode()
    assert "1 person has it too" in rosa.get(reverse("portal:home")).content.decode()
    assert '<td>No site known</td><td class="num">1</td>' in anna.get(page(incident, "outage")).content.decode()
    assert anna.post(page(incident, "outage"), {"do": "withdraw"}).status_code == 302
    assert "No known outage" in rosa.get(reverse("portal:outages")).content.decode()
    assert rosa.post(join).status_code == 404
    publish_outage(incident, actor=as_(cast.anna), title="x", text="y")
    resolve(incident, actor=as_(cast.anna), **FIXED)
    late = signed_in(cast.rolf).post(join, follow=True)
    assert "This outage is over" in late.content.decode()


def test_the_portal_offers_own_open_requests_only(
    cast: Cast, rita: Client, incident: Incident, signed_in: Callable[[User], Client]
) -> None:
    address = reverse("portal:similar")
    assert incident.number in rita.get(address, {"title": "vpn drops again"}).content.decode()
    assert incident.number not in signed_in(cast.rosa).get(address, {"title": "vpn drops again"}).content.decode()
    for title in ("", "x" * 5000, "' OR 1=1"):
        assert rita.get(address, {"title": title, "service": "--"}).status_code == 200


def test_the_requester_of_a_merged_one_is_led_on(
    cast: Cast, incident: Incident, signed_in: Callable[[User], Client]
) -> None:
    one = another(cast)
    rosa = signed_in(cast.rosa)
    merge([one], incident, actor=as_(cast.anna))
    shown = rosa.get(reverse("portal:request", args=[one.number])).content.decode()
    assert reverse("portal:request", args=[incident.number]) in shown
    assert "Yes, it is fixed" not in shown
    rosa.post(reverse("portal:reply", args=[one.number]), {"body": "Still dark.", "submission_key": "r"})
    there = rosa.get(reverse("portal:request", args=[incident.number])).content.decode()
    assert "Still dark." in there
    assert "needs-you" not in rosa.get(reverse("portal:requests")).content.decode()


def test_many_are_merged_or_made_part_from_the_queue(cast: Cast, anna: Client, incident: Incident) -> None:
    first, second = another(cast), another(cast, cast.rolf)
    ended = resolve(another(cast), actor=as_(cast.anna), **FIXED)
    ticked = {"ticket": [one.public_id for one in (incident, first, ended)], "next": reverse("workspace:queue")}
    bulk = reverse("workspace:bulk")
    answer = anna.post(bulk, {**ticked, "do": "merge", "survivor": incident.number}, follow=True)
    assert "Link it instead" in answer.content.decode()
    assert [fresh(one).merged_into_id for one in (incident, first, ended)] == [None, incident.pk, None]
    anna.post(bulk, {"ticket": [second.public_id], "do": "parent", "survivor": incident.number})
    assert fresh(second).parent_id == incident.pk
    for number in ("", "INC9999999"):
        answer = anna.post(bulk, {**ticked, "do": "merge", "survivor": number})
        assert answer.status_code == 400
        assert "There is no incident with that number" in answer.content.decode()


def test_the_pages_ask_the_same_for_few_and_many(cast: Cast, anna: Client, incident: Incident) -> None:
    counts = []
    for _round in range(2):
        for _number in range(4):
            set_parent(another(cast), incident, actor=as_(cast.anna))
            merge([another(cast)], incident, actor=as_(cast.anna))
            another(cast)
        with CaptureQueriesContext(connection) as asked:
            assert anna.get(page(incident)).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 24, counts
