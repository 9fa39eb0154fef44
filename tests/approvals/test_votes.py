"""When a stage is decided: a table, and properties over all answers and orders."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from itsm.approvals.models import Mode
from itsm.approvals.votes import Vote, not_needed, outcome_of

Y, N, W = "approved", "rejected", "asked"


@pytest.mark.parametrize(
    ("mode", "needed", "answers", "outcome"),
    [
        ("any", 1, [], None),
        ("any", 1, [W, W], None),
        ("any", 1, [W, Y], Y),
        ("any", 1, [N, W], N),
        ("all", 1, [], None),
        ("all", 1, [Y, W], None),
        ("all", 1, [Y, Y], Y),
        ("all", 1, [Y, N], N),
        ("n_of_m", 2, [Y, W, W], None),
        ("n_of_m", 2, [Y, N, W], None),
        ("n_of_m", 2, [Y, N, N], N),
        ("n_of_m", 2, [Y, N, Y], Y),
        ("n_of_m", 2, [N, N, W], N),
        ("n_of_m", 3, [Y, Y], None),  # too few were found: that is nobody's rejection
        ("n_of_m", 3, [N, Y], None),
        ("per_group", 1, [], None),
    ],
)
def test_modes(mode: str, needed: int, answers: list[str], outcome: str | None) -> None:
    assert outcome_of(mode, needed, [Vote(answer) for answer in answers]) == outcome


def test_one_of_each_group() -> None:
    first, second, both = Vote(Y, (0,)), Vote(W, (1,)), Vote(Y, (0, 1))
    assert outcome_of("per_group", 1, [first, second]) is None
    assert not_needed("per_group", [first, Vote(W, (0,)), second]) == [1]
    assert outcome_of("per_group", 1, [first, Vote(Y, (1,))]) == Y
    assert outcome_of("per_group", 1, [both, second, Vote(W, (0,))]) == Y
    assert outcome_of("per_group", 1, [first, Vote(N, (1,))]) == N


def test_who_is_asked_because_time_is_over_decides_alone() -> None:
    assert outcome_of("all", 1, [Vote(W), Vote(W), Vote(Y, is_escalated=True)]) == Y
    assert outcome_of("n_of_m", 2, [Vote(Y), Vote(W), Vote(N, is_escalated=True)]) == N
    assert outcome_of("all", 1, [Vote(Y), Vote(Y), Vote(W, is_escalated=True)]) == Y


answers = st.lists(st.sampled_from([Y, N]), min_size=1, max_size=6)


def played(mode: str, needed: int, given: list[tuple[int, str]], size: int) -> tuple[str | None, int]:
    """Let people answer one after the other until the stage is decided; return how, and how many answers it took."""
    states = [W] * size
    for count, (person, answer) in enumerate(given, start=1):
        states[person] = answer
        found = outcome_of(mode, needed, [Vote(state) for state in states])
        if found:
            return found, count
    return None, len(given)


@given(answers, st.integers(1, 6))
def test_n_of_m_is_decided_by_the_count_and_no_order(said: list[str], needed: int) -> None:
    """Whoever answers first: n approvals approve; a rejection comes exactly when n can no longer be reached."""
    size = len(said)
    if needed > size:
        return
    expected = Y if said.count(Y) >= needed else N
    orders = list(permutations(range(size)))[:200]
    for order in orders:
        outcome, took = played("n_of_m", needed, [(person, said[person]) for person in order], size)
        assert outcome == expected
        heard = [said[person] for person in order[:took]]
        if outcome == Y:
            assert heard.count(Y) == needed
        else:
            assert heard.count(N) == size - needed + 1


@given(answers)
def test_all_is_n_of_m_with_everybody_and_any_is_the_first(said: list[str]) -> None:
    given_ = list(enumerate(said))
    assert played("all", 1, given_, len(said)) == played("n_of_m", len(said), given_, len(said))
    assert played("any", 1, given_, len(said)) == (said[0], 1)


@given(st.lists(st.tuples(st.sampled_from([Y, N, W]), st.sets(st.integers(0, 3), min_size=1)), max_size=8))
def test_groups_approve_exactly_when_each_has_an_approval_and_nobody_refuses(
    rows: list[tuple[str, set[int]]],
) -> None:
    votes = [Vote(state, tuple(groups)) for state, groups in rows]
    outcome = outcome_of(Mode.PER_GROUP, 1, votes)
    groups = {group for _state, own in rows for group in own}
    if any(state == N for state, _own in rows):
        assert outcome == N
    elif groups and all(any(state == Y and group in own for state, own in rows) for group in groups):
        assert outcome == Y
    else:
        assert outcome is None
    for place in not_needed(Mode.PER_GROUP, votes):
        without = [vote for number, vote in enumerate(votes) if number != place]
        assert votes[place].state == W
        assert outcome_of(Mode.PER_GROUP, 1, without) == outcome or outcome is None
