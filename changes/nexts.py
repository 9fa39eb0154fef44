"""What a change can do next: each move of its way, and for each what is missing, who still decides, when it opens.

The page, `GET …/next/` and the verbs read the same table and the same gates.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from changes.gates import Lack, lacks
from changes.models import Change
from changes.statuses import DECIDED, MOVES, ChangeType, held, not_held
from itsm.accounts.models import User
from itsm.approvals.models import ApprovalRound, Ask
from itsm.tickets.actors import Actor
from itsm.tickets.moves import Move


@dataclass(frozen=True)
class Waiting:
    """Whose decision a change waits for: the stage in words, the people asked, whether the round is on hold."""

    purpose: str
    stage: str
    people: tuple[User, ...]
    is_parked: bool


@dataclass(frozen=True)
class NextMove:
    """One move that starts where the change stands.

    `is_possible`: it can be made now by who asks, with the `fields` that it needs. `missing`: what stands against it.
    `waits_for`: it follows from these decisions; nobody makes it by hand. `opens_at`: from when it can be made.
    """

    move: Move
    is_possible: bool
    missing: tuple[Lack, ...] = ()
    refusal: str = ""
    waits_for: tuple[Waiting, ...] = ()
    opens_at: datetime | None = None
    needs: tuple[str, ...] = field(default_factory=tuple)


def next_moves(change: Change, actor: Actor, at: datetime) -> list[NextMove]:
    """Return the moves that start where the change stands, in the order of the table."""
    found = [move for move in MOVES.values() if change.status in move.sources and _is_of_its_way(change, move)]
    waits = waiting_for(change) if any(move.name in DECIDED for move in found) else ()
    return [_next(change, move, actor, at, waits) for move in found]


def _is_of_its_way(change: Change, move: Move) -> bool:
    """Return whether the move belongs to the type of the change; that it is on hold is said, not left out."""
    if move.applies(change):
        return True
    return move.applies is not held and not not_held(change) and bool(move.applies(_Unheld(change)))


class _Unheld:
    """The change as it would be if it were not on hold."""

    def __init__(self, change: Change) -> None:
        self.change_type, self.is_retroactive = change.change_type, change.is_retroactive
        self.is_on_hold, self.hold_reason = False, ""


def _next(change: Change, move: Move, actor: Actor, at: datetime, waits: tuple[Waiting, ...]) -> NextMove:
    applies = move.applies(change)
    if move.name in DECIDED:
        return NextMove(move, False, refusal=applies.reason, waits_for=waits)
    missing = tuple(lacks(change, move.name, at))
    may = move.rule(actor, change)
    opens_at = change.planned_start if move.name == "start" and change.change_type != ChangeType.EMERGENCY else None
    return NextMove(
        move,
        is_possible=bool(applies) and bool(may) and not missing,
        missing=missing,
        refusal=applies.reason or may.reason,
        opens_at=opens_at,
        needs=tuple(needed(change, move)),
    )


def needed(change: Change, move: Move) -> list[str]:
    """Return the names of the fields that the move needs for this change, whatever else is said."""
    names = [one.name for one in move.fields if one.required is True]
    if move.name == "close" and change.needs_review and not change.review_notes:
        names.append("review_notes")
    return names


def waiting_for(change: Change) -> tuple[Waiting, ...]:
    """Return whose decisions the change waits for now. Takes two queries."""
    asks = (
        Ask.objects.filter(state="asked", stage__state="asked", stage__round__in=ApprovalRound.objects.live())
        .filter(stage__round__ticket_id=change.pk)
        .select_related("person", "stage__round")
        .order_by("pk")
    )
    stages: dict[int, list[Any]] = {}
    for ask in asks:
        stages.setdefault(ask.stage_id, []).append(ask)
    return tuple(
        Waiting(
            purpose=found[0].stage.round.purpose,
            stage=found[0].stage.name,
            people=tuple(ask.person for ask in found),
            is_parked=found[0].stage.round.state == "parked",
        )
        for found in stages.values()
    )
