"""Every type × state × move × role, by the verb: what is legal, where it leads, and how the rest is refused.

The table below is written by hand from the rules of the practice, not read from the product's own table.
"""

from __future__ import annotations

import pytest
from django.db import transaction

from changes.actions import perform
from changes.models import Change
from changes.statuses import MOVES, ChangeType, Status
from itsm.accounts.models import User
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.errors import IllegalMove, Refused, VerbError
from itsm.tickets.models import TicketEvent
from tests.cast import Cast, as_
from tests.changes.conftest import CLOSING, Maker

S = Status
FIELDS = {
    "close": CLOSING,
    "cancel": {"reason": "Not needed."},
    "revert": {"reason": "The window moved."},
    "hold": {"reason": "A part is missing."},
}
APPROVERS = {"assessed", "authorised", "authorised_afterwards", "rejected"}  # nobody makes these by hand

LEGAL: dict[tuple[str, str], dict[str, str]] = {
    ("normal", S.NEW): {"request_approval": S.ASSESS, "cancel": S.CANCELLED},
    ("normal", S.ASSESS): {
        "assessed": S.AUTHORISE,
        "rejected": S.NEW,
        "revert": S.NEW,
        "hold": S.ASSESS,
        "cancel": S.CANCELLED,
    },
    ("normal", S.AUTHORISE): {
        "authorised": S.SCHEDULED,
        "rejected": S.NEW,
        "revert": S.NEW,
        "hold": S.AUTHORISE,
        "cancel": S.CANCELLED,
    },
    ("normal", S.SCHEDULED): {
        "revert": S.NEW,
        "start": S.IMPLEMENT,
        "hold": S.SCHEDULED,
        "cancel": S.CANCELLED,
    },
    ("normal", S.IMPLEMENT): {"finish": S.REVIEW, "hold": S.IMPLEMENT, "cancel": S.CANCELLED},
    ("normal", S.REVIEW): {"close": S.CLOSED, "hold": S.REVIEW},
    ("normal", S.CLOSED): {},
    ("normal", S.CANCELLED): {},
    ("standard", S.NEW): {"schedule": S.SCHEDULED, "cancel": S.CANCELLED},
    ("emergency", S.NEW): {"request_authorisation": S.AUTHORISE, "cancel": S.CANCELLED},
    ("retroactive", S.NEW): {"request_authorisation": S.AUTHORISE, "cancel": S.CANCELLED},
    ("retroactive", S.AUTHORISE): {
        "authorised_afterwards": S.REVIEW,
        "rejected": S.NEW,
        "revert": S.NEW,
        "hold": S.AUTHORISE,
        "cancel": S.CANCELLED,
    },
    ("retroactive", S.REVIEW): {"close": S.CLOSED, "hold": S.REVIEW},
    ("retroactive", S.CLOSED): {},
    ("retroactive", S.CANCELLED): {},
}
for _kind, _same in (
    ("standard", (S.SCHEDULED, S.IMPLEMENT, S.REVIEW, S.CLOSED, S.CANCELLED)),
    ("emergency", (S.AUTHORISE, S.SCHEDULED, S.IMPLEMENT, S.REVIEW, S.CLOSED, S.CANCELLED)),
):
    for _status in _same:  # from here on all types go the same way
        LEGAL[_kind, _status] = LEGAL["normal", _status]
HELD = [(kind, status) for (kind, status), moves in LEGAL.items() if "hold" in moves]
CASES = [(kind, status, False) for kind, status in LEGAL] + [(kind, status, True) for kind, status in HELD]


def expected(kind: str, status: str, held: bool) -> dict[str, str]:
    """Return the legal moves with where they lead. While a change is held it can be resumed or cancelled only."""
    legal = LEGAL[kind, status]
    if not held:
        return legal
    return {"resume": status} | {name: target for name, target in legal.items() if name == "cancel"}


def test_the_table_knows_every_move() -> None:
    """A move that is added without a row here is noticed."""
    assert set(MOVES) == {name for moves in LEGAL.values() for name in moves} | {"resume"}


def make(maker: Maker, kind: str, status: str, held: bool) -> Change:
    """Return a change of the row."""
    retroactive = kind == "retroactive"
    values = {"is_retroactive": True} if retroactive else {}
    return maker.at(ChangeType.EMERGENCY if retroactive else kind, status, held=held, **values)


@pytest.mark.parametrize(("kind", "status", "held"), CASES)
def test_every_move_by_every_role(maker: Maker, cast: Cast, mona: User, kind: str, status: str, held: bool) -> None:
    change = make(maker, kind, status, held)
    legal = expected(kind, status, held)
    actors: dict[str, tuple[Actor, bool]] = {
        "requester": (as_(cast.rita), False),
        "auditor": (as_(cast.olaf), False),
        "agent": (as_(cast.anna), True),
        "lead": (as_(cast.lena), True),
        "manager": (as_(mona), True),
        "administrator": (as_(cast.ada), True),
        "system": (SYSTEM, True),
    }
    for role, (actor, works) in actors.items():
        for move in MOVES:
            allowed = works and (move not in APPROVERS or actor.is_system)
            said = f"{role}: {move} at {kind}/{status}{' held' if held else ''}"
            outcome = attempt(change, move, actor)
            if move not in legal:
                assert isinstance(outcome, IllegalMove), said
            elif not allowed:
                assert isinstance(outcome, Refused), said
            else:
                assert outcome == legal[move], said


def attempt(change: Change, move: str, actor: Actor) -> VerbError | str:
    """Return where the move led, undone again; or the refusal, which left no trace."""
    events = TicketEvent.objects.filter(ticket=change.pk).count()
    refusal: VerbError | None = None
    try:
        with transaction.atomic():
            moved = perform(change, move, actor=actor, fields=FIELDS.get(move, {}))
            assert TicketEvent.objects.filter(ticket=change.pk).count() > events
            transaction.set_rollback(True)
    except VerbError as error:
        refusal = error
    if refusal is None:
        return moved.status
    assert refusal.message
    assert TicketEvent.objects.filter(ticket=change.pk).count() == events
    assert Change.objects.get(pk=change.pk).version == change.version
    return refusal
