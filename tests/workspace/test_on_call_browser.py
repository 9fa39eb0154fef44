"""The on-call pages in a real browser: accessible and fitting in both themes, wide and narrow; a swap by a click."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from itsm.tickets.clock import db_now
from slas.actions import add_override, add_time_off, ask_swap, save_rota
from slas.models import Rota
from slas.rotas import person_on_call, shifts_of
from tests.cast import Cast, as_

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Any]
BASE = "/desk/on-call/"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""


@pytest.fixture
def rota(cast: Cast) -> Rota:
    """Anna and Ben by turns with Lena behind them; an override, time off and a request to come."""
    now = db_now()
    start = (now - timedelta(days=9)).date().isoformat()
    turns = {"unit": "day", "every": 1, "minute": 0, "weekday": 0, "starts": start, "name": "Days"}
    layers = [
        {**turns, "level": 1, "members": [cast.anna.pk, cast.ben.pk]},
        {**turns, "level": 2, "members": [cast.lena.pk], "name": "Behind"},
    ]
    made = save_rota(None, name="Nights", team=cast.network, time_zone="UTC", layers=layers, actor=as_(cast.sven))
    later = {"starts_at": now + timedelta(days=8), "ends_at": now + timedelta(days=9)}
    add_override(made, cast.lena, actor=as_(cast.sven), **later)
    add_time_off(cast.ben, actor=as_(cast.ben), **later)
    mine = shifts_of(cast.anna, now, now + timedelta(days=7))
    shift = next(one.shift for one in mine if one.shift.start > now)
    ask_swap(made, starts_at=shift.start, ends_at=shift.end, asked=cast.ben, actor=as_(cast.anna))
    return made


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_accessible_and_fit(
    cast: Cast, rota: Rota, open_page: OpenPage, axe: str, theme: str, width: int
) -> None:
    page = open_page(cast.ben, BASE, width=width, theme=theme)
    root = page.url.removesuffix(BASE)
    for path in (BASE, f"{BASE}{rota.public_id}/", f"{BASE}mine/", "/desk/", "/profile/contact/"):
        page.goto(root + path)
        page.wait_for_selector("html.ready")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path


def test_a_swap_is_taken_by_one_click(cast: Cast, rota: Rota, open_page: OpenPage) -> None:
    page = open_page(cast.ben, f"{BASE}mine/")
    page.get_by_role("button", name="Take it").click()
    page.get_by_text("The shift is yours now.").wait_for()
    now = db_now()
    taken = [n for n in range(8) if person_on_call(rota.pk, 1, now + timedelta(days=n)) == cast.ben]
    assert any(b - a == 1 for a, b in itertools.pairwise(taken))
