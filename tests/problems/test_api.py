"""Problems over the API: every move from every state by every role, writing what is known, telling requesters."""

from __future__ import annotations

import pytest

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.models import Link
from problems.actions import link_incidents, save_workaround
from problems.models import Communication, Problem
from problems.statuses import MOVES, Status
from tests.api.conftest import Caller
from tests.cast import Cast, as_
from tests.memory import undone
from tests.problems.test_lifecycle import LEGAL, fields_of, person_with, problem_in


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.AGENT, Role.PROBLEM_MANAGER, Role.AUDITOR])
@pytest.mark.parametrize("status", list(Status))
def test_every_move_from_every_state_by_the_api(cast: Cast, status: Status, role: Role) -> None:
    """Status × move × role: the list of moves says what is possible, and the answer to a move agrees with it."""
    caller = Caller(person_with(role))
    works, outside = role in {Role.AGENT, Role.PROBLEM_MANAGER}, role == Role.REQUESTER
    made = problem_in(status, cast)
    for move in MOVES:
        problem = Problem.objects.get(pk=made.pk)
        address = f"problems/{problem.number}/moves/"
        allowed = works and (role == Role.PROBLEM_MANAGER or status != Status.CLOSED)
        legal = (status, move) in LEGAL
        if not outside:
            offered = {one["name"] for one in caller.get(address).json()["results"]}
            assert (move in offered) == (legal and allowed), move
        wanted = 404 if outside else 200 if legal and allowed else 403 if legal else 409
        with undone():
            answer = caller.post(f"{address}{move}/", {**fields_of(move, cast), "version": problem.version})
            assert answer.status_code == wanted, (move, answer.content)
            kept = Problem.objects.get(pk=problem.pk)
            assert kept.status == (LEGAL[status, move] if wanted == 200 else status)
            if wanted == 200:
                assert answer.json()["status"] == kept.status


def test_a_duplicate_names_the_problem_that_goes_on(cast: Cast) -> None:
    caller = Caller(cast.anna)
    gone, stays = (problem_in(Status.ASSESS, cast) for _ in range(2))
    address = f"problems/{gone.number}/moves/duplicate/"
    for ref in ("PRB9999999", gone.number, "x" * 5000, 7, ["a"]):
        assert caller.post(address, {"duplicate_of": ref}).status_code == 422, ref
    answer = caller.post(address, {"duplicate_of": stays.public_id}).json()
    assert (answer["resolution_code"], answer["duplicate_of"]["number"]) == ("duplicate", stays.number)


def test_what_is_known_is_written_all_or_nothing(cast: Cast, paula: User, problem: Problem) -> None:
    anna, manager = Caller(cast.anna), Caller(paula)
    address = f"problems/{problem.number}/"
    known = {
        "cause_notes": "A leak",
        "whys": [{"why": "Why?", "answer": "So"}],
        "workaround": "Mop",
        "is_known_error": True,
        "title": "A new title",
    }
    answer = anna.patch(address, known)
    assert answer.status_code == 200, answer.content
    said = answer.json()
    assert {name: said[name] for name in known} == known
    assert said["workaround_version"] == 1
    words = {"title": "Drops", "symptoms": "", "workaround": "Dial again"}
    refused = anna.patch(address, {"fix_notes": "Plug", "publication": words})
    assert refused.status_code == 403
    problem.refresh_from_db()
    assert problem.fix_notes == "", "all or nothing"
    assert manager.patch(address, {"publication": words}).json()["publication"] == words
    assert manager.patch(address, {"publication": None}).json()["publication"] is None
    assert manager.patch(address, {"is_major": True}).json()["is_major"] is True
    for bad, status in (
        ({"whys": [{"why": "", "answer": "x"}]}, 422),
        ({"whys": "x"}, 422),
        ({"publication": {"title": ""}}, 422),
        ({"workaround": "x" * 20_001}, 422),
        ({"cause_notes": ""}, 422),
        ({"resolution_code": "fix_applied"}, 400),
        ({"status": "closed"}, 400),
    ):
        assert manager.patch(address, bad).status_code == status, bad
    stale = anna.patch(address, {"fix_notes": "Mine", "version": 1})
    assert stale.status_code == 409
    versions = anna.get(f"{address}workarounds/").json()["results"]
    assert [one["text"] for one in versions] == ["Mop"]
    found = anna.get("known-errors/?text=mop%20leak").json()["results"]
    assert [one["number"] for one in found] == [problem.number]
    assert anna.get("known-errors/?text=unicorn").json()["results"] == []


def test_telling_and_linking(cast: Cast, problem: Problem, incidents: list[Incident]) -> None:
    caller = Caller(cast.anna)
    address = f"problems/{problem.number}/"
    numbers = [one.number for one in incidents]
    assert caller.post(f"{address}incidents/", {"numbers": numbers}).json() == {"linked": 3}
    assert caller.post(f"{address}incidents/", {"numbers": numbers}).json() == {"linked": 0}
    for bad in ([], ["INC0"], [problem.number], "INC1", ["x"] * 201):
        assert caller.post(f"{address}incidents/", {"numbers": bad}).status_code == 422, bad
    assert [one["number"] for one in caller.get(f"{address}incidents/").json()["results"]] == numbers
    assert caller.post(f"{address}communicate/", {"what": "workaround"}).status_code == 422
    save_workaround(problem, "Mop", actor=as_(cast.anna))
    assert caller.post(f"{address}communicate/", {"what": "workaround", "text": "x"}).status_code == 422
    assert caller.post(f"{address}communicate/", {"what": "workaround", "version": 9}).status_code == 409
    sent = caller.post(f"{address}communicate/", {"what": "workaround", "version": 1}).json()
    assert (sent["count"], sent["had_it"]) == (3, 0)
    again = caller.post(f"{address}communicate/", {"what": "workaround"}).json()
    assert (again["count"], again["had_it"]) == (0, 3)
    assert caller.post(f"{address}communicate/", {"what": "lunch"}).status_code == 422
    assert Communication.objects.count() == 1
    assert caller.get(f"{address}communications/").json()["results"][0]["count"] == 3
    assert Link.objects.filter(target=problem).count() == 3


def test_the_same_key_opens_one_problem_and_lists_find_it(cast: Cast, incidents: list[Incident]) -> None:
    caller = Caller(cast.anna)
    first = caller.post("problems/", {"title": "Leak"}, Idempotency_Key="k")
    again = caller.post("problems/", {"title": "Leak"}, Idempotency_Key="k")
    assert (first.status_code, again.status_code) == (201, 200)
    problem = Problem.objects.get()
    link_incidents(problem, incidents, actor=as_(cast.anna))
    rows = caller.get("problems/?status=new").json()["results"]
    assert [row["number"] for row in rows] == [problem.number]
    assert caller.get("problems/?q=kind:problem").json()["results"]
    assert caller.get("problems/?status=sleeping").status_code == 400
