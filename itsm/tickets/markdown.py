"""Markdown that people wrote, as HTML that is safe to show. The only place that declares text of strangers trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

MAX_RENDERED = 100_000
KEPT_LENGTH = 8_000
MAX_CELLS = 5_000  # in all tables of one text together

# No images: one that is loaded from elsewhere tells its owner who reads the ticket, and when.
_TAGS = {
    "a", "p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="nofollow noopener noreferrer",
)
_ADDRESS = re.compile(r"https?://[^\s<>\"]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}", re.I)
_TRAILING = ".,:;!?'\"»”’*_~"


def render_markdown(text: str) -> SafeString:
    """Return the text as clean HTML; what is longer than 100,000 characters is shown as it was typed."""
    if len(text) > MAX_RENDERED:
        return format_html("<pre>{}</pre>", text)
    return _kept(text) if len(text) <= KEPT_LENGTH else _render(text)


def _render(text: str) -> SafeString:
    return SafeString(_cleaner.clean(_markdown.render(text)))


_kept = lru_cache(maxsize=1024)(_render)


def _link_addresses(state: StateCore) -> None:
    """Make bare web and mail addresses in running text into links, as people expect of what they paste."""
    for block in state.tokens:
        if block.type != "inline" or not block.children:
            continue
        children: list[Token] = []
        depth = 0
        for token in block.children:
            depth += token.nesting if token.type in {"link_open", "link_close"} else 0
            children.extend(_split(token) if token.type == "text" and depth == 0 else [token])
        block.children = children


def _split(token: Token) -> Iterator[Token]:
    text, at = token.content, 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(_TRAILING)
        if address.endswith(")") and address.count("(") < address.count(")"):
            address = address[:-1].rstrip(_TRAILING)
        yield _text(text[at : found.start()])
        href = address if address.lower().startswith(("http://", "https://")) else f"mailto:{address}"
        yield Token("link_open", "a", 1, attrs={"href": href})
        yield _text(address)
        yield Token("link_close", "a", -1)
        at = found.start() + len(address)
    yield _text(text[at:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _bold_line(self: Any, tokens: list[Token], index: int, options: Any, env: Any) -> str:
    # A heading in somebody's message would break the page's own outline.
    return "<p><strong>" if tokens[index].nesting == 1 else "</strong></p>\n"


def _modest_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table unless the text's tables grow too large: what is too much stays text.

    Rows are filled up to the width of the head, so that a hundred KB of short rows would become millions of cells.
    """
    left = state.env.get("cells", MAX_CELLS)
    if left < 0 or not table(state, start, end, True):
        return False
    if silent:
        return True
    last = next((line for line in range(start, end) if state.isEmpty(line)), end)
    width = state.src[state.bMarks[start] : state.eMarks[start]].count("|") + 1
    left = state.env["cells"] = left - (last - start) * width
    return left >= 0 and table(state, start, end, False)


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    markdown.block.ruler.at("table", _modest_table, {"alt": ["paragraph", "reference"]})
    markdown.enable(["table", "strikethrough"])
    markdown.disable(["image"])
    markdown.core.ruler.push("addresses", _link_addresses)
    markdown.add_render_rule("heading_open", _bold_line)
    markdown.add_render_rule("heading_close", _bold_line)
    return markdown


_markdown = _build()
