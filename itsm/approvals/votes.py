"""When a stage is decided. Pure functions: the same answers always give the same outcome, in whatever order they came.

- `any`: the first answer counts.
- `all`: everybody has to approve; one rejection is enough.
- `n_of_m`: approved when n have approved; rejected as soon as n can no longer be reached.
- `per_group`: the first answer of each group counts for the group; all groups have to approve, one rejection is enough.
- Whoever was asked because the stage's time was over decides it alone.

That a stage is decided by its first sufficient answer is why the order does not matter: later ones are not taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from itsm.approvals.models import AskState, Mode

APPROVED, REJECTED = "approved", "rejected"


@dataclass(frozen=True)
class Vote:
    """What one person who was asked has answered so far."""

    state: str
    groups: Sequence[int] = (0,)
    is_escalated: bool = False


def outcome_of(mode: str, needed: int, votes: Iterable[Vote]) -> str | None:
    """Return `approved`, `rejected`, or None while the stage still waits. Nobody asked: it waits."""
    everybody = list(votes)
    for vote in everybody:
        if vote.is_escalated and vote.state in (AskState.APPROVED, AskState.REJECTED):
            return APPROVED if vote.state == AskState.APPROVED else REJECTED
    own = [vote for vote in everybody if not vote.is_escalated]
    yes = sum(vote.state == AskState.APPROVED for vote in own)
    no = sum(vote.state == AskState.REJECTED for vote in own)
    if mode == Mode.N_OF_M:
        if yes >= needed:
            return APPROVED
        # Too few were found from the start: that is nobody's rejection, so the stage waits.
        return REJECTED if no and len(own) - no < needed <= len(own) else None
    if no:
        return REJECTED
    if mode == Mode.ANY:
        return APPROVED if yes else None
    if mode == Mode.ALL:
        return APPROVED if own and yes == len(own) else None
    wanted = {group for vote in own for group in vote.groups}
    have = {group for vote in own if vote.state == AskState.APPROVED for group in vote.groups}
    return APPROVED if wanted and have >= wanted else None


def can_be_approved(mode: str, needed: int, votes: Iterable[Vote], can_answer: Iterable[bool]) -> bool:
    """Return whether the stage would be approved if all who still can answer approved. `can_answer`: for each vote,
    whether the person's account is open. Where not, more people have to be asked."""
    best = [
        replace(vote, state=AskState.APPROVED) if can and vote.state == AskState.ASKED else vote
        for vote, can in zip(votes, can_answer, strict=True)
    ]
    return outcome_of(mode, needed, best) == APPROVED


def not_needed(mode: str, votes: Sequence[Vote]) -> list[int]:
    """Return the positions of those whose answer can change nothing any more while the stage goes on: in `per_group`
    the others of groups that have approved."""
    if mode != Mode.PER_GROUP:
        return []
    have = {group for vote in votes if vote.state == AskState.APPROVED for group in vote.groups}
    return [
        place
        for place, vote in enumerate(votes)
        if vote.state == AskState.ASKED and not vote.is_escalated and set(vote.groups) <= have
    ]
