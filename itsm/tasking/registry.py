"""Which kinds of ticket have tasks below them, and by which rules. Filled by the rooms' `apps.py` and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from itsm.tickets.errors import Invalid
from itsm.tickets.rules import YES, Answer

GENERAL = "general"
Window = Callable[[Any, datetime | None, datetime | None], None]


def any_window(parent: Any, start: datetime | None, end: datetime | None) -> None:
    """Allow every window."""


def at_once(parent: Any) -> Answer:
    """Answer yes: tasks of this kind of ticket wait for nothing but each other."""
    return YES


def never_held(parent: Any) -> bool:
    """Answer no: this kind of ticket does not hold its tasks."""
    return False


@dataclass(frozen=True)
class TaskRules:
    """What holds of the tasks below one kind of ticket. Every function gets the parent as its kind, locked by verbs.

    `types`: codes with their words; the first is what a form offers. `check_window(parent, start, end)` raises
    `Invalid` with a sentence for `planned_start` or `planned_end` (aware, or None) when the window does not fit.
    `opens_when(parent)`: whether work below the parent may begin; until then every task waits, or those of the types
    in `waiting_types` alone. `is_held(parent)`: whether the parent is on hold, so that a task added meanwhile is held
    with the others.
    """

    types: tuple[tuple[str, str | Promise], ...] = ((GENERAL, gettext_lazy("General")),)
    check_window: Window = any_window
    opens_when: Callable[[Any], Answer | bool] = at_once
    is_held: Callable[[Any], bool] = never_held
    waiting_types: frozenset[str] | None = None

    def type_label(self, task_type: str) -> str:
        """Return the type in words."""
        return str(dict(self.types).get(task_type, task_type))

    def may_open(self, parent: Any, task_type: str) -> Answer:
        """Answer whether work of the type below the parent may begin, with the reason where it may not."""
        if self.waiting_types is not None and task_type not in self.waiting_types:
            return YES
        answer = self.opens_when(parent)
        if isinstance(answer, Answer):
            return answer
        return YES if answer else Answer(False, _("Work on the tasks of this ticket may not begin yet."))


_rules: dict[str, TaskRules] = {}


def register_task_rules(kind_code: str, rules: TaskRules) -> None:
    """Let tickets of the kind have tasks; rules registered again replace the former ones."""
    _rules[kind_code] = rules


def has_tasks(kind_code: str) -> bool:
    """Return whether tickets of the kind can have tasks."""
    return kind_code in _rules


def rules_of(kind_code: str) -> TaskRules:
    """Return the rules for tasks below tickets of the kind.

    Raises:
        Invalid: such tickets have no tasks.
    """
    if kind_code not in _rules:
        raise Invalid({"parent": _("A ticket of this kind has no tasks. Put the task below another ticket.")})
    return _rules[kind_code]


def kinds_with_tasks() -> list[str]:
    """Return the codes of the kinds that have tasks, in the order of registration."""
    return list(_rules)


def all_types() -> list[tuple[str, str | Promise]]:
    """Return every type of task that any kind knows, each once."""
    return list({code: label for rules in _rules.values() for code, label in rules.types}.items())
