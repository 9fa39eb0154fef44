"""The pages of calendars, their year, holiday sets; of policies with all their rules; of teams' and places' clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from itsm.accounts.models import Location, User
from slas.actions import Extras, GoalSpec, save_calendar, save_holiday_set, save_policy
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.models import BusinessCalendar, HolidaySet, ServiceLevelPolicy, TeamCalendar
from tests.cast import Cast, as_
from workspace.administration.hours import Unreadable
from workspace.administration.targets import due_of, read_target, say_target, write_target
from workspace.administration.versions import differences
from workspace.administration.years import Day, year_of

SignIn = Callable[[User], Client]
BASE = "/desk/settings/"
OFFICE = CalendarSpec("Europe/London", (((540, 720), (780, 1020)),) * 5 + ((), ()))
TODAY = date(2026, 11, 26)


@pytest.fixture
def sven(cast: Cast, signed_in: SignIn) -> Client:
    return signed_in(cast.sven)


def special(spec: CalendarSpec, year: int, names: dict[date, str] | None = None) -> dict[str, Day]:
    found = year_of(spec, year, lambda day: (names or {}).get(day, ""), TODAY)
    return {day.day.isoformat(): day for day in found.special}


def test_a_year_says_what_is_special_about_its_days() -> None:
    spec = CalendarSpec(
        OFFICE.time_zone,
        OFFICE.weekly,
        frozenset({date(2026, 12, 25), date(2026, 12, 26)}),
        {date(2026, 12, 24): ((540, 720),), date(2026, 12, 27): ((600, 660),)},
    )
    names = {date(2026, 12, 25): "Christmas Day", date(2026, 12, 26): "Boxing Day"}
    found = special(spec, 2026, names)
    assert {day: one.text for day, one in found.items()} == {
        "2026-03-29": "closed; clocks go forward by 1h, from 01:00 to 02:00",
        "2026-10-25": "closed; clocks go back by 1h, from 02:00 to 01:00",
        "2026-12-24": "open 09:00-12:00, 3h; usually 09:00-12:00, 13:00-17:00",
        "2026-12-25": "Christmas Day; closed; usually 09:00-12:00, 13:00-17:00",
        "2026-12-26": "Boxing Day; closed",
        "2026-12-27": "open 10:00-11:00, 1h; usually closed",
    }
    assert [one.mark for one in found.values()] == ["forward", "back", "other", "closed", "closed", "other"]


def test_a_year_is_as_long_as_the_measure_says() -> None:
    spec = CalendarSpec("America/New_York", (((1320, 360),),) * 7)
    year = year_of(spec, 2026, lambda day: "", TODAY)
    hours = compile_calendar(spec)
    begin, end = datetime(2026, 1, 1, 5, tzinfo=UTC), datetime(2027, 1, 1, 5, tzinfo=UTC)
    assert sum(day.seconds for month in year.months for week in month.weeks for day in week if day) * 10**6 == (
        hours.open_us(begin, end)
    )
    assert len([day for month in year.months for week in month.weeks for day in week if day]) == 365
    assert [day.is_today for month in year.months for week in month.weeks for day in week if day].count(True) == 1


@pytest.mark.parametrize(
    ("zone", "year", "day", "seconds", "text"),
    [
        ("Pacific/Apia", 2011, "2011-12-30", 0, "this date does not exist here"),
        ("America/Sao_Paulo", 2017, "2017-10-15", 23, "clocks go forward by 1h, from 00:00 to 01:00"),
        ("America/Sao_Paulo", 2017, "2017-02-18", 25, "clocks go back by 1h, from 00:00 to 23:00"),
        ("Australia/Lord_Howe", 2026, "2026-10-04", 23.5, "clocks go forward by 30m, from 02:00 to 02:30"),
        ("Africa/Casablanca", 2026, "2026-02-15", 25, "clocks go back by 1h, from 03:00 to 02:00"),
        ("America/St_Johns", 2009, "2009-11-01", 25, "clocks go back by 1h, from 00:01 to 23:01"),
    ],
)
def test_odd_clock_changes_stand_on_the_day_that_they_change(
    zone: str, year: int, day: str, seconds: float, text: str
) -> None:
    one = special(CalendarSpec.always(zone), year)[day]
    assert one.seconds == seconds * 3600
    assert text in one.text


@pytest.mark.parametrize("spec", [CalendarSpec.always(), CalendarSpec("UTC", ((),) * 7, allow_never=True)])
@pytest.mark.parametrize("year", [1971, 2000, 2118])
def test_years_at_the_edges_and_plain_calendars(spec: CalendarSpec, year: int) -> None:
    found = year_of(spec, year, lambda day: "", TODAY)
    assert found.special == []
    assert (found.before is None, found.after is None) == (year == 1971, year == 2118)


def calendar(**more: Any) -> dict[str, Any]:
    return {"name": "Berlin", "time_zone": "Europe/Berlin", "day_0": "9-12, 13:00-17:00", "dates": "", **more}


def test_buttons_that_are_not_save_store_nothing(sven: Client) -> None:
    for button in ("preview", "try", "year"):
        page = sven.post(f"{BASE}calendars/new/", calendar(**{button: "2027"}, country="DE", region="be"))
        assert page.status_code == 200
        assert len(page.context["sentences"]) == 3
        texts = [day.text for day in page.context["year"].special]
        # A Monday; the calendar opens on Mondays only.
        assert any("Easter Monday" in text and "closed" in text for text in texts)
    assert page.context["year"].year == 2027
    assert not BusinessCalendar.objects.filter(name="Berlin").exists()
    assert not HolidaySet.objects.exists()


def test_a_country_chosen_in_the_editor_becomes_a_shared_set(sven: Client) -> None:
    assert sven.post(f"{BASE}calendars/new/", calendar(country="DE", region="be")).status_code == 302
    made = BusinessCalendar.objects.get(name="Berlin")
    assert [one.name for one in made.holiday_sets.all()] == ["Germany (BE)"]
    values = calendar(name="Two", country="DE", region="BE")
    assert sven.post(f"{BASE}calendars/new/", values).status_code == 302
    assert HolidaySet.objects.get().calendars.count() == 2
    page = sven.get(f"{BASE}calendars/{made.public_id}/")
    assert page.context["form"]["holiday_sets"].value() == [HolidaySet.objects.get().public_id]
    assert page.context["form"]["dates"].value() == ""
    assert "Germany (BE)" in page.content.decode()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"region": "BY"}, "country"),
        ({"country": "DE", "region": "ZZ"}, "region"),
        ({"day_length": "2d"}, "day_length"),
        ({"day_length": "25h"}, "day_length"),
        ({"day_length": "30s"}, "day_length"),
        ({"holiday_sets": ["none"]}, "holiday_sets"),
    ],
)
def test_what_cannot_be_read_stands_at_its_field(sven: Client, values: dict[str, Any], field: str) -> None:
    page = sven.post(f"{BASE}calendars/new/", calendar(**values))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


@pytest.mark.parametrize(
    ("start", "target", "said"),
    [
        ("2026-11-27T16:00", "8h", "8h from Friday 27 Nov, 16:00: due on Monday 30 Nov, 16:00 (Europe/London)."),
        ("2026-11-27T16:00", "2 business days", "due on Tuesday 1 Dec, 16:00"),
        ("2026-11-27T16:00", "end of the next business day", "due on Monday 30 Nov, 17:00"),
        ("2026-11-28 10:00", "end of the business day", "due on Monday 30 Nov, 17:00"),
        # Summer time begins in the night: an hour is missing, not of the open hours.
        ("2026-03-27T16:30", "1h", "due on Monday 30 Mar, 09:30"),
    ],
)
def test_anybody_can_try_a_start_and_a_target(sven: Client, start: str, target: str, said: str) -> None:
    values = {f"day_{day}": "09:00-17:00" for day in range(5)}
    sent = {"name": "X", "time_zone": "Europe/London", **values, "try": "1", "try_from": start, "try_for": target}
    page = sven.post(f"{BASE}calendars/new/", sent)
    assert page.status_code == 200
    assert said in page.context["tried"]
    assert said in page.content.decode()


@pytest.mark.parametrize(
    ("start", "target", "field"),
    [("", "4h", "try_from"), ("soon", "4h", "try_from"), ("0001-01-01T00:00", "4h", "try_from"),
     ("2026-11-27T16:00", "", "try_for"), ("2026-11-27T16:00", "2d", "try_for")],
)  # fmt: skip
def test_a_trial_that_cannot_be_read_says_so(sven: Client, start: str, target: str, field: str) -> None:
    page = sven.post(f"{BASE}calendars/new/", calendar(**{"try": "1", "try_from": start, "try_for": target}))
    assert page.context["form"].errors[field]
    assert page.context["tried"] == ""


ICS = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
DTSTART;VALUE=DATE:20200501
RRULE:FREQ=YEARLY
SUMMARY:Spring day
END:VEVENT
END:VCALENDAR
"""


def test_a_file_becomes_lines_and_what_was_typed_stays(sven: Client) -> None:
    year = datetime.now(UTC).year
    sent = calendar(dates=f"{year}-05-01 09:00-10:00\n2026-01-05 # Mine", file=SimpleUploadedFile("x.ics", ICS))
    page = sven.post(f"{BASE}calendars/new/", {**sent, "import": "1"})
    assert page.status_code == 200
    lines = page.context["form"]["dates"].value().splitlines()
    assert f"{year}-05-01 09:00-10:00" in lines
    assert f"{year + 1}-05-01 # Spring day" in lines
    assert "2026-01-05 # Mine" in lines
    assert not BusinessCalendar.objects.filter(name="Berlin").exists()
    for file in (SimpleUploadedFile("x.ics", b"\x89PNG"), SimpleUploadedFile("x.ics", b""), ""):
        page = sven.post(f"{BASE}calendars/new/", {**calendar(dates="2026-01-05"), "file": file, "import": "1"})
        assert page.status_code == 422
        assert page.context["form"].errors["file"]
        assert page.context["form"]["dates"].value() == "2026-01-05"


def test_history_says_in_words_what_each_version_changed(cast: Cast, sven: Client) -> None:
    by = as_(cast.sven)
    first = CalendarSpec("Europe/London", OFFICE.weekly, frozenset({date(2026, 12, 25)}))
    made = save_calendar("Desk", first, actor=by)
    weekly = (((480, 1020),), *OFFICE.weekly[1:])
    second = CalendarSpec("Europe/Dublin", weekly, frozenset({date(2026, 6, 1)}), {date(2026, 12, 24): ()})
    extras = Extras({date(2026, 6, 1): "Bank holiday"}, (), 480)
    save_calendar("Desk", second, actor=by, extras=extras)
    save_calendar("Desk", second, actor=by, extras=Extras({date(2026, 6, 1): "June holiday"}, (), 480))
    new, old = made.versions.get(number=2), made.versions.get(number=1)
    assert differences(None, old) == ["The first version."]
    assert differences(old, new) == [
        "Time zone: Europe/Dublin instead of Europe/London.",
        "Monday: 08:00-17:00 instead of 09:00-12:00, 13:00-17:00.",
        "Closed: 1 Jun 2026 (Bank holiday).",
        "No longer closed: 25 Dec 2026.",
        "24 Dec 2026: closed.",
        "A business day is 8h instead of 7h.",
    ]
    page = sven.get(f"{BASE}calendars/{made.public_id}/?year=2026")
    assert [one.number for one, _said in page.context["history"]] == [3, 2, 1]
    assert "Only names of dates changed." in page.content.decode()
    assert "No longer closed: 25 Dec 2026." in page.content.decode()
    for asked in ("1", "9999", "99999", "x", "-5", "²⁰²⁶"):
        assert sven.get(f"{BASE}calendars/{made.public_id}/", {"year": asked}).status_code == 200


def test_saving_without_a_difference_says_so(cast: Cast, sven: Client) -> None:
    assert sven.post(f"{BASE}calendars/new/", calendar()).status_code == 302
    made = BusinessCalendar.objects.get(name="Berlin")
    answer = sven.post(f"{BASE}calendars/{made.public_id}/", calendar(seen="1"), follow=True)
    assert "stays at version 1" in answer.content.decode()
    assert made.versions.count() == 1


def test_holiday_sets_are_made_corrected_and_removed(cast: Cast, sven: Client) -> None:
    url = f"{BASE}calendars/holidays/new/"
    sent = {"name": "Wales", "country": "GB", "region": "wls", "added": "2027-03-01 # St David", "removed": ""}
    answer = sven.post(url, sent)
    assert answer.status_code == 302
    wales = HolidaySet.objects.get()
    assert (wales.region, wales.days["2027-03-01"]) == ("WLS", "St David")
    page = sven.get(answer["Location"])
    seen = page.context["form"]["seen"].value()
    assert sven.post(answer["Location"], {**sent, "removed": "2027-12-27", "seen": seen}).status_code == 302
    assert sven.post(answer["Location"], {**sent, "seen": seen}).status_code == 409
    save_calendar("Cardiff", OFFICE, actor=as_(cast.sven), extras=Extras({}, (wales,)))
    refused = sven.post(answer["Location"], {"remove": "1"}, follow=True)
    assert "Calendars use it: Cardiff" in refused.content.decode()
    save_calendar("Cardiff", OFFICE, actor=as_(cast.sven), extras=Extras())
    assert sven.post(answer["Location"], {"remove": "1"}).status_code == 302
    assert not HolidaySet.objects.exists()
    assert sven.get(f"{BASE}calendars/").status_code == 200


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "bavaria"}, "name"),
        ({"country": ""}, "country"),
        ({"country": "XX"}, "country"),
        ({"region": "NOPE"}, "region"),
        ({"added": "2027-03-01"}, "added"),
        ({"added": "1.3.2027 # x"}, "added"),
        ({"added": "2027-03-01 09:00-10:00 # x"}, "added"),
        ({"removed": "2027-13-01"}, "removed"),
    ],
)
def test_a_bad_holiday_set_is_refused_at_its_field(
    cast: Cast, sven: Client, values: dict[str, str], field: str
) -> None:
    save_holiday_set("Bavaria", country="DE", region="BY", actor=as_(cast.sven))
    page = sven.post(f"{BASE}calendars/holidays/new/", {"name": "New", "country": "DE", "region": "", **values})
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert HolidaySet.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "unit", "seconds", "count"),
    [
        ("4h", "time", 14400, None),
        (" 1H  30m", "time", 5400, None),
        ("3 business days", "business_days", 0, 3),
        ("1 Business Day", "business_days", 0, 1),
        ("5bd", "business_days", 0, 5),
        ("2 working days", "business_days", 0, 2),
        ("end of the business day", "close_of_day", 0, 0),
        ("end of business day", "close_of_day", 0, 0),
        ("End of the next business day", "close_of_day", 0, 1),
        ("close of next day", "close_of_day", 0, 1),
        ("end of the 2nd business day", "close_of_day", 0, 2),
        ("end of the 11th business day after", "close_of_day", 0, 11),
    ],
)
def test_targets_as_people_write_them(text: str, unit: str, seconds: int, count: int | None) -> None:
    found = read_target(text)
    assert (found.unit, found.seconds, found.count) == (unit, seconds, count)
    assert read_target(write_target(unit, seconds, count)) == found
    assert say_target(unit, seconds, count)


@given(st.sampled_from(["business_days", "close_of_day"]), st.integers(1, 2500))
def test_targets_in_days_are_read_back_as_written(unit: str, count: int) -> None:
    found = read_target(write_target(unit, 0, count))
    assert (found.unit, found.count) == (unit, count)


@pytest.mark.parametrize(
    "text",
    ["2d", "2 days", "0 business days", "2501bd", "end of the 9999th business day", "soon", "end of time", "4h x", ""],
)
def test_a_target_that_says_nothing_exact_is_refused(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_target(text)
    assert str(refused.value)


def test_when_a_target_is_due_and_when_never() -> None:
    hours, friday = compile_calendar(OFFICE), datetime(2026, 11, 27, 16, tzinfo=UTC)
    assert due_of(hours, friday, "time", 3600, None) == datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert due_of(hours, friday, "close_of_day", 0, 1) == datetime(2026, 11, 30, 17, tzinfo=UTC)
    never = compile_calendar(CalendarSpec("UTC", ((),) * 7, allow_never=True))
    assert due_of(never, friday, "time", 3600, None) is due_of(never, friday, "close_of_day", 0, 1) is None


def policy(goals: list[dict[str, str]], **more: str) -> dict[str, str]:
    always = BusinessCalendar.objects.get(name="24×7").public_id
    values = {"name": "Gold", "metric": "update", "kind": "ola", "condition": "", "pause": "on_hold", "order": "5"}
    values |= {"is_active": "on", "form-TOTAL_FORMS": str(len(goals)), "form-INITIAL_FORMS": "0"}
    for at, goal in enumerate(goals):
        row = {"calendar": always, **goal}
        values |= {f"form-{at}-{name}": value for name, value in row.items()}
    return values | more


def test_all_rules_of_a_policy_are_set_in_the_browser(cast: Cast, sven: Client) -> None:
    rules = {
        "start_from": "opened",
        "on_retarget": "retroactive",
        "on_reopen": "new_cycle",
        "late_steps": "none",
        "stop_condition": "priority:5",
        "cancel_condition": "service:vpn",
        "reset_condition": "priority:1",
    }
    goals = [
        {"condition": "priority:1", "target": "end of the next business day", "zone_from": "requester"},
        {"target": "3 business days", "use_team_calendar": "on"},
    ]
    sent = policy(goals, **rules)
    preview = sven.post(f"{BASE}policies/new/", {**sent, "preview": "1"})
    assert preview.status_code == 200
    assert [line["target"] for line in preview.context["lines"]] == ["end of the next business day", "3 business days"]
    assert all(line["due"] and line["zone"] == "UTC" for line in preview.context["lines"])
    assert sven.post(f"{BASE}policies/new/", sent).status_code == 302
    gold = ServiceLevelPolicy.objects.get(name="Gold")
    for name in ("start_from", "on_retarget", "on_reopen", "late_steps"):
        assert getattr(gold, name) == rules[name]
    assert gold.stop_condition == {"field": "priority", "op": "eq", "value": 5}
    assert gold.reset_condition["value"] == 1
    assert gold.cancel_condition["field"] == "service"
    stored = list(
        gold.goals.order_by("order").values_list("target_unit", "target_count", "use_team_calendar", "zone_from")
    )
    assert stored == [("close_of_day", 1, False, "requester"), ("business_days", 3, True, "calendar")]
    page = sven.get(f"{BASE}policies/{gold.public_id}/")
    form = page.context["form"]
    assert {name: form[name].value() for name in rules} == rules
    assert [row["target"].value() for row in page.context["goals"].forms[:2]] == [goal["target"] for goal in goals]
    assert form.has_rules
    # What the page shows, sent again, changes nothing.
    again = {**sent, "seen": form["seen"].value()}
    assert sven.post(f"{BASE}policies/{gold.public_id}/", again).status_code == 302
    assert sven.get(f"{BASE}policies/{gold.public_id}/").context["form"]["seen"].value() == form["seen"].value()


def test_a_simple_policy_stays_simple(cast: Cast, sven: Client) -> None:
    desk = save_calendar("Desk", OFFICE, actor=as_(cast.sven))
    save_policy("Plain", metric="response", goals=[GoalSpec(3600, desk)], actor=as_(cast.sven))
    plain = ServiceLevelPolicy.objects.get(name="Plain")
    page = sven.get(f"{BASE}policies/{plain.public_id}/")
    assert not page.context["form"].has_rules
    assert not page.context["goals"].forms[0].has_more
    assert not sven.get(f"{BASE}policies/new/").context["form"].has_rules


@pytest.mark.parametrize(
    ("goal", "more", "field"),
    [
        ({"target": "4h"}, {"stop_condition": "colour:red"}, "stop_condition"),
        ({"target": "4h"}, {"reset_condition": "assignee:me"}, "reset_condition"),
        ({"target": "4h"}, {"cancel_condition": "("}, "cancel_condition"),
        ({"target": "4h"}, {"start_from": "birth"}, "start_from"),
        ({"target": "4h"}, {"on_reopen": "x"}, "on_reopen"),
        ({"target": "2 days"}, {}, ""),
        ({"target": "4h", "zone_from": "moon"}, {}, ""),
    ],
)
def test_a_rule_that_cannot_be_read_stands_at_its_field(
    cast: Cast, sven: Client, goal: dict[str, str], more: dict[str, str], field: str
) -> None:
    page = sven.post(f"{BASE}policies/new/", policy([goal], **more))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == ([field] if field else [])
    assert any(page.context["goals"].errors) == (not field)
    assert not ServiceLevelPolicy.objects.filter(name="Gold").exists()


def test_what_the_verb_refuses_of_a_goal_stands_in_its_row(cast: Cast, sven: Client) -> None:
    never = save_calendar("Never", CalendarSpec("UTC", ((),) * 7, allow_never=True), actor=as_(cast.sven))
    goals = [{"target": "4h"}, {"target": "4h", "calendar": never.public_id}]
    page = sven.post(f"{BASE}policies/new/", policy(goals))
    assert page.status_code == 422
    rows = page.context["goals"].forms
    assert (rows[0].errors, list(rows[1].errors)) == ({}, ["target"])
    assert "weekly hours" in page.content.decode()


def test_the_policies_page_shows_all_by_metric_with_their_kind(cast: Cast, sven: Client) -> None:
    desk = save_calendar("Desk", OFFICE, actor=as_(cast.sven))
    for kind, metric in (("ola", "team_stay"), ("uc", "supplier"), ("sla", "response")):
        save_policy(f"P {kind}", metric=metric, kind=kind, goals=[GoalSpec(3600, desk)], actor=as_(cast.sven))
    page = sven.get(f"{BASE}policies/")
    shown = [metric.value for metric, _lines in page.context["metrics"]]
    assert shown == [metric for metric in ("response", "resolution", "team_stay", "supplier") if metric in shown]
    assert {"response", "team_stay", "supplier"} <= set(shown)
    for badge in (">SLA<", ">OLA<", ">UC<"):
        assert badge in page.content.decode()


def test_a_team_gets_its_calendar_from_whoever_may_set_both(cast: Cast, signed_in: SignIn) -> None:
    ada = signed_in(cast.ada)
    desk = save_calendar("Desk", OFFICE, actor=as_(cast.sven))
    url = f"{BASE}teams/{cast.network.public_id}/"
    form = ada.get(url).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields} | {"is_active": "on"}
    assert ada.post(url, {**sent, "calendar": desk.public_id}).status_code == 302
    assert TeamCalendar.objects.get(team=cast.network).calendar == desk
    assert ada.get(url).context["form"]["calendar"].value() == desk.public_id
    form = ada.get(url).context["form"]
    sent = {name: form[name].value() or "" for name in form.fields} | {"is_active": "on"}
    assert ada.post(url, {**sent, "calendar": ""}).status_code == 302
    assert not TeamCalendar.objects.exists()


def test_a_location_has_a_zone_or_none(cast: Cast, signed_in: SignIn) -> None:
    ada = signed_in(cast.ada)
    assert ada.post(f"{BASE}places/location/new/", {"name": "Pune"}).status_code == 302
    pune = Location.objects.get(name="Pune")
    url = f"{BASE}places/location/{pune.pk}/"
    for zone, status, stored in (
        ("Asia/Kolkata", 302, "Asia/Kolkata"),
        ("Mars/Olympus", 422, "Asia/Kolkata"),
        ("localtime", 422, "Asia/Kolkata"),
        ("", 302, ""),
    ):
        page = ada.post(url, {"name": "Pune", "time_zone": zone})
        assert page.status_code == status
        pune.refresh_from_db()
        assert pune.time_zone == stored
    ada.post(url, {"name": "Pune", "time_zone": "Asia/Kolkata"})
    ada.post(url, {"name": "Poona"})
    pune.refresh_from_db()
    assert (pune.name, pune.time_zone) == ("Poona", "Asia/Kolkata")
    assert "Asia/Kolkata" in ada.get(f"{BASE}places/").content.decode()
