"""What a problem means for its incidents: linking, telling each once, resolving what waits, moving to a survivor."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from incidents.actions import hold, open_incident, resolve
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.notifications.models import Mail
from itsm.tickets import outbox, spreading
from itsm.tickets.actions import link
from itsm.tickets.actors import Channel
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale
from itsm.tickets.models import Comment, Link, LinkKind
from problems.actions import (
    accept_risk,
    communicate_fix,
    communicate_workaround,
    duplicate,
    link_incidents,
    open_problem,
    perform,
    save_workaround,
)
from problems.incidents import counts_by_status, with_incident_counts
from problems.models import Communication, Problem, Told
from problems.statuses import Status
from tests.cast import Cast, as_
from tests.problems.test_lifecycle import FIELDS, problem_in


def carried_out() -> None:
    """Let the worker do all that waits, and hand all events over."""
    while spreading.work():
        pass
    while outbox.dispatch():
        pass


def public_comments(incident: Incident) -> list[str]:
    """Return what was written to the requester."""
    return list(Comment.objects.filter(ticket=incident, visibility="public").values_list("body", flat=True))


def test_linking_many_is_written_in_each_log_and_once(cast: Cast, problem: Problem, incidents: list[Incident]) -> None:
    assert link_incidents(problem, incidents[:2], actor=as_(cast.anna)) == 2
    assert link_incidents(problem, incidents, actor=as_(cast.anna)) == 1
    assert link_incidents(problem, incidents, actor=as_(cast.anna)) == 0
    for incident in incidents:
        event = incident.events.get(code="ticket.linked")
        assert event.data["number"] == problem.number
        assert incident.links_out.get().kind == LinkKind.PROBLEM
    assert problem.events.filter(code="problem.incidents_linked").count() == 2
    found = with_incident_counts(Problem.objects.filter(pk=problem.pk)).get()
    assert (found.incident_count, found.open_incident_count) == (3, 3)
    resolve(incidents[0], actor=as_(cast.anna), resolution_code="user_error", resolution_notes="x")
    assert counts_by_status(problem) == [("new", 2), ("resolved", 1)]
    with pytest.raises(Invalid, match="no incident"):
        link_incidents(problem, [problem], actor=as_(cast.anna))
    for person in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            link_incidents(problem, incidents, actor=as_(person))
    with pytest.raises(IllegalMove):
        link_incidents(problem_in(Status.CLOSED, cast), incidents, actor=as_(cast.anna))


def test_a_problem_opened_twice_by_one_form_is_one(cast: Cast, incidents: list[Incident]) -> None:
    once = open_problem(actor=as_(cast.anna), title="x", submission_key="k", incidents=incidents)
    again = open_problem(actor=as_(cast.anna), title="x", submission_key="k", incidents=incidents)
    assert once == again
    assert Link.objects.filter(target=once).count() == 3


def test_the_workaround_reaches_each_open_incident_once(
    cast: Cast, problem: Problem, incidents: list[Incident]
) -> None:
    with pytest.raises(Invalid, match="no workaround"):
        communicate_workaround(problem, actor=as_(cast.anna))
    problem = save_workaround(problem, "Use the **other** gateway.", actor=as_(cast.anna))
    nobody = communicate_workaround(problem, actor=as_(cast.anna))
    assert (nobody.count, nobody.communication) == (0, None)
    link_incidents(problem, incidents, actor=as_(cast.anna))
    resolve(incidents[2], actor=as_(cast.anna), resolution_code="user_error", resolution_notes="x")
    sent = communicate_workaround(problem, actor=as_(cast.anna), seen=1)
    assert (sent.count, sent.had_it) == (2, 0)
    twice = communicate_workaround(problem, actor=as_(cast.ben), seen=1)
    assert (twice.count, twice.had_it) == (0, 2)
    assert "all 2 open incidents" in twice.sentence
    carried_out()
    for incident in incidents[:2]:
        assert public_comments(incident) == ["Use the **other** gateway."]
        assert incident.events.filter(code="sla.acknowledged").count() == 1
        assert Mail.objects.filter(ticket=incident, user=cast.rita, kind="reply").count() == 1
    assert public_comments(incidents[2]) == []
    problem.refresh_from_db()
    assert problem.workaround_communicated_at is not None
    said = Communication.objects.get()
    assert (said.author, said.count, said.what, said.edition) == (cast.anna, 2, Told.WORKAROUND, 1)


def test_a_second_press_reaches_what_was_linked_since_and_a_new_text_reaches_all(
    cast: Cast, problem: Problem, incidents: list[Incident]
) -> None:
    problem = save_workaround(problem, "First.", actor=as_(cast.anna))
    link_incidents(problem, incidents[:1], actor=as_(cast.anna))
    communicate_workaround(problem, actor=as_(cast.anna))
    link_incidents(problem, incidents, actor=as_(cast.anna))
    second = communicate_workaround(problem, actor=as_(cast.ben))
    assert (second.count, second.had_it) == (2, 1)
    assert "linked since" in second.sentence
    problem = save_workaround(problem, "Second.", actor=as_(cast.anna))
    with pytest.raises(Stale):
        communicate_workaround(problem, actor=as_(cast.ben), seen=1)
    assert communicate_workaround(problem, actor=as_(cast.ben), seen=2).count == 3
    problem = save_workaround(problem, "First.", actor=as_(cast.anna))
    assert communicate_workaround(problem, actor=as_(cast.ben), only=[incidents[0].pk]).count == 1
    carried_out()
    assert public_comments(incidents[0]) == ["First.", "Second.", "First."]
    assert public_comments(incidents[1]) == ["First.", "Second."]


def test_the_fix_is_told_apart_from_the_workaround(cast: Cast, problem: Problem, incidents: list[Incident]) -> None:
    link_incidents(problem, incidents, actor=as_(cast.anna))
    for bad in ("", "  ", "a\x00", "x" * 20_001):
        with pytest.raises(Invalid):
            communicate_fix(problem, bad, actor=as_(cast.anna))
    for person in (cast.rita, cast.olaf):
        with pytest.raises(Refused):
            communicate_fix(problem, "Fixed tonight.", actor=as_(person))
    assert communicate_fix(problem, "Fixed tonight.", actor=as_(cast.anna)).count == 3
    assert communicate_fix(problem, "Fixed tonight.", actor=as_(cast.anna)).count == 0
    assert communicate_fix(problem, "Fixed tomorrow.", actor=as_(cast.anna)).count == 3
    problem.refresh_from_db()
    assert problem.fix_communicated_at is not None
    assert problem.workaround_communicated_at is None


def test_an_incident_that_ended_meanwhile_is_left_out(cast: Cast, problem: Problem, incidents: list[Incident]) -> None:
    problem = save_workaround(problem, "Wait.", actor=as_(cast.anna))
    link_incidents(problem, incidents, actor=as_(cast.anna))
    communicate_workaround(problem, actor=as_(cast.anna))
    resolve(incidents[0], actor=as_(cast.anna), resolution_code="user_error", resolution_notes="x")
    carried_out()
    assert public_comments(incidents[0]) == []
    order = problem.spreads.get()
    assert (order.done, order.skipped) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_tell_each_incident_once(cast: Cast, incidents: list[Incident]) -> None:
    problem = open_problem(actor=as_(cast.anna), title="x", incidents=incidents)
    save_workaround(problem, "Wait.", actor=as_(cast.anna))
    counts: list[int] = []
    both = threading.Barrier(2)

    def press(person: User) -> None:
        try:
            both.wait(10)
            counts.append(communicate_workaround(problem, actor=as_(person)).count)
        finally:
            connection.close()

    people = [threading.Thread(target=press, args=[person]) for person in (cast.anna, cast.ben)]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    assert sorted(counts) == [0, 3]
    carried_out()
    assert [public_comments(one) for one in incidents] == [["Wait."]] * 3


def _waiting(incident: Incident, cast: Cast) -> Incident:
    return hold(incident, actor=as_(cast.anna), hold_reason="awaiting_problem")


def test_a_fix_resolves_what_waits_and_tells_each_requester_once(cast: Cast, incidents: list[Incident]) -> None:
    problem = problem_in(Status.FIX_IN_PROGRESS, cast)
    link_incidents(problem, incidents, actor=as_(cast.anna))
    _waiting(incidents[0], cast)
    hold(incidents[1], actor=as_(cast.anna), hold_reason="awaiting_vendor")
    Mail.objects.all().delete()
    perform(problem, "resolve", actor=as_(cast.anna), fields={"message": "The gateway was replaced."})
    carried_out()
    first, second, third = (Incident.objects.get(pk=one.pk) for one in incidents)
    assert (first.status, first.resolution_code) == ("resolved", "resolved_by_problem")
    assert first.resolution_notes == "The gateway was replaced."
    assert (second.status, third.status) == ("on_hold", "new")
    mails = Mail.objects.filter(user=cast.rita).exclude(kind="received")
    assert [(mail.ticket_id, mail.kind) for mail in mails] == [(first.pk, "resolved")]


def test_what_belongs_to_another_open_problem_too_goes_on_waiting(cast: Cast, incidents: list[Incident]) -> None:
    first, second = (problem_in(Status.FIX_IN_PROGRESS, cast) for _ in range(2))
    for problem in (first, second):
        link_incidents(problem, incidents[:1], actor=as_(cast.anna))
    _waiting(incidents[0], cast)
    for problem, status in ((first, "on_hold"), (second, "resolved")):
        perform(problem, "resolve", actor=as_(cast.anna))
        carried_out()
        assert Incident.objects.get(pk=incidents[0].pk).status == status


def test_an_accepted_risk_only_notes(cast: Cast, incidents: list[Incident]) -> None:
    problem = problem_in(Status.ROOT_CAUSE_ANALYSIS, cast)
    link_incidents(problem, incidents, actor=as_(cast.anna))
    _waiting(incidents[0], cast)
    accept_risk(problem, actor=as_(cast.anna), **FIELDS["accept_risk"])
    Mail.objects.all().delete()
    carried_out()
    assert Incident.objects.get(pk=incidents[0].pk).status == "on_hold"
    for incident in incidents:
        note = Comment.objects.get(ticket=incident)
        assert note.visibility == "internal"
        assert problem.number in note.body
        assert "Cheaper to mop." in note.body
    assert not Mail.objects.filter(user=cast.rita, kind__in=("reply", "resolved")).exists()


def test_a_duplicate_hands_over(cast: Cast, incidents: list[Incident]) -> None:
    gone, stays = (problem_in(Status.ASSESS, cast) for _ in range(2))
    link_incidents(gone, incidents, actor=as_(cast.anna))
    link_incidents(stays, incidents[:1], actor=as_(cast.anna))
    link(gone, stays, LinkKind.RELATED, actor=as_(cast.anna))
    ended = duplicate(gone, actor=as_(cast.anna), duplicate_of=stays.number.lower())
    assert (ended.status, ended.duplicate_of) == (Status.CLOSED, stays)
    linked = Link.objects.filter(kind=LinkKind.PROBLEM)
    assert {(row.source_id, row.target_id) for row in linked} == {(one.pk, stays.pk) for one in incidents}
    assert [row.kind for row in Link.objects.filter(source=gone)] == [LinkKind.DUPLICATE_OF]
    assert stays.events.get(code="problem.took_over").data["count"] == 2
    assert incidents[1].events.filter(code="ticket.linked").count() == 2
    assert incidents[0].events.filter(code="ticket.linked").count() == 2
    assert ended.confirmed_at is None


def test_what_cannot_be_a_survivor(cast: Cast) -> None:
    problem, closed, other = (problem_in(one, cast) for one in (Status.ASSESS, Status.CLOSED, Status.NEW))
    incident = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="x")
    twin = duplicate(problem_in(Status.ASSESS, cast), actor=as_(cast.anna), duplicate_of=problem.number)
    for ref, words in (
        (problem.number, "of itself"),
        (closed.number, "is closed"),
        (twin.number, f"duplicate of {problem.number}"),
        (incident.number, "another kind"),
    ):
        with pytest.raises(Invalid, match=words):
            duplicate(problem, actor=as_(cast.anna), duplicate_of=ref)
    assert duplicate(problem, actor=as_(cast.anna), duplicate_of=other.public_id).duplicate_of == other


@pytest.mark.django_db(transaction=True)
def test_two_problems_cannot_each_become_the_others_duplicate(cast: Cast) -> None:
    pair = [problem_in(Status.ASSESS, cast) for _ in range(2)]
    answers: list[Any] = []
    both = threading.Barrier(2)

    def press(mine: Problem, other: Problem) -> None:
        try:
            both.wait(10)
            duplicate(mine, actor=as_(cast.anna), duplicate_of=other.number)
            answers.append("done")
        except Invalid as error:
            answers.append(error.message)
        finally:
            connection.close()

    people = [threading.Thread(target=press, args=order) for order in (pair, pair[::-1])]
    for one in people:
        one.start()
    for one in people:
        one.join(30)
    assert "done" in answers
    assert len(answers) == 2
    assert Problem.objects.filter(status=Status.CLOSED).count() == 1
