"""Tasks and the ticket above: its end, its holds, moving to another ticket, and what waits for what."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from incidents.actions import cancel, close, open_incident, perform, resolve
from incidents.closing import close_resolved
from incidents.models import Incident
from itsm.tasking.actions import (
    complete,
    end_open_tasks,
    hold,
    hold_tasks,
    move_tasks,
    open_now,
    open_task,
    plan_task,
    reopen,
    resume,
    resume_tasks,
    skip,
    start,
)
from itsm.tasking.models import Task
from itsm.tasking.statuses import Status
from itsm.tickets.actions import lock, update
from itsm.tickets.actors import SYSTEM, Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from itsm.tickets.log import write
from itsm.tickets.rules import Answer
from itsm.tickets.verification import broken_events
from tests.cast import Cast, as_

DONE = {"resolution_code": "solution_provided", "resolution_notes": "Done"}


def states(parent: Any) -> dict[str, str]:
    """Return the status of each task below the ticket by its title; held ones with an exclamation mark."""
    return {one.title: one.status + ("!" if one.is_held else "") for one in Task.objects.below(parent)}


def test_closing_an_incident_ends_its_tasks_incomplete(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    complete(open_task(incident, actor=anna, title="Done"), actor=anna, notes="Done")
    start(open_task(incident, actor=anna, title="Begun"), actor=anna)
    open_task(incident, actor=anna, title="Later", order=3)
    done = resolve(incident, actor=anna, **DONE)
    assert states(incident) == {"Done": "closed_complete", "Begun": "in_progress", "Later": "pending"}
    closed = close(done, actor=as_(cast.rita, Channel.PORTAL))
    assert states(incident) == {
        "Done": "closed_complete",
        "Begun": "closed_incomplete",
        "Later": "closed_incomplete",
    }
    begun = Task.objects.get(title="Begun")
    assert begun.events.get(code="task.closed_incomplete").data["because"] == "parent"
    assert not begun.events.filter(code="task.ready").exists()
    assert closed.event_seq == Incident.objects.get(pk=incident.pk).event_seq
    assert not list(broken_events(number=incident.number))


def test_cancelling_an_incident_skips_its_tasks(cast: Cast, incident: Incident) -> None:
    open_task(incident, actor=as_(cast.anna), title="One")
    hold(open_task(incident, actor=as_(cast.anna), title="Held"), actor=as_(cast.anna), reason="Parts")
    cancel(incident, actor=as_(cast.rita, Channel.PORTAL), reason="Works again")
    assert states(incident) == {"One": "closed_skipped", "Held": "closed_skipped"}


def test_an_incident_that_closes_by_itself_takes_its_tasks_along(cast: Cast, incident: Incident) -> None:
    open_task(incident, actor=as_(cast.anna), title="One")
    resolve(incident, actor=as_(cast.anna), **DONE)
    Incident.objects.filter(pk=incident.pk).update(resolved_at="2026-01-01T00:00Z")
    assert close_resolved() == 1
    assert states(incident) == {"One": "closed_incomplete"}


def test_when_the_end_of_the_parent_fails_its_tasks_go_on(cast: Cast, incident: Incident) -> None:
    open_task(incident, actor=as_(cast.anna), title="One")
    with pytest.raises(Stale):
        cancel(incident, actor=as_(cast.anna), reason="No", version=99)
    assert states(incident) == {"One": "open"}


def test_only_what_the_process_made_is_ended(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    open_task(incident, actor=anna, title="Made", is_generated=True)
    open_task(incident, actor=anna, title="By hand", order=1)
    ended = end_open_tasks(incident, outcome="cancelled", actor=anna, only_generated=True, reason="Not needed")
    assert [one.title for one in ended] == ["Made"]
    assert states(incident) == {"Made": "cancelled", "By hand": "open"}
    assert Task.objects.get(title="Made").notes == "Not needed"
    assert end_open_tasks(incident, outcome="cancelled", actor=anna, only_generated=True) == []
    with pytest.raises(Invalid):
        end_open_tasks(incident, outcome="open", actor=anna)


@pytest.mark.django_db(transaction=True)
def test_the_room_of_the_parent_can_go_on_writing(cast: Cast, incident: Incident) -> None:
    """A process room calls these within its verb, on its own locked object, and writes on it before and after."""
    from django.db import transaction

    anna = as_(cast.anna)
    other = open_incident(actor=anna, title="Other")
    with transaction.atomic():
        locked = lock(incident)
        open_task(locked, actor=anna, title="One")
        hold_tasks(locked, actor=anna)
        resume_tasks(locked, actor=anna)
        move_tasks(locked, other, actor=anna)
        end_open_tasks(locked, outcome="cancelled", actor=anna)
        write(locked, "ticket.updated", actor=anna, changes={"title": "New"})
    assert not list(broken_events())
    assert Incident.objects.get(pk=incident.pk).title == "New"


def test_a_hold_of_the_parent_comes_and_goes_and_leaves_held_tasks_alone(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    open_task(incident, actor=anna, title="Open")
    start(open_task(incident, actor=anna, title="Begun"), actor=anna)
    hold(open_task(incident, actor=anna, title="By hand"), actor=anna, reason="Parts")
    open_task(incident, actor=anna, title="Later", order=1)
    skip(open_task(incident, actor=anna, title="Over"), actor=anna, reason="No need")
    assert {one.title for one in hold_tasks(incident, actor=anna)} == {"Open", "Begun", "Later"}
    assert hold_tasks(incident, actor=anna) == []
    assert states(incident) == {
        "Open": "open!",
        "Begun": "in_progress!",
        "By hand": "open!",
        "Later": "pending!",
        "Over": "closed_skipped",
    }
    with pytest.raises(IllegalMove, match="goes on when"):
        resume(Task.objects.get(title="Open"), actor=anna)
    with pytest.raises(IllegalMove, match="on hold"):
        start(Task.objects.get(title="Open"), actor=anna)
    assert {one.title for one in resume_tasks(incident, actor=anna)} == {"Open", "Begun", "Later"}
    assert states(incident) == {
        "Open": "open",
        "Begun": "in_progress",
        "By hand": "open!",
        "Later": "pending",
        "Over": "closed_skipped",
    }


def test_a_task_held_with_its_parent_can_be_kept_on_hold_by_hand(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="One")
    hold_tasks(incident, actor=as_(cast.anna))
    hold(task, actor=as_(cast.anna), reason="Parts")
    assert resume_tasks(incident, actor=as_(cast.anna)) == []
    assert states(incident) == {"One": "open!"}


def test_what_is_added_while_the_parent_is_held_is_held_too(
    cast: Cast, incident: Incident, with_rules: Callable[..., None]
) -> None:
    anna = as_(cast.anna)
    with_rules(is_held=lambda parent: parent.status == "on_hold")
    over = skip(open_task(incident, actor=anna, title="Over"), actor=anna, reason="No")
    by_hand = hold(open_task(incident, actor=anna, title="By hand"), actor=anna, reason="Parts")
    held = perform(incident, "hold", actor=anna, fields={"hold_reason": "awaiting_vendor"})
    open_task(held, actor=anna, title="New")
    reopen(over, actor=anna, reason="After all")
    resume(by_hand, actor=anna)
    assert states(incident) == {"New": "open!", "Over": "open!", "By hand": "open!"}
    assert not Task.objects.filter(held_by_parent=False).exists()
    resume_tasks(perform(held, "resume", actor=anna), actor=anna)
    assert states(incident) == {"New": "open", "Over": "open", "By hand": "open"}


def test_tasks_follow_each_other_in_order(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    tasks = {
        title: open_task(incident, actor=anna, title=title, order=order)
        for title, order in (("a", 0), ("b", 0), ("c", 1), ("d", 1), ("e", 7))
    }
    assert states(incident) == {"a": "open", "b": "open", "c": "pending", "d": "pending", "e": "pending"}
    complete(tasks["a"], actor=anna, notes="Done")
    assert states(incident)["c"] == "pending"
    skip(tasks["b"], actor=anna, reason="No need")
    assert states(incident) == {
        "a": "closed_complete",
        "b": "closed_skipped",
        "c": "open",
        "d": "open",
        "e": "pending",
    }
    ready = tasks["c"].events.get(code="task.ready")
    assert (ready.actor, ready.channel, ready.data["because"]) == (None, "system", "turn")
    hold(tasks["d"], actor=anna, reason="Parts")
    complete(tasks["c"], actor=anna, notes="Done")
    assert states(incident)["e"] == "pending"
    assert open_now(tasks["e"], actor=anna).status == Status.OPEN
    assert tasks["e"].events.get(code="task.ready").data["because"] == "hand"


def test_a_waiting_task_on_hold_opens_when_it_is_resumed(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    first = open_task(incident, actor=anna, title="a")
    waits = hold(open_task(incident, actor=anna, title="b", order=1), actor=anna, reason="Parts")
    complete(first, actor=anna, notes="Done")
    assert states(incident)["b"] == "pending!"
    assert resume(waits, actor=anna).status == Status.OPEN


def test_a_new_order_opens_and_puts_back(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    a = open_task(incident, actor=anna, title="a")
    b = open_task(incident, actor=anna, title="b")
    c = start(open_task(incident, actor=anna, title="c"), actor=anna)
    d = open_task(incident, actor=anna, title="d", order=4)
    assert plan_task(b, actor=anna, order=1).status == Status.PENDING
    assert plan_task(c, actor=anna, order=9).status == Status.IN_PROGRESS, "who works on it is not stopped"
    assert plan_task(d, actor=anna, order=0).status == Status.OPEN
    assert plan_task(a, actor=anna, order=2).status == Status.PENDING
    assert states(incident) == {"a": "pending", "b": "pending", "c": "in_progress", "d": "open"}
    assert plan_task(d, actor=anna, order=2).status == Status.PENDING
    assert states(incident) == {"a": "pending", "b": "open", "c": "in_progress", "d": "pending"}


def test_tasks_wait_until_the_parent_lets_them(cast: Cast, incident: Incident, with_rules: Callable[..., None]) -> None:
    anna = as_(cast.anna)

    def when_begun(parent: Any) -> Answer:
        return Answer(parent.status == "in_progress", "Start work on the incident first.")

    with_rules(opens_when=when_begun)
    task = open_task(incident, actor=anna, title="a")
    open_task(incident, actor=anna, title="b", order=1)
    assert states(incident) == {"a": "pending", "b": "pending"}
    with pytest.raises(IllegalMove, match="Start work on the incident"):
        open_now(task, actor=anna)
    perform(incident, "start", actor=anna)
    assert states(incident) == {"a": "open", "b": "pending"}
    assert not list(broken_events(number=incident.number))


def test_tasks_of_a_duplicate_move_to_the_survivor(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    other = open_incident(actor=anna, title="The same")
    mine = open_task(other, actor=anna, title="mine")
    open_task(incident, actor=anna, title="a")
    open_task(incident, actor=anna, title="b", order=2)
    complete(open_task(incident, actor=anna, title="over"), actor=anna, notes="Done")
    assert {one.title for one in move_tasks(incident, other, actor=anna)} == {"a", "b", "over"}
    assert states(incident) == {}
    assert states(other) == {"mine": "open", "a": "open", "b": "pending", "over": "closed_complete"}
    for parent in (incident, other):
        assert parent.events.filter(code="ticket.task_moved").count() == 3
    complete(mine, actor=anna, notes="Done")
    complete(Task.objects.get(title="a"), actor=anna, notes="Done")
    assert states(other)["b"] == "open"
    assert not list(broken_events())


def test_moving_says_what_does_not_fit(cast: Cast, incident: Incident, with_rules: Callable[..., None]) -> None:
    anna = as_(cast.anna)
    other = open_incident(actor=anna, title="The same")
    open_task(incident, actor=anna, title="a")
    with pytest.raises(Invalid, match="already"):
        move_tasks(incident, incident, actor=anna)
    with pytest.raises(Refused):
        move_tasks(incident, other, actor=as_(cast.rita))
    with_rules(types=(("test", "Test"),))
    with pytest.raises(Invalid, match="cannot be moved"):
        move_tasks(incident, other, actor=anna)
    assert states(incident) == {"a": "open"}
    ended = cancel(other, actor=anna, reason="No")
    with pytest.raises(IllegalMove):
        move_tasks(incident, ended, actor=anna)


def test_a_move_can_leave_the_ended_behind(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    other = open_incident(actor=anna, title="The same")
    skip(open_task(incident, actor=anna, title="over"), actor=anna, reason="No need")
    open_task(incident, actor=anna, title="a")
    assert [one.title for one in move_tasks(incident, other, actor=anna, only_open=True)] == ["a"]
    assert states(incident) == {"over": "closed_skipped"}


@pytest.mark.django_db(transaction=True)
def test_the_last_tasks_of_a_stage_end_at_once_and_the_next_opens_once(cast: Cast, incident: Incident) -> None:
    """Two people complete the two tasks of a stage in the same instant, while a third closes the incident."""
    anna = as_(cast.anna)
    firsts = [open_task(incident, actor=anna, title=f"first {number}") for number in range(6)]
    last = open_task(incident, actor=anna, title="last", order=1)
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  told by the main thread
            failures.append(error)
        finally:
            connection.close()

    def ending(task: Task) -> Callable[[], object]:
        return lambda: complete(task, actor=anna, notes="Done")

    threads = [Thread(target=run, args=(ending(task),)) for task in firsts]
    threads.append(Thread(target=run, args=(lambda: update(incident, {"title": "Busy"}, actor=anna),)))
    threads.append(Thread(target=run, args=(lambda: hold(last, actor=anna, reason="Parts"),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {state for title, state in states(incident).items() if title != "last"} == {"closed_complete"}
    assert last.events.filter(code="task.ready").count() == (states(incident)["last"] == "open!")
    assert not list(broken_events())


@pytest.mark.django_db(transaction=True)
def test_ending_a_task_and_closing_its_incident_at_once_do_not_block_each_other(cast: Cast, incident: Incident) -> None:
    anna = as_(cast.anna)
    tasks = [open_task(incident, actor=anna, title=f"task {number}") for number in range(5)]
    done = resolve(incident, actor=anna, **DONE)
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except IllegalMove:
            pass  # the other was first
        except BaseException as error:  # noqa: BLE001  told by the main thread
            failures.append(error)
        finally:
            connection.close()

    def ending(task: Task) -> Callable[[], object]:
        return lambda: complete(task, actor=anna, notes="Done")

    threads = [Thread(target=run, args=(ending(task),)) for task in tasks]
    threads.insert(2, Thread(target=run, args=(lambda: close(done, actor=SYSTEM),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(states(incident).values()) <= {"closed_complete", "closed_incomplete"}
    assert incident.events.filter(code="ticket.task_ended").count() == 5
    assert not list(broken_events())
