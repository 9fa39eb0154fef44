"""Tasks over the REST API: every move from every state, opening, planning, listing, and what the requester gets."""

from __future__ import annotations

from typing import Any

import pytest

from incidents.actions import cancel, open_incident
from incidents.models import Incident
from itsm.tasking.actions import hold, open_task
from itsm.tasking.models import Task
from itsm.tasking.statuses import MOVES, Status
from tests.api.conftest import Caller, problem
from tests.cast import Cast, as_
from tests.tasking.conftest import FIELDS, task_in
from tests.tasking.test_moves import LEGAL


@pytest.fixture
def api(cast: Cast) -> Caller:
    """Anna's program: she is an agent."""
    return Caller(cast.anna)


@pytest.mark.parametrize("move", list(MOVES))
@pytest.mark.parametrize("status", list(Status))
def test_every_move_from_every_state(cast: Cast, incident: Incident, api: Caller, status: Status, move: str) -> None:
    task = task_in(status, cast, incident)
    legal = (status, move) in LEGAL
    address = f"tasks/{task.number}/moves/"
    standing = {one["name"]: one for one in api.get(address + "?all=true").json()["results"]}
    assert standing[move]["possible"] == legal
    assert bool(standing[move]["why_not"]) != legal
    expected = {"rita": 404, "olaf": 403 if legal else 409, "anna": 200 if legal else 409}
    for person, code in expected.items():
        answer = Caller(getattr(cast, person)).post(f"{address}{move}/", {**FIELDS[move], "version": task.version})
        assert answer.status_code == code, person
        after = Task.objects.get(pk=task.pk)
        assert after.status == (LEGAL[status, move] if code == 200 else status)
        assert after.event_seq == task.event_seq + (code == 200)


@pytest.mark.parametrize("road", ["tasks/", "incidents/{0}/tasks/", "tickets/{0}/tasks/"])
def test_a_task_is_opened_once(cast: Cast, incident: Incident, api: Caller, road: str) -> None:
    body: dict[str, Any] = {
        "title": "Look 🔧",
        "assignee": "ben@example.com",
        "team": "desktop",
        "order": 2,
        "planned_start": "2026-12-01T09:00:00+01:00",
        "planned_end": "2026-12-01T09:00:00Z",
    }
    if road == "tasks/":
        body["parent"] = incident.number
    for code in (201, 200):
        answer = api.post(road.format(incident.number), body, Idempotency_Key="once")
        assert answer.status_code == code, answer.content
    shown = answer.json()
    assert shown["parent"]["number"] == incident.number
    assert (shown["kind"], shown["status"], shown["task_type"], shown["order"]) == ("task", "open", "general", 2)
    assert (shown["planned_start"], shown["planned_end"]) == ("2026-12-01T08:00:00Z", "2026-12-01T09:00:00Z")
    assert (shown["assignee"]["name"], shown["team"]["key"]) == ("Ben Example", "desktop")
    assert shown["web_url"].endswith(f"/desk/tasks/{shown['number']}/")
    assert api.get(shown["url"]).json() == shown
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("more", "field", "status"),
    [
        ({"parent": "INC9999999"}, "parent", 422),
        ({"title": ""}, "title", 422),
        ({"title": "x" * 10_000}, "title", 422),
        ({"order": -1}, "order", 422),
        ({"order": "first"}, "order", 422),
        ({"task_type": "rca"}, "task_type", 422),
        ({"planned_start": "soon"}, "planned_start", 422),
        ({"planned_start": "2026-12-02T00:00Z", "planned_end": "2026-12-01T00:00Z"}, "planned_end", 422),
        ({"assignee": "rita@example.com"}, "assignee", 422),
        ({"status": "closed_complete"}, "status", 400),
        ({"is_generated": True}, "is_generated", 400),
    ],
)
def test_what_does_not_fit_is_named(
    cast: Cast, incident: Incident, api: Caller, more: dict[str, Any], field: str, status: int
) -> None:
    answer = api.post("tasks/", {"title": "Look", "parent": incident.number, **more})
    assert answer.status_code == status, answer.content
    assert set(answer.json()["errors"]) == {field}
    assert not Task.objects.exists()


def test_no_task_below_a_task_or_what_has_ended(cast: Cast, incident: Incident, api: Caller) -> None:
    task = task_in(Status.OPEN, cast, incident)
    answer = api.post("tasks/", {"title": "Look", "parent": task.number})
    assert set(answer.json()["errors"]) == {"parent"}
    assert api.get(f"tasks/{task.number}/tasks/").status_code == 404
    assert api.get(f"tickets/{task.number}/tasks/").status_code == 404
    assert api.get(f"users/{task.number}/tasks/").status_code == 404
    ended = cancel(incident, actor=as_(cast.anna), reason="No")
    problem(api.post(f"incidents/{ended.number}/tasks/", {"title": "Look"}), 409, "illegal_move")


def test_window_order_and_owner_change_together_or_not_at_all(cast: Cast, incident: Incident, api: Caller) -> None:
    open_task(incident, actor=as_(cast.anna), title="First")
    task = open_task(incident, actor=as_(cast.anna), title="Second")
    address = f"tasks/{task.number}/"
    tag = api.get(address)["ETag"]
    body = {"order": 4, "planned_end": "2026-12-01T09:00:00Z", "assignee": "ben@example.com", "title": "Later"}
    answer = api.patch(address, body, If_Match=tag)
    shown = answer.json()
    assert (shown["order"], shown["status"], shown["title"]) == (4, "pending", "Later")
    problem(api.patch(address, {"order": 5}, If_Match=tag), 412, "precondition_failed")
    answer = api.patch(address, {"title": "No", "planned_start": "2026-12-02T09:00:00Z"})
    assert set(answer.json()["errors"]) == {"planned_end"}
    assert Task.objects.get(pk=task.pk).title == "Later"


def test_lists_are_narrowed(cast: Cast, incident: Incident, api: Caller) -> None:
    other = open_incident(actor=as_(cast.anna), title="Other")
    open_task(incident, actor=as_(cast.anna), title="b", order=2)
    first = open_task(incident, actor=as_(cast.anna), title="a")
    hold(first, actor=as_(cast.anna), reason="Parts")
    open_task(other, actor=as_(cast.anna), title="c")

    def titles(address: str) -> list[str]:
        answer = api.get(address)
        assert answer.status_code == 200, answer.content
        return [row["title"] for row in answer.json()["results"]]

    assert titles(f"incidents/{incident.number}/tasks/") == ["a", "b"]
    assert titles(f"tasks/?parent={incident.number}") == ["a", "b"]
    assert titles("tasks/?held=true") == ["a"]
    assert titles("tasks/?status=open&held=false&ordering=opened_at") == ["b", "c"]
    assert titles("tasks/?task_type=general&q=title:c") == ["c"]
    assert titles(f"incidents/{incident.number}/tasks/?limit=1") == ["a"]
    assert api.get("tasks/?parent=nothing").status_code == 400
    assert api.get("tasks/?colour=red").status_code == 400


def test_requesters_learn_nothing(cast: Cast, incident: Incident) -> None:
    task = open_task(incident, actor=as_(cast.anna), title="SECRET work")
    rita = Caller(cast.rita)
    assert rita.get(f"tasks/{task.number}/").status_code == 404
    assert rita.get(f"tickets/{task.number}/tasks/").status_code == 404
    for address in (
        f"incidents/{incident.number}/tasks/",
        "tasks/",
        f"incidents/{incident.number}/",
        f"incidents/{incident.number}/events/",
        f"incidents/{incident.number}/links/",
        "incidents/?q=secret",
    ):
        assert b"SECRET" not in rita.get(address).content, address
