"""Two people at the set-up at once: who saw an older state is refused under the lock; a second click stores nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from itsm.accounts.changelog import ChangedMeanwhile, fingerprint
from itsm.accounts.models import AdminEvent
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from slas.actions import (
    GoalSpec,
    add_override,
    add_time_off,
    remove_override,
    save_calendar,
    save_chain,
    save_holiday_set,
    save_policy,
    save_rota,
)
from slas.actions.policies import policy_state
from slas.calendars import CalendarSpec
from slas.models import ChainVersion, RotaOverride, TimeOff
from tests.cast import Cast, as_, make_cast
from tests.slas.test_tick_races import together

pytestmark = pytest.mark.django_db(transaction=True)

H = timedelta(hours=1)


@pytest.fixture
def desk(transactional_db: None) -> Cast:
    return make_cast()


def _chains() -> tuple[str, Callable[[int, str], Any]]:
    def save(number: int, seen: str) -> Any:
        return save_chain("Chain", [{"percent": number, "actions": []}], actor=SYSTEM, seen=seen)

    save(10, "")
    return "1", save


def _calendars() -> tuple[str, Callable[[int, str], Any]]:
    def save(number: int, seen: str) -> Any:
        return save_calendar("Hours", CalendarSpec("UTC", (((540, 600 + number),),) * 7), actor=SYSTEM, seen=seen)

    save(1, "")
    return "1", save


def _policies() -> tuple[str, Callable[[int, str], Any]]:
    calendar = save_calendar("Hours", CalendarSpec.always(), actor=SYSTEM)

    def save(number: int, seen: str) -> Any:
        return save_policy("Gold", metric="response", goals=[GoalSpec(number * 60, calendar)], actor=SYSTEM, seen=seen)

    return fingerprint(policy_state(save(1, ""))), save


def _holidays() -> tuple[str, Callable[[int, str], Any]]:
    day = db_now().date()

    def save(number: int, seen: str) -> Any:
        added = {day + timedelta(days=number): "Off"}
        return save_holiday_set("Days", country="DE", added=added, actor=SYSTEM, seen=seen)

    first = save(1, "")
    return fingerprint({"added": first.added, "removed": first.removed}), save


@pytest.mark.parametrize("kind", [_chains, _calendars, _policies, _holidays])
def test_of_two_who_saw_the_same_only_one_replaces_it(desk: Cast, kind: Callable[[], Any]) -> None:
    seen, save = kind()
    answers = together(*(lambda number=number: save(number, seen) for number in (20, 30)))
    refused = [answer for answer in answers if isinstance(answer, ChangedMeanwhile)]
    assert [isinstance(answer, Exception) for answer in answers].count(True) == len(refused) == 1
    assert refused[0].now not in ("", seen)
    save(40, refused[0].now)  # who has looked at it replaces it knowingly
    with pytest.raises(ChangedMeanwhile):
        save(50, seen)


def test_a_refused_edit_makes_no_version(desk: Cast) -> None:
    _seen, save = _chains()
    with pytest.raises(ChangedMeanwhile):
        save(20, "7")
    assert ChainVersion.objects.filter(chain__name="Chain").count() == 1


def test_a_second_click_puts_nobody_on_call_twice(desk: Cast) -> None:
    start = (db_now() - timedelta(days=30)).date().isoformat()
    layer = {"unit": "week", "every": 1, "minute": 540, "weekday": 0, "starts": start, "name": "", "level": 1}
    rota = save_rota(
        None, name="Night", team=None, time_zone="UTC", layers=[{**layer, "members": [desk.carl.pk]}],
        actor=as_(desk.sven),
    )  # fmt: skip
    begin = db_now() + H
    before = AdminEvent.objects.count()

    def click() -> RotaOverride:
        return add_override(rota, desk.ben, starts_at=begin, ends_at=begin + H, actor=as_(desk.sven))

    one, two = together(click, click)
    assert one == two
    assert RotaOverride.objects.count() == 1
    assert AdminEvent.objects.count() == before + 1
    remove_override(one, actor=as_(desk.sven))
    assert click() != one  # taken back, it can be given again


def test_a_second_click_notes_no_time_off_twice(desk: Cast) -> None:
    begin = db_now() + H

    def click() -> TimeOff:
        return add_time_off(desk.carl, starts_at=begin, ends_at=begin + H, actor=as_(desk.carl))

    one, two = together(click, click)
    assert one == two
    assert TimeOff.objects.count() == 1
    assert connection.in_atomic_block is False
