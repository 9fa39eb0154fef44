"""Why is this due then: the numbers add up exactly, the page and the API say the same, and only the desk sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incidents.actions import hold, open_incident, reopen, resolve, resume
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.tickets.actions import override_priority
from itsm.tickets.actors import SYSTEM
from slas.actions import Extras, GoalSpec, save_calendar, save_policy
from slas.actions.book import Book
from slas.calendars import CalendarSpec
from slas.calendars import compile as compile_calendar
from slas.explain import Explanation, explain, find_timer
from slas.explain.days import Way, way
from slas.explain.verdicts import verdict
from slas.models import Run, State, Timer
from tests.cast import Cast, as_
from tests.slas.conftest import HOUR, MONDAY_NINE, OFFICE, at, clock, make_levels

FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
US = 1_000_000
SignIn = Callable[[User], Client]
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ZONES = ("UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia")


def why(incident: Any, metric: str = "resolution", now: datetime | None = None) -> Explanation:
    timer = find_timer(incident, clock(incident, metric).ref)
    assert timer is not None
    return explain(timer, Incident.objects.get(pk=incident.pk), now)


def total_of(found: Way) -> int:
    """Return the open time of the days; spans of a day that lists them must make up its sum."""
    for day in found.days:
        if not day.is_folded:
            assert sum((b - a) // timedelta(microseconds=1) for a, b in day.spans) == day.open_us
    return sum(day.open_us for day in found.days)


def due_by_hand(found: Way, left_us: int) -> datetime:
    """Return when the listed spans have used up what is left; only where no day is folded."""
    if not left_us:
        return found.start
    for day in found.days:
        for a, b in day.spans:
            length = (b - a) // timedelta(microseconds=1)
            if length >= left_us:
                return a + timedelta(microseconds=left_us)
            left_us -= length
    raise AssertionError("the listed spans do not hold what is left")


weeks = st.lists(
    st.lists(st.tuples(st.integers(0, 23), st.integers(1, 12)), max_size=2).map(
        lambda spans: tuple((a * 60, min(a * 60 + b * 60, 1440)) for a, b in spans)
    ),
    min_size=7,
    max_size=7,
).filter(lambda week: any(week))
specs = st.builds(
    CalendarSpec,
    time_zone=st.sampled_from(ZONES),
    weekly=weeks.map(tuple),
    closed_dates=st.frozensets(st.dates(date(2011, 1, 1), date(2027, 12, 31)), max_size=30),
    overrides=st.dictionaries(st.dates(date(2011, 1, 1), date(2027, 12, 31)), st.just(((600, 840),)), max_size=5),
)
instants = st.datetimes(datetime(2011, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(spec=specs, start=instants, seconds=st.integers(0, 300 * HOUR))
def test_the_days_of_a_way_sum_up_to_it(spec: CalendarSpec, start: datetime, seconds: int) -> None:
    hours = compile_calendar(spec)
    due = hours.due(start, seconds * US)
    found = way(hours, start, due)
    assert found.open_us == seconds * US == total_of(found)
    for one, two in pairwise(found.days):
        assert two.first == one.last + timedelta(days=1)
    if not any(day.is_folded for day in found.days):
        assert due_by_hand(found, seconds * US) == due


@quick
@given(
    spec=specs,
    moves=st.lists(
        st.tuples(st.integers(0, 60 * HOUR), st.sampled_from(["hold", "resume", "priority", "calendar"])), max_size=7
    ),
    rest=st.integers(0, 40 * HOUR),
)
def test_an_explanation_adds_up_whatever_happened(
    cast: Cast, spec: CalendarSpec, moves: list[tuple[int, str]], rest: int
) -> None:
    """The spans sum up to what has elapsed, and the due time follows from them, to the microsecond."""
    make_levels(spec)
    other_hours = save_calendar("Other hours", OFFICE, actor=SYSTEM).current
    assert other_hours is not None
    now = MONDAY_NINE
    incident: Any = open_incident(actor=at(cast.imke, now), title="Cannot print", requester=cast.rita)
    for gap, move in moves:
        now += timedelta(seconds=gap)
        actor = at(cast.imke, now)
        if move == "hold" and incident.status != "on_hold":
            incident = hold(incident, actor=actor, hold_reason="awaiting_vendor")
        elif move == "resume" and incident.status == "on_hold":
            incident = resume(incident, actor=actor)
        elif move == "priority":
            other = 1 if incident.priority == 4 else 4
            incident = override_priority(incident, other, reason=f"At {now}", actor=actor)
        elif move == "calendar":
            book = Book(incident, Timer.objects.of_tickets([incident]).to_work_on(), at=now, actor=actor)
            for timer in book.active():
                book.change_calendar(timer, other_hours)
            book.write()
    now += timedelta(seconds=rest)
    for metric in ("response", "resolution"):
        found = why(incident, metric, now)
        timer = found.timer
        assert found.adds_up
        ran = [one for one in found.stretches if one.being == "running"]
        assert sum(one.elapsed_us for one in found.stretches) == found.elapsed_us
        assert sum(total_of(one.way) for one in ran if one.way) == found.elapsed_us
        assert found.elapsed_us + found.remaining_us == timer.target_us
        assert all(one.ended_at == two.started_at for one, two in pairwise(found.stretches))
        leg = found.leg
        assert leg is not None
        assert leg.target_us - leg.used_us == leg.left_us == total_of(leg.way)
        if timer.state == State.RUNNING:
            assert leg.due_at == timer.due_at
        else:
            assert leg.is_supposed == (timer.breached_at is None)
        if not any(day.is_folded for day in leg.way.days):
            assert due_by_hand(leg.way, leg.left_us) == leg.due_at


def test_a_long_way_is_folded_and_still_adds_up() -> None:
    spec = CalendarSpec("Europe/London", (((540, 1020),),) * 5 + ((), ()), frozenset({date(2026, 12, 25)}))
    hours = compile_calendar(spec)
    start = datetime(2026, 2, 2, 9, tzinfo=UTC)
    due = hours.due(start, 10 * 366 * 24 * HOUR * US // 5)
    found = way(hours, start, due, lambda day: "Christmas Day" if (day.month, day.day) == (12, 25) else "")
    assert total_of(found) == found.open_us
    assert len(found.days) < 45
    [middle] = [day for day in found.days if day.is_folded]
    assert ("holiday", "Christmas Day") in {(note.kind, note.name) for note in middle.notes}
    assert {"clock_forward", "clock_back"} <= {note.kind for note in middle.notes}


@pytest.mark.parametrize(
    ("zone", "day", "kind", "shift_h", "length_h"),
    [
        ("Europe/London", date(2026, 3, 29), "clock_forward", 1, 23),
        ("America/New_York", date(2026, 11, 1), "clock_back", 1, 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), "clock_back", 0.5, 24.5),
        ("Pacific/Apia", date(2011, 12, 30), "missing", 0, 0),
    ],
)
def test_clock_changes_are_named(zone: str, day: date, kind: str, shift_h: float, length_h: float) -> None:
    hours = compile_calendar(CalendarSpec.always(zone))
    before = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    [note] = way(hours, before, before + timedelta(days=4)).notes
    assert (note.date, note.kind) == (day, kind)
    assert (note.shift_us, note.length_us) == (shift_h * HOUR * US, length_h * HOUR * US)


@pytest.fixture
def story(office_levels: Cast) -> Any:
    """An incident that was held over a weekend, raised to critical, and goes on."""
    cast = office_levels
    friday = MONDAY_NINE + timedelta(days=4)
    incident: Any = open_incident(actor=at(cast.imke, friday), title="Cannot print", requester=cast.rita)
    incident = hold(incident, actor=at(cast.imke, friday + timedelta(hours=1)), hold_reason="awaiting_vendor")
    incident = resume(incident, actor=at(cast.imke, friday + timedelta(days=3, hours=1)))
    return override_priority(
        incident, 1, reason="Everybody waits", actor=at(cast.imke, friday + timedelta(days=3, hours=2))
    )


def test_what_happened_is_told_with_who_did_it(story: Any) -> None:
    found = why(story)
    ran, stood, on = found.stretches
    assert (ran.being, stood.being, on.being) == ("running", "paused", "running")
    assert (ran.elapsed_us, stood.elapsed_us) == (HOUR * US, 0)
    assert stood.open_us == 8 * HOUR * US  # Friday from ten to five, and Monday from nine to ten
    assert ran.cause is not None
    assert stood.cause is not None
    assert on.cause is not None
    assert (ran.cause.code, stood.cause.code, on.cause.code) == (
        "incident.opened", "incident.held", "incident.resumed",
    )  # fmt: skip
    assert stood.cause.actor == "Imke Example"
    assert [one.code for one in found.changes] == ["ticket.priority_overridden"]
    assert found.leg is not None
    assert (found.leg.target_us, found.leg.used_us) == (4 * HOUR * US, HOUR * US)


def test_the_others_are_said_why_not(office_levels: Cast, story: Any) -> None:
    calendar = save_calendar("Hours", OFFICE, actor=SYSTEM)
    goal = [GoalSpec(HOUR, calendar)]
    mail = {"all": [{"field": "service", "op": "eq", "value": "mail"}, {"field": "priority", "op": "lte", "value": 2}]}
    save_policy("Mail first", metric="resolution", goals=goal, condition=mail, order=1, actor=SYSTEM)
    save_policy("Asleep", metric="resolution", goals=goal, order=2, is_active=False, actor=SYSTEM)
    low = [GoalSpec(HOUR, calendar, condition={"field": "priority", "op": "eq", "value": 5})]
    save_policy("Only planning", metric="resolution", goals=low, order=3, actor=SYSTEM)
    save_policy("Later", metric="resolution", goals=goal, order=500, actor=SYSTEM)
    found = why(story)
    assert [(one.name, one.outcome) for one in found.considered] == [
        ("Mail first", "condition_not_met"),
        ("Asleep", "off"),
        ("Only planning", "no_goal_met"),
        ("Resolution", "applies"),
        ("Later", "later_in_order"),
    ]
    [blamed] = found.considered[0].condition.to_blame
    assert (blamed.words, blamed.value) == ("service is mail", "–")
    applies = found.applies_now
    assert applies is not None
    assert applies.is_timers
    assert [(goal.target_s, goal.outcome, goal.is_timers) for goal in applies.goals] == [
        (4 * HOUR, "applies", True),
        (8 * HOUR, "later_in_order", False),
    ]
    assert found.is_under_it


def test_a_policy_edited_since_is_said(story: Any) -> None:
    calendar = save_calendar("Hours", OFFICE, actor=SYSTEM)
    save_policy("Newer", metric="resolution", goals=[GoalSpec(HOUR, calendar)], order=1, actor=SYSTEM)
    found = why(story)
    assert found.timer.target_us == 4 * HOUR * US
    assert found.applies_now is not None
    assert found.applies_now.name == "Newer"
    assert not found.is_under_it


def test_a_condition_says_which_question_decided(story: Any) -> None:
    asked = {
        "not": {"any": [{"field": "priority", "op": "eq", "value": 1}, {"field": "vip", "op": "eq", "value": True}]}
    }
    found = verdict(asked, Incident.objects.get(pk=story.pk), MONDAY_NINE)
    assert not found.met
    assert [(one.words, one.value, one.met) for one in found.to_blame] == [("priority is Critical", "Critical", True)]
    broken = verdict({"field": "colour", "op": "eq", "value": "red"}, story, MONDAY_NINE)
    assert (broken.kind, broken.met) == ("broken", False)
    assert "colour" in broken.words


def test_a_reopened_clock_shows_the_time_it_was_stopped(office_levels: Cast) -> None:
    cast = office_levels
    incident: Any = open_incident(actor=at(cast.imke, MONDAY_NINE), title="Cannot print", requester=cast.rita)
    incident = resolve(incident, actor=at(cast.imke, MONDAY_NINE + timedelta(hours=1)), **FIXED)
    reopen(incident, actor=at(cast.imke, MONDAY_NINE + timedelta(hours=5)), comment="Still broken")
    found = why(incident, now=MONDAY_NINE + timedelta(hours=6))
    assert [one.being for one in found.stretches] == ["running", "stopped", "running"]
    assert found.elapsed_us == 2 * HOUR * US


def test_a_row_that_does_not_follow_from_its_runs_is_said(story: Any) -> None:
    Timer.objects.filter(pk=clock(story).pk).update(elapsed_closed_us=5)
    assert not why(story).adds_up


def page_numbers(html: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-us="(-?\d+)"', html)]


def page_instants(html: str) -> set[datetime]:
    return {datetime.fromisoformat(found) for found in re.findall(r'<time[^>]*? datetime="([^"]+)"', html)}


def instants_in(data: Any) -> set[datetime]:
    """Return every instant that the answer names, but the moment of the answer itself."""
    if isinstance(data, dict):
        return set().union(*(instants_in(value) for name, value in data.items() if name not in {"at", "detected_at"}))
    if isinstance(data, list):
        return set().union(*(instants_in(one) for one in data))
    if isinstance(data, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", data):
        return {datetime.fromisoformat(data)}
    return set()


def test_the_page_and_the_api_say_the_same(office_levels: Cast, story: Any, signed_in: SignIn) -> None:
    anna = signed_in(office_levels.anna)
    ref = clock(story).ref
    resolve(story, actor=at(office_levels.imke, MONDAY_NINE + timedelta(days=7, hours=3)), **FIXED)
    html = anna.get(reverse("incidents:clock", args=[story.number, ref])).content.decode()
    data = anna.get(f"/api/v1/incidents/{story.number}/timers/{ref}/explanation/").json()
    stated = page_numbers(html)
    expected = [data["target_us"], data["elapsed_us"], data["remaining_us"]]
    expected += [data["due"][name] for name in ("target_us", "used_us", "left_us")]
    expected += [day["open_us"] for day in data["due"]["way"]["days"]] + [data["due"]["way"]["open_us"]]
    for one in data["stretches"]:
        expected.append(one["elapsed_us"])
        if one["way"]:
            expected += [day["open_us"] for day in one["way"]["days"]] + [one["way"]["open_us"]]
    assert stated == [*expected, data["elapsed_us"]]
    assert instants_in(data) - page_instants(html) <= {datetime.fromisoformat(data["started_at"])}
    for asked in data["considered"]:
        assert asked["policy"] in html
    assert data["adds_up"] is True
    assert f'#event-{data["stretches"][1]["cause"]["seq"]}"' in html


def test_a_drawer_for_htmx_and_a_page_without(office_levels: Cast, story: Any, signed_in: SignIn) -> None:
    anna = signed_in(office_levels.anna)
    address = reverse("incidents:clock", args=[story.number, clock(story).ref])
    page = anna.get(address).content.decode()
    drawer = anna.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" in page
    assert drawer.startswith("<dialog")
    assert f'href="{address}"' in anna.get(reverse("incidents:detail", args=[story.number])).content.decode()


@pytest.mark.parametrize(
    "ref", ["sla-resolution-2", "sla-resolution", "resolution", "ola-resolution-1", "sla-resolution-99999999999", "x"]
)
def test_a_clock_that_is_not_there_is_not_found(office_levels: Cast, story: Any, signed_in: SignIn, ref: str) -> None:
    anna = signed_in(office_levels.anna)
    assert anna.get(reverse("incidents:clock", args=[story.number, ref])).status_code == 404
    assert anna.get(f"/api/v1/incidents/{story.number}/timers/{ref}/explanation/").status_code == 404


def test_requesters_never_see_it(office_levels: Cast, story: Any, signed_in: SignIn) -> None:
    ref = clock(story).ref
    rita = signed_in(office_levels.rita)
    assert rita.get(reverse("incidents:clock", args=[story.number, ref])).status_code == 404
    assert rita.get(f"/api/v1/incidents/{story.number}/timers/{ref}/explanation/").status_code == 403
    rolf = signed_in(office_levels.rolf)
    assert rolf.get(f"/api/v1/incidents/{story.number}/timers/{ref}/explanation/").status_code == 404


def test_the_viewers_zone_with_the_calendars_beside(office_levels: Cast, story: Any, signed_in: SignIn) -> None:
    User.objects.filter(pk=office_levels.anna.pk).update(time_zone="Asia/Tokyo")
    anna = signed_in(User.objects.get(pk=office_levels.anna.pk))
    html = anna.get(reverse("incidents:clock", args=[story.number, clock(story).ref])).content.decode()
    assert 'Fri 6 Mar 2026, 18:00</time> <span class="other-zone">09:00 in UTC</span>' in html


def test_explaining_takes_no_more_queries_for_a_long_life(
    office_levels: Cast, django_assert_max_num_queries: Any
) -> None:
    cast = office_levels
    now = MONDAY_NINE
    incident: Any = open_incident(actor=at(cast.imke, now), title="Cannot print", requester=cast.rita)
    for _round in range(12):
        now += timedelta(minutes=10)
        incident = hold(incident, actor=at(cast.imke, now), hold_reason="awaiting_vendor")
        now += timedelta(minutes=10)
        incident = resume(incident, actor=at(cast.imke, now))
    timer = find_timer(incident, clock(incident).ref)
    assert timer is not None
    assert Run.objects.filter(timer=timer).count() == 12
    with django_assert_max_num_queries(16):
        found = explain(timer, incident, now)
    assert len(found.stretches) == 25


def test_steps_say_where_they_stand(levels: Cast) -> None:
    running = open_incident(actor=as_(levels.anna), title="Cannot print", requester=levels.rita)
    assert [(line.code, line.state) for line in why(running).steps] == [
        (50, "coming"), (75, "coming"), (100, "coming"),
    ]  # fmt: skip
    held = hold(running, actor=as_(levels.anna), hold_reason="awaiting_vendor")
    assert {line.state for line in why(held).steps} == {"waiting"}
    brought = open_incident(actor=at(levels.imke, MONDAY_NINE), title="Long ago", requester=levels.rita)
    assert [(line.state, line.at) for line in why(brought).steps] == [
        ("unrecorded", MONDAY_NINE + timedelta(hours=hours)) for hours in (4, 6, 8)
    ]
    done = resolve(brought, actor=at(levels.imke, MONDAY_NINE + timedelta(hours=5)), **FIXED)
    states = {line.code: line.state for line in why(done).steps}
    assert states == {50: "happened", 75: "not_reached", 100: "not_reached"}


def test_holidays_on_the_way_are_called_by_their_names(cast: Cast, signed_in: SignIn) -> None:
    make_levels(OFFICE)
    friday, saturday = MONDAY_NINE + timedelta(days=4, hours=6), date(2026, 3, 7)
    monday, tuesday = date(2026, 3, 9), date(2026, 3, 10)
    spec = replace(
        OFFICE, closed_dates=frozenset({monday}), overrides={tuesday: ((600, 720),), saturday: ((600, 660),)}
    )
    save_calendar("Hours", spec, actor=SYSTEM, extras=Extras({monday: "Founders' Day", tuesday: "Short day"}))
    incident = open_incident(actor=at(cast.imke, friday), title="Cannot print", requester=cast.rita)
    leg = why(incident, now=friday).leg
    assert leg is not None
    assert [(note.date, note.kind, note.name) for note in leg.way.notes] == [
        (saturday, "override", ""),
        (monday, "holiday", "Founders' Day"),
        (tuesday, "override", "Short day"),
    ]
    html = signed_in(cast.anna).get(reverse("incidents:clock", args=[incident.number, "sla-resolution-1"])).content
    assert "Mon 9 Mar 2026 is closed: Founders&#x27; Day" in html.decode()
