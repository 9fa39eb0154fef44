"""The tasks of a change: made when work begins, inside its window, held and ended with it (CH-11, domain rules 2.5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes.actions import edit_change, perform
from changes.actions.library import open_from_template
from changes.models import Track
from changes.statuses import ChangeType, Status
from itsm.approvals.models import ApprovalRound
from itsm.tasking.actions import complete, open_task
from itsm.tasking.actions import perform as perform_task
from itsm.tasking.models import Task
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, VerbError
from tests.cast import Cast, as_
from tests.changes.conftest import CLOSING, Maker, Template


def test_starting_makes_one_task_to_do_it_and_one_to_test_it(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.SCHEDULED)
    assert not Task.objects.below(change).exists()
    change = perform(change, "start", actor=as_(cast.anna))
    do, test = Task.objects.below(change).in_order()
    assert (do.task_type, do.status, do.is_generated, do.assignee) == ("implementation", "open", True, cast.anna)
    assert (test.task_type, test.status) == ("test", "pending")
    assert test.description == change.test_plan
    complete(do, actor=as_(cast.anna), notes="Done.")
    test.refresh_from_db()
    assert test.status == "open"


def test_tasks_come_from_the_template_with_their_windows(cast: Cast, make_template: Template) -> None:
    tasks = [
        {"title": "Drain", "starts_after": 0, "takes": 10},
        {"title": "Replace", "team": cast.desktop, "starts_after": 10, "takes": 30},
        {"title": "Look", "task_type": "test"},
    ]
    template = make_template(track=Track.STANDARD, tasks=tasks, duration_minutes=60)
    start = db_now() - timedelta(minutes=1)
    change = open_from_template(template, actor=as_(cast.anna), planned_start=start)
    for move in ("schedule", "start"):
        change = perform(change, move, actor=as_(cast.anna))
    drain, replace, look = Task.objects.below(change).in_order()
    assert [one.title for one in (drain, replace, look)] == ["Drain", "Replace", "Look"]
    assert (drain.planned_start, drain.planned_end) == (start, start + timedelta(minutes=10))
    assert (replace.planned_start, replace.team) == (start + timedelta(minutes=10), cast.desktop)
    assert (look.planned_start, look.task_type) == (None, "test")


def test_what_somebody_planned_by_hand_is_not_made_again(maker: Maker, cast: Cast) -> None:
    change = maker.open()
    by_hand = open_task(change, actor=as_(cast.anna), title="Swap it", task_type="implementation")
    assert by_hand.status == "pending"
    with pytest.raises(VerbError):
        perform_task(by_hand, "start", actor=as_(cast.anna))
    for move in ("request_approval", "assessed", "authorised", "start"):
        change = perform(change, move, actor=SYSTEM)
    by_hand.refresh_from_db()
    assert by_hand.status == "open"
    assert list(Task.objects.below(change).values_list("task_type", flat=True).order_by("task_type")) == [
        "implementation",
        "test",
    ]


def test_planning_begins_before_the_approval(maker: Maker, cast: Cast) -> None:
    task = open_task(maker.open(), actor=as_(cast.anna), title="Ask the vendor", task_type="planning")
    assert task.status == "open"
    assert complete(task, actor=as_(cast.anna), notes="Done.").status == "closed_complete"


def test_a_task_lies_within_the_window_of_the_change(maker: Maker, cast: Cast) -> None:
    change = maker.open()
    assert change.planned_start is not None
    assert change.planned_end is not None
    early = change.planned_start - timedelta(minutes=1)
    for window in (
        {"planned_start": early, "planned_end": change.planned_end},
        {"planned_start": change.planned_start, "planned_end": change.planned_end + timedelta(minutes=1)},
    ):
        with pytest.raises(Invalid):
            open_task(change, actor=as_(cast.anna), title="x", task_type="test", **window)
    inside = {"planned_start": change.planned_start, "planned_end": change.planned_end}
    task = open_task(change, actor=as_(cast.anna), title="x", task_type="test", **inside)
    later = {name: value + timedelta(days=1) for name, value in inside.items()}
    change = edit_change(change, later, actor=as_(cast.anna))
    with pytest.raises(IllegalMove, match=task.number):
        perform(change, "request_approval", actor=as_(cast.anna))
    bare = maker.open(planned_start=None, planned_end=None)
    with pytest.raises(Invalid, match="window of the change first"):
        open_task(bare, actor=as_(cast.anna), title="x", task_type="test", **inside)
    with pytest.raises(Invalid):
        open_task(change, actor=as_(cast.anna), title="x", task_type="rca")


def test_generated_tasks_end_at_the_review_and_others_block_the_close(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.IMPLEMENT)
    by_hand = open_task(change, actor=as_(cast.anna), title="Tell the users", task_type="review")
    change = perform(change, "finish", actor=as_(cast.anna))
    assert set(Task.objects.below(change).filter(is_generated=True).values_list("status", flat=True)) == {"cancelled"}
    with pytest.raises(IllegalMove, match=by_hand.number):
        perform(change, "close", actor=as_(cast.anna), fields=CLOSING)
    complete(by_hand, actor=as_(cast.anna), notes="Done.")
    assert perform(change, "close", actor=as_(cast.anna), fields=CLOSING).status == Status.CLOSED


def test_open_tasks_are_held_and_come_back(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.IMPLEMENT)
    tasks = list(Task.objects.below(change).in_order())
    perform_task(tasks[1], "hold", actor=as_(cast.anna), fields={"reason": "By hand."})
    change = perform(change, "hold", actor=as_(cast.anna), fields={"reason": "A part is missing."})
    assert all(Task.objects.below(change).values_list("is_held", flat=True))
    change = perform(change, "resume", actor=as_(cast.anna))
    assert dict(Task.objects.below(change).values_list("pk", "is_held")) == {tasks[0].pk: False, tasks[1].pk: True}


def test_cancelling_ends_the_tasks(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.IMPLEMENT)
    open_task(change, actor=as_(cast.anna), title="Tell the users", task_type="review")
    perform(change, "cancel", actor=as_(cast.anna), fields={"reason": "Wrong part."})
    assert set(Task.objects.below(change).values_list("status", flat=True)) == {"cancelled"}


def test_who_has_a_task_does_not_approve(maker: Maker, cast: Cast) -> None:
    change = maker.open()
    open_task(change, actor=as_(cast.lena), title="Swap it", task_type="implementation", assignee=cast.ben)
    change = perform(change, "request_approval", actor=as_(cast.anna))
    found = ApprovalRound.objects.live().get(ticket_id=change.pk)
    assert str(cast.ben.pk) in found.barred
