"""Making an incident part of another, taking it out again, and telling all of a parent's children something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incidents.actions.passing import pass_on
from incidents.major.states import RUN_AS_MAJOR
from incidents.models import Incident
from itsm.tickets.actions import comment, lock
from itsm.tickets.actors import Actor
from itsm.tickets.errors import IllegalMove, Invalid, Stale
from itsm.tickets.log import write
from itsm.tickets.models import Visibility
from itsm.tickets.rules import require


def lock_together(incidents: Iterable[Any]) -> dict[int, Incident]:
    """Return the incidents by id, read anew and locked. Always in the same order, so that two deeds cannot cross."""
    rows = {one.pk: one for one in incidents}
    return {pk: lock(rows[pk]) for pk in sorted(rows)}


def check_version(incident: Incident, version: int | None) -> None:
    """Refuse to act on what somebody changed meanwhile.

    Raises:
        Stale: `version` is given and is not the current one.
    """
    if version is not None and version != incident.version:
        raise Stale(seen=version, current=incident.version)


@transaction.atomic
def set_parent(child: Incident, parent: Incident, *, actor: Actor, version: int | None = None) -> Incident:
    """Make the incident part of another one and return it; it leaves the one it was part of. Twice changes nothing.

    From now on the parent's moves are passed on to it; those of the past are not.

    Raises:
        Invalid: the parent cannot have it: it is the same, itself part of another, or has ended.
        IllegalMove: the incident itself has ended or has children. Refused, Stale.
    """
    if child.pk == parent.pk:
        raise Invalid({"parent": _("An incident cannot be part of itself.")})
    locked = lock_together([child, parent, *Incident.objects.filter(children=child.pk)])
    this, above = locked[child.pk], locked[parent.pk]
    require("ticket.link", actor, this)
    check_version(this, version)
    if this.parent_id == above.pk:
        return this
    _check_known(this.parent_id, locked, this)
    _check_child(this)
    _check_parent(above)
    if this.parent_id is not None:
        _take_out(locked[this.parent_id], this, actor)
    return attach_child(this, above, actor=actor)


def attach_child(this: Incident, above: Incident, *, actor: Actor) -> Incident:
    """Write that one locked incident is part of another locked one, on both, and return the child."""
    data = {"number": above.number, "ticket": above.public_id}
    write(this, "incident.parent_set", actor=actor, changes={"parent": above}, data=data, log_changes=False)
    count = {"child_count": above.child_count + 1}
    data = {"number": this.number, "ticket": this.public_id}
    write(above, "incident.child_added", actor=actor, changes=count, data=data, log_changes=False, bump=False)
    return this


def _check_known(parent_id: int | None, locked: Mapping[int, Incident], this: Incident) -> None:
    """Refuse to go on where somebody moved it to another parent between reading and locking."""
    if parent_id is not None and parent_id not in locked:
        raise Stale(seen=this.version, current=this.version)


def _check_child(this: Incident) -> None:
    if not this.is_open:
        raise IllegalMove(
            _("%(number)s is %(status)s. Only an open incident can become part of another.")
            % {"number": this.number, "status": this.status_label.lower()}
        )
    if this.child_count:
        raise IllegalMove(
            _("%(number)s has incidents that are part of it. Families have one level: move those first.")
            % {"number": this.number}
        )
    check_not_major(this)


def check_not_major(this: Incident) -> None:
    """Refuse to put a major incident, or one proposed as such, below or into another one.

    Raises:
        IllegalMove.
    """
    if this.major_state in RUN_AS_MAJOR:
        raise IllegalMove(
            _("%(number)s is a major incident or proposed as one. Reject or demote it first, or put the other into it.")
            % {"number": this.number}
        )


def _check_parent(above: Incident) -> None:
    if above.parent_id is not None:
        upper = above.parent.number if above.parent else ""
        raise Invalid(
            {
                "parent": _("%(number)s is itself part of %(upper)s. Families have one level: choose %(upper)s.")
                % {"number": above.number, "upper": upper}
            }
        )
    if not above.is_open:
        raise Invalid(
            {
                "parent": _("%(number)s is %(status)s. Reopen it first, or choose an open incident.")
                % {"number": above.number, "status": above.status_label.lower()}
            }
        )


def _take_out(above: Incident, this: Incident, actor: Actor) -> None:
    count = {"child_count": max(above.child_count - 1, 0)}
    data = {"number": this.number, "ticket": this.public_id}
    write(above, "incident.child_removed", actor=actor, changes=count, data=data, log_changes=False, bump=False)


@transaction.atomic
def leave_parent(child: Incident, *, actor: Actor, version: int | None = None) -> Incident:
    """Let the incident go on by itself and return it; it is no error when it was part of none.

    Raises:
        Refused, Stale.
    """
    locked = lock_together([child, *Incident.objects.filter(children=child.pk)])
    this = locked[child.pk]
    require("ticket.link", actor, this)
    check_version(this, version)
    if this.parent_id is None:
        return this
    _check_known(this.parent_id, locked, this)
    above = locked[this.parent_id]
    data = {"number": above.number, "ticket": above.public_id}
    write(this, "incident.parent_left", actor=actor, changes={"parent": None}, data=data, log_changes=False)
    _take_out(above, this, actor)
    return this


@transaction.atomic
def tell_children(
    parent: Incident,
    body: str,
    *,
    actor: Actor,
    visibility: str = Visibility.PUBLIC,
    submission_key: str | None = None,
) -> Incident:
    """Write the same to the parent and to all its open children, and return the parent. A double click writes once.

    The children get it from the worker; the requester of each is told of their own incident.

    Raises:
        Invalid: an empty text. IllegalMove: it has no children. Refused.
    """
    this: Incident = lock(parent)
    require("ticket.note", actor, this)
    if not this.child_count:
        raise IllegalMove(_("No incident is part of this one."))
    before = this.event_seq
    written = comment(this, body, actor=actor, visibility=visibility, submission_key=submission_key)
    this = lock(this)
    if this.event_seq == before:
        return this
    data = {"count": this.child_count, "comment": written.public_id}
    event = write(this, "incident.children_told", actor=actor, data=data, bump=False)
    effect = "incident.note" if visibility == Visibility.INTERNAL else "incident.comment"
    pass_on(this, effect, actor=actor, event=event, data={"body": written.body})
    return this
