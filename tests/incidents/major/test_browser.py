"""The page of a major incident in a real browser: readable by everybody, in both themes, on a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from incidents.actions import resolve, set_parent
from incidents.major.actions import add_entry, finish_review, propose, save_review, send_update
from tests.cast import Cast, as_
from tests.incidents.major.test_deciding import FIXED, WHY, incident_of, major_of
from tests.workspace.conftest import axe, open_page  # noqa: F401  fixtures
from tests.workspace.test_browser import FINDINGS, TAGS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_fits(
    cast: Cast,
    open_page: Callable[..., Any],  # noqa: F811
    axe: str,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    major, lena = major_of(cast, service=cast.vpn), as_(cast.lena)
    for _number in range(2):
        set_parent(incident_of(cast), major, actor=lena)
    send_update(major, actor=lena, headline="VPN is down", text="Use the web mail.", to_portal=True, to_requesters=True)
    add_entry(major, actor=lena, text="Called the supplier " + "W" * 80, is_decision=True)
    proposed = propose(incident_of(cast), actor=as_(cast.anna), **WHY)
    over = resolve(major_of(cast), actor=lena, **FIXED)
    save_review(over, {"overview": "It broke.", "findings": "A switch.", "resolution": "Replaced."}, actor=lena)
    finish_review(over, actor=lena)
    page = open_page(cast.lena, "/desk/", width=width, theme=theme)
    root = page.url.removesuffix("/desk/")
    for name, path in (
        ("list", "/desk/incidents/major/"),
        ("run", f"/desk/incidents/{major.number}/major/"),
        ("ticket", f"/desk/incidents/{major.number}/"),
        ("decide", f"/desk/incidents/{proposed.number}/major/"),
        ("reviewed", f"/desk/incidents/{over.number}/major/"),
    ):
        page.goto(root + path)
        page.wait_for_selector("html.ready")
        if where := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{where}/major-{name}-{theme}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path
