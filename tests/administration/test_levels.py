"""Calendars, policies and escalations through the pages, and what people type as hours and targets."""

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import open_incident
from itsm.accounts.models import AdminEvent, User
from itsm.notifications.actions.endpoints import save_endpoint
from itsm.notifications.models import Mail, Notice
from itsm.tickets.actors import SYSTEM
from slas.actions import save_calendar, save_rota
from slas.calendars import CalendarSpec
from slas.models import BusinessCalendar, EscalationChain, ServiceLevelPolicy
from tests.cast import Cast, as_
from workspace.administration.hours import (
    Unreadable,
    read_dates,
    read_duration,
    read_spans,
    sentences,
    write_dates,
    write_duration,
    write_spans,
)

SignIn = Callable[[User], Client]
BASE = "/desk/settings/"
minute = st.integers(0, 1439)


@pytest.fixture
def sven(cast: Cast, signed_in: SignIn) -> Client:
    return signed_in(cast.sven)


@given(st.lists(st.tuples(minute, st.integers(0, 1440)), max_size=5))
def test_spans_are_read_back_as_written(spans: list[tuple[int, int]]) -> None:
    assert read_spans(write_spans(spans)) == spans


@given(st.integers(1, 10**7))
def test_durations_are_read_back_as_written(seconds: int) -> None:
    assert read_duration(write_duration(seconds)) == seconds


@given(st.sets(st.dates(date(1990, 1, 1), date(2090, 1, 1)), max_size=8), st.data())
def test_dates_are_read_back_as_written(days: set[date], data: st.DataObject) -> None:
    special = {day: ((540, 600), (720, 1440)) for day in days if data.draw(st.booleans())}
    names = {day: data.draw(st.sampled_from(["Christmas Day", "New # Year", "Ωmega 24:00-1"])) for day in days}
    assert read_dates(write_dates(days - special.keys(), special, names)) == (days - special.keys(), special, names)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_spans, read_dates, read_duration):
        with contextlib.suppress(Unreadable):  # any other exception fails
            assert read(text) is not None


@pytest.mark.parametrize("text", ["2d", "1", "", "4 hours long", "-1h", "0m"])
def test_a_target_says_its_unit_and_days_are_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        read_duration(text)


def test_the_sentence_that_people_check() -> None:
    spec = CalendarSpec("Europe/Berlin", (((540, 1020),),) * 5 + ((), ()))
    said = sentences(spec, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert said[0] == "8 business hours from Friday 27 Nov, 16:00 end on Monday 30 Nov, 16:00."


def calendar(**more: str) -> dict[str, str]:
    return {"name": "Berlin", "time_zone": "Europe/Berlin", "day_0": "9-12, 13:00-17:00", "dates": "", **more}


def test_a_calendar_is_made_and_an_edit_makes_the_next_version(cast: Cast, sven: Client) -> None:
    dates = "2026-12-25\n2026-12-24 09:00-12:00"
    assert sven.post(f"{BASE}calendars/new/", calendar(dates=dates)).status_code == 302
    made = BusinessCalendar.objects.get(name="Berlin")
    assert made.current is not None
    assert made.current.spec["weekly"][0] == [["09:00", "12:00"], ["13:00", "17:00"]]
    assert made.current.spec["closed_dates"] == ["2026-12-25"]
    assert made.current.spec["overrides"] == {"2026-12-24": [["09:00", "12:00"]]}
    url = f"{BASE}calendars/{made.public_id}/"
    shown = sven.get(url).context["form"]
    assert shown["dates"].value() == "2026-12-24 09:00-12:00\n2026-12-25"
    seen = shown["seen"].value()
    assert sven.post(url, calendar(day_1="10:00-11:00", seen=seen)).status_code == 302
    assert sven.post(url, calendar(day_2="10:00-11:00", seen=seen)).status_code == 409
    assert made.versions.count() == 2
    assert list(AdminEvent.objects.order_by("pk").values_list("deed", "actor")) == [
        ("created", cast.sven.pk),
        ("changed", cast.sven.pk),
    ]


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("day_0", "9 to late"),
        ("day_0", "25:00-26:00"),
        ("day_0", "09:00-09:00"),
        ("day_0", ""),
        ("dates", "25.12.2026"),
        ("dates", "2026-02-30"),
        ("dates", "2026-12-24 soon"),
        ("time_zone", "Mars/Olympus"),
        ("name", ""),
        ("name", "x" * 201),
        ("name", "business hours"),
    ],
)
def test_a_bad_calendar_is_refused_with_the_text_kept(sven: Client, field: str, text: str) -> None:
    answer = sven.post(f"{BASE}calendars/new/", calendar(**{field: text}))
    assert answer.status_code == 422
    assert answer.context["form"][field].value() == text
    assert not BusinessCalendar.objects.filter(name__in=["Berlin", text]).exists()


def policy(goals: list[tuple[str, str]], **more: str) -> dict[str, str]:
    always = BusinessCalendar.objects.get(name="24×7").public_id
    values = {"name": "Gold", "metric": "resolution", "kind": "sla", "condition": "service:vpn", "pause": "on_hold"}
    values |= {"order": "5", "is_active": "on", "form-TOTAL_FORMS": str(len(goals)), "form-INITIAL_FORMS": "0"}
    for at, (condition, target) in enumerate(goals):
        values |= {f"form-{at}-condition": condition, f"form-{at}-target": target, f"form-{at}-calendar": always}
    return values | more


def test_a_policy_is_made_previewed_and_changed(cast: Cast, sven: Client) -> None:
    goals = [("priority:1", "1h 30m"), ("", "8h"), ("", "")]
    preview = sven.post(f"{BASE}policies/new/", policy(goals, preview="1"))
    assert [line["target"] for line in preview.context["lines"]] == ["1h 30m", "8h"]
    assert all(line["due"] for line in preview.context["lines"])
    assert not ServiceLevelPolicy.objects.filter(name="Gold").exists()
    assert sven.post(f"{BASE}policies/new/", policy(goals)).status_code == 302
    gold = ServiceLevelPolicy.objects.get(name="Gold")
    assert [goal.target_s for goal in gold.goals.order_by("order")] == [5400, 28800]
    url = f"{BASE}policies/{gold.public_id}/"
    seen = sven.get(url).context["form"]["seen"].value()
    assert sven.post(url, policy([("", "4h")], seen=seen, pause="never")).status_code == 302
    gold.refresh_from_db()
    assert (gold.goals.get().target_s, gold.pause_condition) == (14400, None)
    assert sven.post(url, policy([("", "5h")], seen=seen)).status_code == 409
    assert sven.post(f"{BASE}policies/new/", policy(goals, name="gold")).status_code == 422


@pytest.mark.parametrize(
    ("goals", "more"),
    [
        ([("", "2d")], {}),
        ([("", "")], {}),
        ([("colour:red", "4h")], {}),
        ([("priority:1", "")], {}),
        ([("", "4h")], {"condition": "team:nobody-such"}),
        ([("", "4h")], {"condition": "assignee:me"}),
        ([("", "4h")], {"metric": "happiness"}),
        ([("", "4h")], {"pause": "other"}),
        ([("", "4h")], {"form-0-calendar": ""}),
        ([("", "4h")], {"order": "0"}),
        ([("", "4h")], {"form-TOTAL_FORMS": "x"}),
        ([("", "999999999h")], {}),
        ([("", "99999h")], {}),
    ],
)
def test_a_bad_policy_is_refused(cast: Cast, sven: Client, goals: list[tuple[str, str]], more: dict[str, str]) -> None:
    assert sven.post(f"{BASE}policies/new/", policy(goals, **more)).status_code == 422
    assert not ServiceLevelPolicy.objects.filter(name="Gold").exists()


def steps(*rows: dict[str, object], **more: object) -> dict[str, object]:
    values: dict[str, object] = {"name": "Fast", "form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": "0"}
    for at, row in enumerate(rows):
        values |= {f"form-{at}-{name}": value for name, value in row.items()}
    return {**values, **more}


def test_an_escalation_is_made_and_changed(cast: Cast, sven: Client) -> None:
    late = {"number": "100", "who": ["team"], "team": cast.network.public_id, "raise_priority": "on"}
    answer = sven.post(f"{BASE}escalations/new/", steps({"number": "50", "who": ["assignee"]}, late, {}))
    assert answer.status_code == 302
    chain = EscalationChain.objects.get(name="Fast")
    assert chain.current is not None
    assert [step["percent"] for step in chain.current.steps] == [50, 100]
    assert [action["do"] for action in chain.current.steps[1]["actions"]] == ["notify", "assign_team", "raise_priority"]
    assert sven.get(f"{BASE}escalations/{chain.public_id}/").status_code == 200
    bad = [
        steps({"number": "50"}),
        steps({"who": ["team"]}),
        steps({"number": "0", "who": ["team"]}),
        steps({"number": "50", "who": ["boss"]}),
        steps({"number": "50", "who": ["team"]}, {"number": "50", "who": ["assignee"]}, name="Twice"),
        steps({"number": "50", "who": ["team"]}, name="fast"),
    ]
    for values in bad:
        assert sven.post(f"{BASE}escalations/new/", values).status_code == 422
    assert EscalationChain.objects.count() == 2


def test_an_escalation_with_all_it_can_do_comes_back_as_it_was_typed(cast: Cast, sven: Client) -> None:
    start = (timezone.now() - timedelta(days=3)).date().isoformat()
    turns = {"unit": "week", "every": 1, "minute": 0, "weekday": 0, "starts": start, "name": "", "level": 1}
    layers = [{**turns, "members": [cast.ben.pk]}]
    rota = save_rota(None, name="Nights", team=None, time_zone="UTC", layers=layers, actor=SYSTEM)
    webhook = save_endpoint(None, name="Chat", url="https://hooks.example.com/", by=cast.sven)
    row = {
        "place": "before",
        "number": "30",
        "clock": "wall",
        "who": ["team_lead"],
        "on_call": [f"{rota.pk}-1"],
        "person_0": cast.carl.public_id,
        "role": "service_level_manager",
        "in_hours": "on",
        "team": cast.desktop.public_id,
        "assignee": cast.carl.public_id,
        "watcher": cast.lena.public_id,
        "webhook": webhook.public_id,
        "raise_priority": "on",
        "repeat_minutes": "15",
        "repeat_most": "4",
        "repeat_clock": "business",
    }
    assert sven.post(f"{BASE}escalations/new/", steps(row)).status_code == 302
    chain = EscalationChain.objects.get(name="Fast")
    stored = chain.current.steps  # type: ignore[union-attr]
    [step] = stored
    assert (step["minutes"], step["clock"]) == (-30, "wall")
    assert step["repeat"] == {"minutes": 15, "most": 4, "clock": "business"}
    assert [action["do"] for action in step["actions"]] == [
        "notify", "assign_team", "assign_person", "add_watcher", "raise_priority", "webhook",
    ]  # fmt: skip
    page = sven.get(f"{BASE}escalations/{chain.public_id}/")
    [form, _spare] = page.context["steps"].forms
    typed = {name: value for name, value in form.initial.items() if not name.endswith("_row")}
    again = {name: "on" if value is True else value for name, value in typed.items()}
    seen = page.context["form"].initial["seen"]
    assert sven.post(f"{BASE}escalations/{chain.public_id}/", steps(again, seen=seen)).status_code == 302
    chain.refresh_from_db()
    assert chain.current.steps == stored  # type: ignore[union-attr]
    listed = sven.get(f"{BASE}escalations/").content.decode()
    assert "who is on call of Nights (first level)" in listed
    assert "again every 15 working minutes, at most 4 times" in listed
    for bad in (
        {"place": "moon"},
        {"on_call": ["9999-1"]},
        {"person_0": "nothing"},
        {"repeat_most": ""},
        {"repeat_minutes": "0"},
        {"webhook": "nothing"},
        {"role": "requester"},
        {"number": "9999999"},
    ):
        assert sven.post(f"{BASE}escalations/new/", steps({**row, **bad}, name="Bad")).status_code == 422, bad


def test_preview_and_look_up_store_nothing(cast: Cast, sven: Client) -> None:
    save_calendar("Office", CalendarSpec("UTC", (((540, 1020),),) * 5 + ((), ())), actor=SYSTEM)
    calendar = BusinessCalendar.objects.get(name="Office")
    incident = open_incident(actor=as_(cast.anna), title="Printer", requester=cast.rita, team=cast.network)
    before = EscalationChain.objects.count(), Mail.objects.count(), Notice.objects.count()
    values = steps(
        {"place": "percent", "number": "25", "who": ["assignee"]},
        {"place": "after", "number": "60", "clock": "wall", "who": ["team_lead"]},
        **{
            "example-target": "4h",
            "example-start": "2026-03-06T16:00",  # a Friday
            "example-calendar": calendar.public_id,
            "example-ticket": incident.number,
        },
    )
    html = sven.post(f"{BASE}escalations/new/", {**values, "preview": "1"}).content.decode()
    at = [html.index(text) for text in ("Fri 17:00", "Mon 12:00", "Mon 13:00")]  # 25 %, the due time, an hour after
    assert at == sorted(at)
    html = sven.post(f"{BASE}escalations/new/", {**values, "who": "1"}).content.decode()
    assert "nobody of these; instead: Anna Example, Ben Example, Lena Example" in html
    for bad in (
        {"example-ticket": "INC9"},
        {"example-target": "soon"},
        {"example-start": ""},
        {"example-calendar": "x"},
    ):
        assert sven.post(f"{BASE}escalations/new/", {**values, **bad, "who": "1"}).status_code == 422, bad
    assert (EscalationChain.objects.count(), Mail.objects.count(), Notice.objects.count()) == before
