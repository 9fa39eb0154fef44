"""Permission predicates on tickets: small, named, and they say why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Refused


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, or no with the reason in a sentence."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


YES = Answer(True)
Predicate = Callable[[Actor, Any], Answer]


def works_tickets(actor: Actor, ticket: Any) -> Answer:
    """Answer whether the actor works on tickets (agent and above)."""
    return YES if actor.may(Permission.WORK_TICKETS) else Answer(False, _("Only the service desk can do this."))


def is_requester(actor: Actor, ticket: Any) -> Answer:
    """Answer whether the actor is the one for whom the ticket was opened."""
    if actor.user is not None and ticket.requester_id == actor.user.pk and not ticket.kind_info.desk_only:
        return YES
    return Answer(False, _("Only the requester can do this."))


def is_watcher(actor: Actor, ticket: Any) -> Answer:
    """Answer whether the actor watches the ticket."""
    outside = not ticket.kind_info.desk_only
    if outside and actor.user is not None and ticket.watcher_rows.filter(user=actor.user).exists():
        return YES
    return Answer(False, _("Only people on this ticket can do this."))


def can_override_priority(actor: Actor, ticket: Any) -> Answer:
    """Answer whether the actor may set a priority against the matrix (feature INC-2)."""
    if actor.may(Permission.OVERRIDE_PRIORITY):
        return YES
    return Answer(False, _("Only a team lead or a manager can set the priority by hand. Change impact or urgency."))


def either(*predicates: Predicate) -> Predicate:
    """Return a predicate that says yes when one of these does, else the first one's reason."""

    def combined(actor: Actor, ticket: Any) -> Answer:
        answers = (predicate(actor, ticket) for predicate in predicates)
        first: Answer | None = None
        for answer in answers:
            if answer:
                return YES
            first = answer if first is None else first
        return first if first is not None else Answer(False)

    return combined


RULES: dict[str, Predicate] = {
    "ticket.edit": works_tickets,
    "ticket.assign": works_tickets,
    "ticket.override_priority": can_override_priority,
    "ticket.comment": either(works_tickets, is_requester, is_watcher),
    "ticket.note": works_tickets,
    "ticket.attach": either(works_tickets, is_requester, is_watcher),
    "ticket.link": works_tickets,
    "ticket.watch_others": works_tickets,
}


def require(rule: str, actor: Actor, ticket: Any) -> None:
    """Refuse the deed that the rule does not allow. A rule that is not in the table refuses everything.

    Raises:
        Refused: with the rule's reason.
    """
    predicate = RULES.get(rule)
    answer = predicate(actor, ticket) if predicate else Answer(False, _("Nobody may do this."))
    if not answer:
        raise Refused(answer.reason)


def can(rule: str, actor: Actor, ticket: Any) -> Answer:
    """Return whether the rule allows the deed, with the reason where it does not."""
    predicate = RULES.get(rule)
    return predicate(actor, ticket) if predicate else Answer(False, _("Nobody may do this."))
