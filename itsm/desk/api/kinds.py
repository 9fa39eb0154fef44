"""What a room says of its kind to have it in the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from itsm.desk.api.filters import TicketFilter
from itsm.desk.api.serializers import TicketIn, TicketOut, TicketPatch

Choices = tuple[tuple[str, Any], ...] | list[tuple[str, Any]]
Lacks = Callable[[Any, str], Iterable[tuple[str, str]]]


@dataclass(frozen=True)
class TicketApi:
    """One kind in the API, at `/api/v1/{plural}/`.

    `a`, `plural`: “a problem”, “problems”, for addresses, operations and descriptions. `out`, `body`, `patch`: its
    serializers. `opener(*, actor, submission_key, **values of the body)` opens one; None: it is not opened here.
    `edit(ticket, values, *, actor, version)` is the verb for the values of `patch` beside those of every ticket.
    `lacks(ticket, move)`: field and sentence for each thing missing before a move. `related`: foreign keys of its own
    that `out` shows. `filters`: its parameters beside those of every ticket. `move_body`: describes the fields of all
    moves (default: made from the table). `timers_out`, `timers_more(ticket)`: what the list of timers says beside them.
    `prefix`: what the names of its components in the description begin with.
    """

    kind: str
    a: str
    plural: str
    statuses: Choices
    out: type[TicketOut]
    body: type[serializers.Serializer[Any]] | None = TicketIn
    patch: type[TicketPatch] = TicketPatch
    opener: Callable[..., Any] | None = None
    edit: Callable[..., Any] | None = None
    lacks: Lacks | None = None
    related: tuple[str, ...] = ()
    filters: type[TicketFilter] = TicketFilter
    move_body: type[serializers.Serializer[Any]] | None = None
    timers_out: type[serializers.Serializer[Any]] | None = None
    timers_more: Callable[[Any], Mapping[str, Any]] | None = None
    prefix: str | None = None

    @property
    def name(self) -> str:
        """The beginning of component names: `Problem`."""
        return self.kind.title() if self.prefix is None else self.prefix
