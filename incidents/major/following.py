"""What follows from the incident's own life: the clock of updates stops when it ends, and begins anew on reopening."""

from __future__ import annotations

from datetime import timedelta

from incidents.major.models import MajorIncident, MajorReview
from incidents.major.states import MajorState
from itsm.tickets.hooks import Change

ENDS = frozenset({"incident.resolved", "incident.closed", "incident.cancelled", "incident.merged"})


def follow(change: Change) -> None:
    """Stop the clock of a major incident that ended; begin it anew, with the review a draft again, when it reopens."""
    code = change.event.code
    if code not in ENDS and code != "incident.reopened":
        return
    if change.ticket.major_state != MajorState.ACCEPTED:
        return
    if code in ENDS:
        MajorIncident.objects.filter(pk=change.ticket.pk).update(next_update_at=None)
        return
    MajorReview.objects.filter(pk=change.ticket.pk).update(done_at=None, done_by=None)
    major = MajorIncident.objects.get(pk=change.ticket.pk)
    if major.cadence_minutes:
        major.next_update_at = change.event.at + timedelta(minutes=major.cadence_minutes)
        major.save(update_fields=["next_update_at"])
