"""The next free slots: what each of them keeps clear of, and that taking one collides with nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from changes.actions import edit_change
from changes.models import Change, ChangeWindow, WindowKind
from changes.schedule.collisions import collisions
from changes.schedule.occurrences import joined
from changes.schedule.slots import _one_a_day, free_slots
from slas.actions import add_time_off
from tests.cast import Cast, as_
from tests.changes.schedule.conftest import utc

Plan = Callable[..., Change]
Freeze = Callable[..., ChangeWindow]
HOUR = timedelta(hours=1)
NIGHTS = {"time_zone": "UTC", "repeat": "weekly", "weekdays": [2, 6], "first": "2026-01-01"}


def begins(change: Change, after: str, **more: object) -> list[str]:
    return [f"{one.start:%d %H:%M}" for one in free_slots(change, after=utc(after), **more)]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def in_utc() -> object:
    with timezone.override("UTC"):
        yield


def test_nothing_stands_against_it(plan: Plan) -> None:
    change = plan("2027-05-01T10:00", "2027-05-01T12:00")
    assert begins(change, "2027-05-03T11:07", count=3) == ["03 11:10", "04 10:00", "05 10:00"]


def test_around_other_changes_of_the_service_and_of_the_person(cast: Cast, plan: Plan) -> None:
    change = plan("2027-05-01T10:00", "2027-05-01T12:00", assignee=cast.ben)
    plan("2027-05-03T09:00", "2027-05-03T11:00")
    plan("2027-05-03T11:30", "2027-05-03T20:00", service=cast.mail, assignee=cast.ben)
    plan("2027-05-04T00:00", "2027-05-05T00:00", service=cast.mail)
    assert begins(change, "2027-05-03T00:00", count=2) == ["03 07:00", "04 10:00"]


def test_while_nobody_who_makes_it_is_away(cast: Cast, plan: Plan) -> None:
    change = plan("2027-05-01T10:00", "2027-05-01T12:00", assignee=cast.ben)
    add_time_off(cast.ben, starts_at=utc("2027-05-02T00:00"), ends_at=utc("2027-05-05T08:00"), actor=as_(cast.ben))
    assert begins(change, "2027-05-02T00:00", count=1) == ["05 10:00"]


def test_outside_freezes_and_within_maintenance_windows(cast: Cast, plan: Plan, freeze: Freeze) -> None:
    freeze()
    freeze(
        name="VPN nights",
        kind=WindowKind.MAINTENANCE,
        rule={**NIGHTS, "start": "22:00", "end": "02:00", "end_day": 1},
        services=[cast.vpn],
    )
    change = plan("2026-12-16T23:00", "2026-12-17T01:00")
    # Sunday 20 December is frozen from 17:00 by UTC, until 3 January 07:00.
    assert begins(change, "2026-12-17T08:00", count=2) == ["03 23:00", "06 23:00"]
    assert begins(change, "2026-12-17T08:00", count=2, length=5 * HOUR) == []


def test_taking_a_slot_ends_every_collision(cast: Cast, plan: Plan, freeze: Freeze) -> None:
    freeze()
    change = plan("2026-12-31T22:00", "2027-01-01T01:00", assignee=cast.ben)
    for n in range(5):
        plan(f"2027-01-0{3 + n}T20:00", f"2027-01-0{4 + n}T02:00", assignee=cast.ben if n % 2 else None)
    assert collisions(change)
    for slot in free_slots(change, after=utc("2026-12-29T00:00"), count=8):
        taken = edit_change(change, {"planned_start": slot.start, "planned_end": slot.end}, actor=as_(cast.anna))
        assert collisions(taken) == []


def test_a_change_without_a_window_takes_an_hour(cast: Cast, plan: Plan) -> None:
    change = plan("2027-05-01T10:00", "2027-05-01T12:00")
    edit_change(change, {"planned_start": None, "planned_end": None}, actor=as_(cast.anna))
    change.refresh_from_db()
    assert [one.end - one.start for one in free_slots(change, after=utc("2027-05-03T08:00"), count=1)] == [HOUR]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6000), st.integers(1, 900)), min_size=1, max_size=8),
    st.integers(1, 600),
    st.integers(0, 1439),
    st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]),
)
def test_every_slot_lies_within_a_free_stretch(
    stretches: list[tuple[int, int]], length: int, minute: int, zone: str
) -> None:
    from datetime import time
    from zoneinfo import ZoneInfo

    base = utc("2027-03-26T00:00")
    free = joined((base + timedelta(minutes=a), base + timedelta(minutes=a + n)) for a, n in stretches)
    own = ZoneInfo(zone)
    found = _one_a_day(free, timedelta(minutes=length), time(minute // 60, minute % 60), own, 100)
    days = [one.start.astimezone(own).date() for one in found]
    assert days == sorted(set(days))
    assert all(any(a <= one.start and one.end <= b for a, b in free) for one in found)
    fits = any(b - a >= timedelta(minutes=length + 5) for a, b in free)
    assert bool(found) or not fits
