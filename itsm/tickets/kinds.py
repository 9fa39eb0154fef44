"""The kinds of ticket. A process room registers its kind on start-up; the kernel never imports a process room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise

from itsm.conditions import Field
from itsm.tickets.moves import Move


@dataclass(frozen=True)
class Outcome:
    """What an event leaves on its ticket that is said by its code alone, so that a past can be read from the log.

    `status`: where it leads; None: it stays. `stamps`: the field that gets the event's instant. `clears`: fields that
    become empty. `takes`: fields whose new value stands in the event's data under the field's name.
    """

    status: str | None = None
    stamps: str = ""
    clears: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that it sets."""
        named = (*self.clears, *self.takes, self.stamps, "status" if self.status is not None else "")
        return frozenset(named) - {""}


def no_ids(ticket: Any) -> list[int]:
    """Return no ids: a kind of ticket that is never merged into another."""
    return []


def no_fields(ticket: Any) -> frozenset[str]:
    """Return no field: a kind of ticket whose team and assignee may be taken away at any time."""
    return frozenset()


def never(ticket: Any) -> bool:
    """Answer no: a kind of ticket that nobody hands to a supplier."""
    return False


@dataclass(frozen=True)
class Kind:
    """What the kernel knows of a kind: its model, numbers, statuses, moves and who carries out a move.

    `url_name`: its page, in the namespace of its room; `list_url_name` and `new_url_name`: a list of its own (else the
    queue shows them) and the form that opens one. `plural` and `icon` (Tabler): how lists and pages name it.
    `begins_with`: the move that somebody makes by taking one from the queue (empty: taking only assigns it).
    `fields`: what stored rules may ask of its tickets beside the fields of every ticket. `outcomes`: by event code,
    what the code alone says. `is_with_supplier`: whether a ticket waits for a supplier at present. `desk_only`: such
    tickets exist for the desk alone, also where somebody outside it asked for them or watches them. `keeps`: which of
    team and assignee a ticket cannot be without as it stands. `nothing_to_do`: of tickets, which of this kind nobody is
    to be offered as work now (empty: offer all of them). `absorbed`: the ids of the tickets that were merged into one,
    whose messages are shown on it.
    """

    code: str
    label: str | Promise
    model: type[Any]
    prefix: str
    statuses: Mapping[str, str | Promise]
    initial_status: str
    terminal_statuses: frozenset[str]
    moves: Mapping[str, Move]
    perform: Callable[..., Any]
    reply: Callable[..., Any]
    url_name: str = ""
    fields: tuple[Field, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    is_with_supplier: Callable[[Any], bool] = never
    absorbed: Callable[[Any], list[int]] = no_ids
    desk_only: bool = False
    keeps: Callable[[Any], frozenset[str]] = no_fields
    nothing_to_do: Q = field(default_factory=Q)
    plural: str | Promise = ""
    icon: str = "ticket"
    list_url_name: str = ""
    new_url_name: str = ""
    begins_with: str = ""

    def status_label(self, status: str) -> str:
        """Return the status in words."""
        return str(self.statuses.get(status, status))


_kinds: dict[str, Kind] = {}


def register_kind(kind: Kind) -> None:
    """Make a kind known. Called once for each by its room's `AppConfig.ready`.

    Raises:
        ValueError: two kinds claim one code or one number prefix.
    """
    for other in _kinds.values():
        if other.code != kind.code and other.prefix == kind.prefix:
            raise ValueError(f"Kinds {other.code} and {kind.code} both number with {kind.prefix}.")
    _kinds[kind.code] = kind


def kind_of(code: str) -> Kind:
    """Return the kind with this code.

    Raises:
        KeyError: no room registered it.
    """
    return _kinds[code]


def desk_only_kinds() -> list[str]:
    """Return the codes of the kinds whose tickets exist for the desk alone."""
    return [kind.code for kind in _kinds.values() if kind.desk_only]


def nothing_to_do() -> Q:
    """Return which tickets, of any kind, nobody is to be offered as work now (leave them out with `exclude`)."""
    found = Q(pk__in=())
    for kind in _kinds.values():
        found |= kind.nothing_to_do
    return found


def all_kinds() -> list[Kind]:
    """Return every registered kind, in the order of registration."""
    return list(_kinds.values())
