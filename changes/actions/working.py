"""The tasks of a change: what the process makes when work begins, and what becomes of them (domain rules 2.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changes.models import Change
from changes.models.library import TaskType
from changes.statuses import Status
from itsm.tasking.actions import open_task
from itsm.tasking.models import Task
from itsm.tasking.registry import TaskRules, register_task_rules
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.models.ticket import TITLE_MAX

MADE = (TaskType.IMPLEMENTATION, TaskType.TEST)
AS_FAR = frozenset({Status.IMPLEMENT, Status.REVIEW})


def check_window(change: Any, start: datetime | None, end: datetime | None) -> None:
    """Refuse the window of a task that does not lie within the change's.

    Raises:
        Invalid: a sentence about its start or its end.
    """
    if start is None and end is None:
        return
    if change.planned_start is None:
        raise Invalid({"planned_start": _("Plan the window of the change first.")})
    if start is not None and not change.planned_start <= start < change.planned_end:
        raise Invalid({"planned_start": _("The task begins outside the window of the change.")})
    if end is not None and not change.planned_start < end <= change.planned_end:
        raise Invalid({"planned_end": _("The task ends outside the window of the change.")})


def may_work(change: Any) -> bool:
    """Return whether the change is far enough for its work to begin."""
    return change.status in AS_FAR


def make_tasks(locked: Change, *, actor: Actor) -> list[Task]:
    """Open the tasks that the process makes when work on a locked change begins, and return them: those of its
    template; without any, one to make it and one to test it, unless somebody has planned such already."""
    wanted = _of_template(locked) or _usual(locked)
    doer = SYSTEM if actor.at is None else actor
    return [open_task(locked, actor=doer, is_generated=True, **values) for values in wanted]


def _of_template(locked: Change) -> list[dict[str, Any]]:
    if locked.template_version is None:
        return []
    rows = locked.template_version.tasks.select_related("team")
    return [
        {
            "title": row.title,
            "task_type": row.task_type,
            "team": row.team if row.team is not None and row.team.is_active else None,
            "order": row.order,
            **_window(locked, row.starts_after, row.takes),
        }
        for row in rows
    ]


def _window(locked: Change, starts_after: int | None, takes: int | None) -> dict[str, datetime]:
    """Return the window of a task; none where the change has less time than its template planned for."""
    if starts_after is None or takes is None or locked.planned_start is None or locked.planned_end is None:
        return {}
    start = locked.planned_start + timedelta(minutes=starts_after)
    end = start + timedelta(minutes=takes)
    return {"planned_start": start, "planned_end": end} if end <= locked.planned_end else {}


def _usual(locked: Change) -> list[dict[str, Any]]:
    there = set(Task.objects.below(locked).filter(task_type__in=MADE).values_list("task_type", flat=True))
    words = {TaskType.IMPLEMENTATION: _("Make: %(title)s"), TaskType.TEST: _("Test: %(title)s")}
    plans = {TaskType.IMPLEMENTATION: locked.implementation_plan, TaskType.TEST: locked.test_plan}
    return [
        {
            "title": (words[kind] % {"title": locked.title})[:TITLE_MAX],
            "task_type": kind,
            "assignee": locked.assignee if kind == TaskType.IMPLEMENTATION else None,
            "order": order,
            "description": plans[kind],
        }
        for order, kind in enumerate(MADE, start=1)
        if kind not in there
    ]


def register() -> None:
    """Tell the tasks about changes."""
    register_task_rules(
        "change",
        TaskRules(
            types=(
                ("implementation", gettext_lazy("Implementation")),
                ("test", gettext_lazy("Test")),
                ("planning", gettext_lazy("Planning")),
                ("review", gettext_lazy("Review")),
            ),
            check_window=check_window,
            opens_when=may_work,
            waiting_types=frozenset({"implementation", "test", "review"}),
            is_held=lambda change: bool(change.is_on_hold),
        ),
    )
