"""What the tests of tasks share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.tasking import registry
from itsm.tasking.actions import open_task, perform
from itsm.tasking.models import Task
from itsm.tasking.registry import TaskRules, register_task_rules
from itsm.tasking.statuses import MOVES, Status
from itsm.tickets.actors import Channel
from tests.cast import Cast, as_

FIELDS: dict[str, dict[str, str]] = {
    name: {field.name: "Because it is so." for field in move.fields} for name, move in MOVES.items()
}
ROAD_TO: dict[str, list[str]] = {
    Status.OPEN: [],
    Status.IN_PROGRESS: ["start"],
    Status.CLOSED_COMPLETE: ["start", "complete"],
    Status.CLOSED_INCOMPLETE: ["incomplete"],
    Status.CLOSED_SKIPPED: ["skip"],
    Status.CANCELLED: ["cancel"],
}


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """Rita's incident, which she opened herself; it is with the network team."""
    return open_incident(actor=as_(cast.rita, Channel.PORTAL), title="The vpn drops", service=cast.vpn)


@pytest.fixture
def anna(cast: Cast, signed_in: Callable[[Any], Client]) -> Client:
    """The browser of Anna, an agent."""
    return signed_in(cast.anna)


@pytest.fixture
def with_rules() -> Iterator[Callable[..., None]]:
    """Return a function that lets other rules hold for tasks below incidents, until the test ends."""
    before = registry.rules_of("incident")

    def use(**rules: Any) -> None:
        register_task_rules("incident", TaskRules(**rules))

    yield use
    register_task_rules("incident", before)


def task_in(status: str, cast: Cast, parent: Incident) -> Task:
    """Return a task below the incident that came into the state through verbs."""
    if status == Status.PENDING:
        if not Task.objects.below(parent).open().filter(order=0).exists():
            open_task(parent, actor=as_(cast.anna), title="First")
        return open_task(parent, actor=as_(cast.anna), title="Look at the tunnel", order=5)
    task = open_task(parent, actor=as_(cast.anna), title="Look at the tunnel")
    for move in ROAD_TO[status]:
        task = perform(task, move, actor=as_(cast.anna), fields=FIELDS[move])
    return task
