"""The CAB: its meetings follow the times, invitations reach calendars, and what stands on the agenda."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from icalendar import Calendar

from changes.cab.actions import (
    cancel_meeting,
    invite_now,
    look_ahead,
    pin,
    save_board,
    start_meeting,
    unpin,
)
from changes.cab.agenda import agenda_of
from changes.cab.models import CabBoard, MeetingState
from changes.models import Change
from itsm.accounts.models import User
from itsm.notifications.actions import send_due
from itsm.notifications.models import Mail
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from tests.cast import Cast, as_
from tests.changes.schedule.boards import RULE, first, said

Plan = Callable[..., Change]


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
