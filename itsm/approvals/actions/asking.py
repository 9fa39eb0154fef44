"""Asking for approval, and asking anew when what is to be approved has changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.approvals.actions.choosing import Chosen, choose_policy
from itsm.approvals.actions.stages import begin_next, close_asks, end_stage, stage_data
from itsm.approvals.duties import barred_now
from itsm.approvals.models import (
    AUTHORISE,
    ApprovalPolicy,
    ApprovalRound,
    ApprovalStage,
    Ask,
    AskState,
    Mode,
    Problem,
    RoundState,
    StageState,
)
from itsm.approvals.reading import is_stuck
from itsm.approvals.rules import require_to_ask
from itsm.approvals.subjects import facts_of, subject_of
from itsm.tickets.actions import lock
from itsm.tickets.actions.base import check_not_terminal
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid
from itsm.tickets.log import write


@transaction.atomic
def request_approval(
    ticket: Any, *, actor: Actor, purpose: str = AUTHORISE, policies: Sequence[ApprovalPolicy] | None = None
) -> ApprovalRound:
    """Ask for approval of the ticket as it is now, and return the round; those of its first stage are told.

    The first active policy for the ticket counts (of `policies` where given, else of all). Where none is, or a stage
    finds nobody who may approve, the fallback role is asked and the round says so: nothing approves itself. Asked
    again while a round runs, nothing happens, unless the facts have changed or those who are asked cannot approve it
    any more (they have left): then everybody is asked anew.

    Raises:
        Invalid: the kind has no such purpose. Refused: the actor neither works on the ticket nor asked for it.
        IllegalMove: the ticket's life is over.
        KeyError: the kind has not been registered.
    """
    locked = lock(ticket)
    require_to_ask(actor, locked)
    check_not_terminal(locked)
    known = dict(subject_of(locked.kind).purposes)
    if purpose not in known:
        raise Invalid({"purpose": _("Choose one of: %(choices)s.") % {"choices": ", ".join(known)}})
    now = instant_of(actor)
    among = [policy.pk for policy in policies or ()]
    running = ApprovalRound.objects.live().filter(ticket_id=locked.pk, purpose=purpose).first()
    if running is None:
        return _ask(locked, purpose, among, actor=actor, now=now)
    if running.digest == facts_of(locked)[1] and not _is_stuck(running):
        return running
    return ask_anew(running, locked, actor=actor, now=now, among=among or running.among)


def _is_stuck(round_: ApprovalRound) -> bool:
    stage = round_.stages.filter(state=StageState.ASKED).first()
    return stage is not None and is_stuck(stage, list(stage.asks.select_related("person")))


def ask_anew(round_: ApprovalRound, ticket: Any, *, actor: Actor, now: datetime, among: Sequence[int]) -> ApprovalRound:
    """End the running round, because what it is about has changed, and return the one that follows it. Answers that
    were given before do not count in it. The ticket is locked."""
    asks = Ask.objects.filter(stage__round=round_, state=AskState.ASKED).order_by("person_id")
    told = [{"user": pk} for pk in asks.values_list("person_id", flat=True).distinct()]
    end_round(round_, RoundState.SUPERSEDED, actor=actor, now=now)
    made = _ask(ticket, round_.purpose, among, actor=actor, now=now, follows=round_, told=told)
    round_.successor = made
    round_.save(update_fields=["successor"])
    return made


def _ask(
    ticket: Any,
    purpose: str,
    among: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    follows: ApprovalRound | None = None,
    told: Sequence[dict[str, Any]] = (),
) -> ApprovalRound:
    facts, digest = facts_of(ticket)
    chosen = choose_policy(ticket, purpose, among=among, now=now)
    made = ApprovalRound.objects.create(
        ticket_id=ticket.pk,
        purpose=purpose,
        version=chosen.version,
        problem=chosen.problem,
        problem_policy=chosen.policy,
        facts=facts,
        digest=digest,
        barred={str(pk): why for pk, why in barred_now(ticket).items()},
        among=list(among),
        requested_by=actor.user,
        requested_at=now,
    )
    stage = _begin_first(made, ticket, chosen, now)
    data: dict[str, Any] = {"round": made.public_id, "purpose": purpose, "stage": stage_data(stage)}
    if chosen.version is not None:
        data |= {"policy": chosen.version.policy.name, "version": chosen.version.number}
    if made.problem:
        data |= {"problem": made.problem, "problem_policy": made.problem_policy}
    if follows is not None:
        data |= {"follows": follows.public_id, "told": list(told)}
    write(ticket, "approval.requested" if follows is None else "approval.restarted", actor=actor, data=data, bump=False)
    return made


def _begin_first(round_: ApprovalRound, ticket: Any, chosen: Chosen, now: datetime) -> ApprovalStage:
    if chosen.version is not None:
        ApprovalStage.objects.bulk_create(
            ApprovalStage(
                round=round_,
                position=position,
                name=spec["name"],
                spec=spec,
                mode=spec["mode"],
                needed=spec.get("needed", 1),
            )
            for position, spec in enumerate(chosen.version.stages, start=1)
        )
        first = begin_next(round_, ticket, now)
        if first is not None:
            return first
        round_.problem, round_.problem_policy = Problem.ALL_SKIPPED, chosen.version.policy.name
        round_.save(update_fields=["problem", "problem_policy"])
    position = round_.stages.count() + 1
    # It names no approvers: what is asked where a stage finds nobody is the fallback role.
    spec = {"name": "", "approvers": [], "mode": Mode.ANY, "needed": 1, "condition": {}, "remind_hours": 24}
    ApprovalStage.objects.create(round=round_, position=position, name="", spec=spec, mode=Mode.ANY)
    begun = begin_next(round_, ticket, now)
    assert begun is not None  # noqa: S101  its condition is empty
    return begun


def end_round(round_: ApprovalRound, state: str, *, actor: Actor, now: datetime, reason: str = "") -> None:
    """Let the round be over, with all that was still open in it. The ticket is locked."""
    left = StageState.WITHDRAWN if state in (RoundState.WITHDRAWN, RoundState.SUPERSEDED) else StageState.SKIPPED
    asks = AskState.WITHDRAWN if left == StageState.WITHDRAWN else AskState.NOT_NEEDED
    for stage in round_.stages.filter(state__in=(StageState.WAITING, StageState.ASKED)):
        close_asks(stage, asks)
        end_stage(stage, left, now)
    round_.state, round_.ended_at, round_.ended_by = state, now, actor.user
    round_.parked_at, round_.reason = None, reason
    round_.save(update_fields=["state", "ended_at", "ended_by", "parked_at", "reason"])
