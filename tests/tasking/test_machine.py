"""Tasks that live at random below two incidents: after each step they stand where a naive model says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from incidents.actions import open_incident
from incidents.actions import perform as move_incident
from itsm.tasking import registry
from itsm.tasking.actions import (
    end_open_tasks,
    hold_tasks,
    move_tasks,
    open_task,
    perform,
    plan_task,
    resume_tasks,
)
from itsm.tasking.models import Task
from itsm.tasking.registry import TaskRules, register_task_rules
from itsm.tasking.statuses import MOVES
from itsm.tickets.errors import IllegalMove
from itsm.tickets.verification import broken_events
from tests.cast import Cast, as_
from tests.tasking.conftest import FIELDS

AHEAD = ("pending", "open", "in_progress")
ENDS = {
    "complete": "closed_complete",
    "incomplete": "closed_incomplete",
    "skip": "closed_skipped",
    "cancel": "cancelled",
}
ORDERS = st.integers(0, 3)
PLACE = st.integers(0, 40)


@dataclass
class Modelled:
    """A task as the model has it. `held`: "", "hand" or "parent"."""

    parent: int
    order: int
    status: str
    held: str = ""


class Life(RuleBasedStateMachine):
    """Two incidents, whose tasks begin when work on the incident does, and are held while it is on hold."""

    cast: Cast

    @initialize()
    def begin(self) -> None:
        self.parents = [open_incident(actor=as_(self.cast.anna), title=f"Parent {number}") for number in range(2)]
        self.begun = [False, False]
        self.held = [False, False]
        self.tasks: dict[int, Modelled] = {}

    def below(self, parent: int) -> list[Modelled]:
        return [one for one in self.tasks.values() if one.parent == parent and one.status in AHEAD]

    def is_turn(self, parent: int, order: int) -> bool:
        return self.begun[parent] and all(other.order >= order for other in self.below(parent))

    def settle(self, parent: int) -> None:
        for one in self.below(parent):
            if one.status == "pending" and not one.held and self.is_turn(parent, one.order):
                one.status = "open"

    def check(self) -> None:
        stored = {
            one.pk: (
                self.parents.index(next(parent for parent in self.parents if parent.pk == one.parent_id)),
                one.order,
                one.status,
                ("parent" if one.held_by_parent else "hand") if one.is_held else "",
            )
            for one in Task.objects.filter(parent__in=self.parents)
        }
        assert stored == {pk: (one.parent, one.order, one.status, one.held) for pk, one in self.tasks.items()}

    def chosen(self, place: int) -> tuple[Task, Modelled]:
        pk = sorted(self.tasks)[place % len(self.tasks)]
        return Task.objects.get(pk=pk), self.tasks[pk]

    @property
    def actor(self) -> Any:
        return as_(self.cast.anna)

    @rule(parent=st.integers(0, 1), order=ORDERS)
    def opens(self, parent: int, order: int) -> None:
        task = open_task(self.parents[parent], actor=self.actor, title="Work", order=order)
        status = "open" if self.is_turn(parent, order) else "pending"
        self.tasks[task.pk] = Modelled(parent, order, status, "parent" if self.held[parent] else "")
        self.check()

    def may(self, one: Modelled, move: str) -> bool:
        ahead, free = one.status in AHEAD, not one.held
        return {
            "open": one.status == "pending" and free and self.begun[one.parent],
            "start": one.status == "open" and free,
            "complete": one.status in ("open", "in_progress") and free,
            "hold": ahead and one.held != "hand",
            "resume": ahead and one.held == "hand",
            "incomplete": one.status in ("open", "in_progress"),
            "skip": ahead,
            "cancel": ahead,
            "reopen": not ahead and one.status != "cancelled",
        }[move]

    @precondition(lambda self: self.tasks)
    @rule(place=PLACE, move=st.sampled_from(sorted(MOVES)))
    def moves(self, place: int, move: str) -> None:
        task, one = self.chosen(place)
        if not self.may(one, move):
            with pytest.raises(IllegalMove):
                perform(task, move, actor=self.actor, fields=FIELDS[move])
            self.check()
            return
        returned = perform(task, move, actor=self.actor, fields=FIELDS[move])
        with_parent = "parent" if self.held[one.parent] else ""
        if move in ENDS:
            one.status, one.held = ENDS[move], ""
        elif move == "hold":
            one.held = "hand"
        elif move == "resume":
            one.held = with_parent
        elif move == "reopen":
            one.status, one.held = ("open" if self.begun[one.parent] else "pending"), with_parent
        else:
            one.status = {"open": "open", "start": "in_progress"}[move]
        if move in ENDS or move == "resume":
            self.settle(one.parent)
        self.check()
        assert returned.status == one.status

    @precondition(lambda self: self.tasks)
    @rule(place=PLACE, order=ORDERS)
    def reorders(self, place: int, order: int) -> None:
        task, one = self.chosen(place)
        if one.status not in AHEAD:
            return
        plan_task(task, actor=self.actor, order=order)
        if order != one.order:
            one.order = order
            if one.status == "open" and not self.is_turn(one.parent, order):
                one.status = "pending"
            self.settle(one.parent)
        self.check()

    @rule(parent=st.integers(0, 1))
    def parent_moves(self, parent: int) -> None:
        incident = self.parents[parent]
        if self.held[parent]:
            self.parents[parent] = move_incident(incident, "resume", actor=self.actor)
            resume_tasks(self.parents[parent], actor=self.actor)
            self.held[parent] = False
            for one in self.below(parent):
                one.held = "" if one.held == "parent" else one.held
        elif self.begun[parent]:
            fields = {"hold_reason": "awaiting_vendor"}
            self.parents[parent] = move_incident(incident, "hold", actor=self.actor, fields=fields)
            hold_tasks(self.parents[parent], actor=self.actor)
            self.held[parent] = True
            for one in self.below(parent):
                one.held = one.held or "parent"
        else:
            self.parents[parent] = move_incident(incident, "start", actor=self.actor)
            self.begun[parent] = True
        self.settle(parent)
        self.check()

    @rule(source=st.integers(0, 1), only_open=st.booleans())
    def moves_all(self, source: int, only_open: bool) -> None:
        target = 1 - source
        move_tasks(self.parents[source], self.parents[target], actor=self.actor, only_open=only_open)
        moved = [one for one in self.tasks.values() if one.parent == source and (one.status in AHEAD or not only_open)]
        for one in moved:
            one.parent = target
            if one.status in AHEAD and one.held != "hand":
                one.held = "parent" if self.held[target] else ""
        for one in moved:
            if one.status == "open" and not self.is_turn(target, one.order):
                one.status = "pending"
        self.settle(target)
        self.check()

    @precondition(lambda self: len(self.tasks) > 4)
    @rule(parent=st.integers(0, 1))
    def ends_all(self, parent: int) -> None:
        end_open_tasks(self.parents[parent], outcome="cancelled", actor=self.actor)
        for one in self.below(parent):
            one.status, one.held = "cancelled", ""
        self.check()

    def teardown(self) -> None:
        assert not list(broken_events())


@pytest.mark.django_db
def test_tasks_stand_where_a_naive_model_says(cast: Cast) -> None:
    class ThisLife(Life):
        pass

    ThisLife.cast = cast
    before = registry.rules_of("incident")
    begins = TaskRules(
        opens_when=lambda parent: parent.status != "new", is_held=lambda parent: parent.status == "on_hold"
    )
    register_task_rules("incident", begins)
    try:
        run_state_machine_as_test(
            ThisLife,
            settings=settings(
                max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
    finally:
        register_task_rules("incident", before)
