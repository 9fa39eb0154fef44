"""What follows, in the same transaction, when a verb of every ticket changes what a change's approval rests on."""

from __future__ import annotations

from django.utils.translation import gettext as _

from changes.actions.earning import count_run
from changes.actions.editing import frozen_reason
from changes.actions.risking import reassess_locked
from changes.models import AffectedService, Change
from changes.statuses import Status
from itsm.tickets.actions import lock
from itsm.tickets.errors import IllegalMove
from itsm.tickets.hooks import Change as Happening
from itsm.tickets.log import write
from itsm.tickets.models import LinkKind

WATCHED = frozenset({"ticket.assigned", "ticket.updated"})


def follow(happening: Happening) -> None:
    """Keep the team and the scope of a change sound: from the assessment on it has a team, what it touches is frozen
    with the rest, and its risk is worked out anew.

    Raises:
        IllegalMove: the verb would take away what the approval rests on; it is undone as a whole.
    """
    ticket, code = happening.ticket, happening.event.code
    if code == "ticket.linked" and happening.event.data.get("kind") == LinkKind.CAUSED_BY:
        _follow_cause(happening)
    if ticket.kind != "change" or code not in WATCHED:
        return
    if "team" in happening.before:
        if ticket.team is None and ticket.status != Status.NEW:
            raise IllegalMove(_("A change that is on its way needs a team. Choose another one instead."))
        reassess_locked(ticket, actor=happening.actor, at=happening.event.at)
    if "service" in happening.before:
        reason = frozen_reason(ticket)
        if reason:
            raise IllegalMove(reason)
        _follow_service(happening)


def _follow_service(happening: Happening) -> None:
    ticket = happening.ticket
    if ticket.service is None:
        return
    _row, is_new = AffectedService.objects.get_or_create(
        change_id=ticket.pk, service=ticket.service, defaults={"added_by": happening.actor.user}
    )
    if is_new:
        write(
            ticket,
            "change.edited",
            actor=happening.actor,
            data={"added": [str(ticket.service)]},
            bump=False,
            at=happening.event.at,
        )
    reassess_locked(ticket, actor=happening.actor, at=happening.event.at)


def _follow_cause(happening: Happening) -> None:
    """An incident turned out to come from a change that was closed before: its run was not clean after all."""
    found = Change.objects.filter(public_id=happening.event.data.get("ticket", ""), status=Status.CLOSED).first()
    if found is not None and found.template_version_id is not None:
        count_run(lock(found), actor=happening.actor)
