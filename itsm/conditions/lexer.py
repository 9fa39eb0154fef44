"""Cuts the text of a search bar into terms, in one pass from left to right."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .errors import ConditionError

MAX_QUERY = 2_000
FIELD_PREFIX = re.compile(r"([A-Za-z][A-Za-z0-9_.]*):")
COMPARISON = re.compile(r"<=|>=|<>|!=|[<>=~^]")
BARE = re.compile(r"[^\s()]+")
BARE_VALUE = re.compile(r'[^\s(),"][^\s(),]*')
SPACES = re.compile(r"\s*")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
ESCAPE = re.compile(r'\\(["\\])')


@dataclass(frozen=True)
class Piece:
    """A value as typed: its text without quotes, whether it stood in quotes, and where it begins."""

    text: str
    quoted: bool
    position: int


@dataclass(frozen=True)
class Token:
    """`kind` is one of ( ) - word term end; a term has `name`, `comparison` and `pieces`, a word one piece."""

    kind: str
    position: int
    name: str = ""
    comparison: str = ""
    pieces: tuple[Piece, ...] = ()


def tokens(text: str, known: frozenset[str] = frozenset()) -> Iterator[Token]:
    """The tokens of `text`, an `end` last. `known` are the names before which a colon always makes a term."""
    at = 0
    while True:
        at = _end(SPACES, text, at)
        if at == len(text):
            yield Token("end", at)
            return
        char = text[at]
        if char in "()":
            yield Token(char, at)
            at += 1
        elif char == "-":
            # A dash between spaces is punctuation.
            if at + 1 < len(text) and not text[at + 1].isspace() and text[at + 1] != ")":
                yield Token("-", at)
            at += 1
        elif char == '"':
            piece, at = _quoted(text, at)
            yield Token("word", piece.position, pieces=(piece,))
        else:
            token, at = _term(text, at, known)
            yield token


def _term(text: str, at: int, known: frozenset[str]) -> tuple[Token, int]:
    prefix = FIELD_PREFIX.match(text, at)
    if prefix and not _is_prose(text, prefix, known):
        start, at = at, prefix.end()
        comparison = COMPARISON.match(text, at)
        at = comparison.end() if comparison else at
        pieces = []
        while True:
            piece, at = _value(text, at, prefix[1])
            pieces.append(piece)
            if text[at : at + 1] != ",":
                break
            at = _end(SPACES, text, at + 1)
        return Token("term", start, prefix[1].lower(), comparison[0] if comparison else "", tuple(pieces)), at
    end = _end(BARE, text, at)
    return Token("word", at, pieces=(Piece(text[at:end], False, at),)), end


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the match of `pattern` at this place ends; `at` itself when there is none."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _is_prose(text: str, prefix: re.Match[str], known: frozenset[str]) -> bool:
    """Whether the colon belongs to ordinary writing: an address (`http://`), or a word before a space (`Error: …`)."""
    following = text[prefix.end() : prefix.end() + 2]
    return prefix[1].lower() not in known and (following == "//" or not following or following[0].isspace())


def _value(text: str, at: int, name: str) -> tuple[Piece, int]:
    if text[at : at + 1] == '"':
        piece, end = _quoted(text, at)
        if text[end : end + 1] and text[end] not in ",)(" and not text[end].isspace():
            raise ConditionError(_("Put a space or a comma after the closing quotation mark."), position=end)
        return piece, end
    bare = BARE_VALUE.match(text, at)
    if bare is None:
        raise ConditionError(
            _("“%(field)s:” needs a value right after it, such as %(field)s:none for an empty field.")
            % {"field": name.lower()},
            position=at,
            word=name,
        )
    return Piece(bare[0], False, at), bare.end()


def _quoted(text: str, at: int) -> tuple[Piece, int]:
    match = QUOTED.match(text, at)
    if match is None:
        raise ConditionError(_("Close the quotation mark that opens here."), position=at)
    return Piece(ESCAPE.sub(r"\1", match[1]), True, at), match.end()
