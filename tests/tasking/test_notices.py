"""Who is told of a task: its owner when they get it and when its turn comes, the team's queue, nobody else."""

from __future__ import annotations

import pytest

from incidents.models import Incident
from itsm.notifications.models import Mail, Notice
from itsm.tasking.actions import complete, open_task, reopen, skip
from itsm.tasking.models import Task
from itsm.tickets.actions import assign
from itsm.tickets.outbox import dispatch
from tests.cast import Cast, as_
from workspace.actions import take_next


def told(task: Task) -> set[tuple[str, str]]:
    """Hand over what waits, and return who was told what of the task."""
    while dispatch():
        pass
    rows = Notice.objects.filter(ticket_id=task.pk).values_list("user__display_name", "kind")
    return {(name.split()[0], kind) for name, kind in rows}


def test_a_task_that_waits_is_ready_later(cast: Cast, incident: Incident) -> None:
    first = open_task(incident, actor=as_(cast.lena), title="First", assignee=cast.anna)
    second = open_task(incident, actor=as_(cast.lena), title="Second", assignee=cast.ben, order=1)
    assert told(first) == {("Anna", "assigned")}
    assert told(second) == {("Ben", "assigned")}
    complete(first, actor=as_(cast.anna), notes="Done")
    assert told(second) == {("Ben", "assigned"), ("Ben", "task_ready")}
    letter = Mail.objects.get(ticket_id=second.pk, kind="task_ready")
    assert letter.subject.endswith("Ready: Second")
    assert f"Work on {second.number} can begin" in letter.text


def test_a_teams_queue_hears_of_a_task_when_it_can_be_done(cast: Cast, incident: Incident) -> None:
    first = open_task(incident, actor=as_(cast.lena), title="First")
    second = open_task(incident, actor=as_(cast.lena), title="Second", team=cast.desktop, order=1)
    assert told(first) == {("Anna", "queued"), ("Ben", "queued")}
    assert told(second) == set()
    skip(first, actor=as_(cast.anna), reason="No need")
    assert told(second) == {("Carl", "task_ready")}


def test_who_does_it_is_not_told_of_it(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="First", assignee=cast.anna)
    assert told(task) == set()
    assign(task, actor=as_(cast.anna), assignee=cast.ben)
    assert told(task) == {("Ben", "assigned")}


def test_the_owner_hears_that_it_is_called_off_or_open_again(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.lena), title="First", assignee=cast.anna)
    skip(task, actor=as_(cast.lena), reason="No need")
    reopen(task, actor=as_(cast.lena), reason="After all")
    assert told(task) == {("Anna", "assigned"), ("Anna", "task_called_off"), ("Anna", "task_reopened")}


@pytest.mark.django_db(transaction=True)
def test_the_next_ticket_to_take_is_one_that_can_be_done(cast: Cast, incident: Incident) -> None:
    from itsm.tasking.actions import hold

    assign(incident, actor=as_(cast.anna), assignee=cast.ben)
    first = open_task(incident, actor=as_(cast.lena), title="First")
    held = open_task(incident, actor=as_(cast.lena), title="Held")
    hold(held, actor=as_(cast.lena), reason="Parts")
    open_task(incident, actor=as_(cast.lena), title="Second", order=1)
    taken = take_next(cast.anna)
    assert taken is not None
    assert (taken.pk, taken.status, taken.assignee) == (first.pk, "in_progress", cast.anna)
    assert take_next(cast.anna) is None
