"""The CAB: its meetings follow the times, invitations reach calendars, what it decides decides the authorisation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from icalendar import Calendar

from changes.actions import perform
from changes.cab.actions import (
    cancel_meeting,
    decide_item,
    end_meeting,
    invite_now,
    look_ahead,
    pin,
    save_board,
    start_meeting,
    unpin,
)
from changes.cab.agenda import agenda_of, approvers
from changes.cab.models import AgendaItem, CabBoard, CabMeeting, MeetingState
from changes.models import Change
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions import NotYours, save_policy
from itsm.approvals.models import ApprovalPolicy, ApprovalRound
from itsm.approvals.specs import StageSpec
from itsm.notifications.actions import send_due
from itsm.notifications.models import Mail
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import TicketEvent
from tests.cast import PASSWORD, Cast, as_

Plan = Callable[..., Change]
WEEKLY = {"time_zone": "Europe/Berlin", "repeat": "weekly", "weekdays": [1], "first": "2026-01-01"}
RULE = {**WEEKLY, "start": "10:00", "end": "11:00"}


@pytest.fixture
def cora(cast: Cast) -> User:
    """A member of the board who does not work on tickets."""
    return User.objects.create_user(
        "cora@example.com", PASSWORD, display_name="Cora Example", roles=[Role.REQUESTER, Role.CAB_MEMBER]
    )


@pytest.fixture
def board(cast: Cast, mona: User, cora: User) -> CabBoard:
    """A board that Mona chairs, with Cora and the desktop team, on Tuesdays at ten in Berlin."""
    return save_board(None, **said(mona, cora, cast))


def said(mona: User, cora: User, cast: Cast, **more: Any) -> dict[str, Any]:
    return {
        "name": "Weekly CAB",
        "chair": mona,
        "rule": RULE,
        "condition": "status:authorise",
        "people": [cora],
        "teams": [cast.desktop],
        "place": "Room 4",
        "notice_days": 0,  # so that no test hangs on today's weekday
        "actor": as_(mona),
        **more,
    }


@pytest.fixture
def asked(cast: Cast, plan: Plan) -> Callable[..., Change]:
    """Return a function that brings a change to where the CAB is asked to authorise it."""
    for policy in ApprovalPolicy.objects.all():
        ApprovalPolicy.objects.filter(pk=policy.pk).update(is_active=False)
    save_policy(
        "CAB",
        actor=as_(cast.ada),
        kind="change",
        purpose="authorise",
        stages=[StageSpec(name="CAB", approvers=[{"from": "group", "code": "cab"}])],
    )

    def make(**more: Any) -> Change:
        change = plan("2027-05-04T10:00", "2027-05-04T12:00", change_type="emergency", **more)
        return perform(change, "request_authorisation", actor=as_(cast.anna))

    return make


def first(board: CabBoard) -> CabMeeting:
    return board.meetings.filter(state=MeetingState.PLANNED).order_by("starts_at")[0]


def test_the_next_meetings_stand_at_ten_in_berlin_summer_and_winter(board: CabBoard) -> None:
    meetings = list(board.meetings.all())
    assert len(meetings) == 3
    assert {one.starts_at.weekday() for one in meetings} == {1}
    assert all(one.ends_at - one.starts_at == timedelta(hours=1) for one in meetings)
    assert look_ahead(board, db_now()) == 0
    assert board.meetings.count() == 3


def test_invitations_go_out_when_the_notice_is_due_and_meetings_are_made_ahead(
    cast: Cast,
    mona: User,
    cora: User,
    board: CabBoard,
) -> None:
    save_board(board, **said(mona, cora, cast, notice_days=2))
    Mail.objects.all().delete()
    third = board.meetings.order_by("-starts_at")[0]
    assert look_ahead(board, third.starts_at - timedelta(days=2)) == 3
    assert look_ahead(board, third.starts_at - timedelta(days=2)) == 0
    assert {one.address for one in Mail.objects.all()} == {"mona@example.com", "cora@example.com", cast.carl.email}
    assert board.meetings.filter(starts_at__gt=third.starts_at).count() == 2


def test_other_times_move_the_meetings_and_tell_who_was_invited(
    cast: Cast,
    mona: User,
    cora: User,
    board: CabBoard,
) -> None:
    meeting = first(board)
    invite_now(meeting, actor=as_(mona))
    Mail.objects.all().delete()
    save_board(board, **said(mona, cora, cast, rule={**RULE, "end": "12:00"}))
    meeting.refresh_from_db()
    assert (meeting.ends_at - meeting.starts_at, meeting.sequence) == (timedelta(hours=2), 1)
    assert Mail.objects.count() == 3
    assert all("METHOD:REQUEST" in one.calendar and "SEQUENCE:1" in one.calendar for one in Mail.objects.all())
    Mail.objects.all().delete()
    save_board(board, **said(mona, cora, cast, rule={**RULE, "weekdays": [3]}))
    meeting.refresh_from_db()
    assert meeting.state == MeetingState.CANCELLED
    assert all("METHOD:CANCEL" in one.calendar for one in Mail.objects.all())
    assert Mail.objects.count() == 3
    assert {one.starts_at.weekday() for one in board.meetings.filter(state=MeetingState.PLANNED)} == {3}


def test_an_invitation_is_one_that_calendars_read(
    cast: Cast,
    mona: User,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    change = asked(title="Router; new, “big” 🚀")
    meeting = first(board)
    assert invite_now(meeting, actor=as_(mona)) == 3
    assert invite_now(meeting, actor=as_(mona)) == 0
    Mail.objects.exclude(kind="change.cab").delete()
    assert send_due() == 3
    sent = next(one for one in mail.outbox if one.to == ["cora@example.com"])
    assert change.number in sent.body
    part = next(one for one in sent.message().walk() if one.get_content_type() == "text/calendar")
    assert part.get_param("method") == "REQUEST"
    event = Calendar.from_ical(part.get_content()).walk("VEVENT")[0]
    assert event["DTSTART"].dt == meeting.starts_at
    assert str(event["ATTENDEE"]) == "MAILTO:cora@example.com"
    assert str(event["ORGANIZER"]) == "MAILTO:mona@example.com"
    assert str(event["LOCATION"]) == "Room 4"


def test_who_leaves_the_board_is_told(cast: Cast, mona: User, cora: User, board: CabBoard) -> None:
    invite_now(first(board), actor=as_(mona))
    Mail.objects.all().delete()
    save_board(board, **said(mona, cora, cast, people=[]))
    only = Mail.objects.get()
    assert (only.address, "METHOD:CANCEL" in only.calendar) == ("cora@example.com", True)


def test_the_agenda_is_what_waits_and_what_was_pinned(
    cast: Cast,
    mona: User,
    plan: Plan,
    board: CabBoard,
    asked: Callable[..., Change],
) -> None:
    waiting = asked()
    other = plan("2027-05-06T10:00", "2027-05-06T12:00", service=None)
    meeting = first(board)
    item = pin(meeting, other, actor=as_(cast.anna))
    assert pin(meeting, other, actor=as_(cast.anna)) == item
    assert [one.change for one in agenda_of(meeting, db_now())] == [other, waiting]
    with pytest.raises(Refused):
        unpin(item, actor=as_(cast.ben))
    unpin(item, actor=as_(cast.anna))
    assert [one.change for one in agenda_of(meeting, db_now())] == [waiting]
    with pytest.raises(Refused):
        pin(meeting, other, actor=as_(cast.olaf))
    with pytest.raises(Refused):
        start_meeting(meeting, actor=as_(cast.anna))
    start_meeting(meeting, actor=as_(mona))
    assert start_meeting(meeting, actor=as_(mona)).state == MeetingState.RUNNING
    assert [one.change for one in meeting.items.all()] == [waiting]
    with pytest.raises(IllegalMove, match="under way"):
        start_meeting(board.meetings.filter(state=MeetingState.PLANNED)[0], actor=as_(mona))


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


def test_a_meeting_is_cancelled_with_a_reason_and_its_pins_move_on(
    cast: Cast,
    mona: User,
    plan: Plan,
    board: CabBoard,
) -> None:
    meeting = first(board)
    change = plan("2027-05-06T10:00", "2027-05-06T12:00")
    pin(meeting, change, actor=as_(cast.anna))
    with pytest.raises(Invalid):
        cancel_meeting(meeting, reason="", actor=as_(mona))
    with pytest.raises(Refused):
        cancel_meeting(meeting, reason="Holiday", actor=as_(cast.anna))
    cancel_meeting(meeting, reason="Holiday", actor=as_(mona))
    assert first(board).items.get().change == change
    look_ahead(board, db_now())
    assert not board.meetings.filter(state=MeetingState.PLANNED, starts_at=meeting.starts_at).exists()
    with pytest.raises(IllegalMove):
        pin(meeting, change, actor=as_(cast.anna))


def test_who_may_set_up_a_board_and_what_is_none(cast: Cast, mona: User, cora: User, board: CabBoard) -> None:
    with pytest.raises(Refused):
        save_board(None, **said(mona, cora, cast, actor=as_(cast.anna), name="Other"))
    for wrong in (
        {"name": "weekly cab"},
        {"condition": "no:such"},
        {"condition": ""},
        {"rule": {}},
        {"chair": cast.rita},
        {"notice_days": 99},
        {"name": "x\x00"},
    ):
        with pytest.raises(Invalid) as refused:
            save_board(None, **{**said(mona, cora, cast, name="Other"), **wrong})
        assert set(refused.value.fields) == set(wrong)


def test_a_meeting_is_run_on_its_pages(
    cast: Cast,
    mona: User,
    cora: User,
    board: CabBoard,
    asked: Callable[..., Change],
    signed_in: Callable[[User], Client],
) -> None:
    change, other = asked(), asked(service=cast.mail)
    client, meeting = signed_in(mona), first(board)
    root = "/desk/changes/cab"
    for path in ("/", f"/boards/{board.public_id}/", f"/boards/{board.public_id}/edit/", "/new/"):
        assert client.get(root + path).status_code == 200
    page = client.get(f"{root}/meetings/{meeting.public_id}/").content.decode()
    assert change.number in page
    assert "Start" in page
    assert client.post(f"{root}/meetings/{meeting.public_id}/pin/", {"change": "CHG9999999"}).status_code == 422
    assert client.post(f"{root}/meetings/{meeting.public_id}/pin/", {"change": change.number}).status_code == 303
    assert signed_in(cora).post(f"{root}/meetings/{meeting.public_id}/start/").status_code == 403
    assert client.post(f"{root}/meetings/{meeting.public_id}/start/").status_code == 303
    sheet = client.get(f"{root}/meetings/{meeting.public_id}/present/").content.decode()
    assert change.title in sheet
    assert "Replace it." in sheet, "the plan"
    assert "Cora Example" in sheet, "who was asked"
    assert other.number in sheet, "both touch their services at one time"
    item, second = meeting.items.order_by("position")
    decide = f"{root}/items/{item.public_id}/decide/"
    refused = client.post(decide, {"decision": "reject", "words": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    assert signed_in(cora).post(decide, {"decision": "approve"}).status_code in (403, 409)
    answer = client.post(decide, {"decision": "approve", "words": "Yes."})
    assert answer["Location"].endswith(f"?item={second.public_id}")
    assert client.post(f"{root}/meetings/{meeting.public_id}/end/", {"minutes": "Short."}).status_code == 303
    minutes = signed_in(cora).get(f"{root}/meetings/{meeting.public_id}/").content.decode()
    assert "Short." in minutes
    assert "1 approved, 0 rejected, 1 deferred." in minutes
    assert signed_in(cora).get(f"{root}/meetings/{meeting.public_id}/present/").status_code == 302
    assert signed_in(cast.rita).get(f"{root}/meetings/{meeting.public_id}/").status_code == 404
    assert client.get(f"{root}/meetings/nonsense/").status_code == 404
    assert signed_in(cast.anna).get(f"{root}/new/").status_code == 403


def test_a_board_is_set_up_on_its_page(
    cast: Cast,
    mona: User,
    cora: User,
    signed_in: Callable[[User], Client],
) -> None:
    client, url = signed_in(mona), "/desk/changes/cab/new/"
    given: dict[str, Any] = {
        "name": "Night board",
        "chair": cora.public_id,
        "people": [mona.public_id],
        "condition": "status:authorise risk:1",
        "notice_days": "3",
        "is_active": "on",
        "repeat": "monthly",
        "nth": "-1",
        "weekday": "4",
        "first": "2026-01-01",
        "start": "22:00",
        "end": "01:00",
        "end_day": "1",
        "time_zone": "Europe/Berlin",
    }
    assert client.post(url, {**given, "condition": "stattus:x"}).status_code == 422
    assert client.post(url, given).status_code == 302
    made = CabBoard.objects.get()
    assert made.chair == cora
    assert {(one.starts_at + timedelta(hours=1)).weekday() for one in made.meetings.all()} <= {4, 5}
    assert client.post(url, given).status_code == 422, "the name is taken"
