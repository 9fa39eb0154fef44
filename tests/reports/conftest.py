"""A desk with a past for the reports: incidents of the spring of 2026, moved at random by a fixed seed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.test import Client

from incidents.actions import cancel, hold, open_incident, reopen, resolve, resume, start
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import assign
from tests.cast import Cast
from tests.memory import remembered
from tests.slas.conftest import OFFICE, at, make_levels

ROOT = "/desk/service-levels/"
SPRING = "period=custom&from=2026-01-01&to=2026-04-30"
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
NEW_YORK = "America/New_York"


def live(cast: Cast, rng: Random, opened: datetime) -> Incident:
    """Open an incident at the instant and let things happen to it; leave it in some state."""
    now = opened
    teams = [cast.network, cast.desktop]

    def later() -> datetime:
        nonlocal now
        now += timedelta(minutes=rng.choice([1, 20, 90, 600, 4000]), microseconds=rng.randrange(1_000_000))
        return now

    incident = open_incident(
        actor=at(cast.imke, now),
        title=f"Trouble {rng.randrange(1000)}",
        requester=cast.rita,
        team=rng.choice([*teams, None]),
        service=rng.choice([cast.vpn, cast.mail, None]),
        impact=rng.randint(1, 3),
        urgency=rng.randint(1, 3),
    )
    if incident.status == "new" and rng.random() < 0.8:
        incident = start(incident, actor=at(cast.imke, later()))
    for _step in range(rng.randrange(7)):
        deed = rng.choice(["hold", "hold", "resume", "resolve", "reopen", "assign", "assign", "cancel"])
        actor = at(cast.imke, later())
        if deed == "hold" and incident.status in {"new", "in_progress"}:
            reason = rng.choice(["awaiting_caller", "awaiting_vendor", "awaiting_change"])
            words = "What happened?" if reason == "awaiting_caller" or rng.random() < 0.3 else ""
            incident = hold(incident, actor=actor, hold_reason=reason, comment=words)
        elif deed == "resume" and incident.status == "on_hold":
            incident = resume(incident, actor=actor)
        elif deed == "resolve" and incident.status in {"new", "in_progress", "on_hold"}:
            incident = resolve(incident, actor=actor, **FIXED)
        elif deed == "reopen" and incident.status == "resolved":
            incident = reopen(incident, actor=actor, comment="It is back")
        elif deed == "assign" and incident.status not in {"closed", "cancelled"}:
            person = rng.choice([cast.anna, cast.carl, None])
            incident = assign(incident, actor=actor, team=rng.choice([*teams, None]), assignee=person)
        elif deed == "cancel" and incident.status in {"new", "in_progress"} and rng.random() < 0.3:
            incident = cancel(incident, actor=actor, reason="Not needed")
    return incident


def make_past(cast: Cast, count: int, seed: int = 1) -> list[Incident]:
    """Return so many incidents that were opened from January to April 2026."""
    rng = Random(seed)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    return [live(cast, rng, first + timedelta(minutes=rng.randrange(120 * 24 * 60))) for _n in range(count)]


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """The cast with office hours, targets and forty incidents; Sven reads by New York's clocks."""

    def make() -> Cast:
        make_levels(OFFICE)
        cast.sven.time_zone = NEW_YORK
        cast.sven.save(update_fields=["time_zone"])
        make_past(cast, 40)
        return cast

    return remembered("desk with a past", make)


@pytest.fixture
def levels(cast: Cast) -> Cast:
    """The cast, with service levels round the clock."""
    remembered("levels", make_levels)
    return cast


@pytest.fixture
def sven(desk: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The service-level manager's browser."""
    return signed_in(desk.sven)
