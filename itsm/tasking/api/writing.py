"""The verbs of tasks as the API's bodies name their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itsm.tasking.actions import open_task, plan_task
from itsm.tasking.models import Task
from itsm.tasking.registry import rules_of
from itsm.tickets.actors import Actor


def open_below(*, actor: Actor, parent: Any, submission_key: str | None, **values: Any) -> Task:
    """Open a task below the parent and return it; without a type it is of the first of the parent's types.

    Raises:
        Invalid, Refused, IllegalMove: see `itsm.tasking.actions.open_task`.
    """
    given = {"task_type": rules_of(parent.kind).types[0][0], **values}
    return open_task(parent, actor=actor, submission_key=submission_key, **given)


def plan(task: Task, values: Mapping[str, Any], *, actor: Actor, version: int | None) -> Task:
    """Set window, order and type as far as they are named.

    Raises:
        Invalid, Refused, Stale, IllegalMove: see `itsm.tasking.actions.plan_task`.
    """
    given: dict[str, Any] = dict(values)
    return plan_task(task, actor=actor, version=version, **given)
