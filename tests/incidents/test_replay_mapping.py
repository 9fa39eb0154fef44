"""Every way from one state of the log to another is made of legal moves."""

import itertools

import pytest

from incidents.replay.mapping import STANDINGS, Standing, moves_between
from incidents.statuses import MOVES, TERMINAL, Status

STATES = sorted(STANDINGS)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_roads_are_legal_and_lead_there(before: str, after: str) -> None:
    now, wanted = STANDINGS[before], STANDINGS[after]
    road = moves_between(now, wanted)
    if road is None:
        assert now.status in TERMINAL or wanted.status == Status.NEW
        return
    status: str = now.status
    for name in road:
        assert status in MOVES[name].sources
        status = MOVES[name].target
    assert status == wanted.status
    assert bool(road) == (now != wanted)


def test_another_reason_to_wait_is_another_hold() -> None:
    now = Standing(Status.ON_HOLD, "awaiting_caller")
    assert moves_between(now, Standing(Status.ON_HOLD, "awaiting_vendor")) == ["resume", "hold"]


def test_a_hold_after_a_resolution_is_a_reopening() -> None:
    assert moves_between(STANDINGS["Resolved"], STANDINGS["Awaiting User Info"]) == ["reopen", "hold"]
