"""The list of tasks on the page of a ticket, and the page of a task, through HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions import cancel, open_incident
from incidents.models import Incident
from itsm.tasking.actions import hold, hold_tasks, open_task
from itsm.tasking.models import Task
from itsm.tasking.statuses import MOVES, Status
from itsm.tickets.actions import update
from tests.cast import Cast, as_
from tests.tasking.conftest import FIELDS, task_in
from tests.tasking.test_moves import LEGAL

SignIn = Callable[[Any], Client]
HTMX = {"HX-Request": "true"}


def page(ticket: Any) -> str:
    """Return the address of the ticket's page."""
    return reverse(f"{'tasking' if ticket.kind == 'task' else 'incidents'}:detail", args=[ticket.number])


@pytest.mark.parametrize("move", list(MOVES))
@pytest.mark.parametrize("status", list(Status))
def test_every_move_from_every_state_on_the_page(
    cast: Cast, incident: Incident, signed_in: SignIn, status: Status, move: str
) -> None:
    task = task_in(status, cast, incident)
    address = reverse("tasking:move", args=[task.number, move])
    legal = (status, move) in LEGAL
    expected = {"rita": 404, "olaf": 403 if legal else 409, "anna": 303 if legal else 409}
    for person, code in expected.items():
        client = signed_in(getattr(cast, person))
        assert client.post(address, {**FIELDS[move], "version": task.version}).status_code == code, person
        after = Task.objects.get(pk=task.pk)
        assert after.status == (LEGAL[status, move] if code == 303 else status)
        assert after.event_seq == task.event_seq + (code == 303)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_task_is_added_done_and_the_next_opens(
    cast: Cast, incident: Incident, anna: Client, headers: dict[str, str]
) -> None:
    add = reverse("tasking:add", args=["incident", incident.number])
    first = {
        "title": "Look 🔧 <b>",
        "task_type": "general",
        "assignee": cast.anna.public_id,
        "planned_start": "2026-12-01T09:00",
        "planned_end": "2026-12-01T10:30",
        "order": "0",
    }
    for values in (first, {"title": "Then", "task_type": "general", "order": "5", "team": cast.desktop.public_id}):
        answer = anna.post(add, values, headers=headers)
        assert answer.status_code == (200 if headers else 303)
    one, two = Task.objects.order_by("pk")
    assert one.planned_start is not None
    assert one.planned_end is not None
    assert (one.assignee, two.team, two.status) == (cast.anna, cast.desktop, "pending")
    assert one.planned_end - one.planned_start == timedelta(minutes=90)
    shown = anna.get(page(incident)).content.decode()
    assert "Look 🔧 &lt;b&gt;" in shown
    assert shown.index(f"task-{one.public_id}") < shown.index(f"task-{two.public_id}")
    complete = reverse("tasking:panel_move", args=[one.number, "complete"])
    answer = anna.post(complete, {"notes": "", "version": one.version}, headers=headers)
    assert answer.status_code == 422
    assert "Please fill in: What was done." in answer.content.decode()
    answer = anna.post(complete, {"notes": "All fine", "version": one.version}, headers=headers)
    assert answer.status_code == (200 if headers else 303)
    text = anna.get(page(incident)).content.decode()
    assert "All fine" in text
    assert Task.objects.get(pk=two.pk).status == "open"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_form_is_asked_for_when_somebody_adds_a_task(
    cast: Cast, incident: Incident, anna: Client, signed_in: SignIn, headers: dict[str, str]
) -> None:
    address = reverse("tasking:add", args=["incident", incident.number])
    assert address in anna.get(page(incident)).content.decode()
    answer = anna.get(address, headers=headers)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'name="title"' in text
    assert ("<html" in text) == (not headers)
    assert "Ben Example" in text
    assert cast.rita.public_id not in text
    assert signed_in(cast.olaf).get(address, headers=headers).status_code == 403
    assert signed_in(cast.rita).get(address).status_code == 404


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"title": ""}, "This cannot be empty."),
        ({"title": "x" * 10_000}, "at most 200 fit"),
        ({"title": "Look", "order": "many"}, "Write a whole number"),
        ({"title": "Look", "order": "1000"}, "Give a number from 0 to 999."),
        ({"title": "Look", "assignee": "0" * 32}, "Choose a person from the list."),
        ({"title": "Look", "team": "nobody"}, "Choose a team from the list."),
        ({"title": "Look", "planned_start": "soon"}, "Write a date and a time"),
        ({"title": "Look", "task_type": "rca"}, "Choose one of: general."),
        (
            {"title": "Look", "planned_start": "2026-12-02T09:00", "planned_end": "2026-12-01T09:00"},
            "The planned end must lie after the planned start.",
        ),
    ],
)
def test_what_does_not_fit_comes_back_with_what_was_typed(
    cast: Cast, incident: Incident, anna: Client, values: dict[str, str], sentence: str
) -> None:
    sent = {"task_type": "general", "description": "Typed before", **values}
    answer = anna.post(reverse("tasking:add", args=["incident", incident.number]), sent, headers=HTMX)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert sentence in text
    assert "Typed before" in text
    assert not Task.objects.exists()


def test_the_second_click_adds_nothing(cast: Cast, incident: Incident, anna: Client) -> None:
    sent = {"title": "Look", "task_type": "general", "submission_key": "k" * 32}
    for _click in range(2):
        anna.post(reverse("tasking:add", args=["incident", incident.number]), sent)
    assert Task.objects.count() == 1


def test_only_what_has_tasks_takes_one(cast: Cast, incident: Incident, anna: Client) -> None:
    task = task_in(Status.OPEN, cast, incident)
    other = task_in(Status.OPEN, cast, incident)
    for kind, number in (("task", task.number), ("nothing", incident.number), ("incident", task.number)):
        answer = anna.post(reverse("tasking:add", args=[kind, number]), {"title": "x", "task_type": "general"})
        assert answer.status_code == 404, (kind, number)
    assert set(Task.objects.all()) == {task, other}
    ended = cancel(incident, actor=as_(cast.anna), reason="No")
    answer = anna.post(
        reverse("tasking:add", args=["incident", ended.number]), {"title": "x", "task_type": "general"}, headers=HTMX
    )
    assert answer.status_code == 409
    assert "takes no more tasks" in answer.content.decode()


def test_a_new_order_from_the_list(cast: Cast, incident: Incident, anna: Client) -> None:
    open_task(incident, actor=as_(cast.anna), title="First")
    task = open_task(incident, actor=as_(cast.anna), title="Second")
    address = reverse("tasking:order", args=[task.number])
    assert anna.post(address, {"order": "7", "version": task.version}).status_code == 303
    task = Task.objects.get(pk=task.pk)
    assert (task.order, task.status) == (7, "pending")
    assert anna.post(address, {"order": "8", "version": task.version - 1}, headers=HTMX).status_code == 409
    answer = anna.post(address, {"order": "x8", "version": task.version}, headers=HTMX)
    assert answer.status_code == 422
    assert "x8" in answer.content.decode()


def test_a_stale_list_says_so_and_keeps_the_notes(cast: Cast, incident: Incident, anna: Client) -> None:
    task = task_in(Status.OPEN, cast, incident)
    update(task, {"title": "Other"}, actor=as_(cast.ben))
    answer = anna.post(
        reverse("tasking:panel_move", args=[task.number, "complete"]),
        {"notes": "My notes", "version": task.version},
        headers=HTMX,
    )
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Somebody changed this ticket" in text
    assert "My notes" in text


def test_only_the_moves_of_the_list_are_made_there(cast: Cast, incident: Incident, anna: Client) -> None:
    task = task_in(Status.OPEN, cast, incident)
    for name in ("cancel", "fly"):
        answer = anna.post(reverse("tasking:panel_move", args=[task.number, name]), {"reason": "x"})
        assert answer.status_code == 404
    assert Task.objects.get(pk=task.pk).is_open


def test_who_may_only_look_is_offered_nothing(cast: Cast, incident: Incident, signed_in: SignIn) -> None:
    task = task_in(Status.OPEN, cast, incident)
    olaf = signed_in(cast.olaf)
    text = olaf.get(page(incident)).content.decode()
    assert task.number in text
    assert "Add a task" not in text
    assert "panel_move" not in text
    assert f"/desk/tasks/{task.number}/below/" not in text
    assert olaf.post(reverse("tasking:panel_move", args=[task.number, "start"]), {}).status_code == 403
    sent = {"title": "x", "task_type": "general"}
    assert olaf.post(reverse("tasking:add", args=["incident", incident.number]), sent).status_code == 403


def test_requesters_reach_nothing(cast: Cast, incident: Incident, signed_in: SignIn) -> None:
    task = task_in(Status.OPEN, cast, incident)
    rita = signed_in(cast.rita)
    for address in (page(task), reverse("tasking:history", args=[task.number])):
        assert rita.get(address).status_code == 404
    for address in (
        reverse("tasking:panel_move", args=[task.number, "start"]),
        reverse("tasking:order", args=[task.number]),
        reverse("tasking:add", args=["incident", incident.number]),
        reverse("tasking:comment", args=[task.number]),
    ):
        assert rita.post(address, {"title": "x", "order": "3", "body": "x"}).status_code == 404
    assert rita.get(reverse("portal:request", args=[task.number])).status_code == 404
    assert "Look at the tunnel" not in rita.get(reverse("portal:request", args=[incident.number])).content.decode()


def test_the_page_of_a_task_says_what_it_is_part_of(cast: Cast, incident: Incident, anna: Client) -> None:
    task = task_in(Status.PENDING, cast, incident)
    text = anna.get(page(task)).content.decode()
    assert page(incident) in text
    assert "It waits for:" in text
    assert "0 of 2 tasks ended" in text
    assert "Reply" not in anna.get(reverse("tasking:preview", args=[task.number])).content.decode()
    hold(task, actor=as_(cast.anna), reason="Parts <i>")
    assert "On hold: Parts &lt;i&gt;" in anna.get(page(task)).content.decode()
    other = task_in(Status.OPEN, cast, incident)
    hold_tasks(incident, actor=as_(cast.anna))
    assert f"On hold as long as {incident.number} is." in anna.get(page(other)).content.decode()


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("order", "12", 12),
        ("planned_start", "", None),
        ("title", "Other", "Other"),
        ("task_type", "general", "general"),
    ],
)
def test_properties_are_changed_one_by_one(
    cast: Cast, incident: Incident, anna: Client, name: str, value: str, stored: Any
) -> None:
    task = task_in(Status.OPEN, cast, incident)
    answer = anna.post(reverse("tasking:edit", args=[task.number, name]), {name: value})
    assert answer.status_code == 303
    assert getattr(Task.objects.get(pk=task.pk), name) == stored


def test_planned_times_are_the_viewers(cast: Cast, incident: Incident, anna: Client) -> None:
    cast.anna.time_zone = "Europe/Berlin"
    cast.anna.save()
    task = task_in(Status.OPEN, cast, incident)
    address = reverse("tasking:edit", args=[task.number, "planned_start"])
    assert anna.post(address, {"planned_start": "2026-12-01T09:00"}).status_code == 303
    task = Task.objects.get(pk=task.pk)
    assert task.planned_start is not None
    assert task.planned_start.isoformat() == "2026-12-01T08:00:00+00:00"
    assert "2026-12-01T09:00" in anna.get(page(task)).content.decode()
    answer = anna.post(address, {"planned_start": "2026-03-29T02:30"}, headers=HTMX)
    assert answer.status_code == 422
    assert "clocks jump over" in answer.content.decode()


def test_the_list_costs_the_same_however_long(cast: Cast, anna: Client) -> None:
    counts = []
    for number in (1, 12):
        incident = open_incident(actor=as_(cast.anna), title="Busy", requester=cast.rita)
        for order in range(number):
            open_task(incident, actor=as_(cast.anna), title=f"Task {order}", order=order % 3, assignee=cast.ben)
        anna.get(page(incident))
        with CaptureQueriesContext(connection) as captured:
            assert anna.get(page(incident)).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_tasks_stand_in_the_queue_and_are_found(cast: Cast, incident: Incident, anna: Client) -> None:
    task = task_in(Status.OPEN, cast, incident)
    queue = anna.get(reverse("workspace:queue")).content.decode()
    assert page(task) in queue
    for words in (task.number, "tunnel", "kind:task", "status:open"):
        assert task.number in anna.get(reverse("workspace:queue"), {"q": words}).content.decode(), words
    found = anna.get(reverse("workspace:palette"), {"q": task.number}).json()["results"]
    assert found[0]["url"] == page(task)


def test_a_note_is_all_one_can_write_on_a_task(cast: Cast, incident: Incident, anna: Client) -> None:
    task = task_in(Status.OPEN, cast, incident)
    address = reverse("tasking:comment", args=[task.number])
    assert anna.post(address, {"body": "Hello", "visibility": "internal"}).status_code == 303
    answer = anna.post(address, {"body": "Hello you", "visibility": "public"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Only the service desk sees a task" in answer.content.decode()
    assert list(task.comments.values_list("visibility", flat=True)) == ["internal"]
