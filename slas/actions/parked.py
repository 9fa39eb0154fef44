"""Parked steps: telling of those that they were to speak for, and letting them be tried again, once what made them fail
is mended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change, state_of
from itsm.accounts.roles import Permission
from itsm.tickets.actors import SYSTEM, Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Refused
from itsm.tickets.log import Entry, write_many
from itsm.tickets.models import Ticket
from slas.actions.lateness import left_untold
from slas.actions.recipients import Recipients
from slas.bell import ring_for
from slas.history import CAUGHT_UP
from slas.models import StepDue

FIELDS = ("attempts", "parked_at", "last_error")


def tell_instead(pk: int) -> None:
    """Tell of the late steps that the step with this id was to speak for (`slas.actions.lateness`), now that it is
    parked: who was named by them must not wait until somebody has mended it. Does nothing where there are none.

    The ticket must be locked in the current transaction.
    """
    step = StepDue.objects.select_related("timer__policy", "timer__chain_version", "timer__ticket").get(pk=pk)
    timer, ticket, now = step.timer, step.timer.ticket, db_now()
    late = left_untold(timer, now)
    if not late:
        return
    *before, last = late
    data = {
        "metric": timer.metric,
        "policy": timer.policy.name,
        "target_s": timer.target_s,
        "due_at": timer.due_at.astimezone(UTC).isoformat() if timer.due_at else None,
        "detected_at": now.astimezone(UTC).isoformat(),
        "late_steps": [[one.step, one.repetition] for one in late],
        "parked_step": [step.step, step.repetition],
        "notify": Recipients().of_step(ticket, last, before, now),
    }
    write_many([Entry(ticket, CAUGHT_UP, SYSTEM, now, data)])


def retry_parked(steps: Iterable[int] | None = None, *, actor: Actor) -> int:
    """Let the parked steps with these ids, or all, be tried again from the start, at once; return how many. Each is
    recorded in the change log. One that somebody let go meanwhile, or whose timer no longer runs, is left out.

    Raises:
        Refused: the actor manages neither service levels nor the desk.
    """
    if not (actor.may(Permission.MANAGE_SERVICE_LEVELS) or actor.may(Permission.MANAGE_DESK)):
        raise Refused(_("Only an administrator or a service-level manager can let steps be tried again."))
    parked = StepDue.objects.filter(parked_at__isnull=False)
    wanted = parked if steps is None else parked.filter(pk__in=list(steps))
    return sum(_retry(pk, ticket_id, actor) for pk, ticket_id in wanted.values_list("pk", "timer__ticket_id"))


@transaction.atomic
def _retry(pk: int, ticket_id: int, actor: Actor) -> int:
    Ticket.objects.select_for_update(of=("self",), no_key=True).get(
        pk=ticket_id
    )  # what is stored of timers is written under it
    step = StepDue.objects.filter(pk=pk, parked_at__isnull=False).first()
    if step is None:
        return 0
    before = state_of(step, FIELDS)
    step.attempts, step.parked_at, step.retry_at, step.last_error = 0, None, None, ""
    step.save(update_fields=[*FIELDS, "retry_at"])
    record_change(actor.user, Deed.CHANGED, step, before, state_of(step, FIELDS))
    ring_for([step], db_now())
    return 1
