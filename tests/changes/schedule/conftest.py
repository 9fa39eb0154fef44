"""A change manager, changes as they are planned, and windows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from changes.actions import open_change, perform
from changes.cab.actions import save_board
from changes.cab.models import CabBoard
from changes.models import Change, ChangeWindow, Weight, WindowKind
from changes.schedule.actions import save_window
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals.actions import save_policy
from itsm.approvals.models import ApprovalPolicy
from itsm.approvals.specs import StageSpec
from tests.cast import PASSWORD, Cast, as_
from tests.changes.schedule.boards import said
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


@pytest.fixture
def asked(cast: Cast, plan: Callable[..., Change]) -> Callable[..., Change]:
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
