"""How a change is approved: who is asked, where it goes then, and what is frozen (CH-1, CH-3, CH-11, AP-4)."""

from __future__ import annotations

import pytest

from changes.actions import edit_change, open_change, perform
from changes.approving import summary
from changes.models import Change
from changes.statuses import ChangeType, Status
from incidents.actions import open_incident
from itsm.accounts.models import User
from itsm.approvals.actions import NotDecided, NotYours, decide
from itsm.approvals.models import ApprovalRound, RoundState
from itsm.tickets.actions import assign, link
from itsm.tickets.errors import IllegalMove, VerbError
from itsm.tickets.models import LinkKind
from tests.cast import Cast, as_
from tests.changes.conftest import Maker


def live(change: Change) -> ApprovalRound:
    """Return the round in which somebody is asked about the change."""
    return ApprovalRound.objects.live().get(ticket_id=change.pk)


def again(change: Change) -> Change:
    """Return the change as it is now."""
    return Change.objects.get(pk=change.pk)


def test_a_normal_change_is_assessed_by_its_team_then_authorised(maker: Maker, cast: Cast, mona: User) -> None:
    change = maker.at(ChangeType.NORMAL, Status.ASSESS)
    first = live(change)
    assert first.purpose == "assess"
    with pytest.raises(NotYours):  # Anna opened it
        decide(first, actor=as_(cast.anna), decision="approve")
    with pytest.raises(NotYours):
        decide(first, actor=as_(mona), decision="approve")
    decide(first, actor=as_(cast.ben), decision="approve")
    assert again(change).status == Status.AUTHORISE
    second = live(change)
    assert second.purpose == "authorise"
    decide(second, actor=as_(mona), decision="approve")
    change = again(change)
    assert change.status == Status.SCHEDULED
    assert change.events.filter(code="change.authorised", actor=mona).count() == 1
    with pytest.raises(NotDecided):
        decide(second, actor=as_(mona), decision="reject", comment="On second thoughts.")


def test_an_emergency_is_authorised_at_once(maker: Maker, mona: User) -> None:
    change = maker.at(ChangeType.EMERGENCY, Status.AUTHORISE)
    decide(live(change), actor=as_(mona), decision="approve")
    assert again(change).status == Status.SCHEDULED


def test_a_standard_change_asks_nobody(maker: Maker) -> None:
    change = maker.at(ChangeType.STANDARD, Status.SCHEDULED)
    assert not ApprovalRound.objects.filter(ticket_id=change.pk).exists()


def test_a_rejection_leads_back_to_new_with_its_reason(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.ASSESS)
    decide(live(change), actor=as_(cast.ben), decision="reject", comment="The back-out plan is a wish.")
    change = again(change)
    assert change.status == Status.NEW
    assert change.events.get(code="change.rejected").data["reason"] == "The back-out plan is a wish."
    edited = edit_change(change, {"backout_plan": "Restore the snapshot."}, actor=as_(cast.anna))
    asked = perform(edited, "request_approval", actor=as_(cast.anna))
    assert live(asked).state == RoundState.OPEN


def test_back_to_new_withdraws_what_was_asked(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.ASSESS)
    asked = live(change)
    perform(change, "revert", actor=as_(cast.anna), fields={"reason": "Another night."})
    with pytest.raises(NotDecided):
        decide(asked, actor=as_(cast.ben), decision="approve")
    assert again(change).status == Status.NEW


def test_cancelling_withdraws_what_was_asked(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.AUTHORISE)
    asked = live(change)
    perform(change, "cancel", actor=as_(cast.anna), fields={"reason": "Not needed."})
    asked.refresh_from_db()
    assert asked.state == RoundState.WITHDRAWN


def test_on_hold_approvals_rest_and_come_back(maker: Maker, cast: Cast) -> None:
    change = maker.at(ChangeType.NORMAL, Status.ASSESS)
    asked = live(change)
    change = perform(change, "hold", actor=as_(cast.anna), fields={"reason": "The vendor is late."})
    asked.refresh_from_db()
    assert asked.state == RoundState.PARKED
    with pytest.raises(NotDecided):
        decide(asked, actor=as_(cast.ben), decision="approve")
    change = perform(change, "resume", actor=as_(cast.anna))
    decide(asked, actor=as_(cast.ben), decision="approve")
    assert again(change).status == Status.AUTHORISE


def test_who_makes_it_does_not_approve_it(maker: Maker, cast: Cast) -> None:
    change = assign(maker.open(), actor=as_(cast.lena), assignee=cast.ben)
    change = perform(change, "request_approval", actor=as_(cast.anna))
    with pytest.raises(NotYours):
        decide(live(change), actor=as_(cast.ben), decision="approve")
    decide(live(change), actor=as_(cast.lena), decision="approve")
    assert again(change).status == Status.AUTHORISE


def test_nobody_moves_it_on_by_hand(maker: Maker, cast: Cast, mona: User) -> None:
    change = maker.at(ChangeType.NORMAL, Status.ASSESS)
    for person in (cast.anna, cast.ada, mona):
        for move in ("assessed", "rejected"):
            with pytest.raises(VerbError, match="approvers decide"):
                perform(change, move, actor=as_(person))
    with pytest.raises(IllegalMove):
        perform(change, "start", actor=as_(mona))


def test_a_change_made_before_goes_to_its_review(maker: Maker, mona: User) -> None:
    change = maker.at(ChangeType.EMERGENCY, Status.AUTHORISE, is_retroactive=True)
    decide(live(change), actor=as_(mona), decision="reject", comment="Nobody was asked.")
    change = again(change)
    assert (change.status, change.is_unauthorised) == (Status.NEW, True)


def test_an_approver_outside_the_desk_is_not_told_of_tickets_that_are_not_theirs(cast: Cast) -> None:
    change = open_change(actor=as_(cast.anna), title="New gateway", service=cast.vpn)
    theirs = open_incident(actor=as_(cast.rita), title="VPN drops", service=cast.vpn)
    link(theirs, change, kind=LinkKind.FIXED_BY, actor=as_(cast.anna))
    seen = {who: [one.number for one in summary(change, who)["fixes"]] for who in (cast.lena, cast.rita, cast.rosa)}
    assert seen == {cast.lena: [theirs.number], cast.rita: [theirs.number], cast.rosa: []}
