"""New zone data move due times: running timers follow, and a row says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from incidents.actions import open_incident
from itsm.accounts.models import User
from slas import models
from slas.actions import follow_zone_data, save_calendar
from slas.calendars import CalendarSpec, compiled, tzif, zones
from slas.models import Run, Timer, ZoneRelease
from slas.models import calendars as kept
from tests.cast import Cast, as_
from tests.slas.conftest import clock

DAYTIME = CalendarSpec("Africa/Cairo", (((540, 1020),),) * 7)


@contextmanager
def as_if_cairo_were(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process with other zone data: nothing that was computed by the former is kept."""
    real = tzif.zone_bytes

    def forget() -> None:
        zones.zone_table.cache_clear()
        compiled._cache.clear()
        kept._compiled.clear()

    with monkeypatch.context() as patched:
        patched.setattr(tzif, "zone_bytes", lambda asked: real(name if asked == "Africa/Cairo" else asked))
        forget()
        yield
    forget()


def opened(cast: Cast) -> Any:
    return open_incident(actor=as_(cast.anna), title="Broken", requester=cast.rita)


def due_times() -> dict[int, Any]:
    return dict(Timer.objects.values_list("pk", "due_at"))


def test_nothing_moves_while_the_data_stay(levels: Cast) -> None:
    incident = opened(levels)
    first = follow_zone_data()
    assert first is not None
    assert (first.moved_zones, first.timers_moved, first.release) == ([], 0, tzif.tz_data_version())
    before = due_times()
    assert follow_zone_data() is None
    assert due_times() == before
    assert ZoneRelease.objects.count() == 1
    assert not Run.objects.filter(timer__ticket_id=incident.pk).exists()


def test_a_zone_that_comes_into_use_is_noted_and_moves_nothing(levels: Cast) -> None:
    follow_zone_data()
    save_calendar("Cairo", DAYTIME, actor=as_(levels.sven))
    noted = follow_zone_data()
    assert noted is not None
    assert noted.moved_zones == []
    assert "Africa/Cairo" in noted.fingerprints
    assert follow_zone_data() is None


def test_timers_whose_due_time_moves_follow_and_others_stay(
    levels: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Due in some days by Cairo's hours; Johannesburg's clocks never change, Tokyo's are seven hours ahead.
    save_calendar("Hours", DAYTIME, actor=as_(levels.sven))
    follow_zone_data()
    moved = opened(levels)
    before = clock(moved)
    with as_if_cairo_were("Asia/Tokyo", monkeypatch):
        row = follow_zone_data()
        assert row is not None
        assert row.moved_zones == ["Africa/Cairo"]
        assert row.timers_checked == row.timers_moved == 2
        after = clock(moved)
        assert after.due_at != before.due_at
        assert after.due_at is not None
        assert before.due_at is not None
        assert row.largest_s >= abs(after.due_at - before.due_at) // timedelta(seconds=1)
        assert after.due_at == after.hours.due(after.run_started_at, after.target_us - after.elapsed_closed_us)
        assert "New zone data" in caplog.text
        # The second look finds nothing to do.
        assert follow_zone_data() is None
    assert models.ZoneRelease.objects.first() == row


def test_timers_of_other_zones_and_those_that_are_due_the_same_are_left_alone(
    levels: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = opened(levels)
    save_calendar("Cairo", DAYTIME, actor=as_(levels.sven))
    follow_zone_data()
    before = clock(incident)
    with as_if_cairo_were("Asia/Tokyo", monkeypatch):
        row = follow_zone_data()
    assert row is not None
    assert (row.moved_zones, row.timers_checked, row.timers_moved) == (["Africa/Cairo"], 0, 0)
    after = clock(incident)
    assert (after.due_at, after.version) == (before.due_at, before.version)


def test_administrators_are_shown_it(levels: Cast, signed_in: Callable[[User], Client]) -> None:
    page = "/desk/settings/clocks/"
    ada = signed_in(levels.ada)
    follow_zone_data()
    assert "New time-zone data" not in ada.get(page).content.decode()
    ZoneRelease.objects.create(
        release="2027c (system)", moved_zones=["Africa/Cairo"], timers_checked=7, timers_moved=3, largest_s=3600
    )
    shown = ada.get(page).content.decode()
    assert "2027c (system)" in shown
    assert "Africa/Cairo" in shown
    assert "3 of 7" in shown
