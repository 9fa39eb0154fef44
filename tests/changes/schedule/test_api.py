"""Conflicts, free slots and windows over the API: values, refusals, and as many queries for many as for few."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from changes.models import Change, ChangeWindow
from itsm.accounts.models import User
from itsm.tickets.clock import db_now
from tests.api.conftest import Caller
from tests.cast import Cast

Plan = Callable[..., Change]


def test_conflicts_say_what_when_and_how_heavy(cast: Cast, plan: Plan, freeze: Callable[..., ChangeWindow]) -> None:
    window = freeze()
    change = plan("2026-12-22T10:00", "2026-12-22T12:00", assignee=cast.ben)
    other = plan("2026-12-22T11:00", "2026-12-22T13:00", assignee=cast.ben)
    rows = Caller(cast.anna).get(f"changes/{change.number}/conflicts/").json()["results"]
    assert [(row["kind"], row["weight"]) for row in rows] == [
        ("freeze", "block"),
        ("double_booked", "warn"),
        ("same_service", "warn"),
    ]
    first, booked, same = rows
    assert first["window"] == {"id": window.public_id, "name": "New Year"}
    assert first["other"] is None
    assert booked["person"]["name"] == "Ben Example"
    assert same["other"]["number"] == other.number
    assert same["service"]["key"] == "vpn"
    assert (same["start"], same["end"]) == ("2026-12-22T11:00:00Z", "2026-12-22T12:00:00Z")
    assert same["text"].endswith("at the same time.")
    assert Caller(cast.rita).get(f"changes/{change.number}/conflicts/").status_code == 404


def test_free_slots_of_any_length(cast: Cast, plan: Plan) -> None:
    start = db_now().replace(hour=10, minute=0, second=0, microsecond=0)
    change = plan(f"{start.year + 1}-05-04T10:00", f"{start.year + 1}-05-04T12:00")
    url = f"changes/{change.number}/free-slots/"
    rows = Caller(cast.anna).get(f"{url}?count=3&minutes=30&after={start.year + 1}-05-04T00:00:00Z").json()["results"]
    assert [row["start"] for row in rows] == [f"{start.year + 1}-05-0{day}T10:00:00Z" for day in (4, 5, 6)]
    assert rows[0]["end"] == f"{start.year + 1}-05-04T10:30:00Z"
    for wrong, status in (
        ("count=0", 422),
        ("count=99", 422),
        ("minutes=x", 422),
        ("minutes=99999999", 422),
        ("after=soon", 422),
        ("after=2020-01-01T00:00:00Z", 422),
        ("size=2", 400),
    ):
        assert Caller(cast.anna).get(f"{url}?{wrong}").status_code == status, wrong


def test_windows_are_listed_with_when_they_come_next(
    cast: Cast, mona: User, freeze: Callable[..., ChangeWindow]
) -> None:
    freeze(services=[cast.vpn], risks=[1, 2])
    row = Caller(cast.anna).get("change-windows/").json()["results"][0]
    assert row["rule"]["month_day"] == 20
    assert row["next"][0]["start"].endswith("-12-20T17:00:00Z")
    assert [one["key"] for one in row["services"]] == ["vpn"]
    assert row["risks"] == [1, 2]

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert Caller(cast.anna).get("change-windows/").status_code == 200
        return len(seen)

    few = queries()
    for n in range(4):
        freeze(name=f"Freeze {n}", services=[cast.vpn, cast.mail])
    assert queries() == few


@pytest.mark.parametrize("path", ["conflicts", "free-slots"])
def test_there_is_no_such_change(cast: Cast, path: str) -> None:
    caller: Any = Caller(cast.anna)
    assert caller.get(f"changes/CHG9999999/{path}/").status_code == 404
    assert caller.get(f"changes/{'x' * 300}/{path}/").status_code == 404
