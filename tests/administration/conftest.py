"""Fixtures of the settings' tests: the browser of the agents' pages."""

from tests.workspace.conftest import axe, open_page

__all__ = ["axe", "open_page"]
