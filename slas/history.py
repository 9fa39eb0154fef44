"""A ticket's past, read from its event log: what happened, what was said, and what the ticket was at each moment.

The log says what changed, codes say the rest (`itsm.tickets.kinds.Outcome`), the row says how it ended: undoing the
changes gives the beginning, doing them again gives every moment. Nothing here writes.

Three things are not in a ticket's log and are taken as they are today: whose roles make them the desk's, whether a
requester is a VIP, and the zone of a requester or location.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from itsm.accounts.models import User
from itsm.accounts.roles import Permission, permissions_of
from itsm.tickets.kinds import Kind, Outcome, kind_of
from itsm.tickets.models import NO_TARGET, Comment, TicketEvent, Visibility, Watcher
from slas.models import EventKind

REFERENCES = ("team", "assignee", "service", "category", "requester")
PLAIN = ("title", "description", "impact", "urgency", "priority", "priority_reason", "external_id", "custom")
FIXED = ("pk", "kind", "number", "public_id", "channel", "opened_at", "opened_by_id")
OWN_EVENTS = "sla."
# What the clocks note by themselves does not count as an update of the ticket (`itsm.tickets.log.write_many`).
CAUGHT_UP = f"{OWN_EVENTS}caught_up"
NOTES = frozenset({*(f"{OWN_EVENTS}{kind}" for kind in EventKind), CAUGHT_UP})
NOTHING_MORE = Outcome()


class Said(StrEnum):
    """What a message on a ticket is to its clocks."""

    NOTHING = ""
    ANSWER = "answer"
    REQUEST = "request"
    NOTE = "note"


def said_by(author_id: int | None, visibility: str, *, requester_id: int, works_tickets: bool) -> Said:
    """Return what a message is: in public by the desk an answer, else a request; a note is the desk's own.

    Whoever asks is no desk, also where they work there. The system says nothing.
    """
    if author_id is None:
        return Said.NOTHING
    if visibility != Visibility.PUBLIC:
        return Said.NOTE
    return Said.ANSWER if works_tickets and author_id != requester_id else Said.REQUEST


class PastTicket:
    """A ticket as it was at one moment. Reads like a ticket for conditions and clocks; is no row and saves nothing."""

    pk: int
    kind: str
    status: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    closed_at: datetime | None
    team_id: int | None
    requester_id: int
    queue_due_at: datetime

    def __init__(self, values: Mapping[str, Any], people: Mapping[int, User], watching: Iterable[int]) -> None:
        self.__dict__.update(values)
        self._people = people
        self.watching = frozenset(watching)

    @property
    def id(self) -> int:
        """The ticket's id."""
        return self.pk

    @property
    def kind_info(self) -> Kind:
        """The registered description of this kind of ticket."""
        return kind_of(self.kind)

    @property
    def is_open(self) -> bool:
        """Whether work was still to be done."""
        return self.resolved_at is None and self.closed_at is None

    @property
    def requester(self) -> User | None:
        """Who asked, as they are today."""
        return self._people.get(self.requester_id)

    def become(self, status: str) -> None:
        """Take the status that an event led to. It is a memory of a ticket: nothing is moved."""
        self.status = status

    @property
    def watcher_rows(self) -> PastTicket:
        """Stands for the rows of who watched: `all()` gives things with a `user_id`."""
        return self

    def all(self) -> list[Watcher]:
        """Return who watched, as rows that are not stored."""
        return [Watcher(user_id=user) for user in sorted(self.watching)]


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a ticket, and the ticket right after it.

    `changed`: the names of the fields that it wrote. `recorded_at`: when the row was written, which for an import is
    long after `at`.
    """

    at: datetime
    recorded_at: datetime
    seq: int
    code: str
    actor_id: int | None
    said: Said
    changed: frozenset[str]
    ticket: PastTicket

    @property
    def is_opening(self) -> bool:
        """Whether the ticket began with it."""
        return self.seq == 1

    @property
    def concerns_clocks(self) -> bool:
        """Whether clocks follow it: something was opened, changed or said, and not by the clocks themselves."""
        if self.code.startswith(OWN_EVENTS):
            return False
        return self.is_opening or bool(self.changed) or self.said in (Said.ANSWER, Said.REQUEST)


def history_of(ticket: Any) -> list[Moment]:
    """Return the moments of the ticket's past in order, the opening first. Takes four queries."""
    return histories_of([ticket])[ticket.pk]


def histories_of(tickets: Iterable[Any]) -> dict[int, list[Moment]]:
    """Return the moments of each ticket by its id; four queries for all of them.

    Hand in some hundred tickets at a time: a moment holds a copy of its ticket.
    """
    wanted = list(tickets)
    ids = [ticket.pk for ticket in wanted]
    events: dict[int, list[Event]] = defaultdict(list)
    rows = TicketEvent.objects.filter(ticket_id__in=ids).order_by("ticket_id", "seq")
    for ticket_id, *said in rows.values_list("ticket_id", *Event.__annotations__):
        events[ticket_id].append(Event(*said))
    messages = _messages(ids)
    watching: dict[int, set[int]] = defaultdict(set)
    for ticket_id, user_id in Watcher.objects.filter(ticket_id__in=ids).values_list("ticket_id", "user_id"):
        watching[ticket_id].add(user_id)
    people = _people(wanted, events, messages)
    return {ticket.pk: _moments(ticket, events[ticket.pk], messages, people, watching[ticket.pk]) for ticket in wanted}


@dataclass(frozen=True, slots=True)
class Event:
    """What is read of an event; the names are those of its columns."""

    seq: int
    code: str
    actor_id: int | None
    at: datetime
    recorded_at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Who wrote a comment, and for whom."""

    author_id: int | None
    visibility: str


def _messages(ids: Sequence[int]) -> dict[str, Message]:
    rows = Comment.objects.filter(ticket_id__in=ids).order_by()
    return {
        ref: Message(author_id, visibility)
        for ref, author_id, visibility in rows.values_list("public_id", "author_id", "visibility")
    }


def _people(
    tickets: Iterable[Any], events: Mapping[int, Sequence[Event]], messages: Mapping[str, Message]
) -> dict[int, User]:
    wanted = {ticket.requester_id for ticket in tickets}
    wanted |= {message.author_id for message in messages.values() if message.author_id is not None}
    for rows in events.values():
        for event in rows:
            for value in event.data.get("changes", {}).get("requester", ()):
                wanted.add(_id_of(value))
    return User.objects.select_related("location").in_bulk(wanted - {None})


def _id_of(value: Any) -> Any:
    return value.get("user", value.get("id")) if isinstance(value, Mapping) else value


def _column(name: str) -> str:
    return f"{name}_id" if name in REFERENCES else name


def _moments(
    ticket: Any,
    events: Sequence[Event],
    messages: Mapping[str, Message],
    people: Mapping[int, User],
    watching: set[int],
) -> list[Moment]:
    outcomes = kind_of(ticket.kind).outcomes
    state = PastTicket(_beginning(ticket, events, outcomes), people, _first_watchers(events, watching))
    moments = []
    for event in events:
        state = copy(state)
        outcome = outcomes.get(event.code, NOTHING_MORE)
        changed = _apply(state, event, outcome)
        said = _said(state, event, messages, people)
        moments.append(Moment(event.at, event.recorded_at, event.seq, event.code, event.actor_id, said, changed, state))
    return moments


def _beginning(ticket: Any, events: Sequence[Event], outcomes: Mapping[str, Outcome]) -> dict[str, Any]:
    """Return the ticket's fields as they were before its first event: what it has now, with every change undone."""
    values: dict[str, Any] = {name: getattr(ticket, name) for name in FIXED}
    values |= {name: getattr(ticket, name) for name in PLAIN}
    values |= {_column(name): getattr(ticket, _column(name)) for name in REFERENCES}
    for outcome in outcomes.values():
        values |= dict.fromkeys((*outcome.takes, *outcome.clears), "")
        if outcome.stamps:
            values[outcome.stamps] = None
    values |= {
        "status": ticket.kind_info.initial_status,
        "resolved_at": None,
        "closed_at": None,
        "updated_at": ticket.opened_at,
        "queue_due_at": NO_TARGET,
    }
    for event in reversed(events):
        for name, (old, _new) in event.data.get("changes", {}).items():
            if _column(name) in values:
                values[_column(name)] = _id_of(old) if name in REFERENCES else old
    return values


def _apply(state: PastTicket, event: Event, outcome: Outcome) -> frozenset[str]:
    """Bring the state to what the event made of it and return the names of the fields that it wrote."""
    changes = event.data.get("changes", {})
    for name, (_old, new) in changes.items():
        setattr(state, _column(name), _id_of(new) if name in REFERENCES else new)
    if outcome.status is not None:
        state.become(outcome.status)
    for name in outcome.clears:
        setattr(state, name, None if name.endswith("_at") else "")
    for name in outcome.takes:
        setattr(state, name, event.data.get(name, ""))
    if outcome.stamps:
        setattr(state, outcome.stamps, event.at)
    watcher = _id_of(event.data.get("watcher"))
    if event.code == "ticket.watched":
        state.watching |= {watcher}
    elif event.code == "ticket.unwatched":
        state.watching -= {watcher}
    if event.code not in NOTES:
        state.updated_at = max(state.updated_at, event.at)
    return frozenset(changes) | outcome.fields


def _first_watchers(events: Sequence[Event], now: set[int]) -> set[int]:
    found = set(now)
    for event in reversed(events):
        watcher = _id_of(event.data.get("watcher"))
        if event.code == "ticket.watched":
            found.discard(watcher)
        elif event.code == "ticket.unwatched":
            found.add(watcher)
    return found


def _said(state: PastTicket, event: Event, messages: Mapping[str, Message], people: Mapping[int, User]) -> Said:
    message = messages.get(event.data.get("comment", ""))
    if message is None:
        return Said.NOTHING
    author = people.get(message.author_id) if message.author_id is not None else None
    works = author is not None and Permission.WORK_TICKETS in permissions_of(author.roles)
    return said_by(message.author_id, message.visibility, requester_id=state.requester_id, works_tickets=works)
