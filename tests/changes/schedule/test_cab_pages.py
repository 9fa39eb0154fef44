"""Boards and meetings on their pages, and who may set them up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from changes.cab.actions import (
    save_board,
)
from changes.cab.models import CabBoard
from changes.models import Change
from itsm.accounts.models import User
from itsm.tickets.errors import Invalid, Refused
from tests.cast import Cast, as_
from tests.changes.schedule.boards import first, said

Plan = Callable[..., Change]


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
    assert signed_in(cora).post(decide, {"decision": "approve"}).status_code == 403
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
