"""A board as the tests set it up, and its next meeting."""

from __future__ import annotations

from typing import Any

from changes.cab.models import CabBoard, CabMeeting, MeetingState
from itsm.accounts.models import User
from tests.cast import Cast, as_

WEEKLY = {"time_zone": "Europe/Berlin", "repeat": "weekly", "weekdays": [1], "first": "2026-01-01"}
RULE = {**WEEKLY, "start": "10:00", "end": "11:00"}


def said(mona: User, cora: User, cast: Cast, **more: Any) -> dict[str, Any]:
    """Return what is said of the board that Mona chairs."""
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


def first(board: CabBoard) -> CabMeeting:
    """Return the next meeting of the board."""
    return board.meetings.filter(state=MeetingState.PLANNED).order_by("starts_at")[0]
