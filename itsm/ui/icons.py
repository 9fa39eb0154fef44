"""Tabler outline icons read from node_modules and rebuilt as inline SVG, so that they take the text's colour."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

NAME = re.compile(r"[a-z0-9-]{1,60}")
_PATH = re.compile(r'<path\s+d="([^"]+)"')


class UnknownIcon(LookupError):
    """The named icon is not one of Tabler's outline icons, or `npm ci` has not been run."""


def icon_dir() -> Path:
    """The folder with one SVG file per icon."""
    return Path(settings.BASE_DIR) / "node_modules" / "@tabler" / "icons" / "icons" / "outline"


@cache
def icon_paths(name: str) -> SafeString:
    """The `<path>` elements of one icon. Raises UnknownIcon for a name that is malformed or absent."""
    if not NAME.fullmatch(name):
        raise UnknownIcon(f"{name!r} is not an icon name: lower-case letters, digits and hyphens only.")
    try:
        source = (icon_dir() / f"{name}.svg").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UnknownIcon(f"There is no icon {name!r} in {icon_dir()}: check the name, or run npm ci.") from None
    # Tabler draws every outline icon with paths only; rebuilding them through format_html keeps the file untrusted.
    return format_html_join("", '<path d="{}"/>', ((d,) for d in _PATH.findall(source)))


@cache
def icon_svg(name: str, css_class: str = "") -> SafeString:
    """One decorative icon as `<svg>`, hidden from assistive technology; the word beside it carries the meaning."""
    return format_html(
        '<svg class="ico{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        f" {css_class}" if css_class else "",
        icon_paths(name),
    )
