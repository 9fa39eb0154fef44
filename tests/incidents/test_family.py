"""Parent and child: who can be part of whom, and what a parent's move means for its children (domain rule 2.2)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from incidents.actions import (
    cancel,
    close,
    hold,
    leave_parent,
    open_incident,
    perform,
    reopen,
    reply,
    resolve,
    resume,
    set_parent,
    start,
    tell_children,
)
from incidents.models import Incident
from incidents.statuses import Status
from itsm.accounts.models import User
from itsm.notifications.models import Mail
from itsm.tickets.actors import Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale, VerbError
from itsm.tickets.models import Comment, Spread, SpreadTarget, TicketEvent
from itsm.tickets.outbox import dispatch
from itsm.tickets.spreading import spread, work
from tests.cast import Cast, as_, make_cast

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Replaced the switch."}


def incident_of(cast: Cast, requester: User | None = None, title: str = "No network") -> Incident:
    return open_incident(actor=as_(cast.anna), title=title, requester=requester or cast.rita)


@pytest.fixture
def family(cast: Cast) -> list[Incident]:
    """A parent and two children, of Rita, Rosa and Rolf."""
    parent, first, second = (incident_of(cast, who) for who in (cast.rita, cast.rosa, cast.rolf))
    for child in (first, second):
        set_parent(child, parent, actor=as_(cast.anna))
    return [fresh(one) for one in (parent, first, second)]


def fresh(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def codes(incident: Incident) -> list[str]:
    return list(TicketEvent.objects.filter(ticket_id=incident.pk).order_by("seq").values_list("code", flat=True))


def told() -> list[tuple[str, str]]:
    """Hand out everything and return who was mailed about what."""
    while dispatch():
        pass
    return sorted(Mail.objects.values_list("user__display_name", "kind"))


def test_a_child_and_its_parent_know_each_other(family: list[Incident], cast: Cast) -> None:
    parent, first, second = family
    assert (first.parent, second.parent, parent.child_count) == (parent, parent, 2)
    assert codes(first)[-1] == "incident.parent_set"
    assert codes(parent)[-2:] == ["incident.child_added"] * 2
    version = first.version
    set_parent(first, parent, actor=as_(cast.anna))
    assert (fresh(first).version, fresh(parent).child_count) == (version, 2)

    leave_parent(first, actor=as_(cast.anna), version=version)
    leave_parent(first, actor=as_(cast.anna))
    assert (fresh(first).parent, fresh(parent).child_count) == (None, 1)


def test_a_child_changes_its_parent(family: list[Incident], cast: Cast) -> None:
    parent, first, _second = family
    other = incident_of(cast)
    set_parent(first, other, actor=as_(cast.anna))
    assert (fresh(first).parent, fresh(parent).child_count, fresh(other).child_count) == (other, 1, 1)
    assert codes(parent)[-1] == "incident.child_removed"


Make = Callable[[list[Incident], Cast], tuple[Incident, Incident]]
IMPOSSIBLE: dict[str, tuple[Make, type[VerbError], str]] = {
    "itself": (lambda f, c: (f[0], f[0]), Invalid, "part of itself"),
    "its own child": (lambda f, c: (f[0], f[1]), IllegalMove, "Families have one level"),
    "somebody's child": (lambda f, c: (incident_of(c), f[1]), Invalid, "itself part of"),
    "a parent": (lambda f, c: (f[0], incident_of(c)), IllegalMove, "move those first"),
    "into a resolved one": (
        lambda f, c: (incident_of(c), resolve(incident_of(c), actor=as_(c.anna), **FIXED)),
        Invalid,
        "Reopen it first",
    ),
    "into a cancelled one": (
        lambda f, c: (incident_of(c), cancel(incident_of(c), actor=as_(c.anna), reason="x")),
        Invalid,
        "cancelled",
    ),
    "an ended one": (
        lambda f, c: (cancel(incident_of(c), actor=as_(c.anna), reason="x"), f[0]),
        IllegalMove,
        "Only an open incident",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_families_are_refused_with_a_reason(name: str, family: list[Incident], cast: Cast) -> None:
    make, error, words = IMPOSSIBLE[name]
    child, parent = make(family, cast)
    before = list(Incident.objects.order_by("pk").values("parent", "child_count", "version"))
    with pytest.raises(error, match=words):
        set_parent(child, parent, actor=as_(cast.anna))
    assert list(Incident.objects.order_by("pk").values("parent", "child_count", "version")) == before


def test_only_the_desk_and_only_who_saw_the_latest(family: list[Incident], cast: Cast) -> None:
    parent, first, _second = family
    own = incident_of(cast)
    for deed in (
        lambda: set_parent(own, parent, actor=as_(cast.rita)),
        lambda: leave_parent(first, actor=as_(cast.rosa)),
        lambda: tell_children(parent, "Hello", actor=as_(cast.rita)),
        lambda: set_parent(own, parent, actor=as_(cast.olaf)),
    ):
        with pytest.raises(Refused):
            deed()
    with pytest.raises(Stale):
        set_parent(own, parent, actor=as_(cast.anna), version=own.version + 1)
    with pytest.raises(Stale):
        leave_parent(first, actor=as_(cast.anna), version=first.version - 1)


Move = Callable[[Incident, Cast], Any]
RESOLVE: Move = lambda p, c: resolve(p, actor=as_(c.anna), **FIXED)  # noqa: E731  a table of deeds
HELD = "on_hold"
PASSED_ON: dict[str, tuple[list[Move], list[Move], str, str]] = {
    # what happens to the child alone, to the parent, and how the child stands after it: status and what it waits for
    "start": ([], [lambda p, c: start(p, actor=as_(c.anna))], "in_progress", ""),
    "start of a started one": (
        [lambda p, c: start(p, actor=as_(c.carl))],
        [lambda p, c: start(p, actor=as_(c.anna))],
        "in_progress",
        "",
    ),
    **{
        f"hold {reason}": ([], [lambda p, c, r=reason: hold(p, actor=as_(c.anna), hold_reason=r)], HELD, reason)  # type: ignore[misc]
        for reason in ("awaiting_change", "awaiting_problem", "awaiting_vendor")
    },
    "hold awaiting_caller": (
        [],
        [lambda p, c: hold(p, actor=as_(c.anna), hold_reason="awaiting_caller", comment="Which cable?")],
        "new",
        "",
    ),
    "hold of one that asks its own requester": (
        [lambda p, c: hold(p, actor=as_(c.carl), hold_reason="awaiting_caller", comment="Which room?")],
        [lambda p, c: hold(p, actor=as_(c.anna), hold_reason="awaiting_vendor")],
        HELD,
        "awaiting_caller",
    ),
    "hold and resume": (
        [],
        [
            lambda p, c: hold(p, actor=as_(c.anna), hold_reason="awaiting_vendor"),
            lambda p, c: resume(p, actor=as_(c.anna)),
        ],
        "in_progress",
        "",
    ),
    "resume where the child waits for something else": (
        [lambda p, c: hold(p, actor=as_(c.carl), hold_reason="awaiting_change")],
        [
            lambda p, c: hold(p, actor=as_(c.anna), hold_reason="awaiting_vendor"),
            lambda p, c: resume(p, actor=as_(c.anna)),
        ],
        HELD,
        "awaiting_change",
    ),
    "resolve": ([], [RESOLVE], "resolved", ""),
    "resolve of a held one": (
        [lambda p, c: hold(p, actor=as_(c.carl), hold_reason="awaiting_caller", comment="Which room?")],
        [RESOLVE],
        "resolved",
        "",
    ),
    "resolve of a cancelled one": (
        [lambda p, c: cancel(p, actor=as_(c.carl), reason="Gone")],
        [RESOLVE],
        "cancelled",
        "",
    ),
    "close": ([], [RESOLVE, lambda p, c: close(p, actor=as_(c.anna))], "resolved", ""),
    "cancel": ([], [lambda p, c: cancel(p, actor=as_(c.anna), reason="A drill")], "new", ""),
    "reopen by the desk": (
        [],
        [RESOLVE, lambda p, c: reopen(p, actor=as_(c.ben), comment="It broke again.")],
        "in_progress",
        "",
    ),
    "reopen by the requester": (
        [],
        [RESOLVE, lambda p, c: reopen(p, actor=as_(c.rita, Channel.PORTAL), comment="Still dead.")],
        "resolved",
        "",
    ),
    "reopen where the child was resolved for itself": (
        [lambda p, c: resolve(p, actor=as_(c.carl), **FIXED)],
        [RESOLVE, lambda p, c: reopen(p, actor=as_(c.ben), comment="It broke again.")],
        "resolved",
        "",
    ),
    "resolve again": (
        [],
        [RESOLVE, lambda p, c: reopen(p, actor=as_(c.ben), comment="It broke again."), RESOLVE],
        "resolved",
        "",
    ),
}


@pytest.mark.parametrize("name", PASSED_ON)
def test_what_a_parents_move_means_for_a_child(name: str, family: list[Incident], cast: Cast) -> None:
    before, moves, status, reason = PASSED_ON[name]
    parent, child, _other = family
    for move in before:
        move(child, cast)
    for move in moves:
        move(parent, cast)
        work()
    child = fresh(child)
    assert (child.status, child.hold_reason) == (status, reason)
    assert not SpreadTarget.objects.filter(state__in=("waiting", "parked")).exists()
    if status == Status.RESOLVED and not before:
        assert (child.resolution_code, child.resolution_notes) == tuple(FIXED.values())
    assert child.assignee_id is None or before, "nobody becomes the assignee because the parent was started"


def test_the_requester_of_each_child_is_told_once_of_their_own(family: list[Incident], cast: Cast) -> None:
    parent, first, second = family
    told()
    Mail.objects.all().delete()
    resolve(parent, actor=as_(cast.anna), **FIXED)
    work()
    assert told() == [(f"{name} Example", "resolved") for name in ("Rita", "Rolf", "Rosa")]
    letters = {mail.ticket_id: mail.text for mail in Mail.objects.all()}
    assert "Replaced the switch." in letters[first.pk]
    assert first.number in letters[first.pk]
    assert parent.number not in letters[first.pk] + letters[second.pk], "of the parent they know nothing"
    assert not Incident.objects.visible_to(cast.rosa).filter(pk=parent.pk).exists()


def test_a_closed_child_stays_closed_when_the_parent_is_reopened(family: list[Incident], cast: Cast) -> None:
    parent, child, other = family
    resolve(parent, actor=as_(cast.anna), **FIXED)
    work()
    close(child, actor=as_(cast.rosa, Channel.PORTAL))
    reopen(parent, actor=as_(cast.anna), comment="It broke again.")
    work()
    assert (fresh(child).status, fresh(other).status) == ("closed", "in_progress")
    reopened = SpreadTarget.objects.filter(spread__effect="incident.reopen")
    assert list(reopened.values_list("ticket", flat=True)) == [other.pk], "what has ended is not even asked"


def test_moves_in_quick_succession_arrive_in_their_order(family: list[Incident], cast: Cast) -> None:
    parent, child, _other = family
    resolve(parent, actor=as_(cast.anna), **FIXED)
    reopen(parent, actor=as_(cast.anna), comment="Not yet.")
    work()
    assert fresh(child).status == "in_progress"
    assert codes(child)[-2:] == ["incident.resolved", "incident.reopened"]


def test_one_who_left_meanwhile_is_left_alone(family: list[Incident], cast: Cast) -> None:
    parent, child, other = family
    resolve(parent, actor=as_(cast.anna), **FIXED)
    leave_parent(child, actor=as_(cast.anna))
    work()
    assert (fresh(child).status, fresh(other).status) == ("new", "resolved")
    assert "no longer part" in SpreadTarget.objects.get(ticket_id=child.pk).reason


def test_all_are_told_something_once(family: list[Incident], cast: Cast) -> None:
    parent, child, other = family
    cancel(other, actor=as_(cast.anna), reason="Gone")
    told()
    Mail.objects.all().delete()
    for _click in range(2):
        tell_children(parent, "Use the **guest** network.", actor=as_(cast.anna), submission_key="one")
        work()
    bodies = list(Comment.objects.order_by("ticket_id").values_list("ticket_id", "visibility", "body"))
    assert bodies == [(one.pk, "public", "Use the **guest** network.") for one in (parent, child)]
    assert told() == [("Rita Example", "reply"), ("Rosa Example", "reply")]
    tell_children(parent, "Cable 7 is cut.", actor=as_(cast.anna), visibility="internal")
    work()
    assert Comment.objects.filter(visibility="internal").count() == 2
    with pytest.raises(IllegalMove, match="No incident is part"):
        tell_children(child, "Hello", actor=as_(cast.anna))
    with pytest.raises(Invalid):
        tell_children(parent, " ", actor=as_(cast.anna))


def test_an_incident_without_children_asks_no_more_than_before(cast: Cast) -> None:
    alone = incident_of(cast)
    with CaptureQueriesContext(connection) as asked:
        resolve(alone, actor=as_(cast.anna), **FIXED)
    assert not [one for one in asked.captured_queries if "spread" in one["sql"]]
    assert not Spread.objects.exists()


def test_the_effects_that_a_problem_orders(cast: Cast) -> None:
    source, waiting, other, ended = (incident_of(cast) for _number in range(4))
    hold(waiting, actor=as_(cast.anna), hold_reason="awaiting_problem")
    hold(other, actor=as_(cast.anna), hold_reason="awaiting_vendor")
    cancel(ended, actor=as_(cast.anna), reason="Gone")
    ids = [one.pk for one in (waiting, other, ended)]
    by_problem = {"resolution_code": "resolved_by_problem", "resolution_notes": "The driver was replaced."}
    with transaction.atomic():
        for effect, data in (
            ("incident.comment", {"body": "Turn it off and on."}),
            ("incident.note", {"body": "See the known error."}),
            ("incident.resolve_waiting_for_problem", by_problem),
        ):
            spread(source, effect, ids, actor=as_(cast.anna), data=data)
    work()
    assert [fresh(one).status for one in (waiting, other, ended)] == ["resolved", "on_hold", "cancelled"]
    assert fresh(waiting).resolution_notes == "The driver was replaced."
    assert [one.comments.count() for one in (waiting, other, ended)] == [2, 2, 0]
    assert codes(waiting).count("incident.resolved") == 1


def test_a_reply_of_the_parents_requester_is_not_passed_on(family: list[Incident], cast: Cast) -> None:
    parent, child, _other = family
    hold(parent, actor=as_(cast.anna), hold_reason="awaiting_caller", comment="Which cable?")
    reply(parent, "The red one.", actor=as_(cast.rita, Channel.PORTAL))
    work()
    assert (fresh(parent).status, fresh(child).status) == ("in_progress", "new")


@pytest.mark.django_db(transaction=True)
def test_two_people_who_build_a_family_at_once_build_one_of_one_level() -> None:
    cast = make_cast()
    one, two, three = (incident_of(cast) for _number in range(3))
    together = threading.Barrier(3)
    said: list[str] = []

    def make(child: Incident, parent: Incident) -> None:
        together.wait()
        try:
            set_parent(child, parent, actor=as_(cast.anna))
            said.append("done")
        except VerbError:
            said.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=make, args=pair) for pair in ((one, two), (two, three), (three, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(said) == ["done", "refused", "refused"]
    rows = {row.pk: row for row in Incident.objects.all()}
    for row in rows.values():
        assert row.child_count == sum(1 for other in rows.values() if other.parent_id == row.pk)
        assert row.parent_id is None or rows[row.parent_id].parent_id is None


def test_perform_passes_on_as_well(family: list[Incident], cast: Cast) -> None:
    parent, child, _other = family
    perform(parent, "resolve", actor=as_(cast.anna, Channel.API), fields=FIXED)
    work()
    assert fresh(child).status == "resolved"
    assert TicketEvent.objects.get(ticket_id=child.pk, code="incident.resolved").data["because"] == "parent"
