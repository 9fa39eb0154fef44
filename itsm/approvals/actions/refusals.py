"""A decision that does not count: why, in words, and the record of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from itsm.approvals.models import ApprovalRound
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, Refused, VerbError
from itsm.tickets.log import write
from itsm.tickets.models import TicketEvent

# Tried again within this time for the same reason, it is on record already: a double click is one refusal.
ONCE_IN = timedelta(minutes=1)


class NotDecided(IllegalMove):
    """The decision does not count, because of how the approval stands now (HTTP 409). `why` is a code for programs."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class NotYours(Refused):
    """The person may not decide this (HTTP 403). `why` is a code for programs."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


# How each reason reads in the timeline, after “tried to approve: ”.
WORDS = {
    "not_asked": gettext_noop("was not asked"),
    "requester": gettext_noop("asked for it"),
    "opener": gettext_noop("opened it"),
    "assignee": gettext_noop("carries it out"),
    "involved": gettext_noop("works on a part of it"),
    "rule": gettext_noop("may not approve this"),
    "one_voice": gettext_noop("has answered in this stage already"),
    "no_delegation": gettext_noop("does not decide for that person now"),
    "withdrawn": gettext_noop("the request had been withdrawn"),
    "superseded": gettext_noop("everybody had been asked anew"),
    "parked": gettext_noop("the ticket was on hold"),
    "expired": gettext_noop("its time was over"),
    "changed": gettext_noop("the plan had changed"),
    "link_used": gettext_noop("the link had been used"),
    "link_expired": gettext_noop("the link was too old"),
}


def refusal_words(why: str) -> str:
    """Return a reason's code in the words of the timeline."""
    return _(WORDS[why]) if why in WORDS else why


def audit_refusal(ticket: Any, round_: ApprovalRound, *, actor: Actor, decision: str, why: str, now: datetime) -> None:
    """Put on record that somebody tried to decide and could not. The ticket is locked, and its event chain fresh."""
    before: Mapping[str, Any] = {"round": round_.public_id, "why": why, "decision": decision}
    said = TicketEvent.objects.filter(
        ticket_id=ticket.pk, code="approval.refused", actor=actor.user, at__gt=now - ONCE_IN, data__contains=before
    )
    if not said.exists():
        write(ticket, "approval.refused", actor=actor, data=before, bump=False)


def why_of(error: VerbError) -> str:
    """Return the code of the reason for programs; empty for other errors."""
    return str(getattr(error, "why", ""))
