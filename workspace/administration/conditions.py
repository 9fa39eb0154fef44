"""Stored conditions made readable, and typed ones read: what rules and policies show and take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from itsm.conditions import Condition, ConditionError, describe, parse, to_text
from itsm.tickets.actions.settings import check_rule
from itsm.tickets.schema import rule_schema


@dataclass(frozen=True)
class Readable:
    """A stored condition as text to type and as words; `problem` says why it can no longer be used, or is empty."""

    text: str
    words: str
    problem: str = ""


def readable(stored: Any) -> Readable:
    """Return the condition in both forms; one that makes no sense any more is described, never raised."""
    text = words = ""
    try:
        condition = Condition.from_json(stored)
        text = to_text(condition, rule_schema())
        words = describe(condition, rule_schema())
        check_rule(condition)
    except ConditionError as error:
        return Readable(text, words, error.message)
    return Readable(text, words)


def read_rule(text: str) -> Condition:
    """Return the condition that the text says, fit for a rule.

    Raises:
        ConditionError: with the place of what was not understood.
    """
    condition = parse(text, rule_schema())
    try:
        check_rule(condition)
    except ConditionError as error:
        if error.position is None and error.word:
            found = text.lower().find(error.word.lower())
            error.position = found if found >= 0 else None
        raise
    return condition
