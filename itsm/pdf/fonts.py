"""The fonts of documents, and what text can be drawn with them.

DejaVu Sans (an npm package, like the fonts of the pages) has Latin, Greek, Cyrillic, Hebrew, Arabic, Armenian,
Georgian and symbols; Noto Sans CJK (a Python package) Chinese, Japanese and Korean.
"""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTFont

WEIGHTS = (400, 700)
MISSING = "\u25a1"
# Embeddings and overrides of the direction: they can make a line read otherwise than it was written.
DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNSEEN = frozenset({"Mn", "Me", "Cf"})
SHAPED = frozenset({"R", "AL", "AN"})
DIRECTED = frozenset({"L", "R", "AL", "EN", "AN"})
FIRST_SHAPED = "\u0300"
MOST_IN_A_ROW = 200


class FontMissing(Exception):
    """A font's package is not installed; the message says which."""


def wide_font() -> Path:
    """Return the file with the letters of Chinese, Japanese and Korean. Raises FontMissing."""
    spec = find_spec("noto_cjk_sans_otc")
    found = Path(spec.origin or "").parent / "NotoSansCJK-Regular.ttc" if spec is not None else Path("missing")
    if not found.is_file():
        raise FontMissing("The package noto-cjk-sans-otc is not installed. Install requirements.txt.")
    return found


def packed_font(weight: int) -> Path:
    """Return the file of the main font as npm brings it. Raises FontMissing."""
    folder = Path(settings.BASE_DIR) / "node_modules" / "@fontsource" / "dejavu-sans" / "files"
    found = folder / f"dejavu-sans-latin-{weight}-normal.woff"
    if not found.is_file():
        raise FontMissing(f"The font {found.name} is missing. Run npm ci.")
    return found


@cache
def main_font(weight: int) -> Path:
    """Return the main font as a plain file, unpacked once by each process: the shaper reads no packed one, and would
    have it unpacked, slowly, for each document. Raises FontMissing."""
    there = Path(_folder().name) / f"{weight}.ttf"
    with TTFont(packed_font(weight), lazy=True, recalcBBoxes=False, recalcTimestamp=False) as font:
        font.flavor = None
        font.save(there, reorderTables=None)
    return there


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fonts-")


@cache
def main_letters() -> frozenset[int]:
    """Return the code points that the main font has."""
    with TTFont(main_font(400), lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def wide_letters() -> frozenset[int]:
    """Return the code points that the font for Chinese, Japanese and Korean has."""
    with TTFont(wide_font(), lazy=True, fontNumber=0) as font:
        return frozenset(font.getBestCmap())


def tidy(text: str) -> str:
    """Return the text without what no page shows: control characters, tricks with the direction, odd line ends."""
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(
        one for one in plain if one == "\n" or (one not in DIRECTION and unicodedata.category(one) not in {"Cc", "Cs"})
    )


def drawable(text: str, *sets: Collection[int]) -> str:
    """Return the text with a box for each character that none of the sets has: a reader sees that something is
    missing. Marks and joiners that nothing can be drawn for go without one."""
    kept: list[str] = []
    for one in text:
        if one == "\n" or any(ord(one) in known for known in sets):
            kept.append(one)
        elif unicodedata.category(one) not in UNSEEN:
            kept.append(MISSING)
    return "".join(kept)


def is_right_to_left(text: str) -> bool:
    """Return whether the text begins, with its first letter that has a direction, from the right."""
    for one in text:
        kind = unicodedata.bidirectional(one)
        if kind in {"R", "AL"}:
            return True
        if kind == "L":
            return False
    return False


def needs_shaping(text: str) -> bool:
    """Return whether letters of the text are joined, stacked or written from the right. Shaping takes long, and
    Latin, Greek, Cyrillic and Chinese, Japanese and Korean letters stand beside one another without it."""
    return any(
        unicodedata.bidirectional(one) in SHAPED or unicodedata.category(one) in UNSEEN
        for one in text
        if one > "\u02ff"
    )


def pieces(text: str) -> list[str]:
    """Return the text that is to be shaped cut where hundreds of characters without a direction stand in a row: the
    library looks for the next one that has one by calling itself, and would run out of stack."""
    found, start, row = [], 0, 0
    for place, one in enumerate(text):
        row = 0 if unicodedata.bidirectional(one) in DIRECTED else row + 1
        if row == MOST_IN_A_ROW:
            found.append(text[start : place + 1])
            start, row = place + 1, 0
    return [*found, text[start:]] if start < len(text) else found


def runs(text: str) -> list[tuple[bool, str]]:
    """Return the text in runs of one font, each with whether only the wide font has it."""
    found: list[tuple[bool, str]] = []
    for one in text:
        is_wide = ord(one) not in main_letters() and one != "\n"
        if found and found[-1][0] == is_wide:
            found[-1] = (is_wide, found[-1][1] + one)
        else:
            found.append((is_wide, one))
    return found
