"""Completions for the search bar: what could stand where the cursor is."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.utils.translation import gettext as _

from . import dates
from .describe import describe_leaf, moment_phrase
from .fold import fold
from .lexer import COMPARISON, MAX_QUERY
from .printer import value_text
from .schema import IS, Context, Field, Schema, Type
from .tree import Leaf

MOST = 10


@dataclass(frozen=True)
class Suggestion:
    """Put `text` in place of the characters from `start` up to `end`; `label` says what it means."""

    text: str
    label: str
    start: int
    end: int


def suggest(text: str, cursor: int, schema: Schema, context: Context | None = None) -> list[Suggestion]:
    """Up to ten completions of the term that ends at `cursor`: field names first, after a colon its values.

    Names of people and teams come from the field's `complete` and need a `context`. Never raises for any text.
    """
    before = text[: max(0, min(cursor, len(text), MAX_QUERY))]
    start = _term_start(before)
    term = before[start:]
    dash = term.startswith("-")
    name, colon, rest = term[dash:].partition(":")
    if not colon:
        return [
            Suggestion(found, label, start + dash, len(before)) for found, label in islice(_names(name, schema), MOST)
        ]
    field = schema.by_name.get(name.lower())
    if field is None:
        return []
    comparison = COMPARISON.match(rest)
    at = comparison.end() if comparison else 0
    at = max(at, rest.rfind(",") + 1)
    typed = rest[at:].lstrip().strip('"')
    place = len(before) - len(rest[at:].lstrip())
    values = _values(field, typed, context, compared=comparison is not None)
    return [Suggestion(value, label, place, len(before)) for value, label in islice(values, MOST)]


def _term_start(before: str) -> int:
    """Where the last term begins, spaces inside quotation marks not counting as its end."""
    start, quoted = 0, False
    for at, char in enumerate(before):
        if char == '"' and before[at - 1 : at] != "\\":
            quoted = not quoted
        elif not quoted and (char.isspace() or char in "()"):
            start = at + 1
    return start


def _names(typed: str, schema: Schema) -> Iterator[tuple[str, str]]:
    wanted = fold(typed)
    shown = [field for field in schema.by_name.values() if not field.hidden and field.name != schema.search]
    near = [field for field in shown if field.name.startswith(wanted)]
    near += [field for field in shown if field not in near and wanted and fold(str(field.label)).startswith(wanted)]
    yield from ((f"{field.name}:", str(field.label)) for field in near)
    if wanted and IS in schema.by_name:
        words = schema.words.items()
        yield from ((f"is:{name}", str(word.label)) for name, word in words if name.startswith(wanted))


def _values(field: Field, typed: str, context: Context | None, *, compared: bool) -> Iterator[tuple[str, str]]:
    wanted = fold(typed)
    for value, label in _candidates(field, typed, context):
        if value.strip('"').lower().startswith(wanted) or fold(label).startswith(wanted):
            yield value, label
    if not compared and "is_empty" in field.operators:
        if "none".startswith(wanted):
            yield "none", _("empty")
        if "any".startswith(wanted):
            yield "any", _("not empty")


def _candidates(field: Field, typed: str, context: Context | None) -> Iterator[tuple[str, str]]:
    for option, label in field.options():
        yield value_text(option, field), str(label)
    for word in field.words:
        yield word, str(field.label)
    if field.type == Type.BOOLEAN:
        yield "yes", _("yes")
        yield "no", _("no")
    if field.type == Type.DATETIME:
        yield from ((name, moment_phrase(name)) for name in dates.NAMED)
        ages = ("<30m", "<2h", "<1d") if field.future else ("<1h", "<1d", "<7d", ">3d")
        for age in ages:
            yield age, describe_leaf(Leaf(field.name, "lt" if age[0] == "<" else "gt", age[1:]), field)
    if field.complete is not None and context is not None:
        for word, label in field.complete(typed, context):
            yield value_text(word, field), str(label)
