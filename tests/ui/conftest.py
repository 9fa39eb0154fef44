"""Fixtures of the kit's tests: a template from a string, and the source of axe-core."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.template import Context, Template


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
