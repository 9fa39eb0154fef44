"""Approving and rejecting: whatever happens at once, each person counts once and a stage is decided once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.approvals.actions.asking import ask_anew, end_round
from itsm.approvals.actions.dueing import expire_locked, is_over
from itsm.approvals.actions.refusals import NotDecided, NotYours, audit_refusal, why_of
from itsm.approvals.actions.stages import begin_next, close_asks, end_stage, stage_data
from itsm.approvals.duties import barred, reason_words
from itsm.approvals.models import (
    ApprovalRound,
    ApprovalStage,
    Ask,
    AskState,
    Delegation,
    OnChange,
    RoundState,
    StageState,
)
from itsm.approvals.models.rounds import COMMENT_MAX
from itsm.approvals.subjects import facts_of, subject_of
from itsm.approvals.votes import APPROVED, Vote, not_needed, outcome_of
from itsm.tickets.actions import lock
from itsm.tickets.actors import Actor
from itsm.tickets.clock import instant_of
from itsm.tickets.errors import Invalid, Refused, VerbError
from itsm.tickets.log import write
from itsm.tickets.texts import clean_text

APPROVE, REJECT = "approve", "reject"
DECISIONS = {APPROVE: AskState.APPROVED, REJECT: AskState.REJECTED}
# These are on record as refusals. That somebody else was quicker is none: the decision itself is.
NOT_AUDITED = frozenset({"", "decided"})


def decide(
    round_: ApprovalRound,
    *,
    actor: Actor,
    decision: str,
    comment: str = "",
    on_behalf_of: User | None = None,
    seen: str | None = None,
) -> ApprovalRound:
    """Approve or reject in the actor's name, or as the delegate of `on_behalf_of`, and return the round.

    `seen` is the digest of the facts that the person looked at (None: those they were asked about). The same answer of
    the same person again changes nothing. A refusal is put on record and stays there: it is stored before the error is
    raised, so roll nothing back that this was called in. Side effects in order: the answer, the stage, the next stage
    or the end of the round, one event, the room's `on_approved` or `on_rejected`.

    Raises:
        Invalid: no such decision, or a rejection without a comment.
        NotYours: not asked, has a part in the ticket, no delegation now, has answered in this stage already.
        NotDecided: decided by others, withdrawn, on hold, its time over, or what was to be approved has changed
            (`error.why` says which).
    """
    if decision not in DECISIONS:
        raise Invalid({"decision": _("Choose one of: %(choices)s.") % {"choices": ", ".join(DECISIONS)}})
    words = clean_text(comment, "comment", COMMENT_MAX)
    if decision == REJECT and not words:
        raise Invalid({"comment": _("Say why, so that the plan can be improved.")})
    with transaction.atomic():
        answer = _decide(round_, actor, decision, words, on_behalf_of, seen)
    if isinstance(answer, VerbError):
        raise answer
    return answer


def _decide(
    given: ApprovalRound, actor: Actor, decision: str, comment: str, on_behalf_of: User | None, seen: str | None
) -> ApprovalRound | VerbError:
    ticket = lock(given.ticket)
    round_ = ApprovalRound.objects.select_related("version__policy").get(pk=given.pk)
    now = instant_of(actor)
    try:
        ask = _ask_of(round_, on_behalf_of or actor.user)
        if _same_answer(ask, actor, decision):
            return round_
        _check(round_, ask, ticket, actor, on_behalf_of, now)
    except (NotDecided, NotYours) as error:
        if why_of(error) not in NOT_AUDITED:
            audit_refusal(ticket, round_, actor=actor, decision=decision, why=error.why, now=now)
        return error
    if is_over(ask.stage, now):
        audit_refusal(ticket, round_, actor=actor, decision=decision, why="expired", now=now)
        expire_locked(ask.stage, round_, ticket, now)
        return NotDecided("expired", _("The time to decide is over, so this was rejected. Nothing was changed."))
    digest = facts_of(ticket)[1]
    if digest != round_.digest:
        audit_refusal(ticket, round_, actor=actor, decision=decision, why="changed", now=now)
        return _changed(round_, ticket, actor, now)
    if seen is not None and seen != digest:
        audit_refusal(ticket, round_, actor=actor, decision=decision, why="changed", now=now)
        return NotDecided("changed", _("The plan changed since you saw it. Look at it again, then decide."))
    return _count(round_, ask, ticket, actor, decision, comment, now)


def _ask_of(round_: ApprovalRound, person: User | None) -> Ask:
    """Return what the person was asked in the round: what waits for them, else the last."""
    if person is None:
        raise Refused(_("Only a person can approve or reject."))
    asks = Ask.objects.select_related("stage").filter(stage__round=round_, person=person)
    found = sorted(asks, key=lambda ask: (ask.state == AskState.ASKED, ask.stage.position))
    if not found:
        raise NotYours("not_asked", _("You were not asked to approve this."))
    ask: Ask = found[-1]
    return ask


def _same_answer(ask: Ask, actor: Actor, decision: str) -> bool:
    return ask.state == DECISIONS[decision] and actor.user is not None and ask.decided_by_id == actor.user.pk


def _check(
    round_: ApprovalRound, ask: Ask, ticket: Any, actor: Actor, on_behalf_of: User | None, now: datetime
) -> None:
    """Refuse where the round, the stage or the person's part in the ticket does not allow an answer."""
    if round_.state == RoundState.WITHDRAWN:
        raise NotDecided("withdrawn", _("The request was withdrawn. You need not do anything."))
    if round_.state == RoundState.SUPERSEDED:
        raise NotDecided("superseded", _("The plan changed and everybody was asked anew. Look at the new request."))
    if ask.state == AskState.NOT_NEEDED and ask.stage.state == StageState.REJECTED and ask.stage.expired_at is not None:
        raise NotDecided("expired", _("The time to decide is over, so this was rejected. Nothing was changed."))
    if ask.is_decided or ask.state != AskState.ASKED or not round_.is_live:
        raise NotDecided("decided", decided_words(ask))
    if round_.state == RoundState.PARKED:
        raise NotDecided(
            "parked", _("The ticket is on hold, so nobody can decide at present. You will be asked again.")
        )
    person = actor.user
    assert person is not None  # noqa: S101  `_ask_of` refused the system, or was given somebody to act for
    out = barred(ticket, round_.barred)
    for one in {person.pk, ask.person_id}:
        if one in out:
            raise NotYours(out[one], reason_words(out[one]) if one == person.pk else _for_barred(ask.person))
    if on_behalf_of is not None and on_behalf_of.pk != person.pk and not is_delegate(person, on_behalf_of, ticket, now):
        words = _("You do not decide for %(person)s at present.") % {"person": on_behalf_of.display_name}
        raise NotYours("no_delegation", words)
    answer = subject_of(ticket.kind).may_approve(ticket, person)
    if not answer:
        raise NotYours("rule", answer.reason or _("You may not approve this."))
    if ask.stage.asks.filter(decided_by=person).exists():
        raise NotYours("one_voice", _("You have answered in this stage already. Somebody else has to answer here."))


def _for_barred(person: User) -> str:
    return _("%(person)s has a part in this, so nobody can approve it for them.") % {"person": person.display_name}


def is_delegate(person: User, giver: User, ticket: Any, now: datetime) -> bool:
    """Return whether the person decides for the giver about tickets of this kind at the instant."""
    held = Delegation.objects.at(now).for_kind(ticket.kind).filter(giver=giver, receiver=person)
    return bool(giver.is_active and held.exists())


def decided_words(ask: Ask) -> str:
    """Return how the matter stands for somebody who comes too late: who has decided, and what."""
    if ask.is_decided:
        return _("This has been answered already: %(state)s by %(person)s. Nothing was changed.") % {
            "state": ask.get_state_display().lower(),
            "person": ask.decided_by.display_name if ask.decided_by else _("somebody"),
        }
    last = ask.stage.asks.filter(decided_by__isnull=False).select_related("decided_by").order_by("-decided_at").first()
    if last is None or last.decided_by is None:
        return _("This has been decided already. Nothing was changed.")
    return _("%(person)s has decided already: %(state)s. Your answer is no longer needed, and nothing was changed.") % {
        "person": last.decided_by.display_name,
        "state": last.get_state_display().lower(),
    }


def _changed(round_: ApprovalRound, ticket: Any, actor: Actor, now: datetime) -> NotDecided:
    version = round_.version
    if version is not None and version.on_change == OnChange.REFUSE:
        words = _("The plan changed since you were asked. Your answer was not taken; the desk has to ask anew.")
        return NotDecided("changed", words)
    ask_anew(round_, ticket, actor=actor, now=now, among=round_.among)
    words = _("The plan changed since you were asked. Everybody is asked anew: look at the plan again, then decide.")
    return NotDecided("changed", words)


def _count(
    round_: ApprovalRound, ask: Ask, ticket: Any, actor: Actor, decision: str, comment: str, now: datetime
) -> ApprovalRound | VerbError:
    person = actor.user
    assert person is not None  # noqa: S101  checked before
    taken = Ask.objects.filter(pk=ask.pk, state=AskState.ASKED, stage__state=StageState.ASKED).update(
        state=DECISIONS[decision], decided_by=person, decided_at=now, channel=actor.channel, comment=comment
    )
    if not taken:
        return NotDecided("decided", decided_words(Ask.objects.select_related("stage").get(pk=ask.pk)))
    stage = ask.stage
    data: dict[str, Any] = {
        "round": round_.public_id,
        "purpose": round_.purpose,
        "stage": {"position": stage.position, "name": stage.name},
        "decision": decision,
        "comment": comment,
    }
    if ask.person_id != person.pk:
        data["for"] = {"user": ask.person_id}
    outcome = _settle(stage, now)
    if outcome is not None:
        data["stage"]["outcome"] = outcome
        finished = _go_on(round_, stage, outcome, ticket, actor, now, data, comment)
    else:
        finished = None
    write(ticket, "approval.decided", actor=actor, data=data, bump=False)
    if finished is not None:
        hook = subject_of(ticket.kind)
        (hook.on_approved if finished == APPROVED else hook.on_rejected)(ticket, round_, actor)
    return round_


def _settle(stage: ApprovalStage, now: datetime) -> str | None:
    """Return how the stage is decided by the answers so far, and close what need not be answered any more."""
    asks = list(stage.asks.order_by("pk"))
    votes = [Vote(ask.state, ask.groups, ask.is_escalated) for ask in asks]
    outcome = outcome_of(stage.mode, stage.needed, votes)
    if outcome is None:
        idle = [asks[place].pk for place in not_needed(stage.mode, votes)]
        if idle:
            stage.asks.filter(pk__in=idle).update(state=AskState.NOT_NEEDED)
        return None
    close_asks(stage, AskState.NOT_NEEDED)
    end_stage(stage, StageState.APPROVED if outcome == APPROVED else StageState.REJECTED, now)
    return outcome


def _go_on(
    round_: ApprovalRound,
    stage: ApprovalStage,
    outcome: str,
    ticket: Any,
    actor: Actor,
    now: datetime,
    data: dict[str, Any],
    comment: str,
) -> str | None:
    """Begin the next stage or end the round; return how the round ended, or None while it goes on."""
    if outcome == APPROVED:
        following = begin_next(round_, ticket, now)
        if following is not None:
            data["next"] = stage_data(following)
            return None
    state = RoundState.APPROVED if outcome == APPROVED else RoundState.REJECTED
    end_round(round_, state, actor=actor, now=now, reason=comment if outcome != APPROVED else "")
    data["outcome"] = outcome
    return outcome
