"""People who plan at one moment: neither misses the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from changes.actions import edit_change
from changes.models import Change, Conflict
from tests.cast import Cast, as_
from tests.changes.schedule.conftest import utc

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 6


def test_changes_that_are_planned_at_one_moment_all_see_each_other(cast: Cast, plan: Callable[..., Change]) -> None:
    changes = [plan(f"2027-05-{day + 1:02}T10:00", f"2027-05-{day + 1:02}T12:00") for day in range(TOGETHER)]
    assert not Conflict.objects.exists()
    start = Barrier(TOGETHER)
    window = {"planned_start": utc("2027-06-01T10:00"), "planned_end": utc("2027-06-01T12:00")}

    def move(change: Change) -> None:
        try:
            start.wait(20)
            edit_change(change, window, actor=as_(cast.anna))
        finally:
            connection.close()

    with ThreadPoolExecutor(TOGETHER) as pool:
        for done in [pool.submit(move, change) for change in changes]:
            done.result(60)
    pairs = set(Conflict.objects.current().values_list("change", "other"))
    assert pairs == {(one.pk, other.pk) for one in changes for other in changes if one != other}
    assert Conflict.objects.count() == TOGETHER * (TOGETHER - 1)
