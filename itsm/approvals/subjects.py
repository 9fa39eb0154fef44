"""What rooms tell approvals of their tickets, and groups of people that rooms name. Filled by their `apps.py`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from itsm.approvals.models import AUTHORISE
from itsm.tickets.rules import YES, Answer

Text = str | Promise
# Called with the locked ticket, the round that ended and the actor whose deed ended it, as the last thing in the
# transaction. The ticket's own verbs lock it again.
Ended = Callable[..., None]


def _title_only(ticket: Any) -> Mapping[str, Any]:
    return {"title": ticket.title, "description": ticket.description}


def _everybody(ticket: Any, person: User) -> Answer:
    return YES


def _nobody(ticket: Any) -> Iterable[int]:
    return ()


def _no_context(ticket: Any, viewer: User) -> Mapping[str, Any]:
    return {}


def nothing(ticket: Any, round_: Any, actor: Any) -> None:
    """Do nothing when a round ends."""


@dataclass(frozen=True)
class ApprovalSubject:
    """How tickets of a kind are approved.

    `facts(ticket)`: what is approved, as plain JSON values (plans, window, scope, risk): when they change, decisions
    asked for before do not count. `may_approve(ticket, person)`: a rule of the room beside separation of duties.
    `involved(ticket)`: ids of people who carry it out besides the assignee; they may not approve.
    `on_approved(ticket, round, actor)` and `on_rejected(…)`: called in the transaction in which the round ends; the
    room tells a round's purpose by `round.purpose`, and reads the words of a rejection in `round.reason`.
    `summary_template` is what approvers see, who may have no other right to the ticket: it gets `ticket`, `facts`,
    `viewer` and what `summary(ticket, viewer)` returns; behind the link in a mail nobody is signed in, so go by
    `viewer`. `purposes`: what approval is asked for, with its words.
    """

    facts: Callable[[Any], Mapping[str, Any]] = _title_only
    may_approve: Callable[[Any, User], Answer] = _everybody
    involved: Callable[[Any], Iterable[int]] = _nobody
    on_approved: Ended = nothing
    on_rejected: Ended = nothing
    summary_template: str = "approvals/summary.html"
    summary: Callable[[Any, User], Mapping[str, Any]] = _no_context
    purposes: tuple[tuple[str, Text], ...] = ((AUTHORISE, _("Authorisation")),)

    def purpose_label(self, purpose: str) -> str:
        """Return the purpose in words."""
        return str(dict(self.purposes).get(purpose, purpose))


@dataclass(frozen=True)
class ApproverGroup:
    """People that a room names: `people(ticket)` returns those who are meant for this ticket now."""

    code: str
    label: Text
    people: Callable[[Any], Iterable[User]]


_subjects: dict[str, ApprovalSubject] = {}
_groups: dict[str, ApproverGroup] = {}


def register_approval_subject(kind_code: str, subject: ApprovalSubject) -> None:
    """Let tickets of the kind be approved; a kind registered again replaces what was."""
    _subjects[kind_code] = subject


def register_approver_group(code: str, label: Text, people: Callable[[Any], Iterable[User]]) -> None:
    """Let policies name a group of people, such as the members of a CAB."""
    _groups[code] = ApproverGroup(code, label, people)


def subject_of(kind_code: str) -> ApprovalSubject:
    """Return how tickets of the kind are approved.

    Raises:
        KeyError: no room registered the kind; asking for approval is a programming error.
    """
    return _subjects[kind_code]


def subjects() -> dict[str, ApprovalSubject]:
    """Return what is known, by kind."""
    return dict(_subjects)


def group_of(code: str) -> ApproverGroup | None:
    """Return the group, or None when its room is gone."""
    return _groups.get(code)


def groups() -> list[ApproverGroup]:
    """Return every group that policies may name."""
    return list(_groups.values())


def facts_of(ticket: Any) -> tuple[dict[str, Any], str]:
    """Return what is approved of the ticket as it is now, as plain JSON values, and its fingerprint."""
    plain = json.loads(json.dumps(dict(subject_of(ticket.kind).facts(ticket)), default=str))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return plain, hashlib.sha256(text.encode()).hexdigest()
