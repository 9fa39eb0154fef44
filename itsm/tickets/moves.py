"""Moves: the legal steps from one status to another, declared as a table beside each kind's statuses.

Buttons, forms, the API, the tests and the diagrams in the guides all read the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.rules import YES, Answer
from itsm.tickets.texts import clean_text

Rule = Callable[[Actor, Any], Answer]


def always(ticket: Any) -> Answer:
    """Answer yes: the status alone says whether the move is possible."""
    return YES


@dataclass(frozen=True)
class MoveField:
    """A value that a move takes. `required` may depend on the other values given.

    `kind`: what the text sent names. `text` (or one of `choices`); `datetime` and `date`, `ticket` (by number) and
    `person` (by public id or address) become the thing itself, or None; `bool` a yes or no, where required means that
    it must be yes. `ticket_kinds`: which tickets fit (empty: all). `workers_only`: people who work on tickets.
    `initial(ticket)`: what the form holds at first.
    """

    name: str
    label: str | Promise
    required: bool | Callable[[Mapping[str, Any]], bool] = True
    choices: tuple[tuple[str, str | Promise], ...] = ()
    multiline: bool = False
    max_length: int = 4000
    help_text: str | Promise = ""
    kind: Literal["text", "datetime", "date", "ticket", "person", "bool"] = "text"
    ticket_kinds: tuple[str, ...] = ()
    workers_only: bool = False
    initial: Callable[[Any], Any] | None = None

    def is_required(self, values: Mapping[str, Any]) -> bool:
        """Return whether a value is needed beside the other values."""
        return self.required(values) if callable(self.required) else self.required

    @property
    def may_be_required(self) -> bool:
        """Whether there are other values with which this one is needed."""
        return callable(self.required) or self.required


@dataclass(frozen=True)
class Move:
    """One legal step: its name, where it starts, where it leads, who may, and what must be said.

    `target` "": the status stays. `applies`: what beside the status must hold of the ticket, whoever asks.
    """

    name: str
    label: str | Promise
    sources: frozenset[str]
    target: str
    rule: Rule
    fields: tuple[MoveField, ...] = ()
    icon: str = "arrow-right"
    emphasis: str = "secondary"
    portal_label: str | Promise = ""
    applies: Callable[[Any], Answer] = always

    def starts_at(self, ticket: Any) -> Answer:
        """Answer whether the ticket stands where the move begins, whoever makes it."""
        return self.applies(ticket) if ticket.status in self.sources else Answer(False)


def check_move(ticket: Any, move: Move, actor: Actor) -> None:
    """Refuse a move that the ticket's status or the actor's rights do not allow.

    Raises:
        IllegalMove: the move does not start where the ticket stands.
        Refused: the actor may not make it.
    """
    if ticket.status not in move.sources:
        raise IllegalMove(
            _("“%(move)s” is not possible while the ticket is %(status)s.")
            % {"move": move.label, "status": ticket.status_label}
        )
    applies = move.applies(ticket)
    if not applies:
        raise IllegalMove(applies.reason)
    answer = move.rule(actor, ticket)
    if not answer:
        raise Refused(answer.reason)


def legal_moves(ticket: Any, actor: Actor) -> list[Move]:
    """Return the moves that the actor can make now, in the order of the table."""
    return [move for move in ticket.kind_info.moves.values() if move.starts_at(ticket) and move.rule(actor, ticket)]


def clean_fields(move: Move, given: Mapping[str, Any], viewer: User | None = None) -> dict[str, Any]:
    """Return the move's values, trimmed and checked; missing optional texts are empty, other missing things None.

    `viewer`: whose tickets and people can be named; None: all.

    Raises:
        Invalid: a sentence for each field that is missing, unknown, too long or not one of the choices.
    """
    problems: dict[str, str] = {}
    known = {field.name for field in move.fields}
    for name in given:
        if name not in known:
            problems[name] = _("“%(move)s” takes no such field.") % {"move": move.label}
    values: dict[str, Any] = {}
    for field in move.fields:
        try:
            values[field.name] = _cleaned(field, given.get(field.name), viewer)
        except Invalid as error:
            problems.update(error.fields)
            values[field.name] = "" if field.kind == "text" else None
    for field in move.fields:
        value = values[field.name]
        if field.name in problems:
            continue
        if not value and field.is_required(values):
            problems[field.name] = _("Please fill in: %(label)s.") % {"label": field.label}
        elif value and field.choices and value not in dict(field.choices):
            allowed = ", ".join(code for code, _label in field.choices)
            problems[field.name] = _("Choose one of: %(allowed)s.") % {"allowed": allowed}
    if problems:
        raise Invalid(problems)
    return values


def _cleaned(field: MoveField, value: Any, viewer: User | None) -> Any:
    from itsm.tickets import values  # it knows of the kinds, whose registry imports this module

    if field.kind == "datetime":
        return values.clean_instant(value, field.name)
    if field.kind == "date":
        return values.clean_day(value, field.name)
    if field.kind == "bool":
        return values.clean_flag(value, field.name)
    if field.kind == "ticket":
        return values.clean_ticket(value, field.name, viewer, field.ticket_kinds)
    if field.kind == "person":
        return values.clean_person(value, field.name, viewer, workers_only=field.workers_only)
    return clean_text(value, field.name, field.max_length)
