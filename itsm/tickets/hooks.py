"""Who else must act when a ticket changes, within the same transaction; and who is told afterwards.

Listeners run inside the verb's transaction in a fixed order (service levels follow a move this way without the kernel
importing them). Consumers are handed the event later, from the outbox, at least once, with the event's id to know it
by. Both registries are filled by the rooms' `apps.py` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from itsm.tickets.actors import Actor
from itsm.tickets.models import TicketEvent


@dataclass(frozen=True)
class Change:
    """What a verb did: the locked ticket as it now is, the event, and the old values of the fields it wrote.

    `comment` is the comment that the verb wrote, where it wrote one.
    """

    ticket: Any
    event: TicketEvent
    actor: Actor
    before: Mapping[str, Any]
    comment: Any = None


Listener = Callable[[Change], None]
Consumer = Callable[[TicketEvent], None]

_listeners: list[tuple[int, str, Listener]] = []
_deaf: dict[str, str] = {}
_consumers: dict[str, tuple[frozenset[str] | None, Consumer]] = {}


def listen(name: str, listener: Listener, *, order: int = 100, deaf_to: str = "") -> None:
    """Call the listener in the transaction of every verb; a name registered again replaces the former listener.

    `deaf_to`: how the codes begin that do not concern it. Say so of `sla.`, which very many events at one instant may
    be, where it would do nothing: for events that nobody hears no objects are made.
    """
    _listeners[:] = [entry for entry in _listeners if entry[1] != name]
    _listeners.append((order, name, listener))
    _listeners.sort(key=lambda entry: (entry[0], entry[1]))
    _deaf[name] = deaf_to


def is_heard(code: str) -> bool:
    """Return whether there is a listener that wants events with this code."""
    return any(_hears(name, code) for _order, name, _listener in _listeners)


def notify_listeners(change: Change) -> None:
    """Call every listener that wants the event, in order; an error undoes the verb."""
    for _order, name, listener in _listeners:
        if _hears(name, change.event.code):
            listener(change)


def _hears(name: str, code: str) -> bool:
    prefix = _deaf.get(name, "")
    return not prefix or not code.startswith(prefix)


def consume(name: str, consumer: Consumer, *, codes: frozenset[str] | None = None) -> None:
    """Hand events to the consumer from the outbox: those with these codes, or all."""
    _consumers[name] = (codes, consumer)


def consumers_for(code: str) -> list[str]:
    """Return the names of the consumers that want events with this code."""
    return [name for name, (codes, _consumer) in _consumers.items() if codes is None or code in codes]


def consumer_named(name: str) -> Consumer | None:
    """Return the consumer, or None when its room is gone."""
    entry = _consumers.get(name)
    return entry[1] if entry else None
