"""What an edit would change is what it then does change, and finding out changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from incidents.actions import hold, open_incident
from itsm.accounts.models import AdminEvent
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from slas.actions import GoalSpec, save_calendar, save_policy
from slas.calendars import CalendarSpec
from slas.models import BusinessCalendar, CalendarVersion, Goal, ServiceLevelPolicy, Setup, Timer
from slas.plans import Levels, current_levels
from slas.whatif.drafts import draft_of, levels_of, try_out
from slas.whatif.effects import Effected, effects_on
from slas.whatif.results import counted
from tests.cast import Cast, as_
from tests.slas.conftest import HOUR, clock, move_back

AN_HOUR_A_DAY = CalendarSpec("UTC", (((600, 660),),) * 7)
CRITICAL = {"field": "priority", "op": "eq", "value": 1}


def stored() -> list[Any]:
    """Return all that an edit may write."""
    models = (Timer, Goal.stored, ServiceLevelPolicy, CalendarVersion, BusinessCalendar, Setup, AdminEvent)
    return [sorted(map(repr, getattr(model, "objects", model).values())) for model in models]


def effects(draft: Levels) -> list[Effected]:
    ids = list(Timer.objects.order_by("ticket_id").values_list("ticket_id", flat=True).distinct())
    return effects_on(ids, draft, current_levels(), db_now())


def narrow(actor: Any = SYSTEM) -> Any:
    return save_calendar("Hours", AN_HOUR_A_DAY, actor=actor)


def policy(target_s: int, *, name: str = "Resolution", actor: Any = SYSTEM, **more: Any) -> Any:
    calendar = BusinessCalendar.objects.get(name="Hours")
    goals = [GoalSpec(4 * HOUR, calendar, condition=CRITICAL), GoalSpec(target_s, calendar)]
    return save_policy(name, metric="resolution", goals=goals, actor=actor, **more)


@pytest.fixture
def desk(levels: Cast) -> Cast:
    open_incident(actor=as_(levels.anna), title="Cannot print", requester=levels.rita)
    held = open_incident(actor=as_(levels.anna), title="Cannot scan", requester=levels.rita)
    hold(held, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    return levels


def test_trying_changes_nothing(desk: Cast) -> None:
    before = stored()
    draft = try_out(narrow)
    effects(draft)
    effects(try_out(lambda: policy(HOUR)))
    effects(try_out(lambda: policy(HOUR, is_active=False)))
    assert stored() == before
    assert effects(current_levels()) == []


def test_what_was_said_of_a_calendar_is_what_happens(desk: Cast) -> None:
    said = {one.timer.pk: one.new.due_at for one in effects(try_out(narrow))}
    narrow()
    is_due = dict(Timer.objects.filter(pk__in=said).values_list("pk", "due_at"))
    assert len(said) == 2  # the held ticket's clocks stand still: they have no due time to move
    for pk, due in said.items():
        assert due is not None
        assert abs(is_due[pk] - due) < timedelta(seconds=5)
    assert effects(try_out(narrow)) == []


def test_a_new_target_is_kept_from_running_clocks_and_that_is_said(desk: Cast) -> None:
    found = effects(try_out(lambda: policy(HOUR)))
    assert {(one.effect, one.timer.metric) for one in found} == {("keeps", "resolution")}
    assert {one.new.target_us for one in found} == {HOUR * 1_000_000}
    assert counted(found) == {
        "moves": 0, "ends": 0, "begins": 0, "keeps": 2, "gained": 0, "lost": 0, "tickets": 0,
    }  # fmt: skip


def test_a_policy_before_the_others_takes_clocks_over_and_late_ones_are_counted(desk: Cast) -> None:
    incident = Timer.objects.filter(metric="resolution", state="running").get().ticket
    move_back(incident, timedelta(hours=2))
    draft = try_out(lambda: policy(HOUR, name="Sooner", order=1))
    found = effects(draft)
    assert counted(found) == {
        "moves": 2, "ends": 0, "begins": 0, "keeps": 0, "gained": 1, "lost": 0, "tickets": 2,
    }  # fmt: skip
    [late] = [one for one in found if one.gains_breach]
    assert late.ticket.pk == incident.pk
    assert late.new.breached_at is not None
    assert late.old is not None
    assert late.new.breached_at < late.old.due_at  # type: ignore[operator]
    assert late.new.goal.startswith("Sooner")


def test_a_longer_target_takes_a_breach_back(desk: Cast) -> None:
    incident = Timer.objects.filter(metric="resolution", state="running").get().ticket
    move_back(incident, timedelta(hours=9))
    found = effects(try_out(lambda: policy(20 * HOUR, name="Longer", order=1)))
    assert [one.loses_breach for one in found if one.ticket.pk == incident.pk] == [True]
    assert clock(incident).state == "running"


def test_switching_off_ends_clocks_and_a_new_metric_begins_some(desk: Cast) -> None:
    off = effects(try_out(lambda: policy(HOUR, is_active=False)))
    assert [one.effect for one in off] == ["ends", "ends"]
    ola = effects(try_out(lambda: policy(HOUR, name="Inside", kind="ola")))
    assert [(one.effect, one.old) for one in ola] == [("begins", None), ("begins", None)]


def test_switching_off_ends_clocks_also_where_another_policy_waits(desk: Cast) -> None:
    policy(2 * HOUR, name="Behind", order=500)
    found = effects(try_out(lambda: policy(HOUR, is_active=False)))
    assert [(one.effect, one.new.state) for one in found] == [("ends", "cancelled"), ("ends", "cancelled")]
    policy(HOUR, is_active=False)
    assert set(Timer.objects.filter(metric="resolution").values_list("state", flat=True)) == {"cancelled"}


def test_a_draft_survives_being_stored_and_later_edits(desk: Cast) -> None:
    draft = try_out(lambda: policy(HOUR, name="Sooner", order=1))
    kept = draft_of(draft)
    policy(3 * HOUR, name="Another", order=1)
    again = levels_of(kept)
    assert [plan.policy.name for plan in again.policies] == [plan.policy.name for plan in draft.policies]
    one, two = (effects_on([Timer.objects.all()[0].ticket_id], one, one, db_now()) for one in (draft, again))
    assert one == two == []
    assert again.policies[0].goals[0].calendar_version.hours.is_24x7
    assert draft_of(again) == kept


def test_what_could_not_be_saved_cannot_be_tried(desk: Cast) -> None:
    before = stored()
    with pytest.raises(Invalid):
        try_out(lambda: policy(0))
    with pytest.raises(Refused):
        try_out(lambda: narrow(as_(desk.anna)))
    assert stored() == before
    assert connection.in_atomic_block  # the test's own transaction is unharmed
    assert effects(try_out(narrow)) != []


def test_what_would_come_anyway_is_not_blamed_on_the_edit(desk: Cast) -> None:
    """A policy saved before takes clocks over with their tickets' next change; that is not this edit's doing."""
    policy(2 * HOUR, name="Saved before", order=1)
    planning = {"field": "priority", "op": "eq", "value": 5}
    assert effects(try_out(lambda: policy(HOUR, name="Inside", kind="ola", condition=planning))) == []
