"""The browser of the tests: one Chromium for all that follow one another, since a start costs more than most tests."""

from __future__ import annotations

import os
import shutil
from typing import Any

from django.db import connections

PATH = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Chromium:
    """A browser that is started when it is first asked for. Each test opens and closes windows of its own in it."""

    def __init__(self) -> None:
        self._playwright: Any = None
        self._browser: Any = None

    def browser(self) -> Any:
        """Return the running browser, started unless it runs."""
        if self._browser is not None and not self._browser.is_connected():
            self.stop()
        if self._browser is None:
            from playwright.sync_api import sync_playwright

            # Playwright's loop runs in this thread; Django then refuses the database, though it is used synchronously.
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
            self._playwright = sync_playwright().start()
            self._browser = self._playwright.chromium.launch(executable_path=PATH, args=ARGUMENTS)
        return self._browser

    def stop(self) -> None:
        """Stop the browser if it runs."""
        if self._playwright is None:
            return
        # Beside a loop Django keeps connections of their own; one left open keeps the database from being removed.
        connections.close_all()
        if self._browser is not None:
            self._browser.close()
        self._playwright.stop()
        self._playwright = self._browser = None
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
