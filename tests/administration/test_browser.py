"""The settings in a real browser: accessible, fitting, refused by no content policy, and completions that help."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.actions import open_incident
from incidents.major.rules.actions import save_rule
from itsm.tickets.actors import SYSTEM
from itsm.tickets.models import PriorityCell
from tests.cast import Cast, as_

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Any]
BASE = "/desk/settings/"
PAGES = (
    "",
    "escalations/new/",
    "rotas/",
    "rotas/new/",
    "webhooks/new/",
    "matrix/",
    "categories/",
    "routing/?try=vpn",
    "routing/new/",
    "major-rules/?try=INC0010001&open=1",
    "major-rules/new/",
    "people/",
    "people/new/",
    "calendars/new/",
)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""


@pytest.fixture(autouse=True)
def matrix(db: None) -> None:
    """Store the matrix: a test before this one may have emptied the tables."""
    for impact in (1, 2, 3):
        for urgency in (1, 2, 3):
            PriorityCell.objects.get_or_create(
                impact=impact, urgency=urgency, defaults={"priority": min(4, impact + urgency - 1)}
            )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_accessible_and_fit(cast: Cast, open_page: OpenPage, axe: str, theme: str, width: int) -> None:
    for name, least in (("Many", 20), ("Few", 1)):
        save_rule(
            None, name=name, min_people=least, condition={"field": "vip", "op": "eq", "value": False}, actor=SYSTEM
        )
    ticket = open_incident(actor=as_(cast.anna), title="No network", requester=cast.rita)
    page = open_page(cast.ada, BASE, width=width, theme=theme)
    root = page.url.removesuffix(BASE)
    for path in PAGES:
        page.goto(root + BASE + path.replace("INC0010001", ticket.number))
        page.wait_for_selector("html.ready")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path


def test_a_cell_of_the_matrix_shows_what_is_chosen_before_it_is_saved(cast: Cast, open_page: OpenPage) -> None:
    page = open_page(cast.ada, f"{BASE}matrix/")
    cell = page.locator(".matrix-cell").last
    assert cell.locator(".matrix-badge:visible").inner_text() == "Low"
    page.select_option("#id_cell_3_3", "1")
    assert cell.locator(".matrix-badge:visible").inner_text() == "Critical"


def test_a_condition_is_completed_under_its_field(cast: Cast, open_page: OpenPage) -> None:
    page = open_page(cast.ada, f"{BASE}routing/new/")
    page.locator("[name=condition]").press_sequentially("title:vpn tea")
    page.wait_for_selector("[data-suggest-box] .q-suggest li")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.input_value("[name=condition]") == "title:vpn team:"
