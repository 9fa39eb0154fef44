"""Asking a colleague to take a shift, and answering. An accepted request is an override; so is the shift in return."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change
from itsm.accounts.models import User
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import IllegalMove, Invalid, Refused
from itsm.tickets.texts import clean_text
from slas.actions.rotas import REASON_MAX, check_stretch, may_manage, override_words, takes_part
from slas.models import Rota, RotaOverride, SwapRequest, SwapState
from slas.rotas import schedule_of
from slas.swap_mail import tell_answer, tell_asked


@transaction.atomic
def ask_swap(
    rota: Rota,
    *,
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    level: int = 1,
    asked: User | None = None,
    in_return: tuple[datetime, datetime] | None = None,
    note: str = "",
) -> SwapRequest:
    """Ask that one colleague, or (None) anybody of the rota, takes the actor's shift; return the request.

    `in_return`: the stretch of the colleague's that the actor takes for it. Those who are asked are told, with a link.

    Raises:
        Refused, Invalid, IllegalMove.
    """
    asker = actor.user
    if asker is None or not takes_part(asker, rota):
        raise Refused(_("Only people of this rota ask for swaps in it."))
    text = clean_text(note, "note", REASON_MAX, one_line=True)
    check_stretch(starts_at, ends_at)
    if starts_at <= db_now():
        raise Invalid({"starts_at": _("This shift has begun. Ask your team's lead to plan somebody else.")})
    if asked is not None and (asked.pk == asker.pk or not takes_part(asked, rota)):
        raise Invalid({"asked": _("Choose a colleague who takes part in this rota.")})
    if not _has(rota, asker, level, starts_at, ends_at):
        raise Invalid({"starts_at": _("This is not wholly your shift. Look at the rota, and ask for your own part.")})
    if in_return is not None:
        if asked is None:
            raise Invalid({"asked": _("Choose with whom you swap.")})
        check_stretch(*in_return)
        if not _has(rota, asked, level, *in_return):
            raise Invalid({"in_return": _("The shift in return is not wholly your colleague's.")})
    try:
        with transaction.atomic():
            made = SwapRequest.objects.create(
                rota=rota,
                level=level,
                asker=asker,
                asked=asked,
                starts_at=starts_at,
                ends_at=ends_at,
                return_starts_at=in_return[0] if in_return else None,
                return_ends_at=in_return[1] if in_return else None,
                note=text,
                created_at=db_now(),
            )
    except IntegrityError:
        raise IllegalMove(_("You have asked for this shift already. Withdraw that request to ask anew.")) from None
    _record(actor, made, None)
    tell_asked(made, people_asked(made))
    return made


@transaction.atomic
def accept_swap(swap: SwapRequest, *, actor: Actor) -> SwapRequest:
    """Take the shift: it is the actor's from now on. Accepting again what one has accepted changes nothing.

    Raises:
        Refused: somebody else was asked.
        IllegalMove: answered or withdrawn before, begun, or no longer the shift it was.
    """
    fresh = _locked(swap)
    if fresh.state == SwapState.ACCEPTED and actor.user is not None and fresh.answered_by_id == actor.user.pk:
        return fresh
    who = _may_answer(fresh, actor)
    _require_open(fresh)
    # Two requests for one stretch are answered one after the other: who comes second sees the shift that is gone.
    Rota.objects.select_for_update().get(pk=fresh.rota_id)
    if not _has(fresh.rota, fresh.asker, fresh.level, fresh.starts_at, fresh.ends_at):
        raise IllegalMove(_("The rota has changed: this is no longer the shift that was asked about."))
    stretches = [(who, fresh.starts_at, fresh.ends_at)]
    if fresh.return_starts_at is not None and fresh.return_ends_at is not None:
        if not _has(fresh.rota, who, fresh.level, fresh.return_starts_at, fresh.return_ends_at):
            raise IllegalMove(_("The rota has changed: the shift in return is no longer yours."))
        stretches.append((fresh.asker, fresh.return_starts_at, fresh.return_ends_at))
    _close(fresh, SwapState.ACCEPTED, actor)
    for person, starts_at, ends_at in stretches:
        made = RotaOverride.objects.create(
            rota=fresh.rota,
            level=fresh.level,
            person=person,
            starts_at=starts_at,
            ends_at=ends_at,
            reason=fresh.note,
            swap=fresh,
            created_by=who,
            created_at=db_now(),
        )
        record_change(actor.user, Deed.CHANGED, fresh.rota, {}, {"override": override_words(made)})
    tell_answer(fresh)
    return fresh


@transaction.atomic
def decline_swap(swap: SwapRequest, *, actor: Actor) -> SwapRequest:
    """Say no. What was asked of everybody stays open for the others; only the one colleague who was asked ends it.

    Raises:
        Refused, IllegalMove.
    """
    fresh = _locked(swap)
    if fresh.state == SwapState.DECLINED and actor.user is not None and fresh.answered_by_id == actor.user.pk:
        return fresh
    _may_answer(fresh, actor)
    _require_open(fresh)
    if fresh.asked_id is None:
        return fresh
    _close(fresh, SwapState.DECLINED, actor)
    tell_answer(fresh)
    return fresh


@transaction.atomic
def withdraw_swap(swap: SwapRequest, *, actor: Actor) -> SwapRequest:
    """Take one's request back; a second call changes nothing.

    Raises:
        Refused, IllegalMove.
    """
    fresh = _locked(swap)
    is_own = actor.user is not None and actor.user.pk == fresh.asker_id
    if not is_own and not may_manage(actor, fresh.rota):
        raise Refused(_("Only who asked takes the request back."))
    if fresh.state == SwapState.WITHDRAWN:
        return fresh
    _require_open(fresh)
    _close(fresh, SwapState.WITHDRAWN, actor)
    return fresh


def people_asked(swap: SwapRequest) -> list[User]:
    """Return who may answer: the one who was asked, or everybody else of the rota."""
    if swap.asked is not None:
        return [swap.asked]
    people = User.objects.workers().filter(pk__in=swap.rota.spec.people)
    if swap.rota.team_id is not None:
        people = people | User.objects.workers().filter(teams=swap.rota.team_id)
    return [person for person in people.distinct().order_by("pk") if person.pk != swap.asker_id]


def _locked(swap: SwapRequest) -> SwapRequest:
    rows = SwapRequest.objects.select_for_update(of=("self",)).select_related("rota__team", "asker", "asked")
    return rows.get(pk=swap.pk)


def _may_answer(swap: SwapRequest, actor: Actor) -> User:
    who = actor.user
    if who is None or who.pk == swap.asker_id or not takes_part(who, swap.rota):
        raise Refused(_("Only people of this rota who were asked can answer."))
    if swap.asked_id is not None and swap.asked_id != who.pk:
        raise Refused(_("Somebody else was asked for this swap."))
    return who


def _require_open(swap: SwapRequest) -> None:
    if swap.state != SwapState.OPEN:
        raise IllegalMove(_("This request is %(state)s.") % {"state": swap.get_state_display().lower()})
    if swap.starts_at <= db_now():
        raise IllegalMove(_("This shift has begun, so the request has expired."))


def _has(rota: Rota, person: User, level: int, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the whole stretch is the person's, as the rota stands now."""
    schedule = schedule_of(rota, starts_at, ends_at)
    shifts = schedule.shifts(starts_at, ends_at, level)
    return not schedule.gaps(starts_at, ends_at, level) and {one.person for one in shifts} == {person.pk}


def _close(swap: SwapRequest, state: SwapState, actor: Actor) -> None:
    before = swap.state
    swap.state, swap.answered_by, swap.answered_at = state, actor.user, db_now()
    swap.save(update_fields=["state", "answered_by", "answered_at"])
    _record(actor, swap, before)


def _record(actor: Actor, swap: SwapRequest, before: str | None) -> None:
    stretch = f"{swap.starts_at.isoformat()} – {swap.ends_at.isoformat()}"
    record_change(
        actor.user,
        Deed.CHANGED if before else Deed.CREATED,
        swap,
        {"state": before} if before else {},
        {"state": str(swap.state), **({} if before else {"shift": stretch, "asker": str(swap.asker)})},
    )
