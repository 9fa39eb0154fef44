"""Links between tickets, and the people who watch one."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.tickets.actions.base import begin
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write
from itsm.tickets.models import Link, LinkKind, Watcher
from itsm.tickets.querysets import sees_all_tickets
from itsm.tickets.rules import require


@transaction.atomic
def link(source: Any, target: Any, kind: str, *, actor: Actor) -> Link:
    """Link the source to the target and return the link; a link that exists is returned as it is.

    Raises:
        Invalid: no such kind, or a ticket linked to itself. Refused.
    """
    if kind not in LinkKind.values:
        raise Invalid({"kind": _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(LinkKind.values)}})
    if source.pk == target.pk:
        raise Invalid({"target": _("A ticket cannot be linked to itself.")})
    locked = begin(source, "ticket.link", actor=actor)
    made, is_new = Link.objects.get_or_create(
        source_id=source.pk, target_id=target.pk, kind=kind, defaults={"created_by": actor.user}
    )
    if is_new:
        label = str(LinkKind(kind).label)
        data = {"kind": kind, "kind_label": label, "number": target.number, "ticket": target.public_id}
        write(locked, "ticket.linked", actor=actor, data=data, bump=False)
    return made


@transaction.atomic
def unlink(found: Link, *, actor: Actor) -> None:
    """Remove the link. The event log keeps that it was there.

    Raises:
        Refused: only the desk links tickets.
    """
    locked = begin(found.source, "ticket.link", actor=actor)
    deleted, _details = Link.objects.filter(pk=found.pk).delete()
    if deleted:
        data = {"kind": found.kind, "number": found.target.number, "ticket": found.target.public_id}
        write(locked, "ticket.unlinked", actor=actor, data=data, bump=False)


@transaction.atomic
def watch(ticket: Any, person: User, *, actor: Actor) -> Watcher:
    """Let the person watch the ticket; watching twice changes nothing.

    Raises:
        Refused: a requester cannot sign up others.
        Invalid: the ticket is of a kind that only the desk sees, and the person is not of the desk.
    """
    locked = begin(ticket, "ticket.comment", actor=actor)
    if actor.user != person:
        require("ticket.watch_others", actor, locked)
    if locked.kind_info.desk_only and not sees_all_tickets(person):
        raise Invalid({"person": _("Only people of the service desk can watch this.")})
    row, is_new = Watcher.objects.get_or_create(ticket_id=ticket.pk, user=person)
    if is_new:
        write(locked, "ticket.watched", actor=actor, data={"watcher": {"user": person.pk}}, bump=False)
    return row


@transaction.atomic
def unwatch(ticket: Any, person: User, *, actor: Actor) -> None:
    """Stop the person watching; it is no error when they did not.

    Raises:
        Refused: a requester cannot remove others.
    """
    locked = begin(ticket, "ticket.comment", actor=actor)
    if actor.user != person:
        require("ticket.watch_others", actor, locked)
    deleted, _details = Watcher.objects.filter(ticket_id=ticket.pk, user=person).delete()
    if deleted:
        write(locked, "ticket.unwatched", actor=actor, data={"watcher": {"user": person.pk}}, bump=False)
