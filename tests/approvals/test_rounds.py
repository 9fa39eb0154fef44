"""Asking and deciding: stages, modes, what is refused, and what is on record."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction

from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions import (
    NotDecided,
    NotYours,
    decide,
    park,
    request_approval,
    save_settings,
    unpark,
    withdraw_approvals,
)
from itsm.approvals.models import ApprovalPolicy, ApprovalRound, Ask, Mode, PolicyVersion
from itsm.approvals.subjects import ApprovalSubject, register_approval_subject
from itsm.tickets.actions import assign, update
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.rules import Answer
from tests.approvals.conftest import ENDS, asked, codes, people, policy, stage, states
from tests.cast import Cast, as_


def fresh(ticket: Any) -> Any:
    return Incident.objects.get(pk=ticket.pk)


def test_the_first_policy_that_fits_counts(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.olaf)), name="All", order=20)
    policy(
        chris,
        stage(people(cast.lena)),
        name="Network",
        order=10,
        condition={"field": "team", "op": "eq", "value": "network"},
    )
    policy(chris, stage(people(cast.sven)), name="Off", order=1, is_active=False)
    policy(chris, stage(people(cast.sven)), name="Other purpose", order=1, purpose="assess")
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert round_.version is not None
    assert round_.version.policy.name == "Network"
    assert asked(round_) == {cast.lena}


def test_without_a_policy_the_change_manager_is_asked_and_it_is_said(cast: Cast, chris: User, ticket: Incident) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert (round_.state, round_.problem, asked(round_)) == ("open", "no_policy", {chris})
    event = ticket.events.get(code="approval.requested")
    assert event.data["stage"]["fallback"]
    assert event.data["problem"] == "no_policy"


def test_a_stage_that_finds_nobody_asks_the_fallback_role(cast: Cast, chris: User, ticket: Incident) -> None:
    """Anna carries it out and Carl opened it, so the two named may not approve."""
    policy(chris, stage(people(cast.anna, cast.carl), mode=Mode.ALL))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    begun = round_.stages.get()
    assert (asked(round_), begun.used_fallback, begun.mode) == ({chris}, True, "any")
    assert {(one["user"], one["why"]) for one in begun.left_out} == {
        (cast.anna.pk, "assignee"),
        (cast.carl.pk, "opener"),
    }


def test_where_the_fallback_role_has_nobody_the_administrators_are_asked(
    cast: Cast, chris: User, ticket: Incident
) -> None:
    save_settings(actor=as_(cast.ada), fallback_role=Role.KNOWLEDGE_AUTHOR, link_days=7)
    assert asked(request_approval(ticket, actor=as_(cast.carl))) == {cast.ada}


def test_too_few_for_a_quorum_asks_the_fallback_role_too_and_lowers_nothing(
    cast: Cast, chris: User, ticket: Incident
) -> None:
    policy(chris, stage(people(cast.lena, cast.ben), mode=Mode.N_OF_M, needed=3))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert asked(round_) == {cast.lena, cast.ben, chris}
    for person in (cast.lena, cast.ben):
        decide(round_, actor=as_(person), decision="approve")
    assert ApprovalRound.objects.get(pk=round_.pk).state == "open"
    assert decide(round_, actor=as_(chris), decision="approve").state == "approved"


def test_a_policy_that_cannot_be_read_asks_the_fallback_role(cast: Cast, chris: User, ticket: Incident) -> None:
    """A weaker policy further down must not take the place of the one that was meant."""
    strict = policy(chris, stage(people(cast.lena)), name="Strict", order=1)
    policy(chris, stage(people(cast.ben)), name="Weak", order=2)
    broken = PolicyVersion.objects.create(
        policy=strict, number=2, condition={"field": "gone", "op": "eq", "value": 1}, stages=strict.current.stages
    )
    ApprovalPolicy.objects.filter(pk=strict.pk).update(current=broken)
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert (asked(round_), round_.problem, round_.problem_policy) == ({chris}, "unreadable", "Strict")


def test_stages_follow_each_other_and_the_room_hears_once(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(
        chris,
        stage({"from": "ticket_team"}, name="Peers"),
        stage(people(cast.sven), name="Only big ones", condition={"field": "impact", "op": "eq", "value": 1}),
        stage({"from": "role", "role": "auditor"}, name="Audit"),
    )
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert asked(round_) == {cast.ben, cast.lena}
    decide(round_, actor=as_(cast.lena), decision="approve", comment="Fine by me 👍")
    assert (states(round_), asked(round_)) == (["approved", "skipped", "asked"], {cast.olaf})
    assert ENDS == []
    done = decide(round_, actor=as_(cast.olaf), decision="approve")
    assert (done.state, ENDS, codes(ticket)) == (
        "approved",
        [("approved", "approved")],
        ["requested", "decided", "decided"],
    )
    last = ticket.events.filter(code="approval.decided").last()
    assert last.data["outcome"] == "approved"


def test_stages_that_are_all_skipped_approve_nothing(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.sven), condition={"field": "impact", "op": "eq", "value": 1}))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert (round_.problem, asked(round_), states(round_)) == ("all_skipped", {chris}, ["skipped", "asked"])


def test_a_rejection_needs_words_and_ends_the_round(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.lena, cast.ben), mode=Mode.ALL), stage(people(cast.olaf)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    with pytest.raises(Invalid):
        decide(round_, actor=as_(cast.lena), decision="reject", comment="  ")
    ended = decide(round_, actor=as_(cast.lena), decision="reject", comment="No way back if it fails")
    assert (ended.state, ended.reason, states(ended)) == (
        "rejected",
        "No way back if it fails",
        ["rejected", "skipped"],
    )
    assert (ENDS, asked(ended)) == ([("rejected", "rejected")], set())


@pytest.mark.parametrize(("text", "field"), [("\x00", "comment"), ("x" * 4001, "comment"), ("\ud800", "comment")])
def test_words_that_cannot_be_stored_are_refused(
    cast: Cast, chris: User, ticket: Incident, text: str, field: str
) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    with pytest.raises(Invalid) as refused:
        decide(round_, actor=as_(chris), decision="reject", comment=text)
    assert field in refused.value.fields


def test_one_of_each_group(cast: Cast, chris: User, ticket: Incident, board: list[User]) -> None:
    policy(chris, stage(people(cast.ben, cast.lena), {"from": "group", "code": "cab"}, mode=Mode.PER_GROUP))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    decide(round_, actor=as_(board[0]), decision="approve")
    assert asked(round_) == {cast.ben, cast.lena}
    with pytest.raises(NotDecided, match="Cab1 Example has decided already"):
        decide(round_, actor=as_(board[1]), decision="approve")
    assert decide(round_, actor=as_(cast.ben), decision="approve").state == "approved"


def test_a_group_without_anybody_is_answered_for_by_the_fallback_role(
    cast: Cast, chris: User, ticket: Incident
) -> None:
    policy(chris, stage(people(cast.ben), {"from": "service_owner"}, mode=Mode.PER_GROUP))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert asked(round_) == {cast.ben, chris}
    decide(round_, actor=as_(cast.ben), decision="approve")
    assert decide(round_, actor=as_(chris), decision="approve").state == "approved"


def test_sources_follow_the_ticket(cast: Cast, chris: User, ticket: Incident) -> None:
    cast.vpn.owner = cast.sven
    cast.vpn.save()
    cast.sven.manager = cast.olaf
    cast.sven.save()
    cast.rita.manager = cast.rosa
    cast.rita.save()
    update(ticket, {"service": cast.vpn}, actor=as_(cast.anna))
    for source, person in (
        ("team_lead", cast.lena),
        ("service_owner", cast.sven),
        ("owner_manager", cast.olaf),
        ("requester_manager", cast.rosa),
    ):
        policy(chris, stage({"from": source}))
        round_ = request_approval(fresh(ticket), actor=as_(cast.carl))
        assert asked(round_) == {person}, source
        withdraw_approvals(ticket, actor=as_(cast.carl), reason="next")


@pytest.mark.parametrize("name", ["rita", "carl", "anna"])
def test_who_has_a_part_in_it_cannot_approve_it(cast: Cast, chris: User, ticket: Incident, name: str) -> None:
    """Asked when they had none, refused now that they have: duties are looked at again when somebody decides."""
    person = getattr(cast, name)
    policy(chris, stage(people(cast.ben, cast.lena, person), mode=Mode.N_OF_M, needed=1))
    round_ = request_approval(ticket, actor=as_(cast.ben))
    Ask.objects.get_or_create(stage=round_.stages.get(), person=person)
    with pytest.raises(NotYours) as refused:
        decide(round_, actor=as_(person), decision="approve")
    why = {"rita": "requester", "carl": "opener", "anna": "assignee"}[name]
    assert refused.value.why == why
    event = ticket.events.get(code="approval.refused")
    assert (event.actor, event.data["why"]) == (person, why)
    assert ApprovalRound.objects.get(pk=round_.pk).state == "open"


def test_the_implementer_of_now_and_of_then_cannot_approve(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.ben, cast.lena, cast.sven), mode=Mode.ALL))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assign(ticket, actor=as_(cast.lena), assignee=cast.ben)
    with pytest.raises(NotYours, match="You carry this out"):
        decide(round_, actor=as_(cast.ben), decision="approve")
    Ask.objects.create(stage=round_.stages.get(), person=cast.anna)
    with pytest.raises(NotYours, match="You carry this out"):
        decide(round_, actor=as_(cast.anna), decision="approve")


def test_the_rooms_rule_counts(cast: Cast, chris: User, ticket: Incident, subject: ApprovalSubject) -> None:
    register_approval_subject(
        "incident",
        ApprovalSubject(
            may_approve=lambda ticket, person: Answer(person != cast.ben, "Ben is not trained."),
            involved=lambda ticket: [cast.lena.pk],
        ),
    )
    policy(chris, stage(people(cast.ben, cast.lena, cast.sven)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert asked(round_) == {cast.sven}
    Ask.objects.create(stage=round_.stages.get(), person=cast.ben)
    with pytest.raises(NotYours, match="Ben is not trained"):
        decide(round_, actor=as_(cast.ben), decision="approve")


def test_who_was_not_asked_cannot_decide(cast: Cast, chris: User, ticket: Incident) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    with pytest.raises(NotYours, match="not asked"):
        decide(round_, actor=as_(cast.ada), decision="approve")
    with pytest.raises(NotYours, match="not asked"):
        decide(round_, actor=as_(cast.ada), decision="approve")
    assert codes(ticket) == ["requested", "refused"]  # a double click is one refusal


def test_the_same_answer_again_changes_nothing_and_another_is_refused(
    cast: Cast, chris: User, ticket: Incident
) -> None:
    policy(chris, stage(people(cast.ben, cast.lena), mode=Mode.ALL))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    for _click in range(2):
        assert decide(round_, actor=as_(cast.ben), decision="approve").state == "open"
    with pytest.raises(NotDecided, match="answered already"):
        decide(round_, actor=as_(cast.ben), decision="reject", comment="On second thoughts")
    assert codes(ticket) == ["requested", "decided"]
    with pytest.raises(DatabaseError), transaction.atomic():
        Ask.objects.filter(person=cast.ben).update(state="rejected", comment="x")


def test_after_a_withdrawal_a_decision_is_refused_and_on_record(cast: Cast, chris: User, ticket: Incident) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert withdraw_approvals(ticket, actor=as_(cast.anna), reason="Wrong dates") == [round_]
    assert withdraw_approvals(ticket, actor=as_(cast.anna), reason="Wrong dates") == []
    with pytest.raises(NotDecided) as refused:
        decide(round_, actor=as_(chris), decision="approve")
    assert refused.value.why == "withdrawn"
    assert (codes(ticket), ENDS) == (["requested", "withdrawn", "refused"], [])
    again = request_approval(ticket, actor=as_(cast.carl))
    assert again.pk != round_.pk


def test_a_changed_plan_asks_everybody_anew(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.ben, cast.lena), mode=Mode.ALL))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    decide(round_, actor=as_(cast.ben), decision="approve")
    update(fresh(ticket), {"title": "Replace both core switches"}, actor=as_(cast.anna))
    with pytest.raises(NotDecided) as refused:
        decide(round_, actor=as_(cast.lena), decision="approve")
    assert refused.value.why == "changed"
    old = ApprovalRound.objects.get(pk=round_.pk)
    assert (old.state, old.successor is not None) == ("superseded", True)
    assert asked(old.successor) == {cast.ben, cast.lena}  # Ben's yes was to another plan
    assert codes(ticket) == ["requested", "decided", "refused", "restarted"]
    with pytest.raises(NotDecided, match="asked anew"):
        decide(round_, actor=as_(cast.lena), decision="approve")


def test_a_changed_plan_refuses_until_asked_anew(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.ben)), on_change="refuse")
    round_ = request_approval(ticket, actor=as_(cast.carl))
    update(fresh(ticket), {"title": "Replace both core switches"}, actor=as_(cast.anna))
    with pytest.raises(NotDecided, match="desk has to ask anew"):
        decide(round_, actor=as_(cast.ben), decision="approve")
    assert ApprovalRound.objects.get(pk=round_.pk).state == "open"
    new = request_approval(ticket, actor=as_(cast.carl))
    assert new.pk != round_.pk
    assert decide(new, actor=as_(cast.ben), decision="approve").state == "approved"


def test_who_looked_at_an_older_plan_looks_again(cast: Cast, chris: User, ticket: Incident) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    with pytest.raises(NotDecided, match="since you saw it"):
        decide(round_, actor=as_(chris), decision="approve", seen="0" * 64)
    assert decide(round_, actor=as_(chris), decision="approve", seen=round_.digest).state == "approved"


def test_asking_twice_is_asking_once(cast: Cast, chris: User, ticket: Incident) -> None:
    first = request_approval(ticket, actor=as_(cast.carl))
    assert request_approval(ticket, actor=as_(cast.carl)) == first
    assert codes(ticket) == ["requested"]
    assert request_approval(ticket, actor=as_(cast.carl), purpose="assess") != first


def test_only_for_known_purposes_and_by_those_who_work_on_it(cast: Cast, chris: User, ticket: Incident) -> None:
    with pytest.raises(Invalid):
        request_approval(ticket, actor=as_(cast.carl), purpose="coffee")
    for person in (cast.rosa, cast.olaf):
        with pytest.raises(Refused):
            request_approval(ticket, actor=as_(person))


def test_on_hold_nobody_decides(cast: Cast, chris: User, ticket: Incident) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    assert park(ticket, actor=as_(cast.anna)) == [round_]
    assert park(ticket, actor=as_(cast.anna)) == []
    with pytest.raises(NotDecided, match="on hold"):
        decide(round_, actor=as_(chris), decision="approve")
    assert unpark(ticket, actor=as_(cast.anna)) == [round_]
    assert unpark(ticket, actor=as_(cast.anna)) == []
    assert decide(round_, actor=as_(chris), decision="approve").state == "approved"


def test_the_end_of_the_ticket_withdraws_what_is_asked(cast: Cast, chris: User, ticket: Incident) -> None:
    from incidents.actions import cancel

    round_ = request_approval(ticket, actor=as_(cast.carl))
    cancel(fresh(ticket), actor=as_(cast.anna), reason="No longer wanted")
    assert ApprovalRound.objects.get(pk=round_.pk).state == "withdrawn"
    with pytest.raises(IllegalMove):
        request_approval(ticket, actor=as_(cast.carl))


def test_an_edit_of_the_policy_leaves_running_rounds_alone(cast: Cast, chris: User, ticket: Incident) -> None:
    policy(chris, stage(people(cast.ben)), stage(people(cast.lena)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    edited = policy(chris, stage(people(cast.sven)))
    assert (edited.current.number, policy(chris, stage(people(cast.sven))).current.number) == (2, 2)
    decide(round_, actor=as_(cast.ben), decision="approve")
    assert asked(round_) == {cast.lena}
    with pytest.raises(DatabaseError), transaction.atomic():
        PolicyVersion.objects.filter(policy=edited).update(stages=[])


def test_only_some_set_up_approvals(cast: Cast, chris: User) -> None:
    for person in (cast.rita, cast.anna, cast.lena, cast.sven, cast.olaf):
        with pytest.raises(Refused):
            policy(person, stage(people(cast.ben)))
    assert policy(cast.ada, stage(people(cast.ben))).current is not None


@pytest.mark.parametrize(
    "stages",
    [
        (),
        (stage(),),
        (stage({"from": "people", "ids": []}),),
        (stage({"from": "people", "ids": [10**30]}),),
        (stage({"from": "people", "ids": [True]}),),
        (stage({"from": "team", "id": 0}),),
        (stage({"from": "role", "role": "requester"}),),
        (stage({"from": "group", "code": "nobody"}),),
        (stage({"from": "the street"}),),
        (stage({"from": "ticket_team"}, name=""),),
        (stage({"from": "ticket_team"}, name="\x00"),),
        (stage({"from": "ticket_team"}, mode="most"),),
        (stage({"from": "ticket_team"}, mode=Mode.N_OF_M, needed=0),),
        (stage({"from": "ticket_team"}, remind_hours=-1),),
        (stage({"from": "ticket_team"}, expires_hours=4, then="shrug"),),
        (stage({"from": "ticket_team"}, condition={"field": "colour", "op": "eq", "value": 1}),),
    ],
)
def test_policies_that_cannot_be_are_refused_with_a_sentence(cast: Cast, chris: User, stages: Any) -> None:
    with pytest.raises(Invalid) as refused:
        policy(chris, *stages)
    assert all(words for words in refused.value.fields.values())
    assert not ApprovalPolicy.objects.filter(kind="incident").exists()
