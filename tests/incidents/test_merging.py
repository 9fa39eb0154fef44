"""Merging incidents into one, what becomes of what is said, and taking it back as if it had not happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisCase

from incidents.actions import (
    cancel,
    close,
    hold,
    merge,
    open_incident,
    reopen,
    reply,
    resolve,
    set_parent,
    start,
    unmerge,
)
from incidents.closing import close_resolved
from incidents.models import Incident, Merge
from incidents.waiting import wait_now
from itsm.accounts.models import User
from itsm.notifications.models import Mail
from itsm.tickets.actions import StoredFile, watch
from itsm.tickets.actors import Channel
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale, VerbError
from itsm.tickets.models import Attachment, Link, TicketEvent, Watcher
from itsm.tickets.outbox import dispatch
from itsm.tickets.timeline import timeline
from itsm.tickets.verification import broken_events
from slas.models import Timer
from tests.cast import Cast, as_, make_cast

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}


def incident_of(cast: Cast, requester: User | None = None, title: str = "No network") -> Incident:
    return open_incident(actor=as_(cast.anna), title=title, requester=requester or cast.rita)


def fresh(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def told() -> list[tuple[str, str]]:
    while dispatch():
        pass
    return sorted(Mail.objects.values_list("user__display_name", "kind"))


def state(*incidents: Incident) -> Any:
    """Return everything about the incidents that a merge may touch and undoing must bring back."""
    ids = [one.pk for one in incidents]
    fields = [
        field.attname
        for field in Incident._meta.concrete_fields
        if field.name not in {"version", "updated_at", "event_seq", "event_hash", "search", "queue_due_at"}
    ]
    return (
        list(Incident.objects.filter(pk__in=ids).order_by("pk").values_list(*fields)),
        sorted(Watcher.objects.values_list("ticket", "user")),
        sorted(Link.objects.values_list("source", "target", "kind")),
        sorted(one.comments.count() for one in incidents),
        # That of the response is no part of it: who was told where it goes on has been answered, and that stays true.
        sorted(Timer.objects.filter(ticket__in=ids, metric="resolution").values_list("ticket", "kind", "state")),
    )


def said_on(incident: Incident, viewer: User) -> list[tuple[str, str]]:
    """Return the messages that the viewer reads on the incident, and from where."""
    found = timeline(fresh(incident), viewer)
    return [(entry.comment.body, entry.origin) for entry in found if entry.comment is not None]


def test_the_merged_ones_end_as_duplicates_and_their_people_follow(cast: Cast) -> None:
    survivor, first, second = (incident_of(cast, who) for who in (cast.rita, cast.rosa, cast.rolf))
    watch(first, cast.carl, actor=as_(cast.carl))
    told()
    Mail.objects.all().delete()
    for _click in range(2):
        merge([first, second], survivor, actor=as_(cast.anna))
    for one in (first, second):
        row = fresh(one)
        assert (row.status, row.resolution_code, row.merged_into) == ("resolved", "duplicate", survivor)
        assert survivor.number in row.resolution_notes
        assert Link.objects.filter(source=one.pk, target=survivor.pk, kind="duplicate_of").count() == 1
    assert fresh(survivor).merged_count == 2
    assert set(survivor.watchers.all()) == {cast.rosa, cast.rolf, cast.carl}
    assert told() == [("Carl Example", "merged"), ("Rolf Example", "merged"), ("Rosa Example", "merged")]
    letter = Mail.objects.get(user=cast.rosa)
    assert survivor.number in letter.text
    assert survivor.number in letter.subject
    assert Incident.objects.visible_to(cast.rosa).filter(pk=survivor.pk).exists()
    assert list(broken_events()) == []


Make = Callable[[Cast, Incident], tuple[list[Incident], Incident]]


def _child_of(cast: Cast, parent: Incident) -> Incident:
    return set_parent(incident_of(cast), parent, actor=as_(cast.anna))


def _merged(cast: Cast, into: Incident) -> Incident:
    one = incident_of(cast)
    merge([one], into, actor=as_(cast.anna))
    return fresh(one)


def _into_own_child(cast: Cast, one: Incident) -> tuple[list[Incident], Incident]:
    child = _child_of(cast, one)
    return [one], child


IMPOSSIBLE: dict[str, tuple[Make, type[VerbError], str]] = {
    "nothing": (lambda c, s: ([], s), Invalid, "Choose from 1"),
    "itself": (lambda c, s: ([s], s), Invalid, "into itself"),
    "too many": (lambda c, s: ([Incident(pk=number) for number in range(900, 951)], s), Invalid, "to 50"),
    "a parent into its own child": (_into_own_child, IllegalMove, "other way round"),
    "a parent": (lambda c, s: ([_child_of(c, incident_of(c)).parent], s), IllegalMove, "Move those"),  # type: ignore[list-item]
    "a resolved one": (lambda c, s: ([resolve(incident_of(c), actor=as_(c.anna), **FIXED)], s), IllegalMove, "Link it"),
    "a cancelled one": (
        lambda c, s: ([cancel(incident_of(c), actor=as_(c.anna), reason="x")], s),
        IllegalMove,
        "Link it",
    ),
    "one that is merged elsewhere": (lambda c, s: ([_merged(c, incident_of(c))], s), IllegalMove, "was merged into"),
    "into a resolved one": (
        lambda c, s: ([incident_of(c)], resolve(s, actor=as_(c.anna), **FIXED)),
        IllegalMove,
        "Only an open",
    ),
    "into a closed one": (
        lambda c, s: (
            [incident_of(c)],
            close(resolve(s, actor=as_(c.anna), **FIXED), actor=as_(c.anna)),
        ),
        IllegalMove,
        "Only an open",
    ),
    "into a merged one": (lambda c, s: ([incident_of(c)], _merged(c, s)), IllegalMove, "Choose INC"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_merges_change_nothing_and_say_why(name: str, cast: Cast) -> None:
    make, error, words = IMPOSSIBLE[name]
    chosen, survivor = make(cast, incident_of(cast))
    innocent = incident_of(cast)
    before = state(*Incident.objects.all())
    with pytest.raises(error, match=words):
        merge([*chosen, innocent] if chosen and len(chosen) < 50 else chosen, survivor, actor=as_(cast.anna))
    assert state(*Incident.objects.all()) == before


def test_only_the_desk_merges_and_only_who_saw_the_latest(cast: Cast) -> None:
    one, survivor = incident_of(cast), incident_of(cast)
    for nobody in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            merge([one], survivor, actor=as_(nobody))
    with pytest.raises(Stale):
        merge([one], survivor, actor=as_(cast.anna), version=survivor.version + 1)
    merge([one], survivor, actor=as_(cast.anna), version=survivor.version)
    with pytest.raises(Refused):
        unmerge(one, actor=as_(cast.rita))
    with pytest.raises(Stale):
        unmerge(one, actor=as_(cast.anna), version=one.version)


def test_what_is_said_on_a_merged_one_goes_to_the_survivor(cast: Cast) -> None:
    survivor, one = incident_of(cast, cast.rita), incident_of(cast, cast.rosa)
    file = StoredFile("photo.png", "attachments/aa/aa", 4, "image/png", "0" * 64)
    reply(one, "It went dark.", actor=as_(cast.rosa, Channel.PORTAL), files=(file,))
    reply(one, "Port 7.", actor=as_(cast.anna), visibility="internal")
    merge([one], survivor, actor=as_(cast.anna))
    told()
    Mail.objects.all().delete()
    answer = reply(one, "Still dark.", actor=as_(cast.rosa, Channel.PORTAL))
    assert (answer.incident.pk, answer.opened_new) == (survivor.pk, False)
    reply(one, "We are on it.", actor=as_(cast.anna))
    reply(one, "Only for the file.", actor=as_(cast.anna), visibility="internal")
    number = one.number
    assert said_on(survivor, cast.rita) == [("It went dark.", number), ("Still dark.", ""), ("We are on it.", "")]
    assert said_on(survivor, cast.anna) == [
        ("It went dark.", number),
        ("Port 7.", number),
        ("Still dark.", ""),
        ("We are on it.", ""),
        ("Only for the file.", number),
    ]
    assert said_on(one, cast.rosa) == [("It went dark.", "")]
    files = [
        [
            file.name
            for entry in timeline(fresh(survivor), viewer)
            if entry.comment
            for file in entry.comment.shown_files
        ]
        for viewer in (cast.rosa, cast.rita, cast.anna)
    ]
    assert files == [["photo.png"], [], ["photo.png"]], "a file is shown to whom it can be given"
    assert not Attachment.objects.visible_to(cast.rita).exists()
    assert told().count(("Rosa Example", "reply")) == 1


def test_a_chain_of_merges_goes_on_in_the_last(cast: Cast) -> None:
    first, second, third = (incident_of(cast, who) for who in (cast.rosa, cast.rolf, cast.rita))
    reply(first, "One", actor=as_(cast.rosa, Channel.PORTAL))
    merge([first], second, actor=as_(cast.anna))
    merge([second], third, actor=as_(cast.anna))
    assert reply(first, "Two", actor=as_(cast.rosa, Channel.PORTAL)).incident.pk == third.pk
    assert said_on(third, cast.rita) == [("One", first.number), ("Two", "")]
    unmerge(second, actor=as_(cast.anna))
    assert said_on(third, cast.rita) == [("Two", "")]
    assert said_on(second, cast.rolf) == [("One", first.number)]


def test_when_the_survivor_has_ended_a_reply_opens_a_new_one(cast: Cast) -> None:
    survivor, one = incident_of(cast, cast.rita), incident_of(cast, cast.rosa)
    merge([one], survivor, actor=as_(cast.anna))
    close(resolve(survivor, actor=as_(cast.anna), **FIXED), actor=as_(cast.rita, Channel.PORTAL))
    Incident.objects.filter(pk=one.pk).update(status="closed", closed_at=db_now())
    answer = reply(one, "It is back.", actor=as_(cast.rosa, Channel.PORTAL))
    assert answer.opened_new
    assert answer.incident.requester == cast.rosa


def test_a_merged_one_is_neither_reopened_nor_confirmed_and_closes_quietly(cast: Cast) -> None:
    survivor, one = incident_of(cast, cast.rita), incident_of(cast, cast.rosa)
    merge([one], survivor, actor=as_(cast.anna))
    for who in (cast.rosa, cast.anna):
        with pytest.raises(Refused, match="was merged into another"):
            reopen(one, actor=as_(who), comment="No")
        with pytest.raises(Refused, match="was merged into another"):
            close(one, actor=as_(who))
    told()
    Mail.objects.all().delete()
    Incident.objects.filter(pk=one.pk).update(resolved_at=db_now() - timedelta(days=6))
    assert close_resolved() == 1
    assert told() == []
    with pytest.raises(IllegalMove, match="closed after it had been merged"):
        unmerge(one, actor=as_(cast.anna))


def test_undone_it_is_as_before_but_for_the_log(cast: Cast) -> None:
    survivor, one = incident_of(cast, cast.rita), incident_of(cast, cast.rosa)
    hold(one, actor=as_(cast.anna), hold_reason="awaiting_vendor")
    before = state(survivor, one)
    merge([one], survivor, actor=as_(cast.anna))
    assert state(survivor, one) != before
    told()
    Mail.objects.all().delete()
    unmerge(one, actor=as_(cast.anna))
    assert state(survivor, one) == before
    assert told() == [("Rosa Example", "unmerged")]
    with pytest.raises(IllegalMove, match="is not merged"):
        unmerge(one, actor=as_(cast.anna))
    assert [event.code for event in TicketEvent.objects.filter(ticket_id=one.pk).order_by("seq")][-2:] == [
        "incident.merged",
        "incident.unmerged",
    ]
    assert list(broken_events()) == []
    wait = wait_now(fresh(one))
    assert not wait.is_over
    merge([one], survivor, actor=as_(cast.anna))
    assert Merge.objects.filter(incident=one).count() == 2


def test_what_was_said_meanwhile_stays_where_it_was_said(cast: Cast) -> None:
    survivor, one = incident_of(cast, cast.rita), incident_of(cast, cast.rosa)
    merge([one], survivor, actor=as_(cast.anna))
    reply(one, "Still dark.", actor=as_(cast.rosa, Channel.PORTAL))
    unmerge(one, actor=as_(cast.anna))
    assert said_on(survivor, cast.rita) == [("Still dark.", "")]
    assert said_on(one, cast.rosa) == []
    assert reply(one, "And now?", actor=as_(cast.rosa, Channel.PORTAL)).incident.pk == one.pk


def test_after_seven_days_it_is_too_late(cast: Cast) -> None:
    survivor, one = incident_of(cast), incident_of(cast)
    merge([one], survivor, actor=as_(cast.anna))
    Merge.objects.update(at=db_now() - timedelta(days=7, seconds=1))
    with pytest.raises(IllegalMove, match="more than 7 days"):
        unmerge(one, actor=as_(cast.anna))


def test_timeline_of_one_without_merges_takes_four_queries(cast: Cast) -> None:
    survivor, one = incident_of(cast), incident_of(cast)
    counts = []
    for _time in range(2):
        row = fresh(survivor)
        with CaptureQueriesContext(connection) as asked:
            timeline(row, cast.anna)
        counts.append(len(asked))
        merge([one], survivor, actor=as_(cast.anna))
    assert counts[1] - counts[0] == 1


class AnyOrder(HypothesisCase):
    """Any merges into one, with people in common, undone in any order."""

    @settings(max_examples=8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
    @given(data=st.data())
    def test_undone_in_any_order_all_is_as_before(self, data: st.DataObject) -> None:
        cast = make_cast()
        people = [cast.rita, cast.rosa, cast.rolf]
        survivor = incident_of(cast, data.draw(st.sampled_from(people)))
        others = []
        for _number in range(data.draw(st.integers(1, 3))):
            one = incident_of(cast, data.draw(st.sampled_from(people)))
            for watcher in data.draw(st.sets(st.sampled_from([*people, cast.ben]))):
                watch(one, watcher, actor=as_(cast.anna))
            how = data.draw(st.sampled_from(["new", "started", "held"]))
            if how == "started":
                start(one, actor=as_(cast.anna))
            elif how == "held":
                hold(one, actor=as_(cast.anna), hold_reason="awaiting_change")
            others.append(one)
        for watcher in data.draw(st.sets(st.sampled_from(people))):
            watch(survivor, watcher, actor=as_(cast.anna))
        before = state(survivor, *others)
        for one in data.draw(st.permutations(others)):
            merge([one], survivor, actor=as_(cast.anna))
        for one in data.draw(st.permutations(others)):
            unmerge(one, actor=as_(cast.ben))
        assert state(survivor, *others) == before


@pytest.mark.django_db(transaction=True)
def test_merged_crosswise_at_once_one_of_them_survives() -> None:
    cast = make_cast()
    one, two = incident_of(cast), incident_of(cast)
    together = threading.Barrier(2)
    said: list[str] = []

    def do(chosen: Incident, survivor: Incident) -> None:
        together.wait()
        try:
            merge([chosen], survivor, actor=as_(cast.anna))
            said.append("done")
        except IllegalMove as error:
            said.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert "done" in said
    assert any("was merged into" in words for words in said)
    rows = [fresh(one), fresh(two)]
    assert sorted(row.status for row in rows) == ["new", "resolved"]
    assert sum(row.merged_count for row in rows) == 1
