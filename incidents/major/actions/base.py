"""What the verbs of major incidents share: locking with the right rule, and what else must be so."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from incidents.major.models import MajorIncident
from incidents.major.states import MajorState, decides_on_major, runs_major
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.tickets.actions.base import begin
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.rules import Predicate


def begin_by(
    incident: Incident, predicate: Predicate, *, actor: Actor, version: int | None = None
) -> tuple[Incident, MajorIncident]:
    """Return the locked incident, on which the actor may do what the predicate answers for, and what is known of it as
    a major one (a new row, not saved, where it never was one).

    Raises:
        Refused, Stale.
    """
    locked: Incident = begin(incident, "ticket.note", actor=actor, version=version)
    answer = predicate(actor, locked)
    if not answer:
        raise Refused(answer.reason)
    major = MajorIncident.objects.filter(incident=locked).first() or MajorIncident(incident=locked)
    return locked, major


def begin_deciding(incident: Incident, *, actor: Actor, version: int | None) -> tuple[Incident, MajorIncident]:
    """Return the locked incident for a decision of a team lead or manager. Raises: Refused, Stale."""
    return begin_by(incident, decides_on_major, actor=actor, version=version)


def begin_running(
    incident: Incident, *, actor: Actor, is_open: bool = True, version: int | None = None
) -> tuple[Incident, MajorIncident]:
    """Return the locked incident, which is a major one, for somebody who runs it.

    Raises:
        Refused, Stale; IllegalMove: it is no major incident, or (`is_open`) it has ended.
    """
    locked, major = begin_by(incident, runs_major, actor=actor, version=version)
    if locked.major_state != MajorState.ACCEPTED:
        raise IllegalMove(_("%(number)s is no major incident. Accept it as one first.") % {"number": locked.number})
    if is_open and not locked.is_open:
        raise IllegalMove(
            _("%(number)s is %(status)s: the major incident is over.")
            % {"number": locked.number, "status": locked.status_label.lower()}
        )
    return locked, major


def check_can_be_major(incident: Incident) -> None:
    """Refuse what can be no major incident: an ended one, a part of another.

    Raises:
        IllegalMove.
    """
    if not incident.is_open:
        raise IllegalMove(
            _("%(number)s is %(status)s. Only an open incident can be a major one.")
            % {"number": incident.number, "status": incident.status_label.lower()}
        )
    if incident.parent is not None:
        raise IllegalMove(
            _("%(number)s is part of %(upper)s. Propose that one.")
            % {"number": incident.number, "upper": incident.parent.number}
        )


def check_worker(person: User | None, field: str) -> User:
    """Return the person, who must be able to work on tickets.

    Raises:
        Invalid: there is none, or they do not belong to the desk.
    """
    if person is None or not person.is_active or not person.may(Permission.WORK_TICKETS):
        raise Invalid({field: _("Choose somebody who works on tickets.")})
    return person


def tell(*people: User | None) -> dict[str, Any]:
    """Return the part of an event's data that names whom it tells, each once."""
    return {"notify": {"users": sorted({person.pk for person in people if person is not None})}}
