"""What somebody typed into the search bar, read: the condition, its chips, or what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from itsm.conditions import EVERYTHING, AllOf, Chip, Condition, ConditionError, Context, chips, parse, to_q
from itsm.tickets.kinds import all_kinds
from itsm.tickets.models import Ticket
from workspace.schema import queue_schema

NUMBER_DIGITS = 7
_NUMBER = re.compile(r"([A-Za-z]{2,6})?\s?-?(\d{1,12})")


@dataclass(frozen=True)
class SearchProblem:
    """Why the text is no condition: what to do, where (characters before it), and the text cut at that place."""

    message: str
    before: str = ""
    word: str = ""
    after: str = ""


@dataclass(frozen=True)
class Search:
    """A search as it was typed and as it was understood."""

    text: str
    condition: Condition = EVERYTHING
    chips: list[Chip] = field(default_factory=list)
    problem: SearchProblem | None = None


def read_search(text: str) -> Search:
    """Return the search that the text stands for; a mistake in it is described, never raised."""
    text = text.strip()
    if not text:
        return Search("")
    try:
        condition = parse(text, queue_schema())
        return Search(text, condition, chips(condition, queue_schema()))
    except ConditionError as error:
        return Search(text, problem=_problem(text, error))


def search_q(search: Search, within: Condition, context: Context) -> tuple[Q, Search]:
    """Return the filter for the search within a queue's condition; a name that nobody has makes it a problem.

    A search with a problem finds nothing.
    """
    if search.problem is None:
        try:
            return to_q(AllOf((within, search.condition)), queue_schema(), context), search
        except ConditionError as error:
            search = Search(search.text, search.condition, search.chips, _problem(search.text, error))
    return Q(pk__in=[]), search


def _problem(text: str, error: ConditionError) -> SearchProblem:
    at = error.position
    if at is None and error.word:
        found = text.lower().find(error.word.lower())
        at = found if found >= 0 else None
    if at is None or at > len(text):
        return SearchProblem(error.message)
    end = at + max(len(error.word), 1)
    return SearchProblem(
        error.message, text[max(at - 60, 0) : at], text[at:end] or _("(the end)"), text[end : end + 60]
    )


def ticket_numbers(text: str) -> list[str]:
    """Return the ticket numbers that a text such as `INC0010042`, `inc 10042` or `10042` may mean, else none."""
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return []
    prefix, digits = match.groups()
    prefixes = [prefix.upper()] if prefix else [kind.prefix for kind in all_kinds()]
    return [f"{one}{digits.lstrip('0').zfill(NUMBER_DIGITS)}" for one in prefixes]


def ticket_with_number(text: str, user: object) -> Ticket | None:
    """Return the one ticket that the text names by its number and that the person may see, or None."""
    numbers = ticket_numbers(text)
    found = list(Ticket.objects.visible_to(user).filter(number__in=numbers)[:2]) if numbers else []  # type: ignore[arg-type]
    return found[0] if len(found) == 1 else None
