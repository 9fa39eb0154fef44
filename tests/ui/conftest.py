"""Fixtures of the kit's tests: a template from a string, and Chromium where there is one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.template import Context, Template

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture
def rendered() -> Callable[..., str]:
    """Render `{% load ui %}` plus the source with the given context."""

    def render(source: str, **context: Any) -> str:
        return Template("{% load ui %}" + source).render(Context(context))

    return render


@pytest.fixture
def axe() -> str:
    """The source of axe-core from node_modules."""
    return (Path(project.BASE_DIR) / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def chromium() -> Iterator[Any]:
    """A Chromium started for this test; skipped, with the reason, where none is installed."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"No Chromium at {CHROMIUM}: browser checks did not run")
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread and Django then refuses the database, though it is used synchronously.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
