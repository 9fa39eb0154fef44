"""The one thing that is written here: why a target was missed."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.roles import Permission
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text
from reports.events import EXPLAINED
from reports.models import REMARK_MAX, BreachReason, Reason
from slas.models import Timer


def may_explain(actor: Actor) -> bool:
    """Return whether the actor may say why a target was missed: somebody who works on tickets and reads the reports."""
    return actor.may(Permission.WORK_TICKETS) and actor.may(Permission.VIEW_SERVICE_LEVELS)


@transaction.atomic
def explain_breach(timer: Timer, *, actor: Actor, reason: str, remark: str = "") -> BreachReason:
    """Store why the timer missed its target and return that; the same again writes nothing. Notes it in the log.

    Raises:
        Refused: the actor may not. IllegalMove: the target has not been missed. Invalid: no such reason, the remark is
        too long, or “another reason” stands without one.
    """
    if not may_explain(actor):
        raise Refused(_("Only team leads and service-level managers say why a target was missed."))
    ticket = lock(timer.ticket)
    current = Timer.objects.select_related("policy").get(pk=timer.pk)
    if current.breached_at is None:
        raise IllegalMove(_("This target has not been missed, so there is nothing to explain."))
    said = clean_text(remark, "remark", REMARK_MAX, one_line=True)
    if reason not in Reason.values:
        raise Invalid({"reason": _("Choose a reason from the list.")})
    if reason == Reason.OTHER and not said:
        raise Invalid({"remark": _("Say in a few words what the other reason was.")})
    before = BreachReason.objects.filter(timer=current).first()
    if before is not None and (before.reason, before.remark) == (reason, said):
        return before
    data = {"metric": current.metric, "policy": current.policy.name, "reason": reason, "remark": said}
    at = instant_of(actor)
    write(ticket, EXPLAINED, actor=actor, data=data, bump=False, at=at)
    stored, _is_new = BreachReason.objects.update_or_create(
        timer=current, defaults={"reason": reason, "remark": said, "given_by": actor.user, "given_at": at}
    )
    return stored
