"""The pages of problems as a browser without JavaScript uses them, and what each panel answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actors import Channel
from itsm.tickets.models import Link, LinkKind
from problems.actions import (
    add_timeline_entry,
    assess,
    declare_known_error,
    link_incidents,
    open_problem,
    publish,
    save_analysis,
    save_workaround,
)
from problems.actions.trends import start_run
from problems.models import Communication, Problem, TimelineEntry, TrendCandidate
from problems.statuses import MOVES, Status
from problems.trends import running
from tests.cast import Cast, as_
from tests.memory import undone
from tests.problems.test_lifecycle import LEGAL, fields_of, person_with, problem_in

HX = {"HTTP_HX_REQUEST": "true"}


def url(problem: Any, more: str = "") -> str:
    """Return the address of the problem's page, or of something below it."""
    return f"/desk/problems/{problem.number}/{more}"


@pytest.mark.parametrize("role", [Role.REQUESTER, Role.AGENT, Role.PROBLEM_MANAGER, Role.AUDITOR])
@pytest.mark.parametrize("status", list(Status))
def test_every_move_from_every_state_by_the_page(
    cast: Cast, signed_in: Callable[[User], Client], status: Status, role: Role
) -> None:
    """Status × move × role by the page: buttons offer what is legal, and a form sent all the same is refused."""
    person = person_with(role)
    client = signed_in(person)
    works, outside = role in {Role.AGENT, Role.PROBLEM_MANAGER}, role == Role.REQUESTER
    made = problem_in(status, cast)
    for move in MOVES:
        problem = Problem.objects.get(pk=made.pk)
        allowed = works and (role == Role.PROBLEM_MANAGER or status != Status.CLOSED)
        legal = (status, move) in LEGAL
        shown = client.get(url(problem))
        if outside:
            assert shown.status_code == 404
        else:
            offered = url(problem, f"moves/{move}/") in shown.content.decode()
            assert offered == (legal and allowed), move
        wanted = 404 if outside else 303 if legal and allowed else 403 if legal else 409
        with undone():
            answer = client.post(url(problem, f"moves/{move}/"), {**fields_of(move, cast), "version": problem.version})
            assert answer.status_code == wanted, move
            kept = Problem.objects.get(pk=problem.pk)
            assert kept.status == (LEGAL[status, move] if wanted == 303 else status)


def test_the_page_shows_all_that_is_known(cast: Cast, anna: Client, incidents: list[Incident]) -> None:
    problem = problem_in(Status.ROOT_CAUSE_ANALYSIS, cast)
    save_analysis(
        problem,
        {"cause_notes": "A **leak**", "fix_notes": "Plug", "whys": [{"why": "Why <b>?", "answer": "So"}]},
        actor=as_(cast.anna),
    )
    save_workaround(problem, "Mop 🧹", actor=as_(cast.anna))
    save_workaround(problem, "Mop twice", actor=as_(cast.anna))
    link_incidents(problem, incidents, actor=as_(cast.anna))
    declare_known_error(problem, actor=as_(cast.anna))
    add_timeline_entry(problem, timezone.now(), "The pipe burst", actor=as_(cast.anna))
    text = anna.get(url(problem)).content.decode()
    for words in ("<strong>leak</strong>", "Why &lt;b&gt;?", "Mop twice", "Version 2", "The pipe burst", "Known error"):
        assert words in text
    for incident in incidents:
        assert incident.number in text
    assert "3 open incidents have not had it" in text
    assert "Problem of" not in text, "what the panel lists does not stand among the links again"
    assert anna.get(url(problem, "preview/")).status_code == 200
    assert anna.get(url(problem, "history/")).status_code == 200


def test_the_number_of_queries_does_not_grow(cast: Cast, anna: Client) -> None:
    def queries(count: int) -> int:
        problem = open_problem(actor=as_(cast.anna), title=f"With {count}")
        save_workaround(problem, "x", actor=as_(cast.anna))
        for number in range(count):
            one = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="x")
            link_incidents(problem, [one], actor=as_(cast.anna))
            add_timeline_entry(problem, timezone.now(), f"Thing {number}", actor=as_(cast.anna))
            save_workaround(problem, f"x {number}", actor=as_(cast.anna))
            anna.post(url(problem, "communicate/workaround/"), {"seen": number + 2})
        anna.get(url(problem))
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert anna.get(url(problem)).status_code == 200
        return len(found)

    few, many = queries(1), queries(6)
    assert many <= few
    assert many < 45


def test_analysis_whys_and_workaround_are_written_once_and_refused_when_stale(
    cast: Cast, anna: Client, problem: Problem
) -> None:
    sent = {"cause_notes": "A leak", "fix_notes": "", "version": problem.version}
    assert anna.post(url(problem, "analysis/"), sent).status_code == 303
    problem.refresh_from_db()
    assert problem.cause_notes == "A leak"
    stale = anna.post(url(problem, "analysis/"), {**sent, "cause_notes": "Mine"})
    assert stale.status_code == 409
    assert "Mine" in stale.content.decode(), "what was typed is not lost"
    assert "Somebody changed" in stale.content.decode()
    rows = {"why": ["Why?", "And why?", ""], "answer": ["So", "", ""], "version": problem.version}
    assert anna.post(url(problem, "whys/"), rows).status_code == 303
    problem.refresh_from_db()
    assert problem.whys == [{"why": "Why?", "answer": "So"}, {"why": "And why?", "answer": ""}]
    bad = anna.post(url(problem, "whys/"), {"why": [""], "answer": ["Only this"], "version": problem.version})
    assert bad.status_code == 422
    assert "Only this" in bad.content.decode()
    assert anna.post(url(problem, "workaround/"), {"workaround": "Wait", "seen": "0"}).status_code == 303
    late = anna.post(url(problem, "workaround/"), {"workaround": "Other", "seen": "0"})
    assert late.status_code == 409
    assert "Other" in late.content.decode()
    for bad_text, status in (("a\x00b", 400), ("x" * 20_001, 422), ("🙂" * 10_000, 303)):
        answer = anna.post(url(problem, "workaround/"), {"workaround": bad_text})
        assert answer.status_code == status


def test_htmx_gets_the_parts_with_a_toast(anna: Client, problem: Problem) -> None:
    answer = anna.post(url(problem, "workaround/"), {"workaround": "Wait", "seen": "0"}, **HX)
    assert answer.status_code == 200
    assert 'id="panel-problem-workaround"' in answer.content.decode()
    assert "Workaround saved" in answer.headers["HX-Trigger"]
    refused = anna.post(url(problem, "known-error/declare/"), {}, **HX)
    assert refused.status_code == 422
    assert "needs its cause" in refused.content.decode()


def test_communicating_from_the_page(cast: Cast, anna: Client, problem: Problem, incidents: list[Incident]) -> None:
    link_incidents(problem, incidents, actor=as_(cast.anna))
    empty = anna.post(url(problem, "communicate/workaround/"), {})
    assert empty.status_code == 422
    assert "no workaround yet" in empty.content.decode()
    save_workaround(problem, "Wait", actor=as_(cast.anna))
    assert anna.post(url(problem, "communicate/workaround/"), {"seen": "0"}).status_code == 409
    assert anna.post(url(problem, "communicate/workaround/"), {"seen": "1"}).status_code == 303
    twice = anna.post(url(problem, "communicate/workaround/"), {"seen": "1"}, follow=True)
    assert "Nobody new to tell" in twice.content.decode()
    assert Communication.objects.get().count == 3
    assert anna.post(url(problem, "communicate/fix/"), {"text": " "}).status_code == 422
    assert anna.post(url(problem, "communicate/fix/"), {"text": "Fixed"}).status_code == 303
    assert anna.post(url(problem, "communicate/lunch/"), {}).status_code == 404


def test_incidents_are_linked_by_number_and_unlinked(
    cast: Cast, anna: Client, problem: Problem, incidents: list[Incident]
) -> None:
    numbers = ", ".join(one.number.lower() for one in incidents)
    assert anna.post(url(problem, "incidents/"), {"numbers": numbers}).status_code == 303
    assert Link.objects.filter(target=problem, kind=LinkKind.PROBLEM).count() == 3
    for bad in ("", "INC9999999", problem.number, "a\x00", "x" * 10_000):
        answer = anna.post(url(problem, "incidents/"), {"numbers": bad})
        assert answer.status_code == (400 if "\x00" in bad else 422), bad[:20]
    link = Link.objects.filter(target=problem).first()
    assert link is not None
    assert anna.post(url(problem, f"links/{link.public_id}/remove/")).status_code == 303
    assert Link.objects.filter(target=problem).count() == 2


def test_known_error_is_declared_published_and_withdrawn(
    cast: Cast, anna: Client, signed_in: Callable[[User], Client], paula: User, problem: Problem
) -> None:
    assert anna.post(url(problem, "known-error/declare/"), {}).status_code == 422
    save_analysis(problem, {"cause_notes": "SECRET leak"}, actor=as_(cast.anna))
    save_workaround(problem, "INTERNAL mop", actor=as_(cast.anna))
    assert anna.post(url(problem, "known-error/declare/"), {}).status_code == 303
    words = {"title": "VPN drops", "symptoms": "It stops at noon", "workaround": "Dial in again"}
    assert anna.post(url(problem, "portal/publish/"), words).status_code == 403, "neither manager nor coordinator"
    manager = signed_in(paula)
    assert manager.post(url(problem, "portal/publish/"), {"title": "VPN drops"}).status_code == 422
    assert manager.post(url(problem, "portal/publish/"), words).status_code == 303
    problem.refresh_from_db()
    assert problem.published_at is not None
    rita = signed_in(cast.rita)
    page = rita.get("/known-errors/").content.decode()
    for text in words.values():
        assert text in page
    for internal in ("SECRET", "INTERNAL", problem.number, "Every day at twelve", cast.anna.display_name):
        assert internal not in page
    assert "VPN drops" in rita.get("/known-errors/?q=noon%20dial").content.decode()
    for q in ("SECRET", "INTERNAL", "twelve"):
        assert "VPN drops" not in rita.get("/known-errors/", {"q": q}).content.decode(), q
    assert manager.post(url(problem, "portal/unpublish/"), {}).status_code == 303
    assert "VPN drops" not in rita.get("/known-errors/").content.decode()
    manager.post(url(problem, "portal/publish/"), words)
    assert anna.post(url(problem, "known-error/withdraw/"), {}).status_code == 303
    assert "VPN drops" not in rita.get("/known-errors/").content.decode()


def test_what_is_fixed_leaves_the_portal_and_an_accepted_risk_stays(cast: Cast, paula: User) -> None:
    for status, move, stays in (
        (Status.FIX_IN_PROGRESS, "resolve", False),
        (Status.FIX_IN_PROGRESS, "accept_risk", True),
    ):
        problem = problem_in(status, cast)
        save_workaround(problem, "Mop", actor=as_(cast.anna))
        declare_known_error(problem, actor=as_(cast.anna))
        publish(problem, actor=as_(paula), title="Leak", workaround="Mop")
        from problems.actions import perform

        perform(Problem.objects.get(pk=problem.pk), move, actor=as_(cast.anna), fields=fields_of(move, cast))
        assert Problem.objects.published().filter(pk=problem.pk).exists() == stays
        assert Problem.objects.known_errors().current().filter(pk=problem.pk).exists() == stays


def test_the_list_of_known_errors_searches_all_its_texts(cast: Cast, anna: Client, problem: Problem) -> None:
    save_analysis(problem, {"cause_notes": "Certificate expired"}, actor=as_(cast.anna))
    save_workaround(problem, "Restart the gateway", actor=as_(cast.anna))
    declare_known_error(problem, actor=as_(cast.anna))
    for q, found in (("certif", True), ("noon gateway", True), ("twelve", True), ("noon unicorn", False), ("%", False)):
        text = anna.get("/desk/problems/known-errors/", {"q": q}).content.decode()
        assert (problem.number in text) == found, q
    assert anna.get("/desk/problems/known-errors/", {"which": "all", "cursor": "bad"}).status_code == 302


def test_a_known_error_is_offered_on_an_incident_like_it(
    cast: Cast, anna: Client, problem: Problem, incidents: list[Incident]
) -> None:
    save_analysis(problem, {"cause_notes": "Certificate"}, actor=as_(cast.anna))
    save_workaround(problem, "Restart", actor=as_(cast.anna))
    declare_known_error(problem, actor=as_(cast.anna))
    one, other = incidents[:2]
    page = f"/desk/incidents/{one.number}/"
    assert problem.number in anna.get(page).content.decode()
    toner = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="Toner empty")
    assert problem.number not in anna.get(f"/desk/incidents/{toner.number}/").content.decode()
    fit = {"problem": problem.number, "send": "1"}
    assert anna.post(f"/desk/problems/for/{one.number}/", fit).status_code == 303
    assert anna.post(f"/desk/problems/for/{one.number}/", fit).status_code == 303
    said = Communication.objects.get()
    assert [row.ticket_id for row in said.targets.all()] == [one.pk]
    assert anna.post(f"/desk/problems/for/{other.number}/", {"problem": problem.number}).status_code == 303
    assert Link.objects.filter(target=problem).count() == 2
    assert anna.post(f"/desk/problems/for/{one.number}/", {"problem": "PRB9999999"}).status_code == 404


def test_a_problem_is_opened_from_an_incident(cast: Cast, anna: Client, incidents: list[Incident]) -> None:
    form = anna.get("/desk/problems/new/", {"incident": incidents[0].number}).content.decode()
    assert incidents[0].number in form
    assert "The vpn drops (0)" in form
    sent = {
        "title": "VPN",
        "description": "x",
        "incidents": f"{incidents[0].number} {incidents[1].number}",
        "impact": "2",
        "urgency": "3",
        "service": cast.vpn.public_id,
        "assignee": cast.ben.public_id,
        "submission_key": "k",
    }
    for _click in range(2):
        assert anna.post("/desk/problems/new/", sent).status_code == 302
    problem = Problem.objects.get()
    assert (problem.assignee, problem.service, problem.impact) == (cast.ben, cast.vpn, 2)
    assert Link.objects.filter(target=problem).count() == 2
    for name, value in (
        ("title", ""),
        ("title", "x" * 10_000),
        ("title", "a\x00"),
        ("incidents", "INC1"),
        ("service", "nonsense"),
        ("impact", "9"),
    ):
        answer = anna.post("/desk/problems/new/", {**sent, "submission_key": "k2", name: value})
        assert answer.status_code == (400 if "\x00" in value else 422), (name, value[:10])
    assert Problem.objects.count() == 1


def test_the_timeline_is_kept_in_order(cast: Cast, anna: Client, problem: Problem) -> None:
    for at, text, status in (
        ("2026-01-02T10:00", "Second", 303),
        ("2026-01-01T10:00", "First", 303),
        ("", "No time", 422),
        ("nonsense", "x", 422),
        ("2999-01-01T10:00", "Ahead", 422),
        ("2026-01-01T10:00", "", 422),
    ):
        assert anna.post(url(problem, "happened/"), {"at": at, "text": text}).status_code == status, text
    assert [one.text for one in problem.timeline_entries.all()] == ["First", "Second"]
    entry = TimelineEntry.objects.first()
    assert entry is not None
    for _click in range(2):
        assert anna.post(url(problem, f"happened/{entry.public_id}/remove/")).status_code == 303
    assert problem.timeline_entries.count() == 1


def test_major_is_a_property_and_brings_the_review(
    cast: Cast, anna: Client, signed_in: Callable[[User], Client], paula: User
) -> None:
    problem = assess(open_problem(actor=as_(cast.anna), title="x"), actor=as_(cast.ben))
    assert anna.post(url(problem, "edit/is_major/"), {"is_major": "1", "was": "0"}).status_code == 403
    manager = signed_in(paula)
    assert manager.post(url(problem, "edit/is_major/"), {"is_major": "1", "was": "0"}).status_code == 303
    assert "What went well" in anna.get(url(problem)).content.decode()
    assert anna.post(url(problem, "review/"), {"review_went_well": "All", "version": "3"}).status_code == 303
    assert anna.post(url(problem, "review/"), {"review_went_well": "x" * 20_001}).status_code == 422


def test_trends_from_start_to_problem(cast: Cast, anna: Client, signed_in: Callable[[User], Client]) -> None:
    for number in range(4):
        open_incident(actor=as_(cast.rita, Channel.PORTAL), title=f"VPN drops {number}")
    assert "Nobody has looked" in anna.get("/desk/problems/trends/").content.decode()
    today = timezone.localdate().isoformat()
    for bad in (
        {"from": today, "to": "2001-01-01", "least": "3"},
        {"from": "x", "to": today, "least": "3"},
        {"from": today, "to": today, "least": "x"},
        {"from": "", "to": "", "least": ""},
    ):
        assert anna.post("/desk/problems/trends/start/", bad).status_code == 422, bad
    olaf = signed_in(cast.olaf)
    sent = {"from": today, "to": today, "least": "3"}
    assert olaf.post("/desk/problems/trends/start/", sent).status_code == 403
    started = anna.post("/desk/problems/trends/start/", sent)
    assert started.status_code == 302
    assert "Waiting for a worker" in anna.get(started.url).content.decode()
    while running.work():
        pass
    running.work()
    page = anna.get(started.url).content.decode()
    assert "Open a problem" in page
    assert "Open a problem" not in olaf.get(started.url).content.decode()
    candidate = TrendCandidate.objects.get()
    run = candidate.run
    assert anna.get(f"/desk/problems/trends/runs/{run.public_id}/progress/").headers["HX-Refresh"] == "true"
    there = f"/desk/problems/trends/candidates/{candidate.public_id}/"
    assert anna.post(f"{there}dismiss/", {"reason": "x"}).status_code == 302
    assert "Bring back" in anna.get(f"/desk/problems/trends/?run={run.public_id}&which=dismissed").content.decode()
    assert anna.post(f"{there}bring-back/").status_code == 302
    for _click in range(2):
        assert anna.post(f"{there}open/").status_code == 302
    assert Problem.objects.count() == 1
    assert anna.post(f"{there}eat/").status_code == 404
    assert signed_in(cast.rita).post(f"{there}open/").status_code == 404


def test_a_run_can_be_stopped_by_its_owner(cast: Cast, anna: Client, signed_in: Callable[[User], Client]) -> None:
    now = timezone.now()
    run = start_run(now - timezone.timedelta(days=1), now, least=3, actor=as_(cast.ben))
    anna.post(f"/desk/problems/trends/runs/{run.public_id}/stop/")
    run.refresh_from_db()
    assert run.is_at_work
    signed_in(cast.ben).post(f"/desk/problems/trends/runs/{run.public_id}/stop/")
    run.refresh_from_db()
    assert not run.is_at_work
