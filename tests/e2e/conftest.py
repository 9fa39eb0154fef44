"""One product for all tests of this folder, started as `bin/serve` does, and windows for its people."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import SHORT_LEVELS, Pages, Product
from tests.setup.conftest import free_port

REFUSED = re.compile(r"Content.Security.Policy", re.I)


def make_product(**surroundings: str) -> Product:
    """Return a product with the demo in a directory of its own, not yet served."""
    data = Path(tempfile.mkdtemp(prefix="desk"))
    data.chmod(0o711)
    return Product(data, free_port(), data / "serve.log", surroundings=surroundings)


def remove(product: Product) -> None:
    """Stop a product and remove what it stored."""
    if product.process is not None and product.process.poll() is None:
        product.stop()
    for process in product.processes():
        process.kill()
    shutil.rmtree(product.data, ignore_errors=True)


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    """The product with its demo, served."""
    one = make_product()
    try:
        one.start()
        one.shell(SHORT_LEVELS)
        yield one
    finally:
        remove(one)


@pytest.fixture(scope="package")
def sessions() -> dict[str, Any]:
    """What a browser keeps of each person who signed in, so that each signs in once."""
    return {}


@pytest.fixture
def page_of(product: Product, chromium: Any, sessions: dict[str, Any]) -> Iterator[Pages]:
    """Return a function that gives a window in which somebody of the demo signed in; fails on what the content policy
    refused and on errors of scripts."""
    complaints: list[str] = []
    windows: list[Any] = []

    def open_window(who: str) -> Any:
        window = chromium.new_context(
            viewport={"width": 1440, "height": 900},
            locale="en-GB",
            reduced_motion="reduce",
            storage_state=sessions.get(who),
        )
        windows.append(window)
        page = window.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if REFUSED.search(said.text) else None)
        if who not in sessions:
            page.goto(f"{product.url}/accounts/login/")
            page.fill("[name=login]", f"{who}@demo.example")
            page.fill("[name=password]", product.password)
            page.click("form button[type=submit]")
            page.wait_for_url(lambda url: "/accounts/login/" not in url)
            sessions[who] = window.storage_state()
        return page

    yield open_window
    for window in windows:
        window.close()
    assert complaints == []
