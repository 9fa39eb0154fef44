"""The drawer of a clock, what would change, and a rehearsal in a real browser: accessible, fitting, not in the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from incidents.actions import open_incident, resolve
from incidents.models import Incident
from slas.actions.trials import Selection, prepare_trial, start_trial
from slas.models import BusinessCalendar
from slas.plans import current_levels
from slas.rehearsal.running import work
from tests.cast import Cast, as_
from tests.slas.conftest import MONDAY_NINE, OFFICE, at, make_levels

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Any]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""
FIXED = {"resolution_code": "solution_provided", "resolution_notes": "Done."}
LOOKS = [(1440, "light"), (390, "dark")]


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """An open incident, beside a past one."""
    make_levels(OFFICE)
    past = open_incident(actor=at(cast.imke, MONDAY_NINE), title="No. 1", requester=cast.rita)
    resolve(past, actor=at(cast.imke, MONDAY_NINE + timedelta(hours=3)), **FIXED)
    return open_incident(actor=as_(cast.anna), title="Cannot print", requester=cast.rita)


def assert_sound(page: Any, axe: str) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.evaluate(axe)
    assert page.evaluate(FINDINGS, TAGS) == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_drawer_opens_over_the_ticket_and_stays_closed(
    cast: Cast, incident: Incident, open_page: OpenPage, axe: str, width: int, theme: str
) -> None:
    page = open_page(cast.anna, reverse("incidents:detail", args=[incident.number]), width=width, theme=theme)
    if width < 992:
        page.click(".view-tabs label:has([value=details])")
    page.locator(".sl-why").first.click()
    page.wait_for_selector("#clock-drawer[open]")
    assert "The sum" in page.inner_text("#clock-drawer")
    assert_sound(page, axe)
    page.keyboard.press("Escape")
    assert page.locator("#clock-drawer[open]").count() == 0
    page.evaluate("document.dispatchEvent(new CustomEvent('htmx:after:swap', {detail: {ctx: {}}}))")
    assert page.locator("#clock-drawer[open]").count() == 0


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_the_page_of_a_clock_is_sound(
    cast: Cast, incident: Incident, open_page: OpenPage, axe: str, width: int, theme: str
) -> None:
    address = reverse("incidents:clock", args=[incident.number, "sla-resolution-1"])
    assert_sound(open_page(cast.anna, address, width=width, theme=theme), axe)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_what_would_change_stands_above_the_form(
    cast: Cast, incident: Incident, open_page: OpenPage, axe: str, width: int, theme: str
) -> None:
    calendar = BusinessCalendar.objects.get(name="Hours")
    address = reverse("administration:calendar", args=[calendar.public_id])
    page = open_page(cast.sven, address, width=width, theme=theme)
    for day in range(5):
        page.fill(f"#id_day_{day}", "10:00-11:00")
    page.click("button[name=trial][value=check]")
    page.wait_for_selector("#whatif")
    assert "Clocks that move" in page.inner_text("#whatif")
    assert page.input_value("#id_day_0") == "10:00-11:00"
    assert_sound(page, axe)


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_a_rehearsal_is_followed_to_its_result(
    cast: Cast, incident: Incident, open_page: OpenPage, axe: str, width: int, theme: str
) -> None:
    actor = as_(cast.sven)
    trial = prepare_trial("Try", current_levels(), kind="sla", metric="resolution", actor=actor)
    start_trial(trial, Selection(MONDAY_NINE, MONDAY_NINE + timedelta(days=1)), actor=actor)
    address = reverse("administration:rehearsal", args=[trial.public_id])
    page = open_page(cast.sven, address, width=width, theme=theme)
    assert "Waits for a free worker" in page.inner_text("#trial-progress")
    assert_sound(page, axe)
    work()
    page.wait_for_selector(".kpi", timeout=15_000)
    assert "100.0 %" in page.inner_text(".kpis")
    assert_sound(page, axe)
    page.goto(page.url.replace(address, reverse("administration:rehearsals")))
    page.wait_for_selector("html.ready")
    assert_sound(page, axe)
