"""Service levels of tasks: an OLA for tasks of one type below one kind, which pauses while a task is on hold."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.tasking.actions import complete, hold, open_task, plan_task, reopen, resume, skip
from itsm.tasking.models import Task
from itsm.tickets.models import NO_TARGET, Ticket
from slas.models import Kind, Timer
from tests.cast import Cast
from tests.slas.conftest import HOUR, MONDAY_NINE, at
from tests.slas.promises import is_, no_promises, promise

OLA = {
    "all": [
        is_("kind", "task"),
        is_("parent_kind", "incident"),
        is_("task_type", "general"),
        {"not": is_("status", "pending")},
    ]
}


def then(hours: float) -> Any:
    """Return the instant so many hours after Monday at nine."""
    return MONDAY_NINE + timedelta(hours=hours)


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """An incident of Monday at nine; tasks that wait have no clock, those on hold a pausing one."""
    no_promises()
    promise("resolution", 4 * HOUR, kind=Kind.OLA, condition=OLA, pause_condition=is_("task_held", True))
    return open_incident(actor=at(cast.imke, MONDAY_NINE), title="Cannot print", requester=cast.rita)


def clocks(task: Task) -> list[tuple[str, str, float, float | None]]:
    """Return kind, state, start and end (hours after Monday at nine) of each clock of the task."""
    return [
        (
            timer.kind,
            timer.state,
            (timer.started_at - MONDAY_NINE).total_seconds() / HOUR,
            (timer.stopped_at - MONDAY_NINE).total_seconds() / HOUR if timer.stopped_at else None,
        )
        for timer in Timer.objects.filter(ticket_id=task.pk).order_by("pk")
    ]


def test_an_agreement_times_the_task_and_not_the_incident(cast: Cast, incident: Incident) -> None:
    assert not Timer.objects.filter(ticket_id=incident.pk).exists()
    first = open_task(incident, actor=at(cast.imke, then(1)), title="First")
    second = open_task(incident, actor=at(cast.imke, then(1)), title="Second", order=1)
    assert clocks(first) == [("ola", "running", 1, None)]
    assert Ticket.objects.get(pk=first.pk).queue_due_at == then(5)
    assert clocks(second) == []
    assert Ticket.objects.get(pk=second.pk).queue_due_at == NO_TARGET
    complete(first, actor=at(cast.imke, then(2)), notes="Done")
    assert clocks(first) == [("ola", "met", 1, 2)]
    assert clocks(second) == [("ola", "running", 2, None)]
    skip(second, actor=at(cast.imke, then(3)), reason="No need")
    assert clocks(second) == [("ola", "cancelled", 2, 3)]


def test_the_clock_of_a_held_task_stands_still(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=at(cast.imke, then(0)), title="First")
    task = hold(task, actor=at(cast.imke, then(1)), reason="Parts")
    assert [state for _kind, state, *_rest in clocks(task)] == ["paused"]
    task = resume(task, actor=at(cast.imke, then(3)))
    assert Timer.objects.get(ticket_id=task.pk).due_at == then(6)


def test_the_log_gives_the_same_clocks(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=at(cast.imke, then(0)), title="First")
    other = open_task(incident, actor=at(cast.imke, then(0)), title="Second", order=3)
    task = hold(task, actor=at(cast.imke, then(1)), reason="Parts")
    task = resume(task, actor=at(cast.imke, then(3)))
    plan_task(other, actor=at(cast.imke, then(3.5)), planned_start=then(9), order=2)
    task = complete(task, actor=at(cast.imke, then(4)), notes="Done")
    reopen(task, actor=at(cast.imke, then(5)), reason="Not done")
    skip(other, actor=at(cast.imke, then(6)), reason="No need")
    assert Timer.objects.count() >= 2
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rebuild_timers", "--dry-run", stdout=out)
    assert (out.getvalue().splitlines()[:-1], ended.value.code) == ([], 0)
