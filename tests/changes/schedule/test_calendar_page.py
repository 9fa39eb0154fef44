"""The calendar, the windows and the links as people use them, through the front door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from icalendar import Calendar

from changes.models import CalendarFeed, Change, ChangeWindow, CollisionSettings, Weight
from itsm.accounts.models import AdminEvent, User
from tests.cast import Cast, as_
from tests.changes.schedule.conftest import utc

Plan = Callable[..., Change]
Freeze = Callable[..., ChangeWindow]
SignIn = Callable[[User], Client]
CALENDAR = "/desk/changes/calendar/"


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def berlin(cast: Cast) -> User:
    cast.anna.time_zone = "Europe/Berlin"
    cast.anna.save(update_fields=["time_zone"])
    return cast.anna


@pytest.mark.parametrize("view", ["month", "week", "day"])
def test_a_planned_change_and_a_freeze_are_shown(
    cast: Cast, plan: Plan, freeze: Freeze, signed_in: SignIn, view: str
) -> None:
    freeze()
    change = plan("2026-12-22T10:00", "2026-12-22T12:00", title="Tom & Jerry <b> 🚀")
    page = text_of(signed_in(cast.anna), f"{CALENDAR}?view={view}&date=2026-12-22")
    assert change.number in page
    assert "Tom &amp; Jerry &lt;b&gt; 🚀" in page
    assert "New Year" in page
    assert "conflict" in page


def test_times_are_the_viewers_and_the_clock_change_is_marked(berlin: User, plan: Plan, signed_in: SignIn) -> None:
    plan("2027-03-28T00:30", "2027-03-28T01:30")
    page = text_of(signed_in(berlin), f"{CALENDAR}?view=day&date=2027-03-28")
    assert "On 28 March clocks go forward from 02:00 to 03:00." in page
    assert "01:30–03:30" in page
    assert "Sun 28 Mar 2027 01:30 CET – 03:30 CEST" in page
    assert "On 31 October clocks go back from 03:00 to 02:00." in text_of(
        signed_in(berlin), f"{CALENDAR}?date=2027-10-05"
    )


def test_filters_narrow_it(cast: Cast, plan: Plan, freeze: Freeze, signed_in: SignIn) -> None:
    own = plan("2027-05-04T10:00", "2027-05-04T12:00", assignee=cast.anna)
    other = plan("2027-05-05T10:00", "2027-05-05T12:00", service=cast.mail, team=cast.desktop)
    urgent = plan("2027-05-04T11:00", "2027-05-04T12:00", change_type="emergency")
    client = signed_in(cast.ben)

    def shown(query: str, who: Client = client) -> set[str]:
        page = text_of(who, f"{CALENDAR}?date=2027-05-04&{query}")
        return {one.number for one in (own, other, urgent) if one.number in page}

    assert shown("") == {own.number, other.number, urgent.number}
    assert shown(f"team={cast.desktop.key}") == {other.number}
    assert shown("service=vpn") == {own.number, urgent.number}
    assert shown("type=emergency") == {urgent.number}
    assert shown("conflicts=1") == {own.number, urgent.number}
    assert shown("mine=1") == set()
    assert shown("mine=1", signed_in(cast.anna)) == {own.number, other.number, urgent.number}, "she asked for all"
    assert shown("team=nonsense&type=nonsense&service=nonsense") == {own.number, other.number, urgent.number}


@pytest.mark.parametrize(
    "query", ["date=nonsense", "date=0001-01-01", "date=9999-12-31", "view=year", "date=2027-02-30"]
)
def test_nonsense_in_the_address_shows_some_calendar(cast: Cast, signed_in: SignIn, query: str) -> None:
    for view in ("month", "week", "day"):
        assert signed_in(cast.anna).get(f"{CALENDAR}?view={view}&{query}").status_code == 200


def test_requesters_find_nothing(cast: Cast, signed_in: SignIn, freeze: Freeze) -> None:
    window = freeze()
    for url in (CALENDAR, "/desk/changes/windows/", f"/desk/changes/windows/{window.public_id}/"):
        assert signed_in(cast.rita).get(url).status_code == 404
        assert Client().get(url).status_code == 302


def test_a_full_month_costs_as_many_queries_as_an_empty_one(cast: Cast, plan: Plan, signed_in: SignIn) -> None:
    client = signed_in(cast.anna)
    client.get(CALENDAR)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            page = text_of(client, f"{CALENDAR}?date=2027-05-01")
        assert "more" in page or not Change.objects.exists()
        return len(seen)

    empty = queries()
    for n in range(12):
        plan(f"2027-05-{10 + n % 2}T10:00", f"2027-05-{12 + n % 2}T12:00")
    assert queries() == empty <= 15


def form_of(**more: object) -> dict[str, object]:
    return {
        "name": "Patch night",
        "kind": "maintenance",
        "weight": "warn",
        "repeat": "monthly",
        "nth": "2",
        "weekday": "6",
        "month_day": "1",
        "month": "1",
        "first": "2027-01-01",
        "start": "01:30",
        "end": "03:30",
        "end_day": "0",
        "every": "1",
        "time_zone": "Europe/London",
        "is_active": "on",
        **more,
    }


def test_a_change_manager_declares_a_window_and_changes_it(
    cast: Cast, mona: User, plan: Plan, signed_in: SignIn
) -> None:
    client = signed_in(mona)
    change = plan("2027-03-14T01:00", "2027-03-14T02:00")
    new = "/desk/changes/windows/new/"
    assert "second" in text_of(client, new)
    answer = client.post(new, form_of(services=[cast.vpn.public_id]))
    assert answer.status_code == 302
    window = ChangeWindow.objects.get()
    assert window.rule["nth"] == 2
    assert list(window.services.all()) == [cast.vpn]
    listed = text_of(client, "/desk/changes/windows/")
    assert "every month on the second Sunday, 01:30 to 03:30 (Europe/London)" in listed
    page = text_of(client, f"/desk/changes/windows/{window.public_id}/")
    assert change.number in page
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    assert (
        client.post(f"/desk/changes/windows/{window.public_id}/", form_of(seen=seen, weight="block")).status_code == 302
    )
    again = client.post(f"/desk/changes/windows/{window.public_id}/", form_of(seen=seen, weight="note"))
    assert again.status_code == 409
    window.refresh_from_db()
    assert window.weight == Weight.BLOCK
    assert AdminEvent.objects.filter(object_id=window.public_id).count() == 2
    assert "Only noted" not in text_of(client, "/desk/changes/windows/").partition("collide")[0]


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"end": "99:99"}, {"start": ""}, {"time_zone": "Mars"}, {"end": "01:00"}, {"repeat": "weekly"},
     {"excluded": "tomorrow"}, {"end_day": "900"}, {"kind": "party"}, {"services": ["nonsense"]}, {"name": "x" * 9999}],
)  # fmt: skip
def test_a_window_that_is_none_is_refused_beside_the_field(
    mona: User, signed_in: SignIn, wrong: dict[str, str]
) -> None:
    answer = signed_in(mona).post("/desk/changes/windows/new/", form_of(**wrong))
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not ChangeWindow.objects.exists()


def test_agents_read_windows_and_may_not_change_them(cast: Cast, freeze: Freeze, signed_in: SignIn) -> None:
    window = freeze()
    client = signed_in(cast.anna)
    page = text_of(client, f"/desk/changes/windows/{window.public_id}/")
    assert "New Year" in page
    assert 'name="repeat"' not in page
    for url in (f"/desk/changes/windows/{window.public_id}/", "/desk/changes/windows/new/"):
        assert client.post(url, form_of()).status_code == 403
    assert client.get("/desk/changes/windows/new/").status_code == 403
    assert client.get("/desk/changes/windows/collisions/").status_code == 403


def test_what_collisions_do_is_set_on_a_page(mona: User, signed_in: SignIn) -> None:
    client, url = signed_in(mona), "/desk/changes/windows/collisions/"
    assert "Somebody who is booked twice" in text_of(client, url)
    given = {"same_service": "block", "related_service": "note", "double_booked": "warn"}
    assert client.post(url, given).status_code == 302
    assert CollisionSettings.current().same_service == Weight.BLOCK
    assert client.post(url, {**given, "double_booked": "heavy"}).status_code == 422


def test_a_secret_link_reads_the_calendar_until_it_is_revoked(
    cast: Cast, plan: Plan, freeze: Freeze, signed_in: SignIn
) -> None:
    from itsm.tickets.clock import db_now

    soon = (db_now() + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
    say = f"{soon:%Y-%m-%dT%H:%M}", f"{soon + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    change = plan(*say, title="Line\nbreak, and; more", assignee=cast.anna)
    plan(*say, service=cast.mail)
    freeze()
    client = signed_in(cast.anna)
    page = client.post("/desk/changes/calendar/links/make/", {"service": "vpn"})
    link = page.content.decode().partition('<code class="cal-link">')[2].partition("<")[0]
    path = "/" + link.split("/", 3)[3]
    answer = Client().get(path)
    assert answer["Content-Type"].startswith("text/calendar")
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    said = [str(one["SUMMARY"]) for one in events]
    assert any(text.startswith(change.number) for text in said)
    assert sum("CHG" in text for text in said) == 1
    assert any(text.startswith("Freeze: New Year") for text in said)
    own = next(one for one in events if str(one["UID"]).startswith(change.public_id))
    assert (own["DTSTART"].dt, own["TRANSP"]) == (soon, "OPAQUE")
    assert Client().get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    ref = CalendarFeed.objects.get().public_id
    stranger = signed_in(cast.ben).post(f"/desk/changes/calendar/links/{ref}/revoke/")
    assert stranger.status_code == 302
    assert Client().get(path).status_code == 200
    client.post(f"/desk/changes/calendar/links/{ref}/revoke/")
    assert Client().get(path).status_code == 404
    assert Client().get(reverse("change_schedule:feed", args=["0" * 32])).status_code == 404
    second = client.post("/desk/changes/calendar/links/make/", {"service": "vpn"})
    assert link not in second.content.decode()


def test_a_free_slot_is_taken_with_one_click(cast: Cast, plan: Plan, signed_in: SignIn) -> None:
    change = plan("2027-05-04T10:00", "2027-05-04T12:00")
    url = f"/desk/changes/{change.number}/slots/take/"
    client = signed_in(cast.anna)
    given = {"start": "2027-05-06T10:00:00+00:00", "end": "2027-05-06T12:00:00+00:00", "version": change.version}
    assert client.post(url, given).status_code == 303
    change.refresh_from_db()
    assert change.planned_start == utc("2027-05-06T10:00")
    assert client.post(url, {**given, "start": "2027-05-07T10:00:00+00:00"}).status_code == 409, "an old page"
    assert client.post(url, {"start": "soon", "end": ""}).status_code == 400
    assert client.post(url, {**given, "version": "x"}).status_code == 400
    assert signed_in(cast.rita).post(url, given).status_code == 404
    assert signed_in(cast.olaf).post(url, {**given, "version": ""}).status_code == 403


def test_only_a_change_manager_lets_a_change_go_on(
    cast: Cast, mona: User, plan: Plan, freeze: Freeze, signed_in: SignIn
) -> None:
    freeze()
    change = plan("2026-12-22T10:00", "2026-12-22T12:00")
    url = f"/desk/changes/{change.number}/conflicts/override/"
    assert signed_in(cast.anna).post(url, {"reason": "I want it."}).status_code == 403
    client = signed_in(mona)
    assert client.post(url, {"reason": ""}).status_code == 400
    assert client.post(url, {"reason": "Certificate."}).status_code == 303
    assert client.post(url, {"reason": "Certificate."}).status_code == 409
    assert as_(mona).user == mona
