"""What the requester really waited: real seconds, and on whom; on the ticket, in the API, in the portal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import cancel, hold, open_incident, reopen, resolve, resume
from incidents.waiting import Phase, shown_wait, wait_now, wait_of
from itsm.accounts.actions import create_token
from itsm.accounts.models import User
from tests.cast import Cast
from tests.slas.conftest import MONDAY_NINE, at, make_levels

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
instants = st.integers(0, 60 * 24 * 3600 * 10**6).map(lambda us: EPOCH + timedelta(microseconds=us))


@pytest.fixture
def levels(cast: Cast) -> Cast:
    """The cast, with service levels round the clock."""
    make_levels()
    return cast


@dataclass
class Event:
    code: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)


moves = st.sampled_from(
    [("incident.held", reason) for reason in ("awaiting_caller", "awaiting_vendor", "awaiting_change", "")]
    + [(f"incident.{name}", "") for name in ("started", "resumed", "resolved", "reopened")]
    + [("ticket.assigned", "")]
)


@given(st.lists(st.tuples(instants, moves), max_size=12), instants, st.none() | instants, instants)
def test_the_parts_of_a_wait_are_the_whole(
    happened: Any, opened: datetime, ended: datetime | None, now: datetime
) -> None:
    ticket: Any = SimpleNamespace(opened_at=opened, resolved_at=ended, closed_at=None)
    events = [Event(code, at, {"hold_reason": reason}) for at, (code, reason) in happened]
    wait = wait_of(ticket, events, now)
    assert sum(wait.parts.values(), timedelta()) == wait.total == max((ended or now) - opened, timedelta())
    assert all(part >= timedelta() for part in wait.parts.values())
    assert wait.is_over == (ended is not None)
    shown = shown_wait(wait)
    assert sum(part["seconds"] for part in shown["parts"]) == pytest.approx(wait.total.total_seconds())


def test_a_wait_counts_real_time_on_whom_it_was_spent(levels: Cast) -> None:
    def after(hours: float) -> Any:
        return at(levels.imke, MONDAY_NINE + timedelta(hours=hours))

    incident = open_incident(actor=after(0), title="vpn", requester=levels.rita)
    incident = hold(incident, actor=after(1), hold_reason="awaiting_caller", comment="Which one?")
    incident = resume(incident, actor=after(3))
    incident = hold(incident, actor=after(4), hold_reason="awaiting_vendor")
    incident = resolve(incident, actor=after(8), **FIXED)
    incident = reopen(incident, actor=after(24), comment="No")
    incident = hold(incident, actor=after(25), hold_reason="awaiting_problem")
    running = wait_now(incident)
    assert not running.is_over
    assert running.parts[Phase.OTHER] == running.until - (MONDAY_NINE + timedelta(hours=25))
    incident = resolve(incident, actor=after(30), **FIXED)
    wait = wait_now(incident)
    assert {phase: part / timedelta(hours=1) for phase, part in wait.parts.items()} == {
        Phase.DESK: 3, Phase.REQUESTER: 2, Phase.SUPPLIER: 4, Phase.OTHER: 5, Phase.DONE: 16
    }  # fmt: skip
    assert wait.total == timedelta(hours=30)


def test_a_wait_across_a_clock_change_is_in_real_seconds() -> None:
    zone = ZoneInfo("America/New_York")
    opened, ended = datetime(2026, 3, 7, 12, tzinfo=zone), datetime(2026, 3, 8, 12, tzinfo=zone)
    ticket: Any = SimpleNamespace(opened_at=opened, resolved_at=ended, closed_at=None)
    assert wait_of(ticket, [], ended).total == timedelta(hours=23)


def test_a_cancelled_ticket_waits_no_longer(levels: Cast) -> None:
    incident = open_incident(actor=at(levels.imke, MONDAY_NINE), title="vpn", requester=levels.rita)
    cancel(incident, actor=at(levels.imke, MONDAY_NINE + timedelta(hours=2)), reason="No")
    incident.refresh_from_db()
    wait = wait_now(incident)
    assert (wait.total, wait.is_over) == (timedelta(hours=2), True)


def test_ticket_api_and_portal_say_the_same(levels: Cast, signed_in: Callable[[User], Client]) -> None:
    def after(hours: float) -> Any:
        return at(levels.imke, MONDAY_NINE + timedelta(hours=hours))

    incident = open_incident(actor=after(0), title="vpn", requester=levels.rita)
    incident = hold(incident, actor=after(5), hold_reason="awaiting_caller", comment="Which one?")
    incident = resume(incident, actor=after(29))
    resolve(incident, actor=after(54), **FIXED)
    page = signed_in(levels.anna).get(f"/desk/incidents/{incident.number}/").content.decode()
    for expected in (
        "Requester waited",
        "2d 6h",
        "With the service desk",
        "1d 6h",
        "Waiting for the requester",
        "1d</dd>",
    ):
        assert expected in page, expected
    token = create_token(levels.anna)[1]
    answer = (
        Client()
        .get(f"/api/v1/incidents/{incident.number}/timers/", headers={"Authorization": f"Bearer {token}"})
        .json()
    )
    assert len(answer["results"]) == 2
    wait = answer["requester_wait"]
    assert (wait["total_seconds"], wait["for_requester_seconds"], wait["with_desk_seconds"]) == (
        54 * 3600.0,
        24 * 3600.0,
        30 * 3600.0,
    )
    assert wait["is_over"]
    assert sum(value for name, value in wait.items() if name.endswith("_seconds")) == 2 * wait["total_seconds"]
    portal = signed_in(levels.rita).get(f"/requests/{incident.number}/").content.decode()
    assert "2d 6h" in portal
    assert "1d of it for your answer" in portal
    assert "With the service desk" not in portal
