"""Taking a request back, and letting it rest while its ticket is on hold."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from itsm.approvals.actions.asking import end_round
from itsm.approvals.actions.stages import MICROSECOND, after, between_us, set_next
from itsm.approvals.models import ApprovalRound, ApprovalStage, Ask, AskState, RoundState, StageState
from itsm.approvals.models.rounds import COMMENT_MAX
from itsm.approvals.rules import require_to_ask
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text


@transaction.atomic
def withdraw_approvals(
    ticket: Any, *, actor: Actor, reason: str = "", purpose: str | None = None
) -> list[ApprovalRound]:
    """Take back what is asked of people about the ticket (for one purpose, or None: for all), and return those rounds.

    Those who were asked are told. Where nothing is asked, nothing happens: a second call returns an empty list.

    Raises:
        Refused, Invalid.
    """
    locked = lock(ticket)
    require_to_ask(actor, locked)
    text = clean_text(reason, "reason", COMMENT_MAX)
    return withdraw_locked(locked, actor=actor, reason=text, purpose=purpose)


def withdraw_locked(ticket: Any, *, actor: Actor, reason: str, purpose: str | None = None) -> list[ApprovalRound]:
    """Do what `withdraw_approvals` says to a ticket that is locked, without asking who may."""
    rounds = _live(ticket, purpose)
    if not rounds:
        return []
    now = db_now()
    asked = _asked(rounds)
    for round_ in rounds:
        end_round(round_, RoundState.WITHDRAWN, actor=actor, now=now, reason=reason)
    data = {"rounds": [round_.public_id for round_ in rounds], "reason": reason, "told": asked}
    write(ticket, "approval.withdrawn", actor=actor, data=data, bump=False)
    return rounds


@transaction.atomic
def park(ticket: Any, *, actor: Actor) -> list[ApprovalRound]:
    """Let what is asked rest while the ticket is on hold: nobody can decide, no time runs. A second call does nothing.

    Raises:
        Refused.
    """
    locked = lock(ticket)
    require_to_ask(actor, locked)
    rounds = [round_ for round_ in _live(locked) if round_.state == RoundState.OPEN]
    if not rounds:
        return []
    now = db_now()
    for round_ in rounds:
        round_.state, round_.parked_at = RoundState.PARKED, now
        round_.save(update_fields=["state", "parked_at"])
        for stage in round_.stages.filter(state=StageState.ASKED):
            stage.left_us = between_us(stage, now, stage.expires_at) if stage.expires_at else None
            stage.remind_left_us = max((stage.remind_at - now) // MICROSECOND, 0) if stage.remind_at else None
            stage.next_at = None
            stage.save(update_fields=["left_us", "remind_left_us", "next_at"])
    data = {"rounds": [round_.public_id for round_ in rounds], "told": _asked(rounds)}
    write(locked, "approval.parked", actor=actor, data=data, bump=False)
    return rounds


@transaction.atomic
def unpark(ticket: Any, *, actor: Actor) -> list[ApprovalRound]:
    """Ask again what rested, each with the time that was left. A second call does nothing.

    Raises:
        Refused.
    """
    locked = lock(ticket)
    require_to_ask(actor, locked)
    rounds = [round_ for round_ in _live(locked) if round_.state == RoundState.PARKED]
    if not rounds:
        return []
    now = db_now()
    for round_ in rounds:
        rested_since = round_.parked_at or now
        round_.state, round_.parked_at = RoundState.OPEN, None
        round_.save(update_fields=["state", "parked_at"])
        for stage in round_.stages.filter(state=StageState.ASKED):
            _go_on(stage, rested_since, now)
    data = {"rounds": [round_.public_id for round_ in rounds], "told": _asked(rounds)}
    write(locked, "approval.resumed", actor=actor, data=data, bump=False)
    return rounds


def _go_on(stage: ApprovalStage, since: datetime, now: datetime) -> None:
    stage.parked_us += (now - since) // MICROSECOND
    stage.expires_at = after(stage, now, stage.left_us) if stage.left_us is not None else None
    stage.remind_at = now + stage.remind_left_us * MICROSECOND if stage.remind_left_us is not None else None
    stage.left_us = stage.remind_left_us = None
    set_next(stage)
    stage.save(update_fields=["parked_us", "expires_at", "remind_at", "left_us", "remind_left_us", "next_at"])


def _live(ticket: Any, purpose: str | None = None) -> list[ApprovalRound]:
    rounds = ApprovalRound.objects.live().filter(ticket_id=ticket.pk)
    return list(rounds.filter(purpose=purpose) if purpose is not None else rounds)


def _asked(rounds: list[ApprovalRound]) -> list[dict[str, Any]]:
    asks = Ask.objects.filter(stage__round__in=rounds, state=AskState.ASKED)
    return [{"user": pk} for pk in asks.order_by("person_id").values_list("person_id", flat=True).distinct()]
