"""Conditions in words for people, for filter chips and the summaries of rules."""

from dataclasses import dataclass
from typing import cast

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from . import dates
from .errors import shorten
from .printer import to_text
from .schema import Field, Schema, Type
from .tree import AllOf, AnyOf, Condition, Leaf, Not, Scalar, normalise

MOST_NAMED = 5


@dataclass(frozen=True)
class Chip:
    """One filter of a list: its words, its search text, and the search text that is left when it is taken away."""

    label: str
    text: str
    without: str


def describe(condition: Condition, schema: Schema) -> str:
    """The condition as a phrase in the active language. Raises ConditionError for an undeclared field."""
    return _phrase(normalise(condition), schema)


def chips(condition: Condition, schema: Schema) -> list[Chip]:
    """The parts that must all hold, one chip each; nothing for a condition that matches everything."""
    whole = normalise(condition)
    parts = list(whole.children) if isinstance(whole, AllOf) else [whole]
    return [
        Chip(_phrase(part, schema), to_text(part, schema), to_text(AllOf((*parts[:at], *parts[at + 1 :])), schema))
        for at, part in enumerate(parts)
    ]


def _phrase(condition: Condition, schema: Schema, *, inner: bool = False) -> str:
    if isinstance(condition, Leaf):
        return describe_leaf(condition, schema.field(condition.field))
    if isinstance(condition, Not):
        return _("not (%(condition)s)") % {"condition": _phrase(condition.child, schema)}
    condition = cast(AllOf | AnyOf, condition)
    if not condition.children:
        return _("everything")
    between = _(" and ") if isinstance(condition, AllOf) else _(" or ")
    joined = between.join(_phrase(child, schema, inner=True) for child in condition.children)
    return f"({joined})" if inner else joined


def describe_leaf(leaf: Leaf, field: Field) -> str:
    """One question in words."""
    label = str(field.label)
    values = [_value_phrase(value, field) for value in leaf.values()]
    listed = _(" or ").join(values[:MOST_NAMED]) + (" …" if len(values) > MOST_NAMED else "")
    if field.type == Type.SEARCH:
        return _("contains “%(text)s”") % {"text": shorten(leaf.value)}
    if field.type == Type.WORD:
        return _("not %(words)s") % {"words": listed} if leaf.op in ("ne", "not_in") else listed
    if field.type == Type.DATETIME and leaf.values():
        return _time_phrase(leaf, field, values)
    words = {"field": label, "value": listed}
    match leaf.op:
        case "is_empty":
            return _("%(field)s is empty") % words
        case "is_not_empty":
            return _("%(field)s is not empty") % words
        case "eq" | "in":
            return _("%(field)s is %(value)s") % words
        case "ne" | "not_in":
            return _("%(field)s is not %(value)s") % words
        case "contains":
            return _("%(field)s contains %(value)s") % words
        case "starts_with":
            return _("%(field)s begins with %(value)s") % words
        case "lt":
            return _("%(field)s is less than %(value)s") % words
        case "lte":
            return _("%(field)s is at most %(value)s") % words
        case "gt":
            return _("%(field)s is more than %(value)s") % words
        case "gte":
            return _("%(field)s is at least %(value)s") % words
        case _:
            return _("%(field)s is from %(first)s to %(last)s") % {
                "field": label,
                "first": values[0],
                "last": values[1],
            }


def _time_phrase(leaf: Leaf, field: Field, values: list[str]) -> str:
    words = {"field": str(field.label), "value": values[0], "last": values[-1]}
    if dates.duration(str(leaf.values()[0])) is None:
        phrases = {
            "eq": _("%(field)s: %(value)s"),
            "ne": _("%(field)s: not %(value)s"),
            "lt": _("%(field)s before %(value)s"),
            "lte": _("%(field)s up to %(value)s"),
            "gt": _("%(field)s after %(value)s"),
            "gte": _("%(field)s since %(value)s"),
            "within": _("%(field)s from %(value)s to %(last)s"),
        }
    elif field.future:
        phrases = {
            "lt": _("%(field)s in less than %(value)s"),
            "lte": _("%(field)s in at most %(value)s"),
            "gt": _("%(field)s in more than %(value)s"),
            "gte": _("%(field)s in at least %(value)s"),
            "within": _("%(field)s in %(value)s to %(last)s"),
        }
    else:
        phrases = {
            "lt": _("%(field)s less than %(value)s ago"),
            "lte": _("%(field)s at most %(value)s ago"),
            "gt": _("%(field)s more than %(value)s ago"),
            "gte": _("%(field)s at least %(value)s ago"),
            "within": _("%(field)s %(value)s to %(last)s ago"),
        }
    return phrases[leaf.op] % words


def _value_phrase(value: Scalar, field: Field) -> str:
    if field.type == Type.BOOLEAN:
        return _("yes") if value else _("no")
    if field.type == Type.DATETIME:
        return moment_phrase(str(value))
    for option, label in field.options():
        if option == value:
            return str(label)
    if field.type == Type.REFERENCE:
        return f"#{value}" if isinstance(value, int) else _word_phrase(value, field)
    return f"“{shorten(value)}”" if field.type == Type.TEXT else str(value)


def _word_phrase(word: str, field: Field) -> str:
    return pgettext("the person who looks", "me") if word == "me" and word in field.words else shorten(word)


def moment_phrase(text: str) -> str:
    """A checked date or age in words."""
    match = dates.DURATION.fullmatch(text)
    if match:
        count = int(match[1])
        units = {
            "m": ngettext("%(count)d minute", "%(count)d minutes", count),
            "h": ngettext("%(count)d hour", "%(count)d hours", count),
            "d": ngettext("%(count)d day", "%(count)d days", count),
            "w": ngettext("%(count)d week", "%(count)d weeks", count),
        }
        return units[match[2]] % {"count": count}
    named = {
        "today": _("today"),
        "yesterday": _("yesterday"),
        "tomorrow": _("tomorrow"),
        "this_week": _("this week"),
        "last_week": _("last week"),
        "this_month": _("this month"),
        "last_month": _("last month"),
    }
    if text in named:
        return named[text]
    if len(text) == len("2026-11-01"):
        return date_format(dates.day(text), "DATE_FORMAT")
    return text.replace("T", " ")
