"""The two compilations of a condition: a `Q` for the database and a predicate for one object.

Both are two-valued. A missing value (NULL, or an empty text) equals nothing, contains nothing and lies in no range, so
every positive question about it is false, and every negated one (`ne`, `not_in`, `not`) is true.
"""

from collections.abc import Callable
from typing import Any as Anything

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When
from django.db.models.lookups import Contains, Exact, StartsWith

from .bind import Between, Bound, Group, Missing, Negated, OneOf, Question, Search, TextHas, bind, check
from .errors import ConditionError
from .fold import fold, folded
from .schema import Context, Field, Schema
from .tree import Condition

LOOKUPS = {"exact": Exact, "startswith": StartsWith, "contains": Contains}

type Predicate = Callable[[Anything], bool]


def to_q(condition: Condition, schema: Schema, context: Context) -> Q:
    """The condition as a filter on `schema.model` (or a model that inherits from it); never multiplies rows.

    Raises ConditionError when the condition does not fit the schema or a name is not known.
    """
    bound = bind(condition, schema, context)
    return Q() if bound == Group(True, ()) else _q(bound, schema, context, positive=True)


def to_predicate(condition: Condition, schema: Schema, context: Context) -> Predicate:
    """The condition as a function from one object to True or False, with the same answer as `to_q`.

    Fields that hold several values read their relation: prefetch it when many objects are tested. Raises
    ConditionError, also when a field can only filter.
    """
    check(condition, schema, predicate=True)
    return _predicate(bind(condition, schema, context))


def _q(bound: Bound, schema: Schema, context: Context, *, positive: bool) -> Q:
    if isinstance(bound, Negated):
        return _q(bound.child, schema, context, positive=not positive)
    if isinstance(bound, Group):
        parts = [_q(child, schema, context, positive=positive) for child in bound.children]
        if not parts:
            # An empty Q would be dropped from a group that joins with OR, so "everything" is said in full.
            return ~_nothing() if bound.every == positive else _nothing()
        return Q(*parts, _connector=Q.AND if bound.every == positive else Q.OR)
    if isinstance(bound, OneOf | Missing) and bound.field.many:
        exists = Exists(_holders(bound, schema))
        return Q(exists if positive == isinstance(bound, OneOf) else ~exists)
    if isinstance(bound, Search):
        found = bound.field.search(bound.text, context) if bound.field.search else _nothing()
        return found if positive else _falsified(found)
    if isinstance(bound, Missing):
        return _missing(bound.field) if positive else ~_missing(bound.field)
    # `NOT` of a comparison with NULL is NULL in SQL; asking for NULL first makes the answer true.
    if positive:
        return _positive(bound) if bound.field.absent is None else _positive(bound) & ~_missing(bound.field)
    return Q(_missing(bound.field), ~_positive(bound), _connector=Q.OR)


def _nothing() -> Q:
    return Q(pk__in=[])


def _holders(bound: OneOf | Missing, schema: Schema) -> Anything:
    path = bound.field.path
    related = {f"{path}__in": bound.values} if isinstance(bound, OneOf) else {f"{path}__isnull": False}
    return schema.model_class()._base_manager.filter(pk=OuterRef("pk")).filter(**related)


def _falsified(found: Q) -> Q:
    """True where `found` is false or NULL, whatever it is made of."""
    return Q(Case(When(found, then=Value(False)), default=Value(True), output_field=BooleanField()))


def _missing(field: Field) -> Q:
    missing = Q(**{f"{field.path}__isnull": True})
    if field.absent is not None:
        missing |= Q(**{field.path: field.absent})
    return missing | Q(**{field.path: ""}) if field.blank_is_missing else missing


def _positive(bound: OneOf | TextHas | Between) -> Q:
    path = bound.field.path
    if isinstance(bound, OneOf):
        if len(bound.values) == 1:
            [value] = bound.values
            return Q(**{path: value})
        return Q(**{f"{path}__in": sorted(bound.values, key=str)}) if bound.values else _nothing()
    if isinstance(bound, TextHas):
        if bound.field.case_sensitive:
            return Q(**{f"{path}__{bound.how}": bound.text})
        return Q(LOOKUPS[bound.how](folded(path), bound.text))
    parts = {}
    if bound.low is not None:
        parts[f"{path}__gt" if bound.low_open else f"{path}__gte"] = bound.low
    if bound.high is not None:
        parts[f"{path}__lt" if bound.high_open else f"{path}__lte"] = bound.high
    return Q(**parts)


def _predicate(bound: Bound) -> Predicate:
    if isinstance(bound, Negated):
        inner = _predicate(bound.child)
        return lambda thing: not inner(thing)
    if isinstance(bound, Group):
        children = [_predicate(child) for child in bound.children]
        if bound.every:
            return lambda thing: all(child(thing) for child in children)
        return lambda thing: any(child(thing) for child in children)
    return _test(bound)


def _test(bound: Question) -> Predicate:
    read = bound.field.read
    if isinstance(bound, Missing):
        if bound.field.many:
            return lambda thing: not read(thing)
        missing = (None, "") if bound.field.blank_is_missing else (None,)
        return lambda thing: read(thing) in missing
    if isinstance(bound, OneOf):
        values = bound.values
        if bound.field.many:
            return lambda thing: not values.isdisjoint(read(thing))
        return lambda thing: (value := read(thing)) is not None and value in values
    if isinstance(bound, TextHas):
        return _text_test(bound)
    if isinstance(bound, Between):
        return lambda thing: (value := read(thing)) is not None and _lies_within(value, bound)
    raise ConditionError(f"{bound.field.name} has no predicate")


def _text_test(bound: TextHas) -> Predicate:
    read, wanted = bound.field.read, bound.text
    same: Callable[[str], str] = str if bound.field.case_sensitive else fold
    tests: dict[str, Callable[[str], bool]] = {
        "exact": lambda text: text == wanted,
        "startswith": lambda text: text.startswith(wanted),
        "contains": lambda text: wanted in text,
    }
    test = tests[bound.how]
    return lambda thing: (value := read(thing)) is not None and test(same(value))


def _lies_within(value: Anything, bound: Between) -> bool:
    if bound.low is not None and (value < bound.low or (bound.low_open and value == bound.low)):
        return False
    return bound.high is None or not (value > bound.high or (bound.high_open and value == bound.high))
