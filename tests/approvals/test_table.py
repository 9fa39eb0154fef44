"""Everybody tries both decisions in every state of an approval: who may is one table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.approvals.actions import (
    NotDecided,
    NotYours,
    decide,
    delegate,
    fire_due,
    park,
    request_approval,
    withdraw_approvals,
)
from itsm.approvals.models import ApprovalRound, Ask
from itsm.tickets.actions import update
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Refused
from itsm.tickets.models import TicketEvent
from tests.approvals.conftest import ENDS, add_person, asked, codes, let_pass, people, policy, stage, states
from tests.cast import Cast, as_

# asked: Lena, one of two of whom one is enough; delegate: Sven for Lena; parts: Rita asked for the ticket, Carl opened
# it, Anna carries it out, each asked all the same; nobody: Olaf reads everything; admin: Ada may everything else.
WHO = ("asked", "delegate", "requester", "opener", "assignee", "nobody", "admin")
STATES = ("open", "parked", "approved", "rejected", "withdrawn", "superseded", "changed", "expired", "overdue")
DONE = "done"
PART = {"requester": "requester", "opener": "opener", "assignee": "assignee"}


def expected(who: str, state: str) -> str:
    """Return `done`, or the code of the refusal. How it stands comes before who may; not to be asked before all."""
    if who in {"nobody", "admin"}:
        return "not_asked"
    by_state = {
        "parked": "parked",
        "approved": "decided",
        "rejected": "decided",
        "withdrawn": "withdrawn",
        "superseded": "superseded",
        "expired": "expired",
    }
    if state in by_state:
        return by_state[state]
    if who in PART:
        return PART[who]
    return {"open": DONE, "changed": "changed", "overdue": "expired"}[state]


def bring(round_: ApprovalRound, ticket: Incident, state: str, cast: Cast) -> None:
    """Bring the round to the state."""
    anna = as_(cast.anna)
    if state == "parked":
        park(ticket, actor=anna)
    elif state in {"approved", "rejected"}:
        decision = "approve" if state == "approved" else "reject"
        decide(round_, actor=as_(cast.ben), decision=decision, comment="Ben was quicker")
    elif state == "withdrawn":
        withdraw_approvals(ticket, actor=anna, reason="x")
    elif state in {"superseded", "changed"}:
        update(Incident.objects.get(pk=ticket.pk), {"title": "Another plan"}, actor=anna)
        if state == "superseded":
            request_approval(ticket, actor=anna)
    elif state in {"expired", "overdue"}:
        let_pass(round_, timedelta(hours=9))
        if state == "expired":
            fire_due()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_who_decides_what_in_which_state(cast: Cast, chris: User, ticket: Incident, state: str, decision: str) -> None:
    policy(chris, stage(people(cast.lena, cast.ben), expires_hours=8, then="reject"))
    now = db_now()
    delegate(cast.lena, cast.sven, actor=as_(cast.lena), starts_at=now - timedelta(1), ends_at=now + timedelta(1))
    persons = {
        "asked": cast.lena,
        "delegate": cast.sven,
        "requester": cast.rita,
        "opener": cast.carl,
        "assignee": cast.anna,
        "nobody": cast.olaf,
        "admin": cast.ada,
    }
    found: dict[str, str] = {}
    for who in WHO:
        case = open_incident(
            actor=as_(cast.carl), title=f"For {who}", requester=cast.rita, team=cast.network, assignee=cast.anna
        )
        round_ = request_approval(case, actor=as_(cast.carl))
        for name in PART:  # had they been asked before they had a part in it
            Ask.objects.create(stage=round_.stages.get(), person=persons[name])
        bring(round_, case, state, cast)
        before = ApprovalRound.objects.get(pk=round_.pk)
        ENDS.clear()
        try:
            decide(
                round_,
                actor=as_(persons[who]),
                decision=decision,
                comment="Because",
                on_behalf_of=cast.lena if who == "delegate" else None,
            )
        except (NotDecided, NotYours) as error:
            found[who] = error.why
        else:
            found[who] = DONE
        after = ApprovalRound.objects.get(pk=round_.pk)
        refusals = TicketEvent.objects.filter(ticket_id=case.pk, code="approval.refused")
        if found[who] == DONE:
            assert after.state == {"approve": "approved", "reject": "rejected"}[decision]
            assert [(after.state, after.state)] == ENDS
            assert not refusals.exists()
        elif found[who] == "decided":
            assert not refusals.exists()
            assert (after.state, ENDS) == (before.state, [])
        else:
            assert [event.data["why"] for event in refusals] == [found[who]]
            assert [event.actor for event in refusals] == [persons[who]]
            ends = {"changed": "superseded", "expired": "rejected"}
            assert after.state == ends.get(found[who], before.state)
    assert found == {who: expected(who, state) for who in WHO}


def test_the_system_decides_nothing(cast: Cast, chris: User, ticket: Incident) -> None:
    round_ = request_approval(ticket, actor=as_(cast.carl))
    with pytest.raises(Refused, match="Only a person"):
        decide(round_, actor=SYSTEM, decision="approve")


ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["any", "all", "n_of_m"]),
        st.integers(1, 3),
        st.booleans(),
        st.lists(st.booleans(), min_size=3, max_size=3),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=ANSWERS)
def test_stages_come_in_order_and_end_at_the_first_no(
    cast: Cast, chris: User, ticket: Incident, plan: list[tuple[str, int, bool, list[bool]]]
) -> None:
    """Whatever the stages say: one is asked at a time, none begins before the one above it has approved, skipped ones
    ask nobody, and the room hears of the end exactly once."""
    ENDS.clear()
    known = User.objects.filter(email__startswith="voter").order_by("pk")
    crowd = list(known) or [add_person(f"Voter{number}") for number in range(3)]
    never = {"field": "title", "op": "eq", "value": "never"}
    specs = [
        stage(people(*crowd), name=f"S{number}", mode=mode, needed=needed, condition=never if skipped else {})
        for number, (mode, needed, skipped, _said) in enumerate(plan)
    ]
    policy(chris, *specs)
    one = open_incident(actor=as_(cast.carl), title="Case", requester=cast.rita)
    round_ = request_approval(one, actor=as_(cast.carl))
    wanted = "approved"
    for number, (mode, needed, skipped, said) in enumerate(plan):
        if skipped or wanted == "rejected":
            continue
        at = states(round_)
        assert at[number] == "asked"
        assert at.count("asked") == 1
        assert all(state in {"approved", "skipped"} for state in at[:number])
        for person, yes in zip(crowd, said, strict=True):
            if states(round_)[number] != "asked":
                break  # decided: whoever is left is not needed
            decide(round_, actor=as_(person), decision="approve" if yes else "reject", comment="Because")
        least = {"any": 1, "all": 3, "n_of_m": needed}[mode]
        good = said[0] if mode == "any" else sum(said) >= least
        wanted = "approved" if good else "rejected"
        assert states(round_)[number] == wanted
    done = ApprovalRound.objects.get(pk=round_.pk)
    if all(skipped for _mode, _needed, skipped, _said in plan):
        assert (done.state, done.problem, asked(round_), ENDS) == ("open", "all_skipped", {chris}, [])
    else:
        assert (done.state, ENDS) == (wanted, [(wanted, wanted)])
        assert codes(one).count("requested") == 1
