"""A change manager, changes as they are planned, and windows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from changes.actions import open_change
from changes.models import Change, ChangeWindow, Weight, WindowKind
from changes.schedule.actions import save_window
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from tests.cast import PASSWORD, Cast, as_
from tests.workspace.conftest import axe, open_page  # noqa: F401  fixtures

PLANS = {
    "justification": "The old one is out of support.",
    "implementation_plan": "Replace it.",
    "backout_plan": "Put the old one back.",
    "test_plan": "Sign in.",
}


def utc(text: str) -> datetime:
    """An instant as `2027-03-28T01:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def mona(cast: Cast) -> User:
    """The change manager."""
    return User.objects.create_user(
        "mona@example.com", PASSWORD, display_name="Mona Example", roles=[Role.REQUESTER, Role.CHANGE_MANAGER]
    )


@pytest.fixture
def plan(cast: Cast) -> Callable[..., Change]:
    """Return a function that opens a change planned from start to end, to remote access unless said otherwise."""

    def make(start: str, end: str, **more: Any) -> Change:
        more.setdefault("service", cast.vpn)
        more.setdefault("team", cast.network)
        more.setdefault("title", f"Change of {start}")
        return open_change(actor=as_(cast.anna), planned_start=utc(start), planned_end=utc(end), plans=PLANS, **more)

    return make


@pytest.fixture
def freeze(mona: User) -> Callable[..., ChangeWindow]:
    """Return a function that declares a window: a freeze over New Year unless said otherwise."""

    def make(**more: Any) -> ChangeWindow:
        values: dict[str, Any] = {
            "name": "New Year",
            "kind": WindowKind.FREEZE,
            "rule": {
                "time_zone": "Europe/Berlin",
                "repeat": "yearly",
                "first": "2026-01-01",
                "month": 12,
                "month_day": 20,
                "start": "18:00",
                "end": "08:00",
                "end_day": 14,
            },
            "weight": Weight.BLOCK,
            **more,
        }
        return save_window(None, actor=as_(mona), **values)

    return make
