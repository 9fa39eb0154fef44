"""What the tests of approvals share: incidents that can be approved, and people who approve.

Incidents stand in for every kind: what approvals know of a kind they know from its registered subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Role
from itsm.approvals import subjects
from itsm.approvals.actions import save_policy
from itsm.approvals.models import ApprovalPolicy, ApprovalRound, ApprovalStage, Mode
from itsm.approvals.specs import StageSpec
from itsm.approvals.subjects import ApprovalSubject, register_approval_subject, register_approver_group
from itsm.tickets.log import write
from tests.cast import PASSWORD, Cast, as_

ENDS: list[tuple[str, str]] = []


def on_end(code: str) -> Callable[..., None]:
    """What a room does when a round ends: it writes to its ticket, which it locks again, in the same transaction."""

    def ended(ticket: Any, round_: ApprovalRound, actor: Any) -> None:
        from itsm.tickets.actions import lock

        ENDS.append((code, round_.state))
        write(lock(ticket), "ticket.updated", actor=actor, data={"approval": code})

    return ended


@pytest.fixture(autouse=True)
def subject() -> Iterator[ApprovalSubject]:
    """Incidents can be approved while a test runs; what is approved of one is its title and description."""
    before = dict(subjects._subjects), dict(subjects._groups)
    made = ApprovalSubject(
        on_approved=on_end("approved"),
        on_rejected=on_end("rejected"),
        purposes=(("assess", "Technical review"), ("authorise", "Authorisation")),
    )
    register_approval_subject("incident", made)
    register_approver_group("cab", "CAB", lambda ticket: User.objects.filter(roles__contains=[Role.CAB_MEMBER]))
    ENDS.clear()
    yield made
    for registry, kept in zip((subjects._subjects, subjects._groups), before, strict=True):
        registry.clear()
        registry.update(kept)


def add_person(name: str, *roles: Role, **fields: Any) -> User:
    """Add somebody to the cast."""
    return User.objects.create_user(
        f"{name.lower()}@example.com",
        PASSWORD,
        display_name=f"{name} Example",
        roles=[Role.REQUESTER, *roles],
        **fields,
    )


@pytest.fixture
def chris(cast: Cast) -> User:
    """Chris, the change manager: who is asked where nobody else is found."""
    return add_person("Chris", Role.CHANGE_MANAGER)


@pytest.fixture
def board(cast: Cast) -> list[User]:
    """Five members of the CAB."""
    return [add_person(f"Cab{number}", Role.CAB_MEMBER) for number in range(1, 6)]


@pytest.fixture
def ticket(cast: Cast, chris: User) -> Incident:
    """Rita's ticket, opened by Carl, with Anna of the network team."""
    return open_incident(
        actor=as_(cast.carl),
        title="Replace the core switch",
        requester=cast.rita,
        team=cast.network,
        assignee=cast.anna,
    )


def people(*persons: User) -> dict[str, Any]:
    """Named people as a stage's source."""
    return {"from": "people", "ids": [person.pk for person in persons]}


def policy(
    actor: User, *stages: StageSpec, name: str = "Everything", condition: dict[str, Any] | None = None, **more: Any
) -> ApprovalPolicy:
    """Store a policy for incidents."""
    return save_policy(name, actor=as_(actor), kind="incident", stages=stages, condition=condition or {}, **more)


def stage(*sources: dict[str, Any], name: str = "Review", mode: str = Mode.ANY, **more: Any) -> StageSpec:
    """A stage as asked for."""
    return StageSpec(name=name, approvers=sources, mode=mode, **more)


def codes(ticket: Any) -> list[str]:
    """The approval events of the ticket, in order."""
    found = ticket.events.filter(code__startswith="approval.").order_by("seq").values_list("code", flat=True)
    return [code.removeprefix("approval.") for code in found]


def asked(round_: ApprovalRound) -> set[User]:
    """Who is asked at present."""
    return set(User.objects.filter(approval_asks__stage__round=round_, approval_asks__state="asked"))


def let_pass(round_: ApprovalRound, length: timedelta) -> None:
    """Make as if so much time had passed since the stage began."""
    for name in ("asked_at", "expires_at", "remind_at", "next_at"):
        ApprovalStage.objects.filter(round=round_, state="asked", **{f"{name}__isnull": False}).update(
            **{name: F(name) - length}
        )


def states(round_: ApprovalRound) -> Sequence[str]:
    """The states of the stages, in order."""
    return list(round_.stages.order_by("position").values_list("state", flat=True))
