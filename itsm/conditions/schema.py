"""What a condition may name: the declared fields of one kind of object, and the moment and person it is asked for."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from functools import cached_property
from typing import Any as Anything

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from .errors import ConditionError, hint, shorten
from .fold import fold
from .tree import MAX_NAME, Condition, Scalar

NAME = re.compile(r"[a-z][a-z0-9_.]*")
IS = "is"
BIGGEST_INTEGER = 2**31 - 1


class Type(StrEnum):
    """What kind of values a field holds."""

    CHOICE = "choice"
    INTEGER = "integer"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    REFERENCE = "reference"
    SEARCH = "search"
    WORD = "word"


_EMPTINESS = {"is_empty", "is_not_empty"}
_EQUALITY = {"eq", "ne", "in", "not_in"}
_ORDER = {"lt", "lte", "gt", "gte", "within"}
OPS_OF_TYPE: Mapping[Type, frozenset[str]] = {
    Type.CHOICE: frozenset(_EQUALITY | _EMPTINESS),
    Type.INTEGER: frozenset(_EQUALITY | _ORDER | _EMPTINESS),
    Type.TEXT: frozenset(_EQUALITY | {"contains", "starts_with"} | _EMPTINESS),
    Type.BOOLEAN: frozenset({"eq", "ne"} | _EMPTINESS),
    Type.DATETIME: frozenset({"eq", "ne"} | _ORDER | _EMPTINESS),
    Type.REFERENCE: frozenset(_EQUALITY | _EMPTINESS),
    Type.SEARCH: frozenset({"matches"}),
    Type.WORD: frozenset(_EQUALITY),
}

type Label = str | Promise
type Choices = Sequence[tuple[Scalar, Label]]
type Ids = Collection[Anything]


@dataclass(frozen=True)
class Context:
    """For whom and when a condition is asked: `user` may be None, `now` is aware, `zone` is where days begin."""

    user: Anything
    now: datetime
    zone: tzinfo

    def __post_init__(self) -> None:
        if self.now.utcoffset() is None:
            raise ValueError("Context.now must be aware")


# Resolves the words of one field in one go: word -> the ids it stands for; unknown words are left out of the answer.
# Words arrive once each, in lower case and without spaces around them, and are the keys of the answer.
type Resolver = Callable[[Sequence[str], Context], Mapping[str, Ids]]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field that conditions may name.

    name            as people type it: lower case, digits, `_` and `.`
    type, label     what it holds, and what people call it (gettext_lazy)
    lookup          ORM path from the object; default: the name. Never ends in a lookup such as `__in`.
    getter          attribute path (with `__`) or function from the object to the value the predicate tests: for a
                    reference the id (or ids), for others the value or None. Default: follows `lookup`.
    ops             the operators allowed, default: all of the type (OPS_OF_TYPE)
    default_op      what `field:value` means; default `contains` for text, `eq` for the rest
    choices         (value, label) pairs, or a function that returns them; for a choice these are the only values, for
                    an integer the only ones that `eq`, `ne`, `in`, `not_in` take
    resolver        for a reference: turns words into ids, all words of a condition in one call
    words           for a reference: words that depend on the context, such as {"me": lambda context: [user id]}
                    (an empty answer means "nobody", None means the word has no meaning in this context)
    many            the reference holds several (tags, watchers); compiled to EXISTS so that rows never multiply
    case_sensitive  text is compared as it stands (and can use a plain index)
    prepare         for text: brings what people typed into the stored form, such as `str.upper` for numbers
    minimum/maximum bounds of an integer
    absent          a stored value that stands for "none" where the column cannot be NULL
    future          a datetime that lies ahead: `due:<2h` then means "sooner than in two hours" (the past included)
    sortable        `Schema.ordering` may name it
    search          for type SEARCH: (text, context) -> Q
    filter_only     there is no predicate, so stored rules refuse the field. Always so for type SEARCH.
    complete        (prefix, context) -> (word, label) pairs for `suggest`, few of them
    hidden          not offered by `suggest`
    """

    name: str
    type: Type
    label: Label
    lookup: str = ""
    getter: str | Callable[[Anything], Anything] | None = None
    ops: frozenset[str] | None = None
    default_op: str = ""
    choices: Choices | Callable[[], Choices] = ()
    resolver: Resolver | None = None
    words: Mapping[str, Callable[[Context], Ids | None]] = field(default_factory=dict)
    many: bool = False
    case_sensitive: bool = False
    prepare: Callable[[str], str] | None = None
    minimum: int = -BIGGEST_INTEGER
    maximum: int = BIGGEST_INTEGER
    absent: Anything = None
    future: bool = False
    sortable: bool = False
    search: Callable[[str, Context], Q] | None = None
    filter_only: bool = False
    complete: Callable[[str, Context], Iterable[tuple[str, Label]]] | None = None
    hidden: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.name) > MAX_NAME:
            raise ImproperlyConfigured(f"{self.name!r} is not a field name")
        if self.type == Type.REFERENCE and self.resolver is None:
            raise ImproperlyConfigured(f"the reference {self.name} needs a resolver")
        if (self.type == Type.SEARCH) != (self.search is not None):
            raise ImproperlyConfigured(f"{self.name}: `search` belongs to the type SEARCH")
        if self.many and self.type != Type.REFERENCE:
            raise ImproperlyConfigured(f"{self.name}: only a reference can hold several")
        if self.ops is not None and not self.ops <= OPS_OF_TYPE[self.type]:
            raise ImproperlyConfigured(f"{self.name}: unknown operators {self.ops - OPS_OF_TYPE[self.type]}")

    @property
    def path(self) -> str:
        """The ORM path."""
        return self.lookup or self.name

    @property
    def operators(self) -> frozenset[str]:
        """The operators that may be used."""
        return OPS_OF_TYPE[self.type] if self.ops is None else self.ops

    @property
    def usual_op(self) -> str:
        """What `field:value` means in the search bar."""
        if self.default_op:
            return self.default_op
        return {Type.TEXT: "contains", Type.SEARCH: "matches"}.get(self.type, "eq")

    @property
    def has_predicate(self) -> bool:
        """Whether one object can be tested without the database's help."""
        return not (self.filter_only or self.type == Type.SEARCH)

    @property
    def blank_is_missing(self) -> bool:
        """Whether an empty text means "no value", as Django stores it."""
        if self.type == Type.CHOICE:
            return any(isinstance(value, str) for value, _label in self.options())
        return self.type == Type.TEXT

    def options(self) -> Choices:
        """The declared choices, asked for now when they are a function."""
        return self.choices() if callable(self.choices) else self.choices

    def read(self, thing: Anything) -> Anything:
        """The value of this field on `thing`, as the predicate compares it: ids for references, None when missing."""
        value = self._stored(thing)
        return None if self.absent is not None and value == self.absent else value

    def _stored(self, thing: Anything) -> Anything:
        if callable(self.getter):
            return self.getter(thing)
        steps = (self.getter or self.path).split("__")
        for step in steps[:-1]:
            thing = getattr(thing, step)
            if thing is None:
                return () if self.many else None
        if self.many:
            return [other.pk for other in getattr(thing, steps[-1]).all()]
        if self.type == Type.REFERENCE and self.getter is None:
            return getattr(thing, steps[-1] + "_id")
        return getattr(thing, steps[-1])


def spelling(word: str) -> str:
    """How a name is handed to a resolver: in lower case, without spaces around it."""
    return fold(word.strip())


@dataclass(frozen=True)
class Word:
    """A word after `is:`, such as `is:open`, and the condition it stands for (which may not use `is` itself)."""

    label: Label
    condition: Condition


@dataclass(frozen=True)
class Schema:
    """The fields and `is:` words of one kind of object.

    `model` is the model class or its "app.Model" label, needed where a field is `many`. `search` names the SEARCH field
    that free words go to; without it free words are refused.
    """

    model: type[Model] | str
    fields: tuple[Field, ...]
    words: Mapping[str, Word] = field(default_factory=dict)
    search: str = ""
    is_label: Label = IS

    def __post_init__(self) -> None:
        if len({one.name for one in self.fields}) != len(self.fields) or IS in {one.name for one in self.fields}:
            raise ImproperlyConfigured("field names must be different, and “is” is taken")
        for name, word in self.words.items():
            unknown = {leaf.field for leaf in word.condition.leaves()} - {one.name for one in self.fields}
            if unknown or not NAME.fullmatch(name):
                raise ImproperlyConfigured(f"is:{name} names unknown fields {sorted(unknown)}")
        if self.search and self.by_name[self.search].type != Type.SEARCH:
            raise ImproperlyConfigured(f"{self.search} is not a search field")

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Every field by its name, `is` included when there are words for it."""
        known = {one.name: one for one in self.fields}
        if self.words:
            choices = tuple((name, word.label) for name, word in self.words.items())
            known[IS] = Field(name=IS, type=Type.WORD, label=self.is_label, choices=choices)
        return known

    def model_class(self) -> type[Model]:
        """The model that conditions filter."""
        return apps.get_model(self.model) if isinstance(self.model, str) else self.model

    def field(self, name: str, position: int | None = None) -> Field:
        """The declared field, or ConditionError with the nearest names."""
        found = self.by_name.get(name)
        if found is None:
            shown = sorted(known.name for known in self.by_name.values() if not known.hidden)
            raise ConditionError(
                _("Unknown field “%(name)s”. %(hint)s") % {"name": shorten(name), "hint": hint(name, shown)},
                position=position,
                word=name,
            )
        return found

    def without(self, *names: str) -> "Schema":
        """This schema less the named fields, and less the `is:` words that need them: what fewer people may ask."""
        fields = tuple(one for one in self.fields if one.name not in names)
        words = {
            name: word
            for name, word in self.words.items()
            if not {leaf.field for leaf in word.condition.leaves()} & set(names)
        }
        return replace(self, fields=fields, words=words, search="" if self.search in names else self.search)

    def ordering(self, text: str, *, tie: str = "pk") -> tuple[str, str]:
        """`order_by` arguments for `priority` or `-opened`; `tie` makes the order total, in the same direction.

        Only fields declared sortable pass, so no text of a request reaches the ORM. Raises ConditionError.
        """
        sign, name = ("-", text[1:]) if text[:1] == "-" else ("", text)
        found = self.by_name.get(name)
        if found is None or not found.sortable:
            names = sorted(one.name for one in self.fields if one.sortable)
            raise ConditionError(
                _("“%(name)s” cannot be sorted by. %(hint)s") % {"name": shorten(name), "hint": hint(name, names)},
                word=name,
            )
        return sign + found.path, sign + tie

    def choice_word(self, found: Field, typed: str) -> Scalar | None:
        """The choice that `typed` names by its value or its label, or None."""
        wanted = fold(typed).replace(" ", "_")
        for value, _label in found.options():
            if fold(str(value)) == wanted:
                return value
        for value, label in found.options():
            if fold(str(label)).replace(" ", "_") == wanted:
                return value
        return None
