"""The page of a major incident in a real browser: readable by everybody, in both themes, on a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from incidents.actions import resolve, set_parent
from incidents.major.actions import add_entry, edit_line, finish_review, propose, save_review, send_update
from incidents.major.models import MajorIncident
from incidents.major.timeline import timeline_of
from itsm.tickets.clock import db_now
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
    child, _other = (set_parent(incident_of(cast), major, actor=lena) for _number in range(2))
    send_update(major, actor=lena, headline="VPN is down", text="Use the web mail.", to_portal=True, to_requesters=True)
    add_entry(major, actor=lena, text="Called the supplier " + "W" * 80, is_decision=True)
    MajorIncident.objects.filter(pk=major.pk).update(next_update_at=db_now() - timedelta(minutes=9))
    edited = next(line for line in timeline_of(major) if line.text.startswith("major incident accepted"))
    edit_line(major, edited.ref, actor=lena, text="Accepted by the network team")
    major_of(cast)
    proposed = propose(incident_of(cast), actor=as_(cast.anna), **WHY)
    over = resolve(major_of(cast), actor=lena, **FIXED)
    save_review(over, {"overview": "It broke.", "findings": "A switch.", "resolution": "Replaced."}, actor=lena)
    finish_review(over, actor=lena)
    page = open_page(cast.lena, "/desk/", width=width, theme=theme)
    root = page.url.removesuffix("/desk/")
    portal = open_page(cast.rita, "/", width=width, theme=theme)
    looks: list[tuple[Any, str, str]] = [
        (page, "list", "/desk/incidents/major/"),
        (page, "run", f"/desk/incidents/{major.number}/major/"),
        (page, "ticket", f"/desk/incidents/{major.number}/"),
        (page, "child", f"/desk/incidents/{child.number}/"),
        (page, "decide", f"/desk/incidents/{proposed.number}/major/"),
        (page, "reviewed", f"/desk/incidents/{over.number}/major/"),
        (portal, "portal-home", "/"),
        (portal, "portal-request", f"/requests/{child.number}/"),
    ]
    for page, name, path in looks:
        page.goto(root + path)
        page.wait_for_selector("html.ready")
        if where := os.environ.get("SCREENSHOTS"):
            page.set_viewport_size({"width": width, "height": 2600})  # the pane scrolls, not the page
            page.screenshot(path=f"{where}/major-{name}-{theme}-{width}.png", full_page=True)
            page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path
