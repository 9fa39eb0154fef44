"""Start-up check: the fonts of documents are there, so that their absence never reaches a reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register

from itsm.pdf.fonts import WEIGHTS, FontMissing, packed_font, wide_font


@register("fonts")
def fonts_exist(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each font whose package is not installed."""
    finders: list[Callable[[], Path]] = [wide_font, *(partial(packed_font, weight) for weight in WEIGHTS)]
    errors: list[CheckMessage] = []
    for find in finders:
        try:
            find()
        except FontMissing as missing:
            errors.append(Error(str(missing), id="itsm.E002"))
    return errors
