"""Conditions with every word resolved: what both compilations read, so that they cannot read it differently."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any as Anything
from typing import cast

from django.utils.translation import gettext as _

from . import dates
from .checks import check_leaf
from .errors import ConditionError, shorten
from .fold import fold
from .schema import Context, Field, Schema, Type, spelling
from .tree import AllOf, AnyOf, Condition, Leaf, Not, check_size

POSITIVE = {"ne": "eq", "not_in": "in", "is_not_empty": "is_empty"}


@dataclass(frozen=True)
class Missing:
    """The field has no value; an empty text counts as none."""

    field: Field


@dataclass(frozen=True)
class OneOf:
    """The value (or, where there are many, one of them) is among these."""

    field: Field
    values: frozenset[Anything]


@dataclass(frozen=True)
class TextHas:
    """The text equals, starts with or contains `text`; already folded unless the field minds case."""

    field: Field
    how: str
    text: str


@dataclass(frozen=True)
class Between:
    """The value lies between the bounds; None is no bound, `*_open` leaves the bound itself out."""

    field: Field
    low: Anything = None
    high: Anything = None
    low_open: bool = False
    high_open: bool = False


@dataclass(frozen=True)
class Search:
    """The schema's own full-text question."""

    field: Field
    text: str


@dataclass(frozen=True)
class Group:
    """All or any of the children."""

    every: bool
    children: "tuple[Bound, ...]"


@dataclass(frozen=True)
class Negated:
    """Not the child."""

    child: "Bound"


type Question = Missing | OneOf | TextHas | Between | Search
type Bound = Question | Group | Negated
type Names = dict[tuple[str, str], frozenset[Anything]]


def check(
    condition: Condition,
    schema: Schema,
    *,
    predicate: bool = False,
    personal: bool = True,
    context: Context | None = None,
) -> None:
    """Raise ConditionError unless every leaf names a declared field, an operator it has and a value it can take.

    predicate  also refuse what cannot be tested on a single object; routing, SLA policies and automation ask for this
    personal   False also refuses words that depend on who is asking (`me`), which a stored rule has no answer for
    context    also look up every name (a query per reference field), so that an unknown team is told at once
    """
    check_size(condition)
    for leaf in condition.leaves():
        check_leaf(leaf, schema, predicate=predicate, personal=personal)
    if context is not None:
        bind(condition, schema, context)


def bind(condition: Condition, schema: Schema, context: Context) -> Bound:
    """The condition checked, with `is:` words expanded, names turned into ids and ages into instants.

    One query (the resolver's) for each reference field that is named. Raises ConditionError.
    """
    check_size(condition)
    return _bind(condition, schema, context, _resolve(condition, schema, context))


def _resolve(condition: Condition, schema: Schema, context: Context) -> Names:
    asked: dict[str, dict[str, Leaf]] = defaultdict(dict)
    for leaf in _expanded_leaves(condition, schema):
        if schema.field(leaf.field).type == Type.REFERENCE:
            for word in leaf.values():
                if isinstance(word, str):
                    asked[leaf.field].setdefault(spelling(word), leaf)
    names: Names = {}
    for name, words in asked.items():
        found = schema.field(name)
        plain = [word for word in words if word not in found.words]
        resolved = found.resolver(plain, context) if plain and found.resolver else {}
        for word, leaf in words.items():
            ids = found.words[word](context) if word in found.words else resolved.get(word)
            if ids is None:
                raise _unresolved(word, found, leaf)
            names[name, word] = frozenset(ids)
    return names


def _unresolved(word: str, found: Field, leaf: Leaf) -> ConditionError:
    if word in found.words:
        message = _("“%(word)s” has no meaning here, because nobody is signed in.") % {"word": word}
    else:
        message = _("“%(word)s” is not known as %(field)s. Check the spelling, or pick one from the list.") % {
            "word": shorten(word),
            "field": found.name,
        }
    return ConditionError(message, position=leaf.position, word=word)


def _expanded_leaves(condition: Condition, schema: Schema) -> list[Leaf]:
    leaves: list[Leaf] = []
    for leaf in condition.leaves():
        found = check_leaf(leaf, schema)
        if found.type == Type.WORD:
            for word in leaf.values():
                leaves += schema.words[str(word)].condition.leaves()
        else:
            leaves.append(leaf)
    return leaves


def _bind(condition: Condition, schema: Schema, context: Context, names: Names) -> Bound:
    if isinstance(condition, AllOf | AnyOf):
        children = tuple(_bind(child, schema, context, names) for child in condition.children)
        return Group(isinstance(condition, AllOf), children)
    if isinstance(condition, Not):
        return Negated(_bind(condition.child, schema, context, names))
    condition = cast(Leaf, condition)
    found = schema.field(condition.field)
    if found.type == Type.WORD:
        wanted = [schema.words[str(word)].condition for word in condition.values()]
        bound: Bound = Group(False, tuple(_bind(one, schema, context, names) for one in wanted))
    else:
        bound = _question(condition, found, context, names)
    return Negated(bound) if condition.op in POSITIVE else bound


def _question(leaf: Leaf, found: Field, context: Context, names: Names) -> Bound:
    op = POSITIVE.get(leaf.op, leaf.op)
    if op == "is_empty":
        return Missing(found)
    match found.type:
        case Type.SEARCH:
            return Search(found, str(leaf.value))
        case Type.TEXT:
            how = {"contains": "contains", "starts_with": "startswith"}.get(op, "exact")
            texts = tuple(TextHas(found, how, _text(str(value), found)) for value in leaf.values())
            return texts[0] if len(texts) == 1 else Group(False, texts)
        case Type.REFERENCE:
            ids: set[Anything] = set()
            for value in leaf.values():
                ids |= names[found.name, spelling(value)] if isinstance(value, str) else {value}
            return OneOf(found, frozenset(ids))
        case Type.DATETIME:
            return _moments(op, leaf, found, context)
        case _ if op in ("eq", "in"):
            return OneOf(found, frozenset(leaf.values()))
        case _:
            values = leaf.values()
            return _ordered(op, found, (values[0], values[0]), (values[-1], values[-1]), last_counts=True)


def _text(text: str, found: Field) -> str:
    prepared = found.prepare(text) if found.prepare else text
    return prepared if found.case_sensitive else fold(prepared)


def _ordered(
    op: str, found: Field, first: tuple[Anything, Anything], last: tuple[Anything, Anything], *, last_counts: bool
) -> Between:
    """The bounds of a comparison with spans; `last_counts` when the end of a span belongs to it."""
    if op == "lt":
        return Between(found, high=first[0], high_open=True)
    if op == "lte":
        return Between(found, high=first[1], high_open=not last_counts)
    if op == "gt":
        return Between(found, low=first[1], low_open=last_counts)
    if op == "gte":
        return Between(found, low=first[0])
    return Between(found, low=first[0], high=last[1], high_open=not last_counts)


def _moments(op: str, leaf: Leaf, found: Field, context: Context) -> Between:
    texts = [str(value) for value in leaf.values()]
    lengths = [dates.duration(text) for text in texts]
    if lengths[0] is None:
        spans = [dates.span(text, context.now, context.zone) for text in texts]
        return _ordered(op, found, spans[0], spans[-1], last_counts=False)
    sign = 1 if found.future else -1
    edges = [context.now + sign * (length or timedelta()) for length in lengths]
    if not found.future:
        # A greater age is an earlier instant, so the comparison turns round.
        op = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}.get(op, op)
        edges.reverse()
    return _ordered(op, found, (edges[0], edges[0]), (edges[-1], edges[-1]), last_counts=True)
