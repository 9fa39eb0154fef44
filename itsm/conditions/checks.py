"""Whether a condition makes sense for a schema: fields, operators and values, before anything is compiled."""

from django.utils.translation import gettext as _

from . import dates
from .errors import ConditionError, hint, shorten
from .schema import Field, Schema, Type, spelling
from .tree import Leaf, Scalar

BIGGEST_ID = 10**18


def check_leaf(leaf: Leaf, schema: Schema, *, predicate: bool = False, personal: bool = True) -> Field:
    """The field of a leaf that makes sense; else ConditionError with the leaf's position in the search text."""
    found = schema.field(leaf.field, leaf.position)
    try:
        if leaf.op not in found.operators:
            raise ConditionError(_wrong_op(leaf.op, found), word=leaf.op)
        if predicate and not found.has_predicate:
            raise ConditionError(
                _("“%(field)s” can filter a list but cannot be used in a rule. Use a field such as the title instead.")
                % {"field": found.name},
                word=found.name,
            )
        for value in leaf.values():
            _check_value(value, leaf, found, personal=personal)
        if found.type == Type.WORD:
            for value in leaf.values():
                for inner in schema.words[str(value)].condition.leaves():
                    check_leaf(inner, schema, predicate=predicate, personal=personal)
        if leaf.op == "within":
            _check_range(leaf, found)
    except ConditionError as error:
        if error.position is None:
            error.position = leaf.position
        raise
    return found


def _wrong_op(op: str, found: Field) -> str:
    if op in ("lt", "lte", "gt", "gte", "within"):
        return _("“%(field)s” has no order, so < > and .. do not work. Use %(field)s:value.") % {"field": found.name}
    return _("“%(op)s” does not work with “%(field)s”. %(hint)s") % {
        "op": op,
        "field": found.name,
        "hint": hint(op, sorted(found.operators)),
    }


def _check_value(value: Scalar, leaf: Leaf, found: Field, *, personal: bool) -> None:
    match found.type:
        case Type.CHOICE | Type.WORD:
            _check_choice(value, found)
        case Type.INTEGER:
            if isinstance(value, bool) or not isinstance(value, int):
                raise not_a_number(str(value), found)
            if not found.minimum <= value <= found.maximum:
                raise ConditionError(
                    _("“%(field)s” takes a number from %(low)d to %(high)d.")
                    % {"field": found.name, "low": found.minimum, "high": found.maximum},
                    word=shorten(value),
                )
            if leaf.op in ("eq", "ne", "in", "not_in") and found.choices:
                _check_choice(value, found)
        case Type.BOOLEAN:
            if not isinstance(value, bool):
                raise ConditionError(_("“%(field)s” takes yes or no.") % {"field": found.name}, word=shorten(value))
        case Type.DATETIME:
            _check_moment(value, leaf, found)
        case Type.REFERENCE:
            if isinstance(value, bool) or (isinstance(value, int) and not 0 <= value < BIGGEST_ID):
                raise ConditionError(_("“%(field)s” takes a name, or an id such as #12.") % {"field": found.name})
            if not personal and isinstance(value, str) and spelling(value) in found.words:
                raise ConditionError(
                    _("“%(word)s” depends on who is looking, so a rule cannot use it. Name someone in “%(field)s”.")
                    % {"word": value, "field": found.name},
                    word=str(value),
                )
        case Type.TEXT | Type.SEARCH:
            if not isinstance(value, str):
                raise ConditionError(_("“%(field)s” takes a text.") % {"field": found.name}, word=shorten(value))


def _check_choice(value: Scalar, found: Field) -> None:
    options = [option for option, _label in found.options()]
    if not any(type(option) is type(value) and option == value for option in map(plain, options)):
        raise unknown_choice(str(value), found)


def plain(value: Scalar) -> Scalar:
    """A choice's value without its enum: `Status.NEW` is `"new"`, `Priority.HIGH` is 2."""
    if isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else str(value)


def unknown_choice(word: str, found: Field) -> ConditionError:
    """The error for a word that is none of the field's choices."""
    options = [str(option) for option, _label in found.options()]
    return ConditionError(
        _("“%(field)s” has no value “%(word)s”. %(hint)s")
        % {"field": found.name, "word": shorten(word), "hint": hint(word, options)},
        word=word,
    )


def not_a_number(word: str, found: Field) -> ConditionError:
    """The error for a word where a whole number is wanted."""
    return ConditionError(
        _("“%(field)s” takes a whole number, not “%(word)s”.") % {"field": found.name, "word": shorten(word)},
        word=word,
    )


def _check_moment(value: Scalar, leaf: Leaf, found: Field) -> None:
    if not isinstance(value, str):
        raise dates.not_a_moment(str(value))
    if dates.duration(value) is None:
        dates.check_moment(value)
    elif leaf.op in ("eq", "ne"):
        raise ConditionError(
            _("An age needs a comparison: write %(field)s:<%(word)s or %(field)s:>%(word)s.")
            % {"field": found.name, "word": value},
            word=value,
        )


def _check_range(leaf: Leaf, found: Field) -> None:
    first, last = leaf.values()
    if found.type == Type.DATETIME:
        lengths = dates.duration(str(first)), dates.duration(str(last))
        if (lengths[0] is None) != (lengths[1] is None):
            raise ConditionError(_("A range goes from a date to a date, or from an age to an age."))
