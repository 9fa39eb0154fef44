"""Separation of duties: who has a part in a ticket does not approve it (feature AP-4; SOX-type audits, domain 2.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from itsm.approvals.subjects import subject_of

REQUESTER, OPENER, ASSIGNEE, INVOLVED = "requester", "opener", "assignee", "involved"
REASONS = {
    REQUESTER: gettext_noop("You asked for this yourself, so somebody else has to approve it."),
    OPENER: gettext_noop("You opened this yourself, so somebody else has to approve it."),
    ASSIGNEE: gettext_noop("You carry this out, so somebody else has to approve it."),
    INVOLVED: gettext_noop("You work on a part of this, so somebody else has to approve it."),
}
SHORT = {
    REQUESTER: gettext_noop("asked for it"),
    OPENER: gettext_noop("opened it"),
    ASSIGNEE: gettext_noop("carries it out"),
    INVOLVED: gettext_noop("works on a part of it"),
}


def barred_now(ticket: Any) -> dict[int, str]:
    """Return who may not approve the ticket as it is now, by id, with the code of the reason."""
    found: dict[int, str] = dict.fromkeys(subject_of(ticket.kind).involved(ticket), INVOLVED)
    if ticket.assignee_id is not None:
        found[ticket.assignee_id] = ASSIGNEE
    found[ticket.opened_by_id] = OPENER
    found[ticket.requester_id] = REQUESTER
    return found


def barred(ticket: Any, at_request: Mapping[str, str]) -> dict[int, str]:
    """Return who may not approve: those who have a part in the ticket now, and those who had when approval was asked
    for. Handing the ticket to somebody else does not free one to approve one's own work."""
    return {int(pk): why for pk, why in at_request.items()} | barred_now(ticket)


def reason_words(code: str) -> str:
    """Return the reason as a sentence to the person."""
    return _(REASONS[code]) if code in REASONS else _("You have a part in this, so somebody else has to approve it.")


def short_words(code: str) -> str:
    """Return the reason in two or three words: “carries it out”."""
    return _(SHORT[code]) if code in SHORT else _("has a part in it")
