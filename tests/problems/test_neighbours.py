"""What a problem has to do with its tasks and with the changes that fix it."""

from __future__ import annotations

import pytest

from changes.actions import open_change
from changes.actions import perform as perform_change
from changes.models import Change
from itsm.notifications.models import Mail
from itsm.tasking.actions import open_task
from itsm.tasking.models import Task
from itsm.tickets import outbox
from itsm.tickets.actions import link
from itsm.tickets.errors import Invalid
from itsm.tickets.models import LinkKind, TicketEvent
from problems import following
from problems.actions import complete, duplicate, perform
from problems.models import Problem
from problems.statuses import Status
from tests.cast import Cast, as_
from tests.problems.test_lifecycle import FIELDS, problem_in


def test_closing_cancels_the_tasks_that_are_open(cast: Cast) -> None:
    for status, move in ((Status.RESOLVED, "complete"), (Status.ASSESS, "cancel")):
        problem = problem_in(status, cast)
        tasks = [open_task(problem, actor=as_(cast.anna), title=kind, task_type=kind) for kind in ("rca", "general")]
        problem = Problem.objects.get(pk=problem.pk)
        ended = perform(problem, move, actor=as_(cast.anna), fields=FIELDS[move])
        assert {task.status for task in Task.objects.filter(pk__in=[one.pk for one in tasks])} == {"cancelled"}
        assert ended.status == Status.CLOSED
        stored = Problem.objects.get(pk=problem.pk)
        last = TicketEvent.objects.filter(ticket=stored).order_by("-seq")[0]
        assert (stored.event_seq, stored.event_hash) == (last.seq, last.hash)
    with pytest.raises(Invalid):
        open_task(problem_in(Status.NEW, cast), actor=as_(cast.anna), title="x", task_type="testing")


def test_a_duplicates_tasks_go_on_below_the_survivor(cast: Cast) -> None:
    gone, stays = (problem_in(Status.ASSESS, cast) for _ in range(2))
    task = open_task(gone, actor=as_(cast.anna), title="Look at the logs", task_type="rca")
    duplicate(Problem.objects.get(pk=gone.pk), actor=as_(cast.anna), duplicate_of=stays.number)
    moved = Task.objects.get(pk=task.pk)
    assert (moved.parent_id, moved.status) == (stays.pk, "open")
    assert stays.events.get(code="problem.took_over").data["tasks"] == 1
    for problem in (gone, stays):
        stored = Problem.objects.get(pk=problem.pk)
        last = TicketEvent.objects.filter(ticket=stored).order_by("-seq")[0]
        assert (stored.event_seq, stored.event_hash) == (last.seq, last.hash)


def _fixing(problem: Problem, cast: Cast, count: int) -> list[Change]:
    found = [open_change(actor=as_(cast.anna), title=f"Plug {number}", team=cast.network) for number in range(count)]
    for change in found:
        link(problem, change, LinkKind.FIXED_BY, actor=as_(cast.anna))
    return found


def test_the_coordinator_is_told_once_when_all_changes_have_ended(cast: Cast) -> None:
    problem = problem_in(Status.FIX_IN_PROGRESS, cast)
    changes = _fixing(problem, cast, 2)
    for change, told in zip(changes, (0, 1), strict=True):
        perform_change(change, "cancel", actor=as_(cast.ben), fields={"reason": "Done otherwise."})
        while outbox.dispatch():
            pass
        assert problem.events.filter(code="problem.fixes_ended").count() == told
    assert Mail.objects.filter(ticket=problem, user=cast.anna, kind="problem_fixes_ended").count() == 1
    ending = TicketEvent.objects.get(ticket=changes[1], code="change.cancelled")
    following.follow_change(ending)
    assert problem.events.filter(code="problem.fixes_ended").count() == 1, "the same event once more"
    assert Problem.objects.get(pk=problem.pk).status == Status.FIX_IN_PROGRESS, "people decide whether it is fixed"


def test_nobody_is_told_of_a_problem_that_is_over(cast: Cast) -> None:
    problem = problem_in(Status.RESOLVED, cast)
    changes = _fixing(problem, cast, 1)
    complete(Problem.objects.get(pk=problem.pk), actor=as_(cast.anna))
    perform_change(changes[0], "cancel", actor=as_(cast.ben), fields={"reason": "Too late."})
    while outbox.dispatch():
        pass
    assert not problem.events.filter(code="problem.fixes_ended").exists()
