"""What a parent's move means for its children (domain rule 2.2): which moves are passed on, and who passes them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incidents.major.states import RUN_AS_MAJOR
from incidents.models import Incident
from incidents.statuses import HoldReason
from itsm.tickets.actors import Actor, Channel
from itsm.tickets.models import TicketEvent
from itsm.tickets.rules import works_tickets
from itsm.tickets.spreading import spread

# What the children wait for as well. What the parent's requester is asked is no question to the others.
SHARED_REASONS = frozenset({HoldReason.AWAITING_PROBLEM, HoldReason.AWAITING_VENDOR, HoldReason.AWAITING_CHANGE})

# What is not passed on while the parent is proposed or accepted as a major incident: its work is then organised from
# one page and says nothing of each report. How it ends, and that it did not last, concerns all of them still.
ORDINARY = frozenset({"incident.start", "incident.hold", "incident.resume"})


def is_suspended(parent: Incident) -> bool:
    """Return whether the incident's ordinary moves stay its own, because it is a major one or proposed as such."""
    return parent.major_state in RUN_AS_MAJOR


def pass_on(
    parent: Incident, effect: str, *, actor: Actor, event: TicketEvent, data: Mapping[str, Any] | None = None
) -> None:
    """Let the locked parent's move have its effect on the children that have not ended; in a worker, once each.

    Does nothing for an incident without children, for what an import tells of the past, and for an ordinary move while
    this is suspended. What was not passed on then is not made up for later.
    """
    if not parent.child_count or actor.at is not None:
        return
    if effect in ORDINARY and is_suspended(parent):
        return
    children = Incident.objects.children_of(parent).unfinished().values_list("pk", flat=True)
    said = {**(data or {}), "parent": parent.pk}
    spread(parent, effect, list(children), actor=actor, data=said, event=event)


def is_fulfiller(actor: Actor, incident: Any) -> bool:
    """Return whether the actor acts for the desk: works on tickets, and does not act as the one who asked for help."""
    if actor.user is None:
        return True
    own = actor.user.pk == incident.requester_id or actor.channel == Channel.PORTAL
    return bool(works_tickets(actor, incident)) and not own
