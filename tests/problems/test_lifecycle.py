"""The life of a problem: every move from every state by every role, what it needs, what it stamps (domain rule 2.4)."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, transaction

from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.tickets.actions import assign, update, watch
from itsm.tickets.actors import SYSTEM
from itsm.tickets.errors import IllegalMove, Invalid, Refused, Stale, VerbError
from itsm.tickets.models import Ticket
from itsm.tickets.moves import legal_moves
from itsm.tickets.querysets import get_visible
from problems.actions import (
    accept_risk,
    assess,
    complete,
    open_problem,
    perform,
    reanalyse,
    reply,
    resolve,
    save_analysis,
    save_review,
    save_workaround,
    set_major,
)
from problems.models import Problem, ProblemSettings
from problems.statuses import MOVES, OutcomeCode, Status
from tests.cast import PASSWORD, Cast, as_
from tests.memory import undone

NOTES = {"cause_notes": "A leak.", "fix_notes": "Plug it."}
FIELDS: dict[str, dict[str, str]] = {
    "assess": {},
    "confirm": {},
    "fix": NOTES,
    "resolve": {},
    "complete": {},
    "reanalyse": {"reason": "It came back."},
    "accept_risk": {"cause_notes": "A leak.", "close_notes": "Cheaper to mop."},
    "duplicate": {},  # the number of the survivor is filled in
    "cancel": {"close_notes": "Nobody saw it again."},
}
RCA, FIX = Status.ROOT_CAUSE_ANALYSIS, Status.FIX_IN_PROGRESS
LEGAL = {
    (Status.NEW, "assess"): Status.ASSESS,
    (Status.NEW, "cancel"): Status.CLOSED,
    (Status.ASSESS, "confirm"): RCA,
    (Status.ASSESS, "duplicate"): Status.CLOSED,
    (Status.ASSESS, "cancel"): Status.CLOSED,
    (RCA, "fix"): FIX,
    (RCA, "accept_risk"): Status.CLOSED,
    (RCA, "duplicate"): Status.CLOSED,
    (RCA, "cancel"): Status.CLOSED,
    (FIX, "resolve"): Status.RESOLVED,
    (FIX, "reanalyse"): RCA,
    (FIX, "accept_risk"): Status.CLOSED,
    (Status.RESOLVED, "complete"): Status.CLOSED,
    (Status.RESOLVED, "reanalyse"): RCA,
    (Status.CLOSED, "reanalyse"): RCA,
}
ROAD_TO = {
    Status.NEW: [],
    Status.ASSESS: ["assess"],
    RCA: ["assess", "confirm"],
    FIX: ["assess", "confirm", "fix"],
    Status.RESOLVED: ["assess", "confirm", "fix", "resolve"],
    Status.CLOSED: ["assess", "confirm", "fix", "resolve", "complete"],
}
WORKERS = (Role.AGENT, Role.TEAM_LEAD, Role.PROBLEM_MANAGER, Role.CHANGE_MANAGER, Role.SERVICE_LEVEL_MANAGER)
MANAGERS = (Role.PROBLEM_MANAGER, Role.ADMINISTRATOR)
NO_WORKERS = (Role.REQUESTER, Role.CAB_MEMBER, Role.KNOWLEDGE_AUTHOR, Role.ASSET_MANAGER, Role.AUDITOR)


def problem_in(status: Status, cast: Cast) -> Problem:
    """Return a problem of Anna's that came into the state through verbs."""
    problem = open_problem(actor=as_(cast.anna), title="It leaks")
    for move in ROAD_TO[status]:
        problem = perform(problem, move, actor=as_(cast.anna), fields=FIELDS[move])
    return problem


def fields_of(move: str, cast: Cast) -> dict[str, str]:
    """Return what the move needs; a duplicate needs another problem."""
    if move != "duplicate":
        return FIELDS[move]
    return {"duplicate_of": open_problem(actor=as_(cast.anna), title="The survivor").number}


def person_with(role: Role) -> User:
    """Return somebody with this role beside that of a requester."""
    return User.objects.create_user(
        f"{role.value}@example.com", PASSWORD, display_name=role.value, roles=[Role.REQUESTER, role]
    )


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("status", list(Status))
def test_every_move_from_every_state_by_every_role(cast: Cast, status: Status, role: Role) -> None:
    """Status × move × role, by the verb: what is legal happens once, what is not changes nothing."""
    person = person_with(role)
    works = role in WORKERS or role in {Role.IMPORTER, Role.ADMINISTRATOR}
    made = problem_in(status, cast)
    for move in MOVES:
        with undone():
            problem = Problem.objects.get(pk=made.pk)
            before = problem.event_seq
            fields = fields_of(move, cast)
            allowed = works and (role in MANAGERS or status != Status.CLOSED)
            if (status, move) in LEGAL and allowed:
                moved = perform(problem, move, actor=as_(person), fields=fields, version=problem.version)
                assert moved.status == LEGAL[status, move], move
                assert moved.event_seq > before
            else:
                wanted = Refused if (status, move) in LEGAL else IllegalMove
                with pytest.raises(wanted):
                    perform(problem, move, actor=as_(person), fields=fields)
                kept = Problem.objects.get(pk=problem.pk)
                assert (kept.status, kept.event_seq) == (status, before), move


def test_every_role_is_in_the_table() -> None:
    assert {*WORKERS, *NO_WORKERS, Role.IMPORTER, Role.ADMINISTRATOR} == set(Role)


@pytest.mark.parametrize("status", list(Status))
def test_the_offered_moves_are_the_possible_ones(cast: Cast, paula: User, status: Status) -> None:
    problem = problem_in(status, cast)
    for person in (cast.rita, cast.anna, cast.olaf, paula):
        offered = {move.name for move in legal_moves(problem, as_(person))}
        possible = set()
        for name in MOVES:
            with undone():
                try:
                    fresh = Problem.objects.get(pk=problem.pk)
                    perform(fresh, name, actor=as_(person), fields=fields_of(name, cast))
                except VerbError:
                    continue
                possible.add(name)
        assert offered == possible


@pytest.mark.parametrize(
    ("status", "move", "fields", "missing"),
    [
        (RCA, "fix", {}, {"cause_notes", "fix_notes"}),
        (RCA, "fix", {"cause_notes": "x", "fix_notes": "  "}, {"fix_notes"}),
        (RCA, "fix", {"cause_notes": "a\x00", "fix_notes": "x"}, {"cause_notes"}),
        (RCA, "accept_risk", {}, {"close_notes"}),
        (RCA, "accept_risk", {"close_notes": "x"}, {"cause_notes"}),
        (RCA, "cancel", {"close_notes": ""}, {"close_notes"}),
        (RCA, "duplicate", {}, {"duplicate_of"}),
        (RCA, "duplicate", {"duplicate_of": "PRB9999999"}, {"duplicate_of"}),
        (RCA, "duplicate", {"duplicate_of": "PRB\x00"}, {"duplicate_of"}),
        (RCA, "duplicate", {"duplicate_of": "P" * 10_000}, {"duplicate_of"}),
        (Status.RESOLVED, "reanalyse", {}, {"reason"}),
        (Status.NEW, "assess", {"speed": "11"}, {"speed"}),
        (Status.NEW, "fly", {}, {"move"}),
    ],
)
def test_moves_say_what_they_need(
    cast: Cast, status: Status, move: str, fields: dict[str, str], missing: set[str]
) -> None:
    problem = problem_in(status, cast)
    with pytest.raises(Invalid) as error:
        perform(problem, move, actor=as_(cast.anna), fields=fields)
    assert set(error.value.fields) == missing
    assert Problem.objects.get(pk=problem.pk).status == status


def test_numbers_begin_with_prb_and_somebody_coordinates_from_assess_on(cast: Cast, problem: Problem) -> None:
    assert problem.number.startswith("PRB004")
    assert assign(problem, actor=as_(cast.anna), assignee=None).assignee is None
    assessed = assess(problem, actor=as_(cast.ben))
    assert assessed.assignee == cast.ben
    with pytest.raises(Invalid, match="left empty"):
        assign(assessed, actor=as_(cast.anna), assignee=None)
    moved = assign(assessed, actor=as_(cast.anna), team=cast.desktop)
    assert (moved.team, moved.assignee) == (cast.desktop, cast.ben)
    assert assign(moved, actor=as_(cast.anna), assignee=cast.carl).assignee == cast.carl
    orphan = open_problem(actor=as_(cast.anna), title="Orphan")
    with pytest.raises(Refused, match="coordinates"):
        assess(orphan, actor=SYSTEM)


def test_stamps_and_codes(cast: Cast) -> None:
    confirmed = problem_in(RCA, cast)
    assert confirmed.confirmed_by == cast.anna
    assert confirmed.confirmed_at is not None
    resolved = resolve(problem_in(FIX, cast), actor=as_(cast.anna), fix_notes="Plugged twice.")
    assert (resolved.resolution_code, resolved.fix_notes) == (OutcomeCode.FIX_APPLIED, "Plugged twice.")
    assert resolved.resolved_by == cast.anna
    event = resolved.events.get(code="problem.resolved")
    assert event.data["changes"] == {"fix_notes": ["Plug it.", "Plugged twice."]}
    closed = complete(resolved, actor=as_(cast.anna))
    assert closed.closed_at is not None
    risky = accept_risk(problem_in(RCA, cast), actor=as_(cast.anna), **FIELDS["accept_risk"])
    assert (risky.resolution_code, risky.status) == (OutcomeCode.RISK_ACCEPTED, Status.CLOSED)
    assert risky.resolved_at is not None
    assert [event.code for event in risky.events.order_by("seq")][-2:] == ["problem.risk_accepted", "problem.closed"]


def test_what_the_problem_has_need_not_be_said_again(cast: Cast) -> None:
    problem = save_analysis(problem_in(RCA, cast), NOTES, actor=as_(cast.anna))
    assert perform(problem, "fix", actor=as_(cast.anna)).status == FIX
    with pytest.raises(Invalid, match="emptied"):
        save_analysis(problem, {"cause_notes": ""}, actor=as_(cast.anna))


def test_analysing_again_takes_the_ending_back_and_keeps_it_in_the_log(cast: Cast, paula: User) -> None:
    closed = problem_in(Status.CLOSED, cast)
    again = reanalyse(closed, actor=as_(paula), reason="It came back.")
    assert (again.status, again.resolution_code, again.resolved_at, again.closed_at) == (RCA, "", None, None)
    assert again.is_open
    said = again.events.get(code="problem.reanalysed").data
    assert (said["reason"], said["resolution_code"]) == ("It came back.", "fix_applied")
    new = perform(problem_in(Status.NEW, cast), "cancel", actor=as_(cast.anna), fields=FIELDS["cancel"])
    taken_up = reanalyse(new, actor=as_(paula), reason="Seen again.")
    assert (taken_up.assignee, taken_up.confirmed_by) == (paula, paula)


def test_an_accepted_risk_stays_resolved_where_the_settings_say_so_or_a_review_is_missing(cast: Cast) -> None:
    major = set_major(problem_in(RCA, cast), True, actor=as_(cast.anna))
    waiting = accept_risk(major, actor=as_(cast.anna), **FIELDS["accept_risk"])
    assert waiting.status == Status.RESOLVED
    ProblemSettings.objects.create(pk=1, accepted_risk_closes=False)
    kept = accept_risk(problem_in(RCA, cast), actor=as_(cast.anna), **FIELDS["accept_risk"])
    assert kept.status == Status.RESOLVED
    assert complete(kept, actor=as_(cast.anna)).status == Status.CLOSED


def test_a_major_problem_closes_only_with_its_review(cast: Cast, paula: User) -> None:
    resolved = problem_in(Status.RESOLVED, cast)
    with pytest.raises(Refused):
        set_major(resolved, True, actor=as_(cast.ben))
    major = set_major(resolved, True, actor=as_(paula))
    with pytest.raises(IllegalMove, match="review"):
        complete(major, actor=as_(cast.anna))
    half = save_review(major, {"review_went_well": "Quick."}, actor=as_(cast.anna))
    assert half.reviewed_at is None
    with pytest.raises(IllegalMove, match="review"):
        complete(half, actor=as_(cast.anna))
    rest = {"review_went_wrong": "Nobody was told.", "review_prevention": "A checklist."}
    whole = save_review(half, rest, actor=as_(paula))
    assert (whole.reviewed_by, whole.has_review) == (paula, True)
    assert complete(whole, actor=as_(cast.anna)).status == Status.CLOSED


def test_a_stale_move_is_refused(cast: Cast, problem: Problem) -> None:
    assess(problem, actor=as_(cast.ben), version=1)
    with pytest.raises(Stale):
        perform(problem, "confirm", actor=as_(cast.anna), version=1)


def test_problems_do_not_exist_outside_the_desk(cast: Cast, problem: Problem) -> None:
    for actor in (as_(cast.rita), as_(cast.olaf)):
        with pytest.raises(Refused):
            open_problem(actor=actor, title="Mine")
    with pytest.raises(Invalid):
        open_problem(actor=as_(cast.anna), title="Hers", requester=cast.rita)
    with pytest.raises(Invalid):
        update(problem, {"requester": cast.rita}, actor=as_(cast.anna))
    with pytest.raises(Invalid):
        watch(problem, cast.rita, actor=as_(cast.anna))
    cast.anna.roles = [Role.REQUESTER]
    cast.anna.save()
    anna = User.objects.get(pk=cast.anna.pk)  # what somebody may do is kept with the person that was read
    for found in (Problem.objects, Ticket.objects):
        assert not found.visible_to(anna).filter(pk=problem.pk).exists()
        assert found.visible_to(cast.olaf).filter(pk=problem.pk).exists()
    with pytest.raises(VerbError):
        reply(problem, "Hello", actor=as_(anna))
    with pytest.raises(Exception, match="no such ticket"):
        get_visible(Problem.objects.all(), anna, problem.number)


def test_comments_end_with_the_problem_and_notes_do_not(cast: Cast) -> None:
    closed = problem_in(Status.CLOSED, cast)
    with pytest.raises(IllegalMove):
        reply(closed, "Still there?", actor=as_(cast.anna))
    assert reply(closed, "For the record", actor=as_(cast.anna), visibility="internal").comment.pk


def test_the_workaround_keeps_its_versions(cast: Cast, problem: Problem) -> None:
    first = save_workaround(problem, "Unplug 🔌 it.", actor=as_(cast.anna), seen=0)
    assert save_workaround(first, "Unplug 🔌 it.", actor=as_(cast.anna)).workaround_version == 1
    with pytest.raises(Stale):
        save_workaround(first, "Other", actor=as_(cast.ben), seen=0)
    second = save_workaround(first, "Unplug it twice.", actor=as_(cast.ben), seen=1)
    versions = list(second.workaround_versions.values_list("number", "text", "author"))
    assert versions == [(2, "Unplug it twice.", cast.ben.pk), (1, "Unplug 🔌 it.", cast.anna.pk)]
    with pytest.raises(ProgrammingError), transaction.atomic():
        second.workaround_versions.update(text="No")
    with pytest.raises(ProgrammingError), transaction.atomic():
        second.workaround_versions.all().delete()


def test_five_whys_and_their_mistakes(cast: Cast, problem: Problem) -> None:
    whys = [{"why": "Why did it leak?", "answer": "A hole."}, {"why": "Why a hole?", "answer": ""}]
    saved = save_analysis(problem, {"whys": [*whys, {"why": "", "answer": ""}]}, actor=as_(cast.anna))
    assert saved.whys == whys
    for bad in ("text", [1], [{"why": "", "answer": "x"}], [{"who": "x"}], [{"why": "x"}] * 11):
        with pytest.raises(Invalid):
            save_analysis(problem, {"whys": bad}, actor=as_(cast.anna))
    with pytest.raises(Invalid):
        save_analysis(problem, {"status": "closed"}, actor=as_(cast.anna))


def test_the_database_holds_what_an_outcome_needs(cast: Cast, problem: Problem) -> None:
    for code in OutcomeCode.values:
        with pytest.raises(IntegrityError), transaction.atomic():
            Problem.objects.filter(pk=problem.pk).update(resolution_code=code)


def test_service_levels_attach_and_are_rebuilt_from_the_log(cast: Cast) -> None:
    from slas.actions import GoalSpec, save_policy
    from slas.models import BusinessCalendar, Metric, Timer

    always = BusinessCalendar.objects.get(name="24×7")
    save_policy(
        "Problems in a week",
        metric=Metric.RESOLUTION,
        condition={"field": "kind", "op": "eq", "value": "problem"},
        goals=[GoalSpec(7 * 86400, always)],
        actor=SYSTEM,
    )
    fixed, cancelled = problem_in(Status.CLOSED, cast), problem_in(Status.NEW, cast)
    perform(cancelled, "cancel", actor=as_(cast.anna), fields=FIELDS["cancel"])
    risky = accept_risk(problem_in(RCA, cast), actor=as_(cast.anna), **FIELDS["accept_risk"])
    reopened = perform(problem_in(Status.RESOLVED, cast), "reanalyse", actor=as_(cast.anna), fields=FIELDS["reanalyse"])
    states = dict(Timer.objects.values_list("ticket_id", "state"))
    assert states == {
        fixed.pk: "met",
        cancelled.pk: "cancelled",
        risky.pk: "met",
        reopened.pk: "running",
    }
    said = StringIO()
    call_command("rebuild_timers", "--batch", "2", stdout=said)
    assert "0 differences" in said.getvalue(), said.getvalue()
