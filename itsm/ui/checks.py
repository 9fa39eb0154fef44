"""Start-up check: an icon named in a template exists, so that a typing mistake never reaches a reader."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, register
from django.template import engines

from itsm.ui.icons import UnknownIcon, icon_dir, icon_paths
from itsm.ui.words import ICONS_IN_CODE

_USED = re.compile(r"""(?:\{%\s*icon\s+|\bsymbol=)["']([^"']*)["']""")


def icons_in_templates() -> Iterator[tuple[str, Path]]:
    """Every literal icon name in the project's own templates, with the file that names it."""
    for folder in engines["django"].dirs:
        for path in Path(folder).rglob("*.html"):
            for name in _USED.findall(path.read_text(encoding="utf-8")):
                yield name, path


@register("templates")
def icons_exist(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """An error for each icon that is used and missing; one error alone when the whole icon set is missing."""
    if not icon_dir().is_dir():
        return [
            Error(
                f"The icons are missing: {icon_dir()} does not exist.",
                hint="Run npm ci.",
                id="ui.E001",
            )
        ]
    errors: list[CheckMessage] = []
    for name, where in [
        *icons_in_templates(),
        *((name, Path(__file__)) for name in ICONS_IN_CODE),
    ]:
        try:
            icon_paths(name)
        except UnknownIcon as unknown:
            errors.append(Error(str(unknown), obj=str(where), id="ui.E002"))
    return errors
