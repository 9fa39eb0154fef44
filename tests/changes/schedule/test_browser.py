"""The calendar and the windows in a real browser: accessible, in both themes, on a phone, and without JavaScript."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from changes.cab.actions import decide_item, pin, save_board, start_meeting
from changes.models import Change, ChangeWindow, WindowKind
from itsm.accounts.models import User
from tests.cast import Cast, as_
from tests.workspace.test_browser import FINDINGS, TAGS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("SHOTS", "")
OpenPage = Callable[..., Any]
ONCE = {"time_zone": "Europe/London", "repeat": "once"}
NIGHT = {"time_zone": "Europe/London", "repeat": "weekly", "weekdays": [2, 6], "first": "2026-01-01"}


@pytest.fixture
def october(cast: Cast, mona: User, plan: Callable[..., Change], freeze: Callable[..., ChangeWindow]) -> list[Change]:
    """A month with a clock change, a freeze, maintenance nights, and changes of all kinds, some of which collide."""
    cast.anna.time_zone = "Europe/London"
    cast.anna.save(update_fields=["time_zone"])
    freeze(
        name="Quarter close",
        rule={**ONCE, "first": "2027-10-28", "start": "18:00", "end": "08:00", "end_day": 4},
    )
    freeze(
        name="VPN nights",
        kind=WindowKind.MAINTENANCE,
        weight="warn",
        services=[cast.vpn],
        rule={**NIGHT, "start": "22:00", "end": "04:00", "end_day": 1},
    )
    made = [
        plan("2027-10-05T21:30", "2027-10-06T01:00", title="Renew the certificates of the gateways", assignee=cast.ben),
        plan("2027-10-05T22:00", "2027-10-06T00:30", title="Firmware of the VPN gateways", change_type="emergency"),
        plan("2027-10-12T08:00", "2027-10-15T16:00", title="Move mailboxes to the new cluster", service=cast.mail),
        plan("2027-10-30T23:30", "2027-10-31T02:30", title="Patch the mail relays", service=cast.mail),
    ]  # fmt: skip
    made += [plan("2027-10-20T10:00", "2027-10-20T11:00", title=f"Small one {n}", service=None) for n in range(7)]
    return made


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_fits(
    cast: Cast,
    mona: User,
    october: list[Change],
    open_page: OpenPage,
    axe: str,
    theme: str,
    width: int,
) -> None:
    mona.time_zone = "Europe/London"
    mona.save(update_fields=["time_zone"])
    page = open_page(mona, "/desk/changes/calendar/?date=2027-10-05", width=width, theme=theme)
    root = page.url.partition("/desk/")[0]
    window = ChangeWindow.objects.get(name="VPN nights")
    for number, path in enumerate(
        (
            "/desk/changes/calendar/?date=2027-10-05",
            "/desk/changes/calendar/?view=week&date=2027-10-05",
            "/desk/changes/calendar/?view=day&date=2027-10-31",
            "/desk/changes/calendar/?date=2027-02-05",
            "/desk/changes/calendar/links/",
            "/desk/changes/windows/",
            "/desk/changes/windows/new/",
            f"/desk/changes/windows/{window.public_id}/",
            "/desk/changes/windows/collisions/",
        )
    ):
        page.goto(root + path)
        page.wait_for_selector("html.ready")
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / f"{number}-{width}-{theme}.png"), full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path


def test_on_a_phone_it_is_a_list_and_works_without_javascript(
    cast: Cast,
    october: list[Change],
    open_page: OpenPage,
) -> None:
    page = open_page(cast.anna, "/desk/changes/calendar/?date=2027-10-05", width=390, scripts=False)
    assert not page.is_visible(".cal-month")
    assert page.is_visible(f"text={october[0].number}")
    page.select_option("select[name=service]", "mail")
    page.click("button:has-text('Show')")
    assert page.is_visible(f"text={october[2].number}")
    assert october[0].number not in page.content()


def test_the_keys_lead_through_the_months(cast: Cast, october: list[Change], open_page: OpenPage) -> None:
    page = open_page(cast.anna, "/desk/changes/calendar/?date=2027-09-05")
    page.keyboard.press("]")
    page.wait_for_url("**date=2027-10-01")
    assert "October 2027" in page.inner_text("#cal-title")
    page.keyboard.press("[")
    page.wait_for_url("**date=2027-09-01")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_cab_and_the_page_of_a_change_are_accessible_and_fit(
    cast: Cast, mona: User, october: list[Change], open_page: OpenPage, axe: str, theme: str, width: int
) -> None:
    rule = {"time_zone": "Europe/London", "repeat": "weekly", "weekdays": [1], "first": "2026-01-01"}
    board = save_board(
        None,
        name="Weekly CAB",
        chair=mona,
        rule={**rule, "start": "10:00", "end": "11:00"},
        condition="kind:change status:new",
        place="Room 4",
        teams=[cast.network],
        actor=as_(mona),
    )
    first, second = board.meetings.order_by("starts_at")[:2]
    pin(second, october[0], actor=as_(cast.anna))
    start_meeting(first, actor=as_(mona))
    item = first.items.get(change=october[0])
    decide_item(first.items.get(change=october[3]), "defer", words="Not in the freeze.", actor=as_(mona))
    page = open_page(mona, "/desk/changes/cab/", width=width, theme=theme)
    root = page.url.partition("/desk/")[0]
    for number, path in enumerate(
        (
            "/desk/changes/cab/",
            f"/desk/changes/cab/boards/{board.public_id}/",
            f"/desk/changes/cab/boards/{board.public_id}/edit/",
            f"/desk/changes/cab/meetings/{second.public_id}/",
            f"/desk/changes/cab/meetings/{first.public_id}/present/?item={item.public_id}",
            f"/desk/changes/{october[0].number}/",
        )
    ):
        page.goto(root + path)
        page.wait_for_selector("html.ready")
        if SHOTS:
            page.screenshot(path=str(Path(SHOTS) / f"cab{number}-{width}-{theme}.png"), full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path


def test_a_slot_is_taken_with_one_click(cast: Cast, october: list[Change], open_page: OpenPage) -> None:
    change = october[1]
    page = open_page(cast.anna, f"/desk/changes/{change.number}/")
    panel = page.locator("#panel-change-conflicts")
    assert october[0].number in panel.inner_text()
    panel.locator(".cal-slots button").first.click()
    page.wait_for_selector("#panel-change-conflicts >> text=It collides with nothing.")
    change.refresh_from_db()
    assert change.planned_start is not None
    assert change.planned_start.year < 2027
