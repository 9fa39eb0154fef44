"""Setting up calendars: versions with names and holidays, shared holiday sets, teams' calendars, business days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from itsm.accounts.models import AdminEvent, User
from itsm.tickets.actors import SYSTEM
from itsm.tickets.errors import Invalid, Refused
from slas.actions import (
    Extras,
    GoalSpec,
    Rules,
    refresh_holiday_sets,
    remove_holiday_set,
    save_calendar,
    save_holiday_set,
    save_policy,
    set_team_calendar,
)
from slas.actions.calendars import by_hand
from slas.actions.holidays import YEARS_AHEAD, new_holiday_set
from slas.calendars import CalendarSpec
from slas.models import BusinessCalendar, CalendarVersion, HolidaySet, ServiceLevelPolicy, TeamCalendar
from tests.cast import Cast, as_

NINE_TO_FIVE = CalendarSpec("Europe/Berlin", (((540, 1020),),) * 5 + ((), ()))
PARTY = date(2026, 6, 5)


def version(calendar: BusinessCalendar) -> CalendarVersion:
    found = BusinessCalendar.objects.get(pk=calendar.pk).current
    assert found is not None
    return found


@pytest.fixture
def bavaria(cast: Cast) -> HolidaySet:
    return save_holiday_set("Bavaria", country="DE", region="BY", actor=as_(cast.sven))


def test_a_calendar_copies_its_holidays_and_keeps_them_apart_from_what_was_typed(
    cast: Cast, bavaria: HolidaySet
) -> None:
    typed = CalendarSpec("Europe/Berlin", NINE_TO_FIVE.weekly, frozenset({PARTY}))
    extras = Extras({PARTY: "Summer party", date(2030, 1, 1): "no such date in it"}, (bavaria,))
    made = version(save_calendar("Munich", typed, actor=as_(cast.sven), extras=extras))
    assert {"2026-06-05", "2026-12-25", "2026-01-06"} <= set(made.spec["closed_dates"])
    assert made.names == {"2026-06-05": "Summer party"}
    assert made.holidays["2026-01-06"] == "Epiphany"
    assert (made.name_of(PARTY), made.name_of(date(2026, 12, 25))) == ("Summer party", "Christmas Day")
    assert made.name_of(date(2026, 6, 8)) == ""
    assert made.sources == ["Bavaria"]
    assert by_hand(made).closed_dates == {PARTY}
    assert not made.hours.is_open(datetime(2026, 12, 25, 11, tzinfo=UTC))


def test_the_same_content_makes_no_version_and_an_edit_of_hours_keeps_the_holidays(
    cast: Cast, bavaria: HolidaySet
) -> None:
    sven = as_(cast.sven)
    calendar = save_calendar("Munich", NINE_TO_FIVE, actor=sven, extras=Extras({}, (bavaria,)))
    save_calendar("Munich", NINE_TO_FIVE, actor=sven, extras=Extras({}, (bavaria,)))
    save_calendar("Munich", NINE_TO_FIVE, actor=sven)
    assert calendar.versions.count() == 1
    longer = CalendarSpec("Europe/Berlin", (((540, 1080),),) * 5 + ((), ()))
    save_calendar("Munich", longer, actor=sven)
    assert version(calendar).number == 2
    assert "2026-12-25" in version(calendar).spec["closed_dates"]
    save_calendar("Munich", longer, actor=sven, extras=Extras())
    assert version(calendar).spec["closed_dates"] == []
    assert version(calendar).number == 3


def test_an_edited_holiday_set_makes_a_version_only_where_days_differ(cast: Cast, bavaria: HolidaySet) -> None:
    sven = as_(cast.sven)
    with_it = save_calendar("With", NINE_TO_FIVE, actor=sven, extras=Extras({}, (bavaria,)))
    without = save_calendar("Without", NINE_TO_FIVE, actor=sven)
    more = {date(2026, 12, 31): "Company holiday"}
    save_holiday_set("Bavaria", country="DE", region="BY", actor=sven, added=more, removed=[date(2026, 1, 6)])
    assert (version(with_it).number, version(without).number) == (2, 1)
    assert version(with_it).name_of(date(2026, 12, 31)) == "Company holiday"
    assert "2026-01-06" not in version(with_it).spec["closed_dates"]
    save_holiday_set("Bavaria", country="DE", region="BY", actor=sven, added=more, removed=[date(2026, 1, 6)])
    assert version(with_it).number == 2


def test_a_top_up_that_brings_nothing_writes_nothing(cast: Cast, bavaria: HolidaySet) -> None:
    calendar = save_calendar("With", NINE_TO_FIVE, actor=as_(cast.sven), extras=Extras({}, (bavaria,)))
    events = AdminEvent.objects.count()
    before = HolidaySet.objects.values().get()
    assert refresh_holiday_sets() == []
    assert HolidaySet.objects.values().get() == before
    assert (version(calendar).number, AdminEvent.objects.count()) == (1, events)


def test_years_ahead_are_topped_up_and_calendars_follow(cast: Cast, bavaria: HolidaySet) -> None:
    calendar = save_calendar("With", NINE_TO_FIVE, actor=as_(cast.sven), extras=Extras({}, (bavaria,)))
    last = bavaria.last_year
    # As if the set had been made two years ago.
    bavaria.last_year = last - 2
    bavaria.days = {day: name for day, name in bavaria.days.items() if int(day[:4]) <= last - 2}
    bavaria.save()
    assert refresh_holiday_sets() == ["Bavaria"]
    bavaria.refresh_from_db()
    assert bavaria.last_year == last
    assert f"{last}-12-25" in bavaria.days
    # The calendar had copied those days before, so it says what it said.
    assert version(calendar).number == 1
    assert refresh_holiday_sets() == []


def test_new_names_of_the_same_days_are_no_reason_for_a_version_in_a_top_up(cast: Cast, bavaria: HolidaySet) -> None:
    calendar = save_calendar("With", NINE_TO_FIVE, actor=as_(cast.sven), extras=Extras({}, (bavaria,)))
    bavaria.days |= {"2026-12-25": "Yule"}
    bavaria.save()
    assert refresh_holiday_sets() == ["Bavaria"]
    assert version(calendar).number == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"country": "DE", "region": "ZZ"}, "region"),
        ({"country": "DE", "added": {date(1950, 1, 1): "Early"}}, "added"),
        ({"country": "DE", "added": {date(2026, 1, 2): ""}}, "added"),
        ({"country": "DE", "added": {date(2026, 1, 2): "x" * 201}}, "added"),
        ({"country": "DE", "removed": [date(2020, 1, 1 + n % 28).replace(year=2000 + n) for n in range(201)]}, "added"),
        ({"country": "DE", "name": " "}, "name"),
    ],
)
def test_a_holiday_set_that_does_not_fit_is_refused(cast: Cast, values: dict[str, Any], field: str) -> None:
    given = {"name": "New", **values}
    with pytest.raises(Invalid) as refused:
        save_holiday_set(given.pop("name"), actor=as_(cast.sven), **given)
    assert list(refused.value.fields) == [field]
    assert not HolidaySet.objects.exists()


def test_a_set_in_use_is_not_removed_and_only_managers_may_set_up(cast: Cast, bavaria: HolidaySet) -> None:
    sven = as_(cast.sven)
    save_calendar("With", NINE_TO_FIVE, actor=sven, extras=Extras({}, (bavaria,)))
    with pytest.raises(Invalid, match="With"):
        remove_holiday_set(bavaria, actor=sven)
    save_calendar("With", NINE_TO_FIVE, actor=sven, extras=Extras())
    for person in (cast.anna, cast.lena, cast.olaf, cast.rita):
        for deed in (
            lambda by: save_holiday_set("Bavaria", country="DE", actor=by),
            lambda by: remove_holiday_set(bavaria, actor=by),
            lambda by: set_team_calendar(cast.network, None, actor=by),
        ):
            with pytest.raises(Refused):
                deed(as_(person))
    remove_holiday_set(bavaria, actor=sven)
    remove_holiday_set(bavaria, actor=sven)
    assert not HolidaySet.objects.exists()


def test_a_set_made_on_the_way_is_stored_with_the_calendar(cast: Cast) -> None:
    fresh = new_holiday_set("GB", "SCT")
    assert (fresh.name, fresh.last_year - fresh.first_year) == ("United Kingdom (SCT)", YEARS_AHEAD)
    calendar = save_calendar("Edinburgh", NINE_TO_FIVE, actor=as_(cast.sven), extras=Extras({}, (fresh,)))
    assert [one.name for one in calendar.holiday_sets.all()] == ["United Kingdom (SCT)"]
    assert "2026-11-30" in version(calendar).spec["closed_dates"]
    assert fresh.pk is None


@pytest.mark.parametrize(
    ("weekly", "minutes"),
    [
        ((((540, 1020),),) * 5 + ((), ()), 480),
        ((((480, 720), (780, 1020)),) * 4 + (((480, 840),), (), ()), 480),
        ((((1320, 360),),) * 7, 480),
        ((((0, 1440),),) * 7, 1440),
        ((((540, 1020),), ((540, 1080),), (), (), (), (), ()), 540),
        (((),) * 7, 1440),
    ],
)
def test_the_usual_length_of_a_business_day(weekly: Any, minutes: int) -> None:
    assert CalendarSpec("UTC", weekly, allow_never=True).usual_day_minutes == minutes


def test_targets_in_business_days_follow_the_length_of_a_day(cast: Cast) -> None:
    sven = as_(cast.sven)
    calendar = save_calendar("Desk", NINE_TO_FIVE, actor=sven)
    goals = [
        GoalSpec(0, calendar, target_unit="business_days", target_count=3),
        GoalSpec(0, calendar, target_unit="close_of_day", target_count=0),
        GoalSpec(0, calendar, target_unit="close_of_day", target_count=2),
        GoalSpec(3600, calendar),
    ]
    policy = save_policy("Days", metric="resolution", goals=goals, actor=sven)

    def lengths() -> list[float]:
        return [goal.target_s / 3600 for goal in policy.goals.order_by("order")]

    assert lengths() == [24, 8, 16, 1]
    save_calendar("Desk", NINE_TO_FIVE, actor=sven, extras=Extras(day_minutes=450))
    assert version(calendar).day_minutes == 450
    assert lengths() == [22.5, 7.5, 15, 1]
    for wrong in (0, -1, 1441):
        with pytest.raises(Invalid) as refused:
            save_calendar("Desk", NINE_TO_FIVE, actor=sven, extras=Extras(day_minutes=wrong))
        assert list(refused.value.fields) == ["day_minutes"]


def test_a_policy_stores_all_its_rules_and_the_log_says_what_changed(cast: Cast) -> None:
    sven = as_(cast.sven)
    calendar = save_calendar("Desk", NINE_TO_FIVE, actor=sven)
    urgent = {"field": "priority", "op": "eq", "value": 1}
    rules = Rules(
        stop_condition=urgent,
        cancel_condition={"field": "priority", "op": "eq", "value": 5},
        start_from="opened",
        on_retarget="restart",
        on_reopen="new_cycle",
        late_steps="all",
    )
    goal = GoalSpec(0, calendar, urgent, None, "close_of_day", 1, use_team_calendar=True, zone_from="location")
    save_policy("All", metric="team_stay", kind="ola", goals=[goal], rules=rules, actor=sven)
    stored = ServiceLevelPolicy.objects.get(name="All")
    assert (stored.stop_condition, stored.reset_condition) == (urgent, None)
    assert (stored.start_from, stored.on_retarget) == ("opened", "restart")
    assert (stored.on_reopen, stored.late_steps) == ("new_cycle", "all")
    one = stored.goals.get()
    assert (one.target_unit, one.target_count, one.use_team_calendar) == ("close_of_day", 1, True)
    assert one.zone_from == "location"
    save_policy("All", metric="team_stay", kind="ola", goals=[goal], actor=sven)
    change = AdminEvent.objects.order_by("-pk")[0]
    assert set(change.changes) == {
        "stop_condition",
        "cancel_condition",
        "start_from",
        "on_retarget",
        "on_reopen",
        "late_steps",
    }
    assert change.changes["on_reopen"] == ["new_cycle", "resume"]


@pytest.mark.parametrize(
    ("rules", "goal", "field"),
    [
        ({"start_from": "birth"}, {}, "start_from"),
        ({"on_retarget": "x"}, {}, "on_retarget"),
        ({"on_reopen": "x"}, {}, "on_reopen"),
        ({"late_steps": "x"}, {}, "late_steps"),
        ({"stop_condition": {"what": 1}}, {}, "stop_condition"),
        ({"stop_condition": {}}, {}, "stop_condition"),
        ({"reset_condition": {"field": "assignee", "op": "eq", "value": "me"}}, {}, "reset_condition"),
        ({"cancel_condition": {"field": "shoe size", "op": "eq", "value": 1}}, {}, "cancel_condition"),
        ({}, {"target_unit": "weeks"}, "goal 1"),
        ({}, {"zone_from": "moon"}, "goal 1"),
        ({}, {"target_unit": "business_days"}, "goal 1"),
        ({}, {"target_unit": "business_days", "target_count": 0}, "goal 1"),
        ({}, {"target_unit": "business_days", "target_count": True}, "goal 1"),
        ({}, {"target_unit": "business_days", "target_count": 2501}, "goal 1"),
        ({}, {"target_unit": "close_of_day", "target_count": -1}, "goal 1"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_at_its_field(
    cast: Cast, rules: dict[str, Any], goal: dict[str, Any], field: str
) -> None:
    calendar = save_calendar("Desk", NINE_TO_FIVE, actor=SYSTEM)
    with pytest.raises(Invalid) as refused:
        save_policy(
            "New", metric="response", goals=[GoalSpec(60, calendar, **goal)], rules=Rules(**rules), actor=as_(cast.sven)
        )
    assert list(refused.value.fields) == [field]
    assert not ServiceLevelPolicy.objects.filter(name="New").exists()


def test_a_team_has_a_calendar_of_its_own_until_it_has_none(cast: Cast) -> None:
    sven: User = cast.sven
    desk = save_calendar("Desk", NINE_TO_FIVE, actor=as_(sven))
    set_team_calendar(cast.network, desk, actor=as_(sven))
    set_team_calendar(cast.network, desk, actor=as_(sven))
    assert TeamCalendar.objects.get().calendar == desk
    set_team_calendar(cast.network, None, actor=as_(sven))
    assert not TeamCalendar.objects.exists()
    changes = AdminEvent.objects.filter(model="accounts.team").order_by("pk").values_list("changes", flat=True)
    assert list(changes) == [{"business_calendar": [None, "Desk"]}, {"business_calendar": ["Desk", None]}]
    never = save_calendar("Never", CalendarSpec("UTC", ((),) * 7, allow_never=True), actor=as_(sven))
    with pytest.raises(Invalid):
        set_team_calendar(cast.network, never, actor=as_(sven))
