"""Conditions as small immutable trees, and their JSON form."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as setting
from typing import Any as Anything
from typing import cast

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .errors import ConditionError, hint, shorten

MAX_DEPTH = 8
MAX_LEAVES = 100
MAX_LIST = 100
MAX_VALUES = 1_000
MAX_TEXT = 500
MAX_NAME = 64
MAX_INTEGER = 2**63 - 1

NO_VALUE = frozenset({"is_empty", "is_not_empty"})
LIST_VALUE = frozenset({"in", "not_in"})
ONE_VALUE = frozenset({"eq", "ne", "lt", "lte", "gt", "gte", "contains", "starts_with", "matches"})
OPS = ONE_VALUE | LIST_VALUE | NO_VALUE | {"within"}
SYNONYMS = {"before": "lt", "after": "gt"}
OPPOSITES = {"eq": "ne", "in": "not_in", "is_empty": "is_not_empty"}
OPPOSITES |= {negative: positive for positive, negative in OPPOSITES.items()}

type Scalar = str | int | bool
type Value = Scalar | tuple[Scalar, ...] | None


class Condition(ABC):
    """What every node of a condition can do. The nodes are AllOf, AnyOf, Not and Leaf."""

    @abstractmethod
    def to_json(self) -> dict[str, Anything]:
        """The node as plain dicts and lists; `Condition.from_json` reads them back to an equal node."""

    @staticmethod
    def from_json(data: object) -> "Condition":
        """The condition that `data` (as read from JSON) says; `{}` matches everything.

        Checks shape and size only: whether fields and values exist is `check`'s question, which knows the schema.
        Raises ConditionError.
        """
        condition = _node(data, 1)
        check_size(condition)
        return condition

    @abstractmethod
    def leaves(self) -> "Iterator[Leaf]":
        """Every leaf of the tree, left to right."""

    @abstractmethod
    def depth(self) -> int:
        """How many levels the tree has; a leaf has one."""


@dataclass(frozen=True)
class AllOf(Condition):
    """True when every child is; without children it is true for everything."""

    children: tuple[Condition, ...] = ()

    def to_json(self) -> dict[str, Anything]:
        return {"all": [child.to_json() for child in self.children]}

    def leaves(self) -> "Iterator[Leaf]":
        for child in self.children:
            yield from child.leaves()

    def depth(self) -> int:
        return 1 + max((child.depth() for child in self.children), default=0)


@dataclass(frozen=True)
class AnyOf(Condition):
    """True when at least one child is."""

    children: tuple[Condition, ...]

    def to_json(self) -> dict[str, Anything]:
        return {"any": [child.to_json() for child in self.children]}

    def leaves(self) -> "Iterator[Leaf]":
        for child in self.children:
            yield from child.leaves()

    def depth(self) -> int:
        return 1 + max((child.depth() for child in self.children), default=0)


@dataclass(frozen=True)
class Not(Condition):
    """True when the child is not: plain two-valued logic, a missing value never makes a third answer."""

    child: Condition

    def to_json(self) -> dict[str, Anything]:
        return {"not": self.child.to_json()}

    def leaves(self) -> "Iterator[Leaf]":
        return self.child.leaves()

    def depth(self) -> int:
        return 1 + self.child.depth()


@dataclass(frozen=True)
class Leaf(Condition):
    """One question about one field.

    `value` is a string, whole number or boolean; a tuple for `in`, `not_in` and `within`; None for `is_empty` and
    `is_not_empty`. `position` is where the search text said it, and takes no part in comparison.
    """

    field: str
    op: str
    value: Value = None
    position: int | None = setting(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Anything]:
        data: dict[str, Anything] = {"field": self.field, "op": self.op}
        if self.op not in NO_VALUE:
            data["value"] = list(self.value) if isinstance(self.value, tuple) else self.value
        return data

    def leaves(self) -> "Iterator[Leaf]":
        yield self

    def depth(self) -> int:
        return 1

    def values(self) -> tuple[Scalar, ...]:
        """The values as a tuple, whatever the operator."""
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)


EVERYTHING = AllOf()
NOTHING = Not(AllOf())


def check_size(condition: Condition) -> None:
    """Raise ConditionError when the tree is deeper or larger than a condition may be."""
    if condition.depth() > MAX_DEPTH:
        raise _too_deep()
    leaves = list(condition.leaves())
    if len(leaves) > MAX_LEAVES:
        raise ConditionError(
            _("This condition asks %(count)d questions; at most %(most)d are allowed. Split it into several.")
            % {"count": len(leaves), "most": MAX_LEAVES}
        )
    if sum(len(leaf.values()) for leaf in leaves) > MAX_VALUES:
        raise ConditionError(
            _("This condition names too many values; at most %(most)d are allowed. Shorten its lists.")
            % {"most": MAX_VALUES}
        )


def normalise(condition: Condition) -> Condition:
    """The same condition in its one canonical form: nested groups flattened, double negation and lists of one gone.

    Two-valued logic makes `not eq` the same question as `ne`, so negation moves into the leaf where an opposite
    operator exists.
    """
    if isinstance(condition, Leaf):
        if condition.op in LIST_VALUE and len(condition.values()) == 1:
            op = "eq" if condition.op == "in" else "ne"
            return Leaf(condition.field, op, condition.values()[0], condition.position)
        return condition
    if isinstance(condition, Not):
        child = normalise(condition.child)
        if isinstance(child, Not):
            return child.child
        if isinstance(child, Leaf) and child.op in OPPOSITES:
            return Leaf(child.field, OPPOSITES[child.op], child.value, child.position)
        return Not(child)
    condition = cast(AllOf | AnyOf, condition)
    kind = type(condition)
    children: list[Condition] = []
    for child in map(normalise, condition.children):
        if kind is AnyOf and child == EVERYTHING:
            return EVERYTHING
        children.extend(child.children if isinstance(child, kind) else (child,))
    return children[0] if len(children) == 1 else kind(tuple(children))


def _too_deep() -> ConditionError:
    return ConditionError(
        _("This condition is nested too deeply; at most %(most)d levels are allowed. Write it flatter.")
        % {"most": MAX_DEPTH}
    )


def _node(data: object, level: int) -> Condition:
    if level > MAX_DEPTH:
        raise _too_deep()
    if not isinstance(data, dict):
        raise ConditionError(_("A condition is an object such as {“field”: …, “op”: …, “value”: …} or {“all”: […]}."))
    if not data:
        return EVERYTHING
    if "field" in data:
        return _leaf(data)
    if len(data) == 1:
        [(key, inner)] = data.items()
        if key == "not":
            return Not(_node(inner, level + 1))
        if key in ("all", "any"):
            if not isinstance(inner, list):
                raise ConditionError(_("“%(key)s” takes a list of conditions.") % {"key": key})
            if len(inner) > MAX_LEAVES:
                raise ConditionError(
                    ngettext(
                        "A group may hold at most %(most)d condition.",
                        "A group may hold at most %(most)d conditions.",
                        MAX_LEAVES,
                    )
                    % {"most": MAX_LEAVES}
                )
            if key == "any" and not inner:
                raise ConditionError(_("“any” needs at least one condition."))
            children = tuple(_node(child, level + 1) for child in inner)
            return AllOf(children) if key == "all" else AnyOf(children)
    raise ConditionError(
        _("A condition has exactly one of the keys “all”, “any”, “not” or “field”, not: %(keys)s.")
        % {"keys": shorten(", ".join(sorted(map(str, data))[:5]))}
    )


def _leaf(data: dict[str, Anything]) -> Leaf:
    extra = set(data) - {"field", "op", "value"}
    if extra:
        raise ConditionError(
            _("A question has “field”, “op” and “value”, not “%(key)s”.") % {"key": shorten(min(map(str, extra)))}
        )
    name, op = data["field"], data.get("op", "eq")
    if not isinstance(name, str) or not name or len(name) > MAX_NAME:
        raise ConditionError(_("“field” takes the name of a field."))
    check_text(name)
    if not isinstance(op, str) or (op not in OPS and op not in SYNONYMS):
        raise ConditionError(
            _("Unknown operator “%(op)s”. %(hint)s") % {"op": shorten(op), "hint": hint(shorten(op), sorted(OPS))},
            word=shorten(op),
        )
    value = data.get("value")
    if op in SYNONYMS:
        if isinstance(value, str) and value[-1:] in ("m", "h", "d", "w"):
            raise ConditionError(_("“%(op)s” takes a date; for an age use “lt” or “gt”.") % {"op": op})
        op = SYNONYMS[op]
    if op in NO_VALUE:
        if value is not None:
            raise ConditionError(_("“%(op)s” takes no value.") % {"op": op})
        return Leaf(name, op)
    if op in ONE_VALUE:
        return Leaf(name, op, _scalar(value, name))
    if not isinstance(value, list) or not value:
        raise ConditionError(_("“%(op)s” takes a list of values.") % {"op": op})
    if op == "within" and len(value) != 2:
        raise ConditionError(_("“within” takes a list of two values: the first and the last."))
    if len(value) > MAX_LIST:
        raise ConditionError(_("A list may hold at most %(most)d values.") % {"most": MAX_LIST})
    values = tuple(_scalar(item, name) for item in value)
    return Leaf(name, op, values if op == "within" else unique(values))


def unique(values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """The values without repetition, in their order; True and 1 are two values."""
    return tuple({(type(value), value): value for value in values}.values())


def _scalar(value: object, name: str) -> Scalar:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ConditionError(_("The number for “%(field)s” is too large.") % {"field": shorten(name)})
        return value
    if isinstance(value, str):
        check_text(value)
        return value
    raise ConditionError(
        _("The value for “%(field)s” must be a text, a whole number, or true or false.") % {"field": shorten(name)}
    )


def check_text(text: str, position: int | None = None) -> None:
    """Raise ConditionError when PostgreSQL could not hold `text`, or it is empty or too long to be looked for."""
    if not text:
        raise ConditionError(
            _("A value is empty. Say what to look for, or “none” for an empty field."), position=position
        )
    if len(text) > MAX_TEXT:
        raise ConditionError(
            _("A value is longer than %(most)d characters. Shorten it.") % {"most": MAX_TEXT}, position=position
        )
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ConditionError(_("A value holds a character that cannot be stored. Remove it."), position=position)
