"""Fifty at once, on connections of their own: one change of state, one event, a clear answer for everybody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions import NotDecided, decide, delegate, fire_due, request_approval, withdraw_approvals
from itsm.approvals.models import ApprovalRound, ApprovalStage, Ask, Delegation, Mode
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid
from tests.approvals.conftest import ENDS, add_person, codes, let_pass, people, policy, stage
from tests.cast import Cast, as_, make_cast

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 50


@pytest.fixture
def desk(transactional_db: None) -> tuple[Cast, User, Incident]:
    cast = make_cast()
    chris = add_person("Chris", Role.CHANGE_MANAGER)
    opened = open_incident(
        actor=as_(cast.carl), title="Core", requester=cast.rita, team=cast.network, assignee=cast.anna
    )
    return cast, chris, opened


def together(deeds: list[Callable[[], object]]) -> list[Any]:
    """Run the deeds at once, each on a connection of its own, and return what they returned or raised."""
    answers: list[Any] = [None] * len(deeds)
    gate = threading.Barrier(len(deeds))

    def run(number: int, deed: Callable[[], object]) -> None:
        gate.wait()
        try:
            answers[number] = deed()
        except Exception as error:  # noqa: BLE001  handed to the test, which looks at it
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    close_old_connections()
    return answers


def test_fifty_approvers_decide_once(desk: tuple[Cast, User, Incident]) -> None:
    cast, chris, ticket = desk
    crowd = [add_person(f"Board{number}", Role.CAB_MEMBER) for number in range(MANY)]
    policy(chris, stage(people(*crowd)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    answers = together([lambda who=who: decide(round_, actor=as_(who), decision="approve") for who in crowd])
    done = [one for one in answers if isinstance(one, ApprovalRound)]
    late = [one for one in answers if isinstance(one, NotDecided)]
    assert (len(done), len(late)) == (1, MANY - 1), [one for one in answers if one not in done and one not in late]
    assert all("has decided already" in str(one) for one in late)
    assert (codes(ticket), ENDS) == (["requested", "decided"], [("approved", "approved")])
    assert Ask.objects.filter(state="approved").count() == 1
    assert Ask.objects.filter(state="not_needed").count() == MANY - 1


def test_one_person_clicking_fifty_times_decides_once(desk: tuple[Cast, User, Incident]) -> None:
    cast, chris, ticket = desk
    policy(chris, stage(people(cast.lena, cast.ben), mode=Mode.ALL))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    answers = together([lambda: decide(round_, actor=as_(cast.lena), decision="approve") for _click in range(MANY)])
    assert [one for one in answers if not isinstance(one, ApprovalRound)] == []
    assert codes(ticket) == ["requested", "decided"]


def test_approving_rejecting_and_withdrawing_at_once_leave_one_end(desk: tuple[Cast, User, Incident]) -> None:
    cast, chris, ticket = desk
    policy(chris, stage(people(cast.lena, cast.ben)))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    together(
        [
            lambda: decide(round_, actor=as_(cast.lena), decision="approve"),
            lambda: decide(round_, actor=as_(cast.ben), decision="reject", comment="No"),
            lambda: withdraw_approvals(ticket, actor=as_(cast.anna), reason="Not now"),
            lambda: request_approval(ticket, actor=as_(cast.carl)),
        ]
    )
    ended = [code for code in codes(ticket) if code in {"decided", "withdrawn"}]
    rounds = list(ApprovalRound.objects.order_by("pk"))
    assert rounds[0].state in {"approved", "rejected", "withdrawn"}
    assert ended[0] == ("withdrawn" if rounds[0].state == "withdrawn" else "decided")
    assert len(ENDS) == (rounds[0].state != "withdrawn")
    assert ApprovalRound.objects.live().count() <= 1


def test_asking_at_once_makes_one_round(desk: tuple[Cast, User, Incident]) -> None:
    cast, _chris, ticket = desk
    answers = together([lambda: request_approval(ticket, actor=as_(cast.carl)) for _click in range(12)])
    assert len({one.pk for one in answers}) == 1
    assert codes(ticket) == ["requested"]


def test_ticks_at_once_remind_and_reject_once(desk: tuple[Cast, User, Incident]) -> None:
    cast, chris, ticket = desk
    policy(chris, stage(people(cast.lena), remind_hours=4, expires_hours=48, then="reject"))
    round_ = request_approval(ticket, actor=as_(cast.carl))
    let_pass(round_, timedelta(hours=5))
    together([fire_due] * 8)
    assert codes(ticket) == ["requested", "reminded"]
    let_pass(round_, timedelta(hours=44))
    together([fire_due] * 8)
    assert (codes(ticket)[2:], ENDS) == (["expired"], [("rejected", "rejected")])
    assert ApprovalStage.objects.get().next_at is None


def test_a_circle_cannot_be_closed_from_both_sides_at_once(desk: tuple[Cast, User, Incident]) -> None:
    cast, _chris, _ticket = desk
    start, end = db_now(), db_now() + timedelta(days=3)

    def give(giver: User, receiver: User) -> Callable[[], object]:
        return lambda: delegate(giver, receiver, actor=as_(giver), starts_at=start, ends_at=end)

    answers = together([give(cast.ben, cast.lena), give(cast.lena, cast.ben)])
    assert sorted(type(one).__name__ for one in answers) == ["Delegation", "Invalid"]
    assert any(isinstance(one, Invalid) for one in answers)
    assert Delegation.objects.count() == 1
