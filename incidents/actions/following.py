"""What an incident does because of another ticket: a parent's move, a problem's news. Called by the worker, once each.

Each locks the incident first and looks whether it is still of use; an error says why not, for the desk to read. The
worker calls them in a transaction of their own, with a savepoint around: they need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from incidents.actions.lifecycle import reopen_locked, resolve_locked, resume_locked
from incidents.actions.talking import reply
from incidents.models import Incident
from incidents.statuses import MOVES, HoldReason, Status
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.log import write
from itsm.tickets.models import TicketEvent, Visibility
from itsm.tickets.moves import check_move, clean_fields
from itsm.tickets.spreading import NotNeeded

Data = Mapping[str, Any]
PARENT = "parent"


def start(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Begin work, as the parent did. Nobody is made its assignee."""
    child = _child(ticket, data)
    check_move(child, MOVES["start"], actor)
    changes = {"status": Status.IN_PROGRESS}
    write(child, "incident.started", actor=actor, changes=changes, data=_because(data), log_changes=False)


def hold(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Put on hold for the reason in the data. One that is on hold already stays as it is."""
    child = _child(ticket, data)
    check_move(child, MOVES["hold"], actor)
    values = clean_fields(MOVES["hold"], {"hold_reason": data.get("hold_reason")})
    write(
        child,
        "incident.held",
        actor=actor,
        changes={"status": Status.ON_HOLD, "hold_reason": values["hold_reason"]},
        data={"hold_reason": values["hold_reason"], **_because(data)},
        log_changes=False,
    )


def resume(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Go on with work where it waits for the reason in the data; one that waits for something else goes on waiting."""
    child = _child(ticket, data)
    check_move(child, MOVES["resume"], actor)
    if child.hold_reason != data.get("hold_reason"):
        raise NotNeeded(_("It waits for something else: %(reason)s.") % {"reason": child.get_hold_reason_display()})
    resume_locked(child, actor=actor, because=_because(data).get("because", ""))


def resolve(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Resolve with the code and notes in the data."""
    _resolve(_child(ticket, data), actor, data)


def resolve_waiting_for_problem(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Resolve it if it is on hold for a problem, and only then."""
    child = _child(ticket, data)
    if child.status != Status.ON_HOLD or child.hold_reason != HoldReason.AWAITING_PROBLEM:
        raise NotNeeded(_("It does not wait for a problem. It is %(status)s.") % {"status": child.status_label.lower()})
    _resolve(child, actor, data)


def reopen(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Reopen what the parent's resolution resolved; what was resolved for itself stays so."""
    child = _child(ticket, data)
    check_move(child, MOVES["reopen"], actor)
    ended = TicketEvent.objects.filter(ticket_id=child.pk, code="incident.resolved").order_by("-seq").first()
    if ended is None or ended.data.get("because") != PARENT:
        raise NotNeeded(_("It was resolved for itself, not with the incident it is part of."))
    values = clean_fields(MOVES["reopen"], {"comment": data.get("comment")})
    reopen_locked(child, values["comment"], actor=actor, because=PARENT)


def comment(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Write the body in the data to the requester; of no use on an incident that has ended."""
    _still_open(_child(ticket, data))
    reply(ticket, str(data.get("body", "")), actor=actor)


def note(ticket: Any, *, actor: Actor, data: Data) -> None:
    """Write the body in the data as a work note."""
    _still_open(_child(ticket, data))
    reply(ticket, str(data.get("body", "")), actor=actor, visibility=Visibility.INTERNAL)


def _child(ticket: Any, data: Data) -> Incident:
    """Return the incident locked.

    Raises:
        NotNeeded: the order came from a parent whose child it is no longer.
    """
    locked: Incident = lock(ticket)
    parent = data.get("parent")
    if parent is not None and locked.parent_id != parent:
        raise NotNeeded(_("It is no longer part of that incident."))
    return locked


def _because(data: Data) -> dict[str, str]:
    return {"because": PARENT} if data.get("parent") is not None else {}


def _resolve(child: Incident, actor: Actor, data: Data) -> None:
    check_move(child, MOVES["resolve"], actor)
    given = {name: data.get(name) for name in ("resolution_code", "resolution_notes")}
    values = clean_fields(MOVES["resolve"], given)
    resolve_locked(child, values, actor=actor, because=_because(data).get("because", ""))


def _still_open(incident: Incident) -> None:
    if not incident.is_open:
        raise NotNeeded(_("It is %(status)s by now.") % {"status": incident.status_label.lower()})
