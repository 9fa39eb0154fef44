"""Fixtures of the agents' pages: a browser signed in as somebody of the cast."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client

from itsm.accounts.models import User

EXPECTED = ("the server responded with a status", "net::ERR_FAILED", "Failed to fetch")


@pytest.fixture
def axe() -> str:
    """The source of axe-core from node_modules."""
    return (Path(project.BASE_DIR) / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def open_page(chromium: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that opens an address as a person; the test fails on any console error (a refused style)."""
    complaints: list[str] = []
    windows: list[Any] = []

    def opened(user: User, path: str, *, width: int = 1440, theme: str = "light", scripts: bool = True) -> Any:
        client = Client()
        client.force_login(user, backend="itsm.accounts.backends.RoleBackend")
        session = client.cookies[project.SESSION_COOKIE_NAME].value
        context = chromium.new_context(
            viewport={"width": width, "height": 844}, locale="en-GB", java_script_enabled=scripts
        )
        windows.append(context)
        context.add_cookies(
            [
                {"name": project.SESSION_COOKIE_NAME, "value": session, "url": live_server.url},
                {"name": "theme", "value": theme, "url": live_server.url},
            ]
        )
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + path)
        if scripts:
            page.wait_for_selector("html.ready")
        return page

    yield opened
    for window in windows:
        window.close()
    assert [text for text in complaints if not any(part in text for part in EXPECTED)] == []
