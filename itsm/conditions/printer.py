"""A condition as the text that the search bar would read back into the same condition."""

import re
from typing import cast

from .schema import Field, Schema, Type
from .tree import AllOf, AnyOf, Condition, Leaf, Not, Scalar, normalise

PLAIN_WORD = re.compile(r"\w[\w.@/+]*")
PLAIN_VALUE = re.compile(r"[\w@/][\w@./+:-]*")
KEYWORDS = {"and", "or", "not"}
RESERVED = {"none", "any"}
SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "contains": "~", "starts_with": "^"}


def to_text(condition: Condition, schema: Schema) -> str:
    """The condition in the search bar's language; `parse` reads it back to `normalise(condition)`.

    The text of a large condition may be longer than the search bar takes. Raises ConditionError for a field that the
    schema does not declare.
    """
    return _text(normalise(condition), schema, top=True)


def quote(text: str) -> str:
    """`text` in quotation marks, so that it stands for nothing but itself."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def value_text(value: Scalar, field: Field) -> str:
    """One value as it is typed after `field:`."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"#{value}" if field.type == Type.REFERENCE else str(value)
    plain = PLAIN_VALUE.fullmatch(value) and value.lower() not in RESERVED and ".." not in value
    return value if plain else quote(value)


def _text(condition: Condition, schema: Schema, *, top: bool = False) -> str:
    if isinstance(condition, Leaf):
        return _leaf_text(condition, schema)
    if isinstance(condition, Not):
        return "-" + _text(condition.child, schema)
    condition = cast(AllOf | AnyOf, condition)
    between = " " if isinstance(condition, AllOf) else " or "
    joined = between.join(_text(child, schema) for child in condition.children)
    return joined if top else f"({joined})"


def _leaf_text(leaf: Leaf, schema: Schema) -> str:
    field = schema.field(leaf.field)
    values = leaf.values()
    if leaf.op == "matches" and leaf.field == schema.search:
        word = str(leaf.value)
        return word if PLAIN_WORD.fullmatch(word) and word.lower() not in KEYWORDS else quote(word)
    if leaf.op in ("ne", "not_in"):
        positive = Leaf(leaf.field, "eq" if leaf.op == "ne" else "in", leaf.value)
        return "-" + _leaf_text(positive, schema)
    if leaf.op in ("is_empty", "is_not_empty"):
        sign = "" if field.usual_op in ("eq", "contains") else "="
        return f"{leaf.field}:{sign}{'none' if leaf.op == 'is_empty' else 'any'}"
    if leaf.op == "within":
        return f"{leaf.field}:{_sign('eq', field)}{value_text(values[0], field)}..{value_text(values[1], field)}"
    sign = _sign("eq" if leaf.op == "in" else leaf.op, field)
    return f"{leaf.field}:{sign}{','.join(value_text(value, field) for value in values)}"


def _sign(op: str, field: Field) -> str:
    return "" if op == field.usual_op else SIGNS[op]
