"""What the CAB decides decides the authorisation that the change waits for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from changes.cab.actions import (
    decide_item,
    end_meeting,
    start_meeting,
)
from changes.cab.agenda import approvers
from changes.cab.models import AgendaItem, CabBoard, MeetingState
from changes.models import Change
from itsm.accounts.models import User
from itsm.approvals.actions import NotYours
from itsm.approvals.models import ApprovalRound
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import TicketEvent
from tests.cast import Cast, as_
from tests.changes.schedule.boards import first


def test_the_members_are_asked_and_the_meeting_decides(
    cast: Cast,
    mona: User,
    cora: User,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    change = asked()
    assert {one.pk for one in approvers(change)} == {mona.pk, cora.pk, cast.carl.pk}
    meeting = start_meeting(first(board), actor=as_(mona))
    item = meeting.items.get()
    with pytest.raises(Refused):
        decide_item(item, "approve", words="", actor=as_(cora))
    decided = decide_item(item, "approve", words="Go ahead on Tuesday.", actor=as_(mona))
    change.refresh_from_db()
    assert change.status == "scheduled"
    assert (decided.decision, decided.decided_by) == ("approve", mona)
    event = TicketEvent.objects.get(ticket=change, code="change.cab_decided")
    assert event.data["minutes"] == "Go ahead on Tuesday."
    assert event.internal
    decide_item(item, "approve", words="Go ahead on Tuesday.", actor=as_(mona))
    assert TicketEvent.objects.filter(ticket=change, code="change.cab_decided").count() == 1
    with pytest.raises(IllegalMove, match="decided"):
        decide_item(item, "reject", words="No.", actor=as_(mona))
    ended = end_meeting(meeting, minutes="All were there.", actor=as_(mona))
    assert ended.state == MeetingState.HELD


def test_a_rejection_needs_words_and_takes_the_change_back(
    mona: User,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    change = asked()
    item = start_meeting(first(board), actor=as_(mona)).items.get()
    with pytest.raises(Invalid):
        decide_item(item, "reject", words=" ", actor=as_(mona))
    with pytest.raises(Invalid):
        decide_item(item, "postpone", words="x", actor=as_(mona))
    with pytest.raises(Invalid):
        decide_item(item, "approve", words="x" * 10_000, actor=as_(mona))
    decide_item(item, "reject", words="No way back is planned.", actor=as_(mona))
    change.refresh_from_db()
    assert change.status == "new"
    assert ApprovalRound.objects.get().reason == "No way back is planned."


def test_what_was_not_decided_comes_up_again(
    mona: User,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    change = asked()
    meeting = start_meeting(first(board), actor=as_(mona))
    end_meeting(meeting, minutes="", actor=as_(mona))
    change.refresh_from_db()
    assert change.status == "authorise"
    item = AgendaItem.objects.get(meeting=meeting)
    assert (item.decision, item.words) == ("defer", "The meeting did not come to it.")
    assert AgendaItem.objects.get(meeting=first(board)).change == change
    end_meeting(meeting, minutes="Too many.", actor=as_(mona))
    meeting.refresh_from_db()
    assert meeting.minutes == "Too many."
    with pytest.raises(IllegalMove):
        decide_item(item, "approve", words="", actor=as_(mona))


def test_who_makes_the_change_cannot_approve_it_in_the_chair(
    cast: Cast,
    mona: User,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    change = asked(assignee=mona)
    item = start_meeting(first(board), actor=as_(mona)).items.get()
    with pytest.raises(NotYours):
        decide_item(item, "approve", words="", actor=as_(mona))
    item.refresh_from_db()
    assert item.decision == ""
    change.refresh_from_db()
    assert change.status == "authorise"


def test_somebody_else_was_quicker(
    mona: User,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    """A decision by mail during the meeting is noted; one that there never was is not made up."""
    change = asked()
    meeting = start_meeting(first(board), actor=as_(mona))
    item = meeting.items.get()
    ApprovalRound.objects.update(state="withdrawn", ended_at=db_now())
    with pytest.raises(IllegalMove, match="does not wait"):
        decide_item(item, "approve", words="", actor=as_(mona))
    change.refresh_from_db()
    assert change.status == "authorise"
    decide_item(item, "defer", words="Asked anew.", actor=as_(mona))
