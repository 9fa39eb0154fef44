"""Opening and planning a task: what it takes from its parent, what it refuses, what a second click does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidents.actions import cancel, open_incident, resolve
from incidents.models import Incident
from itsm.tasking.actions import open_task, plan_task, start
from itsm.tasking.models import Task
from itsm.tasking.statuses import Status
from itsm.tickets.actors import SYSTEM
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from tests.cast import Cast, as_

NINE = datetime(2026, 12, 1, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)


def test_a_task_takes_from_its_parent_what_is_not_said(cast: Cast) -> None:
    incident = open_incident(
        actor=as_(cast.anna), title="No vpn", requester=cast.rita, service=cast.vpn, impact=1, urgency=2
    )
    task = open_task(incident, actor=as_(cast.ben), title="Look at the tunnel 🔧")
    assert task.number.startswith("TASK00")
    assert (task.requester, task.opened_by) == (cast.anna, cast.ben)
    assert (task.service, task.team, task.impact, task.urgency) == (cast.vpn, cast.network, 1, 2)
    assert (task.status, task.is_held, task.task_type, task.order) == (Status.OPEN, False, "general", 0)
    assert (task.priority, task.parent_kind, task.type_label) == (2, "incident", "General")
    other = open_task(incident, actor=as_(cast.ben), title="Look at the PC", team=cast.desktop, assignee=cast.carl)
    assert (other.team, other.assignee) == (cast.desktop, cast.carl)
    codes = list(incident.events.values_list("code", flat=True))
    assert codes == ["incident.opened", "ticket.task_opened", "ticket.task_opened"]
    assert list(Task.objects.below(incident).in_order()) == [task, other]


def test_the_parents_page_does_not_grow_stale_by_a_task(cast: Cast, incident: Incident) -> None:
    open_task(incident, actor=as_(cast.anna), title="Look")
    resolve(
        incident,
        actor=as_(cast.anna),
        resolution_code="solution_provided",
        resolution_notes="Done",
        version=incident.version,
    )


def test_the_callers_parent_can_be_written_on_afterwards(cast: Cast, incident: Incident) -> None:
    open_task(incident, actor=as_(cast.anna), title="Look")
    fresh = Incident.objects.get(pk=incident.pk)
    assert (incident.event_seq, incident.event_hash) == (fresh.event_seq, fresh.event_hash)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"title": ""}, {"title"}),
        ({"title": "a\x00"}, {"title"}),
        ({"title": "x" * 10_000}, {"title"}),
        ({"task_type": "rca"}, {"task_type"}),
        ({"order": -1}, {"order"}),
        ({"order": 1000}, {"order"}),
        ({"order": True}, {"order"}),
        ({"planned_start": TEN, "planned_end": NINE}, {"planned_end"}),
        ({"planned_start": NINE, "planned_end": NINE}, {"planned_end"}),
        ({"planned_start": datetime(2026, 12, 1)}, {"planned_start"}),  # noqa: DTZ001  the point: no zone
    ],
)
def test_what_does_not_fit_is_said(cast: Cast, incident: Incident, values: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(Invalid) as error:
        open_task(incident, actor=as_(cast.anna), **{"title": "Look", **values})
    assert set(error.value.fields) == wrong
    assert not Task.objects.exists()


def test_only_who_works_on_tickets_opens_tasks(cast: Cast, incident: Incident) -> None:
    for person in (cast.rita, cast.rolf, cast.olaf):
        with pytest.raises(Refused):
            open_task(incident, actor=as_(person), title="Look")
    with pytest.raises(Invalid, match="does not work on tickets"):
        open_task(incident, actor=as_(cast.anna), title="Look", assignee=cast.rita)


def test_no_task_below_what_has_ended_nor_below_a_task(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="Look")
    with pytest.raises(Invalid, match="has no tasks"):
        open_task(task, actor=as_(cast.anna), title="Look closer")
    cancel(incident, actor=as_(cast.anna), reason="No")
    with pytest.raises(IllegalMove, match="no more tasks"):
        open_task(incident, actor=as_(cast.anna), title="Look")


def test_the_second_click_opens_nothing_more(cast: Cast, incident: Incident) -> None:
    first = open_task(incident, actor=as_(cast.anna), title="Look", submission_key="k1")
    again = open_task(incident, actor=as_(cast.anna), title="Look", submission_key="k1")
    assert first == again
    start(first, actor=as_(cast.anna))
    assert open_task(incident, actor=as_(cast.anna), title="Look", submission_key="k1").pk == first.pk
    assert incident.events.filter(code="ticket.task_opened").count() == 1
    assert open_task(incident, actor=as_(cast.ben), title="Look", submission_key="k1") != first


def test_the_opener_has_left(cast: Cast) -> None:
    incident = open_incident(actor=as_(cast.carl), title="Old", requester=cast.rita)
    cast.carl.is_active = False
    cast.carl.save()
    assert open_task(incident, actor=as_(cast.anna), title="Look").requester == cast.anna
    assert open_task(incident, actor=SYSTEM, title="Look").requester == cast.rita
    assert open_task(incident, actor=SYSTEM, title="Look", is_generated=True).is_generated


def test_planning_writes_what_changed_and_no_more(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="Look")
    planned = plan_task(task, actor=as_(cast.anna), planned_start=NINE, planned_end=TEN, version=task.version)
    assert (planned.planned_start, planned.planned_end) == (NINE, TEN)
    before = planned.event_seq
    assert plan_task(planned, actor=as_(cast.anna), planned_start=NINE, order=0).event_seq == before
    with pytest.raises(Stale):
        plan_task(planned, actor=as_(cast.anna), order=3, version=task.version)
    with pytest.raises(Invalid) as error:
        plan_task(planned, actor=as_(cast.anna), planned_start=TEN)
    assert set(error.value.fields) == {"planned_end"}
    with pytest.raises(Refused):
        plan_task(planned, actor=as_(cast.rita), order=3)
    assert plan_task(planned, actor=as_(cast.anna), planned_end=None).planned_end is None


def test_the_parents_rules_check_the_window(cast: Cast, incident: Incident, with_rules: Callable[..., None]) -> None:
    def inside(parent: Any, begins: datetime | None, ends: datetime | None) -> None:
        assert isinstance(parent, Incident)
        if ends is not None and ends > TEN:
            raise Invalid({"planned_end": "Too late."})

    with_rules(types=(("test", "Test"), ("review", "Review")), check_window=inside)
    task = open_task(incident, actor=as_(cast.anna), title="Look", task_type="test", planned_end=TEN)
    assert task.type_label == "Test"
    with pytest.raises(Invalid, match="Too late"):
        plan_task(task, actor=as_(cast.anna), planned_end=TEN + timedelta(minutes=1))
    with pytest.raises(Invalid) as error:
        open_task(incident, actor=as_(cast.anna), title="Look")
    assert "test, review" in error.value.fields["task_type"]
    assert plan_task(task, actor=as_(cast.anna), task_type="review").task_type == "review"


@pytest.mark.parametrize(
    ("start_h", "end_h", "is_outside"),
    [(0, 1, False), (-1, 1, True), (0, 3, True), (None, 1, False), (None, 3, True), (0, None, False), (2, None, True)],
)
def test_tasks_outside_a_window_are_found(
    cast: Cast, incident: Incident, start_h: int | None, end_h: int | None, is_outside: bool
) -> None:
    hour = timedelta(hours=1)
    open_task(
        incident,
        actor=as_(cast.anna),
        title="Look",
        planned_start=None if start_h is None else NINE + start_h * hour,
        planned_end=None if end_h is None else NINE + end_h * hour,
    )
    assert Task.objects.below(incident).outside(NINE, NINE + 2 * hour).exists() == is_outside
    assert not Task.objects.outside(None, None).exists()
