"""Where a request stands and what happens next, in a sentence for the person who made it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from incidents.models import Incident
from incidents.statuses import HoldReason, ResolutionCode, Status
from incidents.waiting import Phase, Wait
from itsm.ui.words import short_duration

SHOWN_FROM_S = 60


def status_sentence(incident: Incident) -> str:
    """Return where the request stands and what happens next."""
    words = {
        "who": incident.assignee.display_name if incident.assignee else "",
        "team": incident.team.name if incident.team else _("the service desk"),
    }
    if incident.merged_into is not None:
        return _("This is the same as %(number)s, so it goes on there. What you write here is read there.") % {
            "number": incident.merged_into.number
        }
    if incident.status == Status.NEW:
        return _("We have received it. %(team)s looks at it next.") % words
    if incident.status == Status.IN_PROGRESS and words["who"]:
        return _("%(who)s is working on it.") % words
    if incident.status == Status.IN_PROGRESS:
        return _("%(team)s is working on it.") % words
    if incident.status == Status.ON_HOLD:
        return {
            HoldReason.AWAITING_CALLER: _("We need an answer from you to go on. Write it below."),
            HoldReason.AWAITING_VENDOR: _("We are waiting for a supplier and keep at it."),
            HoldReason.AWAITING_CHANGE: _("The fix is planned as a change. We tell you when it is done."),
            HoldReason.AWAITING_PROBLEM: _("We are looking for the cause behind this. We tell you what we find."),
        }.get(HoldReason(incident.hold_reason), _("It is waiting."))
    if incident.status == Status.RESOLVED:
        return _("We think that it is fixed. Please tell us whether it works.")
    if incident.status == Status.CANCELLED:
        return _("This request was cancelled.")
    return _("This request is finished. If it comes back, write below: we then open a new one.")


def needs_answer(incident: Incident) -> bool:
    """Return whether the next move is the requester's."""
    awaits = incident.status == Status.ON_HOLD and incident.hold_reason == HoldReason.AWAITING_CALLER
    return awaits or (incident.status == Status.RESOLVED and incident.merged_into_id is None)


def resolution_words(incident: Incident) -> str:
    """Return how it ended in words; empty while it has not."""
    if not incident.resolution_code:
        return ""
    return str(ResolutionCode(incident.resolution_code).label)


def waited(wait: Wait) -> tuple[str, str]:
    """Return how long the requester has waited, and how much of that was for their answer (blank below a minute)."""
    ours = wait.parts[Phase.REQUESTER].total_seconds()
    part = _("%(time)s of it for your answer") % {"time": short_duration(ours)} if ours >= SHOWN_FROM_S else ""
    return short_duration(wait.total.total_seconds()), part


def steps(incident: Incident) -> list[tuple[str, str]]:
    """Return the four steps of a request, each done, current or next."""
    labels = [_("Received"), _("In progress"), _("Fixed"), _("Finished")]
    reached = {
        Status.NEW: 0,
        Status.IN_PROGRESS: 1,
        Status.ON_HOLD: 1,
        Status.RESOLVED: 2,
        Status.CLOSED: 3,
        Status.CANCELLED: 3,
    }[Status(incident.status)]
    if incident.status == Status.CANCELLED:
        labels = [_("Received"), _("Cancelled")]
        reached = 1
    last = reached == len(labels) - 1
    return [
        (label, "done" if index < reached or last else "current" if index == reached else "next")
        for index, label in enumerate(labels)
    ]


def card(incident: Incident, url: str) -> dict[str, Any]:
    """Return what a list shows of the request."""
    return {
        "url": url,
        "number": incident.number,
        "title": incident.title,
        "status": incident.status,
        "reason": incident.hold_reason,
        "status_label": incident.status_label,
        "sentence": status_sentence(incident),
        "changed_at": incident.updated_at,
        "needs_you": needs_answer(incident),
    }
