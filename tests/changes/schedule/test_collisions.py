"""Changes that collide: found with each edit of either, kept in store, blocking or warning as it was said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from changes.actions import edit_change, perform
from changes.actions.lifecycle import approved_locked
from changes.models import Change, ChangeWindow, CollisionKind, Conflict, Weight, WindowKind
from changes.schedule.actions import override_conflicts, save_collision_settings, save_window
from changes.schedule.collisions import collisions
from cmdb.actions import save_service
from cmdb.models import Service
from itsm.accounts.models import User
from itsm.notifications.models import Notice
from itsm.tasking.actions import cancel, open_task, plan_task
from itsm.tickets.actions import assign, lock
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.models import TicketEvent
from tests.cast import Cast, as_
from tests.changes.schedule.conftest import utc

Plan = Callable[..., Change]
Freeze = Callable[..., ChangeWindow]


def standing(change: Change) -> list[tuple[str, str]]:
    """The stored collisions of the change that stand: kind, and what with."""
    rows = Conflict.objects.current().with_words().filter(change=change).order_by("kind", "starts_at")
    return [(row.kind, row.other.number if row.other else str(row.window)) for row in rows]


def settle(mona: User, **more: str) -> None:
    """Say what collisions of two changes do."""
    given = {"same_service": Weight.WARN, "related_service": Weight.WARN, "double_booked": Weight.WARN, **more}
    save_collision_settings(actor=as_(mona), **given)


def test_two_changes_on_one_service_in_the_night_of_the_clock_change(cast: Cast, plan: Plan) -> None:
    """In Berlin 02:30 CEST and 02:30 CET are an hour apart on 31 October 2027: the wall clock says both are at half
    past two, and only the later half hour of the first meets the second."""
    first = plan("2027-10-31T00:15", "2027-10-31T01:00")  # 02:15 CEST to 02:00 CET, as the clocks say it
    second = plan("2027-10-31T00:30", "2027-10-31T01:30")  # 02:30 CEST to 02:30 CET
    third = plan("2027-10-31T01:30", "2027-10-31T02:30")  # 02:30 CET to 03:30 CET
    assert standing(first) == [(CollisionKind.SAME_SERVICE, second.number)]
    assert standing(second) == [(CollisionKind.SAME_SERVICE, first.number)]
    assert standing(third) == []
    row = Conflict.objects.get(change=first)
    assert (row.starts_at, row.ends_at) == (utc("2027-10-31T00:30"), utc("2027-10-31T01:00"))
    assert row.service == cast.vpn


def test_changes_that_only_touch_do_not_collide(plan: Plan) -> None:
    first, second = plan("2027-03-28T00:00", "2027-03-28T01:00"), plan("2027-03-28T01:00", "2027-03-28T02:00")
    assert standing(first) == standing(second) == []


def test_an_edit_of_either_looks_again(cast: Cast, plan: Plan) -> None:
    first, second = plan("2027-05-01T10:00", "2027-05-01T12:00"), plan("2027-05-01T11:00", "2027-05-01T13:00")
    assert standing(first)
    assert standing(second)
    moved = {"planned_start": utc("2027-05-02T11:00"), "planned_end": utc("2027-05-02T13:00")}
    edit_change(second, moved, actor=as_(cast.anna))
    assert standing(first) == standing(second) == []
    assert Conflict.objects.filter(gone_at__isnull=False).count() == 2
    edit_change(first, moved, actor=as_(cast.anna))
    assert standing(first)
    assert standing(second)
    edit_change(first, {"affected": [cast.mail]}, actor=as_(cast.anna))
    assert standing(first), "the service that the change is about stays affected"
    perform(second, "cancel", actor=as_(cast.anna), fields={"reason": "Not needed."})
    assert standing(first) == standing(second) == []


def test_the_scope_decides_not_the_main_service_alone(cast: Cast, plan: Plan) -> None:
    first = plan("2027-05-01T10:00", "2027-05-01T12:00", service=cast.mail, affected=[cast.vpn])
    second = plan("2027-05-01T11:00", "2027-05-01T13:00", affected=[cast.mail])
    row = Conflict.objects.get(change=first)
    assert (row.other_id, row.shared) == (second.pk, 2)


def test_a_service_and_what_it_is_part_of(cast: Cast, mona: User, plan: Plan) -> None:
    intranet = Service.objects.create(name="Intranet", key="intranet")
    wiki = Service.objects.create(name="Wiki", key="wiki", part_of=intranet)
    search = Service.objects.create(name="Search", key="search", part_of=wiki)
    news = Service.objects.create(name="News", key="news", part_of=intranet)
    far = plan("2027-05-01T10:00", "2027-05-01T12:00", service=search)
    top = plan("2027-05-01T11:00", "2027-05-01T13:00", service=intranet)
    assert standing(far) == [(CollisionKind.RELATED_SERVICE, top.number)]
    assert Conflict.objects.get(change=far).service == intranet
    assert Conflict.objects.get(change=top).service == search
    beside = plan("2027-05-01T10:00", "2027-05-01T10:30", service=news)
    assert standing(beside) == [], "two parts of one thing stand beside each other"
    with pytest.raises(Exception, match="part of itself"):
        save_service(intranet, name="Intranet", key="intranet", part_of=search, by=cast.ada)


def test_an_implementer_who_is_booked_twice(cast: Cast, plan: Plan) -> None:
    first = plan("2027-05-01T10:00", "2027-05-01T12:00", assignee=cast.ben)
    second = plan("2027-05-01T11:00", "2027-05-01T13:00", service=cast.mail)
    assert standing(second) == []
    assign(second, actor=as_(cast.anna), team=cast.network, assignee=cast.ben)
    assert standing(first) == [(CollisionKind.DOUBLE_BOOKED, second.number)]
    row = Conflict.objects.get(change=second)
    assert row.person == cast.ben
    assert (row.starts_at, row.ends_at) == (utc("2027-05-01T11:00"), utc("2027-05-01T12:00"))
    notice = Notice.objects.get(user=cast.ben, kind="change.conflict")
    assert first.number in notice.text
    assign(second, actor=as_(cast.anna), team=cast.network, assignee=cast.anna)
    assert standing(first) == standing(second) == []


def test_a_freeze_over_new_year(cast: Cast, plan: Plan, freeze: Freeze) -> None:
    """Declared before and after, hit at either end to the minute, in Berlin's winter time."""
    before = plan("2026-12-31T22:00", "2027-01-01T01:00")
    window = freeze()
    after = plan("2027-01-03T06:59", "2027-01-03T09:00", service=cast.mail)
    free = plan("2027-01-03T07:00", "2027-01-03T09:00", service=None, affected_other=["Badge readers"])
    eve = plan("2026-12-20T16:00", "2026-12-20T17:00", service=None)
    assert standing(before) == standing(after) == [(CollisionKind.FREEZE, "New Year")]
    assert standing(free) == standing(eve) == []
    for change in (before, after):
        with pytest.raises(IllegalMove, match="It is in the freeze “New Year”"):
            perform(change, "request_approval", actor=as_(cast.anna))
    perform(free, "request_approval", actor=as_(cast.anna))
    values = {name: getattr(window, name) for name in ("name", "kind", "rule")}
    save_window(window, **values, weight=Weight.WARN, actor=as_(User.objects.get(email="mona@example.com")))
    assert perform(before, "request_approval", actor=as_(cast.anna)).status == "assess"


def test_a_freeze_concerns_what_it_says(cast: Cast, plan: Plan, freeze: Freeze) -> None:
    freeze(services=[cast.mail], change_types=["normal"])
    assert standing(plan("2026-12-31T22:00", "2027-01-01T01:00")) == []
    assert standing(plan("2026-12-31T22:00", "2027-01-01T01:00", service=cast.mail)) == [("freeze", "New Year")]
    emergency = plan("2026-12-31T22:00", "2027-01-01T01:00", service=cast.mail, change_type="emergency")
    assert [kind for kind, _what in standing(emergency)] == ["same_service"]


def test_a_freeze_that_ends_or_moves_lets_go(cast: Cast, mona: User, plan: Plan, freeze: Freeze) -> None:
    window = freeze(services=[cast.vpn])
    change = plan("2026-12-31T22:00", "2027-01-01T01:00")
    values: dict[str, Any] = {name: getattr(window, name) for name in ("name", "kind", "rule")}
    save_window(window, **values, services=[cast.mail], actor=as_(mona))
    assert standing(change) == []
    save_window(window, **values, services=[], actor=as_(mona))
    assert standing(change)
    save_window(window, **values, services=[], is_active=False, actor=as_(mona))
    assert standing(change) == []


def test_outside_the_maintenance_window_of_a_service(cast: Cast, mona: User, plan: Plan, freeze: Freeze) -> None:
    night = {"time_zone": "Europe/London", "repeat": "weekly", "weekdays": [6], "first": "2027-01-01"}
    freeze(
        name="VPN Sundays",
        kind=WindowKind.MAINTENANCE,
        rule={**night, "start": "01:30", "end": "03:30"},
        services=[cast.vpn],
    )
    # The short night: 01:30 is 02:30 BST, which is 01:30 by UTC, and 03:30 BST is 02:30.
    within = plan("2027-03-28T01:30", "2027-03-28T02:30")
    assert standing(within) == []
    late = plan("2027-03-28T02:00", "2027-03-28T03:00", affected=[cast.mail])
    assert ("outside", "VPN Sundays") in standing(late)
    row = Conflict.objects.get(change=late, kind="outside")
    assert (row.starts_at, row.ends_at, row.service) == (utc("2027-03-28T02:30"), utc("2027-03-28T03:00"), cast.vpn)
    with pytest.raises(IllegalMove, match="outside the maintenance windows"):
        perform(late, "request_approval", actor=as_(cast.anna))
    second = freeze(
        name="VPN later",
        kind=WindowKind.MAINTENANCE,
        rule={**night, "start": "03:30", "end": "05:00"},
        services=[cast.vpn],
    )
    assert ("outside", "VPN Sundays") not in standing(late), "the windows of a service count together"
    assert standing(plan("2027-03-29T10:00", "2027-03-29T11:00", service=cast.mail)) == []
    values: dict[str, Any] = {name: getattr(second, name) for name in ("name", "kind", "rule")}
    save_window(second, **values, services=[cast.vpn], is_active=False, actor=as_(mona))
    assert "outside" in [kind for kind, _what in standing(late)]


def test_only_a_change_that_has_its_slot_blocks_another(cast: Cast, mona: User, plan: Plan) -> None:
    settle(mona, same_service=Weight.BLOCK)
    first, second = plan("2027-05-01T10:00", "2027-05-01T12:00"), plan("2027-05-01T11:00", "2027-05-01T13:00")
    perform(first, "request_approval", actor=as_(cast.anna))
    Change.objects.filter(pk=first.pk).update(status="scheduled")
    with pytest.raises(IllegalMove, match=first.number):
        perform(second, "request_approval", actor=as_(cast.anna))
    settle(mona, same_service=Weight.NOTE)
    assert perform(second, "request_approval", actor=as_(cast.anna)).status == "assess"


def test_a_change_manager_lets_it_go_on_with_a_reason(cast: Cast, mona: User, plan: Plan, freeze: Freeze) -> None:
    freeze()
    change = plan("2026-12-31T22:00", "2027-01-01T01:00", assignee=cast.ben)
    with pytest.raises(Refused):
        override_conflicts(change, reason="I want to.", actor=as_(cast.anna))
    with pytest.raises(Invalid):
        override_conflicts(change, reason="  ", actor=as_(mona))
    override_conflicts(change, reason="The certificate ends at midnight.", actor=as_(mona))
    event = TicketEvent.objects.get(ticket=change, code="change.conflicts_overridden")
    assert event.internal
    assert event.data["reason"] == "The certificate ends at midnight."
    assert event.data["conflicts"][0]["window"] == "New Year"
    with pytest.raises(IllegalMove, match="Nothing blocks"):
        override_conflicts(change, reason="Again.", actor=as_(mona))
    row = Conflict.objects.get(change=change)
    assert (row.overridden_by, row.override_reason) == (mona, "The certificate ends at midnight.")
    change.refresh_from_db()
    edit_change(change, {"planned_end": utc("2027-01-01T00:30")}, actor=as_(cast.anna))
    row.refresh_from_db()
    assert row.overridden_at is not None, "less than was agreed to"
    edit_change(change, {"planned_end": utc("2027-01-01T03:00")}, actor=as_(cast.anna))
    row.refresh_from_db()
    assert row.overridden_at is None, "more than was agreed to"
    with pytest.raises(IllegalMove):
        perform(change, "request_approval", actor=as_(cast.anna))


def test_a_freeze_tells_each_person_once(cast: Cast, plan: Plan, freeze: Freeze) -> None:
    for day in (24, 26, 28):
        plan(f"2026-12-{day}T10:00", f"2026-12-{day}T11:00", assignee=cast.ben)
    plan("2026-12-27T10:00", "2026-12-27T11:00", assignee=cast.anna)
    freeze()
    texts = [notice.text for notice in Notice.objects.filter(kind="change.conflict").order_by("user_id")]
    assert sorted("3 of your" in text for text in texts) == [False, True]


def test_who_may_declare_windows_and_what_is_none(cast: Cast, mona: User, freeze: Freeze) -> None:
    window = freeze()
    values: dict[str, Any] = {"name": "Other", "kind": window.kind, "rule": window.rule}
    for person in (cast.anna, cast.lena, cast.olaf):
        with pytest.raises(Refused):
            save_window(None, actor=as_(person), **values)
    for wrong in (
        {"name": ""},
        {"name": "x" * 201},
        {"name": "a\x00b"},
        {"name": "NEW year"},
        {"kind": "party"},
        {"rule": {}},
        {"rule": {**window.rule, "time_zone": "Mars/Olympus"}},
        {"weight": "heavy"},
        {"risks": [9]},
        {"change_types": ["huge"]},
    ):
        with pytest.raises(Invalid) as refused:
            save_window(None, actor=as_(mona), **{**values, **wrong})
        assert set(refused.value.fields) == set(wrong)
    with pytest.raises(Invalid):
        save_window(window, **{**values, "kind": WindowKind.MAINTENANCE}, actor=as_(mona))


def test_as_many_queries_for_many_as_for_few(cast: Cast, plan: Plan, freeze: Freeze) -> None:
    freeze(
        name="Long ago",
        rule={"time_zone": "UTC", "repeat": "once", "first": "2020-01-01", "start": "01:00", "end": "02:00"},
    )
    change = plan("2027-05-01T10:00", "2027-05-01T12:00", assignee=cast.ben)

    def queries() -> int:
        collisions(change)
        with CaptureQueriesContext(connection) as seen:
            collisions(change)
        return len(seen)

    plan("2027-05-01T11:00", "2027-05-01T13:00")
    few = queries()
    for n in range(5):
        plan("2027-05-01T11:00", "2027-05-01T13:00", assignee=cast.ben if n % 2 else None)
    assert queries() == few <= 8
    assert len(collisions(change)) == 6 + 2
    assert all(one.end - one.start == timedelta(hours=1) for one in collisions(change))


def test_a_task_books_its_owner_for_its_own_time(cast: Cast, plan: Plan) -> None:
    first = plan("2027-05-01T10:00", "2027-05-01T12:00", service=None)
    second = plan("2027-05-01T11:00", "2027-05-01T14:00", service=None, assignee=cast.ben)
    task = open_task(
        first,
        actor=as_(cast.anna),
        title="Swap the disk",
        task_type="implementation",
        team=cast.network,
        assignee=cast.ben,
        planned_start=utc("2027-05-01T10:00"),
        planned_end=utc("2027-05-01T11:00"),
    )
    assert standing(first) == standing(second) == []
    plan_task(task, planned_start=utc("2027-05-01T10:00"), planned_end=utc("2027-05-01T11:30"), actor=as_(cast.anna))
    assert standing(first) == [(CollisionKind.DOUBLE_BOOKED, second.number)]
    assert Conflict.objects.get(change=second).ends_at == utc("2027-05-01T11:30")
    cancel(task, actor=as_(cast.anna), reason="Not needed.")
    assert standing(first) == standing(second) == []


def test_a_freeze_declared_while_it_was_being_approved_stops_the_approval(
    cast: Cast, mona: User, plan: Plan, freeze: Freeze
) -> None:
    change = plan("2026-12-31T22:00", "2027-01-01T01:00")
    locked = perform(change, "request_approval", actor=as_(cast.anna))
    freeze()
    with transaction.atomic(), pytest.raises(IllegalMove, match="New Year"):
        approved_locked(lock(locked), actor=as_(mona))
    override_conflicts(locked, reason="The certificate ends at midnight.", actor=as_(mona))
    with transaction.atomic():
        assert approved_locked(lock(locked), actor=as_(mona)).status == "authorise"
