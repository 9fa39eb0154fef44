"""Who would be asked about a ticket if approval were requested now. Nothing is stored, nobody is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from itsm.accounts.models import User
from itsm.approvals.actions.choosing import choose_policy, stage_is_for
from itsm.approvals.actions.stages import allowed_of
from itsm.approvals.duties import barred_now, short_words
from itsm.approvals.models import Problem
from itsm.approvals.sources import fallback_people, people_of
from itsm.approvals.subjects import subject_of
from itsm.tickets.clock import db_now


@dataclass(frozen=True)
class TriedStage:
    """A stage as it would begin: whom it asks, and who would be left out with the reason in words."""

    name: str
    people: list[User]
    left_out: list[tuple[User, str]]
    is_skipped: bool = False
    by_fallback: bool = False


@dataclass(frozen=True)
class Tried:
    """What a request for one purpose would do: the policy's name, or (empty) why the fallback role would be asked."""

    purpose: str
    policy: str
    problem: str
    stages: list[TriedStage]


def try_policies(base: Any) -> list[Tried]:
    """Return what asking for approval of the ticket would do now, for each purpose of its kind. Later stages are shown
    as if they began now."""
    ticket = base.kind_info.model.objects.get(pk=base.pk)
    now = db_now()
    out = barred_now(ticket)
    found = []
    for purpose, label in subject_of(ticket.kind).purposes:
        chosen = choose_policy(ticket, purpose, among=(), now=now)
        if chosen.version is None:
            people, _refused = allowed_of(fallback_people(), ticket, out)
            problem = str(Problem(chosen.problem).label)
            found.append(Tried(str(label), "", problem, [TriedStage("", people, [], by_fallback=True)]))
            continue
        stages = [_tried(spec, ticket, out, now) for spec in chosen.version.stages]
        found.append(Tried(str(label), chosen.version.policy.name, "", stages))
    return found


def _tried(spec: dict[str, Any], ticket: Any, out: dict[int, str], now: Any) -> TriedStage:
    if not stage_is_for(ticket, spec.get("condition") or {}, now):
        return TriedStage(spec["name"], [], [], is_skipped=True)
    named = {person.pk: person for source in spec["approvers"] for person in people_of(source, ticket)}
    allowed, refused = allowed_of(list(named.values()), ticket, out)
    left_out = [(named[pk], short_words(why)) for pk, why in refused.items()]
    if not allowed:
        people, _refused = allowed_of(fallback_people(), ticket, out)
        return TriedStage(spec["name"], people, left_out, by_fallback=True)
    return TriedStage(spec["name"], allowed, left_out)
