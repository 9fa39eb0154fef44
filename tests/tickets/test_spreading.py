"""Effects on many tickets: exactly once each, in order, tried again, parked, left out with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from incidents.actions import open_incident, resolve
from incidents.models import Incident
from itsm.tickets import spreading
from itsm.tickets.actions import comment
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Refused
from itsm.tickets.models import Comment, Spread, SpreadState, SpreadTarget, TicketEvent
from itsm.tickets.spreading import MAX_ATTEMPTS, NotNeeded, effect_label, register_effect, retry_parked, spread, work
from itsm.tickets.tasks import spread_now, sweep_spreads
from tests.cast import Cast, as_

EFFECT = "test.note"


class Deed:
    """The effect under test: writes a work note, after whatever the test plans for a ticket."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.before: Callable[[Any], None] = lambda ticket: None
        self.after: Callable[[Any], None] = lambda ticket: None

    def __call__(self, ticket: Any, *, actor: Actor, data: Mapping[str, Any]) -> None:
        self.calls.append(ticket.pk)
        self.before(ticket)
        comment(ticket, data["body"], actor=actor, visibility="internal")
        self.after(ticket)


@pytest.fixture
def deed() -> Iterator[Deed]:
    """The effect, registered for the test."""
    found = Deed()
    register_effect(EFFECT, found, label="Note")
    yield found
    spreading._effects.pop(EFFECT, None)


def tickets(cast: Cast, count: int) -> list[Incident]:
    """Return a source and so many targets."""
    return [
        open_incident(actor=as_(cast.anna), title=f"No. {number}", requester=cast.rita) for number in range(count + 1)
    ]


def order(cast: Cast, source: Incident, targets: list[Incident], body: str = "Found", **more: Any) -> Spread:
    with transaction.atomic():
        return spread(source, EFFECT, [one.pk for one in targets], actor=as_(cast.anna), data={"body": body}, **more)


def notes(ticket: Incident) -> list[str]:
    return list(Comment.objects.filter(ticket_id=ticket.pk).order_by("pk").values_list("body", flat=True))


def soon() -> None:
    """Let everything that waits be due."""
    SpreadTarget.objects.filter(state=SpreadState.WAITING).update(next_attempt_at=db_now())


def test_each_target_gets_it_once_in_the_name_of_the_actor(cast: Cast, deed: Deed) -> None:
    source, *targets = tickets(cast, 30)
    made = order(cast, source, [source, *targets, *targets])
    assert (made.total, made.done, made.is_finished) == (30, 0, False)
    assert work() == 30
    assert work() == 0
    assert (made.total, made.done, made.skipped, made.failed, made.is_finished) == (30, 30, 0, 0, True)
    assert [notes(one) for one in targets] == [["Found"]] * 30
    assert notes(source) == []
    assert {one.author for one in Comment.objects.all()} == {cast.anna}
    assert effect_label(EFFECT) == "Note"


def test_a_tally_is_read_with_the_spreads(cast: Cast, deed: Deed) -> None:
    source, *targets = tickets(cast, 3)
    order(cast, source, targets)
    order(cast, source, targets[:1])
    work(limit=2)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = [(one.total, one.done, one.is_finished) for one in Spread.objects.with_tally().order_by("pk")]
    assert found == [(3, 2, False), (1, 0, False)]
    assert len(asked) == 1


def test_the_same_event_spreads_an_effect_once(cast: Cast, deed: Deed) -> None:
    source, *targets = tickets(cast, 3)
    event = TicketEvent.objects.get(ticket_id=source.pk)
    first = order(cast, source, targets[:2], event=event)
    again = order(cast, source, targets, event=event)
    assert again.pk == first.pk
    work()
    assert order(cast, source, targets, event=event).pk == first.pk
    work()
    assert [notes(one) for one in targets] == [["Found"]] * 3
    assert (first.total, first.done) == (3, 3)


def test_nothing_is_ordered_when_the_verb_is_undone(cast: Cast, deed: Deed) -> None:
    source, target = tickets(cast, 1)
    with transaction.atomic():
        spread(source, EFFECT, [target.pk], actor=as_(cast.anna), data={"body": "x"})
        transaction.set_rollback(True)
    assert not Spread.objects.exists()
    assert work() == 0


def test_the_worker_is_rung_on_commit_and_a_dead_broker_does_no_harm(
    cast: Cast, deed: Deed, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []

    def dead() -> None:
        rung.append(SpreadTarget.objects.count())
        raise ConnectionError("no broker")

    monkeypatch.setattr(spreading, "_bell", [dead])
    source, target = tickets(cast, 1)
    with django_capture_on_commit_callbacks(execute=True):
        order(cast, source, [target])
        assert rung == []
    assert rung == [1]
    assert sweep_spreads() == 1
    assert notes(target) == ["Found"]


def test_the_task_rings_again_when_more_waits(cast: Cast, deed: Deed, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(spreading, "_bell", [lambda: rung.append(True)])
    monkeypatch.setattr(spreading, "work", lambda seconds=20.0, limit=None: work(seconds, 2))
    source, *targets = tickets(cast, 3)
    order(cast, source, targets)
    assert spread_now() == 2
    assert rung == [True]
    assert spread_now() == 1
    assert spread_now() == 0
    assert rung == [True]


def test_a_target_that_no_longer_allows_it_is_left_out_with_the_reason(cast: Cast, deed: Deed) -> None:
    source, closed, useless, fine = tickets(cast, 3)

    def before(ticket: Any) -> None:
        if ticket.pk == closed.pk:
            raise IllegalMove("It is closed.")
        if ticket.pk == useless.pk:
            raise NotNeeded("Nothing to do.")

    deed.before = before
    made = order(cast, source, [closed, useless, fine])
    assert work() == 3
    assert (made.done, made.skipped, made.failed) == (1, 2, 0)
    assert list(made.targets.order_by("pk").values_list("reason", flat=True)) == ["It is closed.", "Nothing to do.", ""]
    assert work() == 0


def test_rights_are_asked_when_it_happens(cast: Cast, deed: Deed) -> None:
    source, target = tickets(cast, 1)
    with transaction.atomic():
        made = spread(source, EFFECT, [target.pk], actor=as_(cast.rita), data={"body": "x"})
    work()
    assert (made.done, made.skipped) == (0, 1)
    assert "Only the service desk" in made.targets.get().reason
    assert notes(target) == []


def test_an_error_undoes_the_verb_is_tried_again_later_and_parked_after_five(cast: Cast, deed: Deed) -> None:
    source, broken, fine = tickets(cast, 2)

    def after(ticket: Any) -> None:
        if ticket.pk == broken.pk:
            raise RuntimeError("disk \x00 full")

    deed.after = after
    made = order(cast, source, [broken, fine])
    assert work() == 2
    assert (made.done, made.tally.waiting) == (1, 1)
    assert work() == 0, "it is not tried again at once"
    row = made.targets.get(ticket_id=broken.pk)
    assert timedelta(seconds=1) < row.next_attempt_at - db_now() <= timedelta(seconds=2)
    for _attempt in range(MAX_ATTEMPTS + 2):
        soon()
        work()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.reason) == ("parked", MAX_ATTEMPTS, "RuntimeError: disk  full")
    assert deed.calls.count(broken.pk) == MAX_ATTEMPTS
    assert notes(broken) == []
    assert (made.failed, made.is_finished) == (1, True)

    deed.after = lambda ticket: None
    with pytest.raises(Refused):
        retry_parked(made, actor=as_(cast.rita))
    assert retry_parked(made, actor=as_(cast.anna)) == 1
    assert retry_parked(made, actor=as_(cast.anna)) == 0
    work()
    assert (made.done, made.failed) == (2, 0)
    assert notes(broken) == ["Found"]


def test_what_ends_the_worker_between_verb_and_row_undoes_both(cast: Cast, deed: Deed) -> None:
    source, *targets = tickets(cast, 3)

    def die(ticket: Any) -> None:
        if ticket.pk == targets[1].pk:
            raise SystemExit(1)

    deed.after = die
    made = order(cast, source, targets)
    with pytest.raises(SystemExit):
        work()
    assert [len(notes(one)) for one in targets] == [0, 0, 0]
    assert (made.done, made.tally.waiting) == (0, 3)
    deed.after = lambda ticket: None
    assert work() == 3
    assert [len(notes(one)) for one in targets] == [1, 1, 1]


def test_a_later_order_does_not_overtake_one_that_is_tried_again(cast: Cast, deed: Deed) -> None:
    source, target, other = tickets(cast, 2)
    fails = [True]

    def before(ticket: Any) -> None:
        if ticket.pk == target.pk and fails:
            raise RuntimeError

    deed.before = before
    order(cast, source, [target, other], "first")
    order(cast, source, [target, other], "second")
    work()
    assert (notes(target), notes(other)) == ([], ["first", "second"])
    fails.clear()
    soon()
    work()
    assert notes(target) == ["first", "second"]


def test_an_effect_whose_room_is_gone_is_left_out(cast: Cast, deed: Deed) -> None:
    source, target = tickets(cast, 1)
    made = order(cast, source, [target])
    spreading._effects.pop(EFFECT)
    work()
    assert made.skipped == 1
    assert EFFECT in made.targets.get().reason
    with pytest.raises(KeyError):
        order(cast, source, [target])


def test_an_import_of_the_past_spreads_nothing(cast: Cast, deed: Deed) -> None:
    source, target = tickets(cast, 1)
    past = Actor(cast.imke, as_(cast.imke).channel, at=db_now() - timedelta(days=9))
    with pytest.raises(ValueError, match="past"):
        spread(source, EFFECT, [target.pk], actor=past, data={"body": "x"})


def test_queries_for_each_target_do_not_grow_with_their_number(cast: Cast, deed: Deed) -> None:
    source, *targets = tickets(cast, 24)
    counts = []
    for some in (targets[:4], targets[4:]):
        order(cast, source, some)
        with CaptureQueriesContext(connection) as asked:
            work()
        counts.append(len(asked))
    looks = 9  # two: each a savepoint, its setting and the claim; and once the rows of what was done
    assert (counts[0] - looks) / 4 == (counts[1] - looks) / 20


def test_a_resolved_ticket_is_left_out_of_a_resolution(cast: Cast) -> None:
    source, done, still = tickets(cast, 2)
    ended = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
    register_effect(EFFECT, lambda ticket, *, actor, data: resolve(ticket, actor=actor, **data))
    try:
        resolve(done, actor=as_(cast.anna), **ended)
        with transaction.atomic():
            made = spread(source, EFFECT, [done.pk, still.pk], actor=as_(cast.anna), data=ended)
        work()
    finally:
        spreading._effects.pop(EFFECT, None)
    assert (made.done, made.skipped) == (1, 1)
    assert "Resolved" in made.targets.get(ticket_id=done.pk).reason
