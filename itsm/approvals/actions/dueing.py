"""What happens by itself: reminders, and what the policy says when a stage's time is over. Each exactly once.

The tick claims a ticket with `SKIP LOCKED`, so that any number of workers may run it and nobody who decides is kept
waiting; the deed and the new instant are one transaction.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from itsm.approvals.actions.asking import end_round
from itsm.approvals.actions.stages import HOUR, close_asks, end_stage, escalate, set_next
from itsm.approvals.models import ApprovalRound, ApprovalStage, AskState, Expiry, RoundState, StageState
from itsm.approvals.subjects import subject_of
from itsm.tickets.actions import lock
from itsm.tickets.actors import SYSTEM
from itsm.tickets.clock import db_now
from itsm.tickets.log import write
from itsm.tickets.models import Ticket

logger = logging.getLogger(__name__)

PUT_OFF = timedelta(minutes=5)


def fire_due(limit: int = 500) -> int:
    """Do what is due, the ticket at a time; return for how many stages. A ticket in use is left for the next call, and
    one whose deed fails is put off, so that it holds up no other."""
    done = 0
    for _attempt in range(limit):
        claimed: list[int] = []
        try:
            fired = _fire_one(claimed)
        except Exception:  # one broken ticket must not keep all others from being reminded
            if not claimed:
                raise
            logger.exception("What is due in the approvals of ticket %s could not be done", claimed[0])
            _due_stages().filter(round__ticket_id=claimed[0]).update(next_at=Now() + PUT_OFF)
            continue
        if fired is None:
            break
        done += fired
    return done


def _due_stages() -> Any:
    return ApprovalStage.objects.filter(
        state=StageState.ASKED, round__state=RoundState.OPEN, next_at__isnull=False, next_at__lte=Now()
    )


@transaction.atomic
def _fire_one(claimed: list[int]) -> int | None:
    """Do what is due on one ticket that nobody uses, and return for how many stages; None where there is none."""
    due = _due_stages().filter(round__ticket_id=OuterRef("pk"))
    free = Ticket.objects.select_for_update(skip_locked=True, no_key=True).filter(Exists(due)).order_by("pk").first()
    if free is None:
        return None
    claimed.append(free.pk)
    ticket = lock(free)
    now = db_now()
    stages = list(_due_stages().filter(round__ticket_id=ticket.pk).select_related("round").order_by("pk"))
    for stage in stages:
        fire_locked(stage, stage.round, ticket, now)
        ticket = lock(ticket)  # a room may have written to it
    return len(stages)


def fire_locked(stage: ApprovalStage, round_: ApprovalRound, ticket: Any, now: datetime) -> None:
    """Do what is due in the stage: its expiry, else a reminder. The ticket is locked."""
    if stage.expires_at is not None and stage.expires_at <= now:
        expire_locked(stage, round_, ticket, now)
    elif stage.remind_at is not None and stage.remind_at <= now:
        _remind(stage, round_, ticket, now)
    else:
        set_next(stage)
        stage.save(update_fields=["next_at"])


def is_over(stage: ApprovalStage, now: datetime) -> bool:
    """Return whether the stage takes no answer any more, also where the tick has not come by yet."""
    over = stage.expires_at is not None and stage.expires_at <= now
    return over and stage.state == StageState.ASKED and stage.expiry.get("then") == Expiry.REJECT


def expire_locked(stage: ApprovalStage, round_: ApprovalRound, ticket: Any, now: datetime) -> None:
    """Do what the policy says about a stage whose time is over. The ticket is locked."""
    then = stage.expiry.get("then", Expiry.REMIND)
    due_at = stage.expires_at
    stage.expired_at, stage.expires_at = now, None
    data: dict[str, Any] = {
        "round": round_.public_id,
        "purpose": round_.purpose,
        "stage": {"position": stage.position, "name": stage.name},
        "then": then,
        "due_at": due_at.isoformat() if due_at else "",
    }
    if then == Expiry.REJECT:
        close_asks(stage, AskState.NOT_NEEDED)
        stage.save(update_fields=["expired_at", "expires_at"])
        end_stage(stage, StageState.REJECTED, now)
        end_round(round_, RoundState.REJECTED, actor=SYSTEM, now=now)
        data["outcome"] = "rejected"
        write(ticket, "approval.expired", actor=SYSTEM, data=data, bump=False)
        subject_of(ticket.kind).on_rejected(ticket, round_, SYSTEM)
        return
    if then == Expiry.ESCALATE:
        data["escalated"] = [{"user": person.pk} for person in escalate(stage, round_, ticket, now)]
    data["asked"] = _still_asked(stage)
    _put_reminder(stage, now)
    set_next(stage)
    stage.save(update_fields=["expired_at", "expires_at", "remind_at", "next_at"])
    write(ticket, "approval.expired", actor=SYSTEM, data=data, bump=False)


def _remind(stage: ApprovalStage, round_: ApprovalRound, ticket: Any, now: datetime) -> None:
    stage.reminders += 1
    _put_reminder(stage, now)
    set_next(stage)
    stage.save(update_fields=["reminders", "remind_at", "next_at"])
    data = {
        "round": round_.public_id,
        "purpose": round_.purpose,
        "stage": {"position": stage.position, "name": stage.name},
        "number": stage.reminders,
        "asked": _still_asked(stage),
    }
    write(ticket, "approval.reminded", actor=SYSTEM, data=data, bump=False)


def _put_reminder(stage: ApprovalStage, now: datetime) -> None:
    hours = stage.spec.get("remind_hours") or 0
    stage.remind_at = now + hours * HOUR if hours else None


def _still_asked(stage: ApprovalStage) -> list[dict[str, Any]]:
    asked = stage.asks.filter(state=AskState.ASKED).order_by("pk").values_list("person_id", flat=True)
    return [{"user": pk} for pk in asked]
