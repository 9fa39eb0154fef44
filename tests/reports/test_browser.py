"""The reports in a real browser: accessible, fitting, refused by no content policy, in both themes and sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from slas.actions import install_defaults
from slas.models import Timer
from tests.cast import make_cast
from tests.reports.conftest import ROOT, SPRING, make_past
from tests.slas.conftest import OFFICE, make_levels
from tests.workspace.conftest import axe, open_page

__all__ = ["axe", "open_page"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("", "breaches/", "soon/", "time/", "pauses/", "waits/", "clocks/")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_accessible_and_fit(
    db: None, open_page: Callable[..., Any], axe: str, theme: str, width: int
) -> None:
    cast = make_cast()
    install_defaults()
    make_levels(OFFICE)
    make_past(cast, 15)
    late = Timer.objects.filter(breached_at__isnull=False)[0]
    page = open_page(cast.sven, ROOT, width=width, theme=theme)
    root = page.url.removesuffix(ROOT)
    for path in (*PAGES, f"clocks/{late.pk}/"):
        page.goto(f"{root}{ROOT}{path}?{SPRING}")
        page.wait_for_selector("html.ready")
        wide = page.evaluate("Math.max(...[document.documentElement, document.querySelector('#main')]"
                             ".map(box => box.scrollWidth - box.clientWidth))")  # fmt: skip
        assert wide <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path
