"""A stored condition asked of one ticket, question by question: what each asks, what the ticket says, met or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from itsm.conditions import AllOf, AnyOf, Condition, ConditionError, Context, Leaf, Not, Type, describe, to_predicate
from itsm.tickets.schema import rule_schema

ALL, ANY, NOT, LEAF, BROKEN = "all", "any", "not", "leaf", "broken"
TEXT_SHOWN = 80


@dataclass(frozen=True)
class Verdict:
    """A node of a condition: `all`, `any` or `not` with its children, a `leaf` with the ticket's value, or `broken`:
    a condition that cannot be read any more and matches nothing; its words say why."""

    kind: str
    met: bool
    words: str
    value: str = ""
    children: tuple[Verdict, ...] = ()

    def leaves(self) -> Iterator[Verdict]:
        """Yield the questions, left to right; what is broken counts as one."""
        if self.kind in (LEAF, BROKEN):
            yield self
        for child in self.children:
            yield from child.leaves()

    @property
    def to_blame(self) -> list[Verdict]:
        """The questions that decided that the condition is not met; none when it is."""
        return [] if self.met else list(_deciding(self, wanted=True))


def _deciding(node: Verdict, *, wanted: bool) -> Iterator[Verdict]:
    """Yield the leaves below the node whose answer is why the node is not as wanted."""
    if node.kind in (LEAF, BROKEN):
        yield node
    elif node.kind == NOT:
        yield from _deciding(node.children[0], wanted=not wanted)
    else:
        for child in node.children:
            if child.met != wanted:
                yield from _deciding(child, wanted=wanted)


def verdict(stored: Any, ticket: Any, at: datetime) -> Verdict:
    """Return what the ticket, as it is now, makes of the stored condition at this instant (aware).

    Never raises for what is stored: a condition that cannot be read is `broken`.
    """
    try:
        condition = Condition.from_json(stored)
        return _verdict(condition, ticket, Context(user=None, now=at, zone=UTC))
    except ConditionError as error:
        return Verdict(BROKEN, False, error.message)


def _verdict(condition: Condition, ticket: Any, context: Context) -> Verdict:
    schema = rule_schema()
    words = describe(condition, schema)
    if isinstance(condition, Leaf):
        met = to_predicate(condition, schema, context)(ticket)
        return Verdict(LEAF, met, words, value_of(condition, ticket))
    if isinstance(condition, Not):
        inner = _verdict(condition.child, ticket, context)
        return Verdict(NOT, not inner.met, words, children=(inner,))
    if isinstance(condition, AllOf | AnyOf):
        children = tuple(_verdict(child, ticket, context) for child in condition.children)
        every = isinstance(condition, AllOf)
        met = all(child.met for child in children) if every else any(child.met for child in children)
        return Verdict(ALL if every else ANY, met, words, children=children)
    raise ConditionError(_("A condition of an unknown form matches nothing."))


def value_of(leaf: Leaf, ticket: Any) -> str:
    """Return what the ticket has in the field that the leaf asks about, in words; a dash for nothing."""
    field = rule_schema().field(leaf.field)
    if field.type == Type.WORD:
        return ""
    if field.type == Type.REFERENCE and field.many:
        return ", ".join(sorted(str(one) for one in getattr(ticket, field.path).all())) or "–"
    if field.type == Type.REFERENCE:
        related = getattr(ticket, field.path)
        return str(related) if related is not None else "–"
    value = field.read(ticket)
    if value is None or value == "":
        return "–"
    if field.type == Type.BOOLEAN:
        return _("yes") if value else _("no")
    if field.type == Type.DATETIME:
        return str(date_format(timezone.localtime(value), "DATETIME_FORMAT"))
    for option, label in field.options():
        if option == value:
            return str(label)
    text = str(value)
    return text if len(text) <= TEXT_SHOWN else text[: TEXT_SHOWN - 1] + "…"
