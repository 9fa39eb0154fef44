"""What tasks have on the ticket page: a list on the page of the ticket above, and a page of their own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from itsm.desk.access import desk_actor
from itsm.desk.pages import TicketPage
from itsm.desk.panels import Panel
from itsm.desk.properties import Property
from itsm.tasking.actions import plan_task
from itsm.tasking.actions.base import join
from itsm.tasking.models import Task
from itsm.tasking.registry import has_tasks, rules_of
from itsm.tasking.statuses import AHEAD, ENDED, Status
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.moves import Move, legal_moves
from itsm.tickets.values import clean_instant, local_text
from itsm.ui.words import Look

AT_ONCE = ("open", "start", "resume", "complete")
"""The moves that the list offers; the others are on the task's own page."""


def _tasks(request: HttpRequest, ticket: Any) -> dict[str, Any] | None:
    """The tasks below the ticket; one query, unless a kind's own rules ask for more."""
    if not has_tasks(ticket.kind):
        return None
    rules = rules_of(ticket.kind)
    actor, now = desk_actor(request), timezone.now()
    tasks = list(Task.objects.below(ticket).select_related("assignee", "team").in_order())
    rows = []
    for task in tasks:
        join(task, ticket)
        moves = {move.name: move for move in legal_moves(task, actor)}
        rows.append(
            {
                "task": task,
                "type_label": rules.type_label(task.task_type),
                "is_late": task.is_open and task.planned_end is not None and task.planned_end < now,
                "buttons": [_button(task, moves[name]) for name in AT_ONCE if name in moves and not moves[name].fields],
                "complete": _button(task, moves["complete"]) if "complete" in moves else None,
                "order_url": reverse("tasking:order", args=[task.number]),
            }
        )
    ahead = [row for row in rows if row["task"].status in AHEAD]
    if not rows and ticket.status in ticket.kind_info.terminal_statuses:
        return None
    return {
        "count": len(ahead) or None,
        "ahead": ahead,
        "over": [row for row in rows if row["task"].status in ENDED],
        "goes_on": ticket.status not in ticket.kind_info.terminal_statuses,
        "add_url": reverse("tasking:add", args=[ticket.kind, ticket.number]),
    }


def _button(task: Task, move: Move) -> dict[str, Any]:
    return {
        "name": move.name,
        "label": move.label,
        "icon": move.icon,
        "url": reverse("tasking:panel_move", args=[task.number, move.name]),
    }


def _above(request: HttpRequest, task: Any) -> dict[str, Any]:
    """The ticket that the task is part of, how far its tasks are, and what this one waits for; one query."""
    others = list(Task.objects.below(task.parent).in_order().only("kind", "number", "title", "status", "order"))
    first = [one for one in others if one.status in AHEAD and one.order < task.order]
    return {
        "parent": task.parent,
        "total": len(others),
        "ended": len([one for one in others if one.status in ENDED]),
        "first": first if task.status == Status.PENDING else [],
    }


def _notes(request: HttpRequest, task: Any) -> dict[str, Any] | None:
    return {} if task.notes else None


PAGE = TicketPage(related=("parent",), has_replies=False, move_keys={"complete": "E", "hold": "H"})
PANELS = (
    Panel("tasks", gettext_lazy("Tasks"), "tasking/panels/tasks.html", _tasks, order=10),
    Panel("part-of", gettext_lazy("Part of"), "tasking/panels/above.html", _above, kinds=("task",), order=-10),
    Panel("outcome", gettext_lazy("How it ended"), "tasking/panels/outcome.html", _notes, kinds=("task",), order=50),
)
LOOKS: dict[str, Look] = {
    Status.PENDING: Look(pgettext_lazy("status", "Pending"), "hourglass", "st-hold"),
    Status.OPEN: Look(pgettext_lazy("status", "Open"), "circle-dashed", "st-new"),
    Status.CLOSED_COMPLETE: Look(pgettext_lazy("status", "Closed complete"), "circle-check", "st-resolved"),
    Status.CLOSED_INCOMPLETE: Look(pgettext_lazy("status", "Closed incomplete"), "circle-half", "st-closed"),
    Status.CLOSED_SKIPPED: Look(pgettext_lazy("status", "Closed skipped"), "player-skip-forward", "st-closed"),
}


def parse_order(value: str) -> int:
    """Return the order that a text names.

    Raises:
        Invalid: it is no number.
    """
    text = value.strip()
    if not text.isascii() or not text.isdecimal() or len(text) > 4:
        raise Invalid({"order": _("Write a whole number, for example 10.")})
    return int(text)


def _plans(name: str) -> Any:
    def write(task: Any, value: Any, *, actor: Actor, version: int | None) -> Any:
        given: dict[str, Any] = {name: value}
        return plan_task(task, actor=actor, version=version, **given)

    return write


def _instant(name: str, label: Any) -> Property:
    def show(task: Any) -> str:
        value = getattr(task, name)
        return local_text(value).replace("T", " ") if value else _("none")

    return Property(
        name,
        label,
        lambda task: local_text(getattr(task, name)),
        show,
        lambda value: clean_instant(value, name),
        _plans(name),
        input="datetime",
    )


def _types(task: Any) -> list[tuple[str, str]]:
    return [(code, str(label)) for code, label in rules_of(task.parent_kind).types]


PROPERTIES = (
    Property(
        "task_type",
        gettext_lazy("Type"),
        lambda task: str(task.task_type),
        lambda task: str(task.type_label),
        str,
        _plans("task_type"),
        options=_types,
    ),
    Property(
        "order",
        gettext_lazy("Order"),
        lambda task: str(task.order),
        lambda task: str(task.order),
        parse_order,
        _plans("order"),
        input="number",
    ),
    _instant("planned_start", gettext_lazy("Planned start")),
    _instant("planned_end", gettext_lazy("Planned end")),
)
