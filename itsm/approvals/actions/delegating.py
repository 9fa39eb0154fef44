"""Letting somebody else decide for a while (feature AP-2). What they decide is recorded as theirs, for the giver."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from itsm.accounts.changelog import Deed, record_change
from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.approvals.models import Delegation
from itsm.approvals.subjects import subjects
from itsm.approvals.telling import tell_delegated
from itsm.tickets.actors import Actor
from itsm.tickets.clock import db_now
from itsm.tickets.errors import Invalid, Refused
from itsm.tickets.texts import clean_text

NOTE_MAX = 300
LONGEST = timedelta(days=366)
MOST_STANDING = 50
# One number for all: delegations are few, and two that close a circle together must see each other.
_LOCK = 0x6170_7072  # "appr"


def may_delegate_for(actor: Actor, giver: User) -> bool:
    """Return whether the actor may let somebody decide for the giver: themselves, and whoever sets up approvals for
    somebody who is away."""
    return (actor.user is not None and actor.user.pk == giver.pk) or actor.may(Permission.MANAGE_CHANGES)


@transaction.atomic
def delegate(
    giver: User,
    receiver: User,
    *,
    actor: Actor,
    starts_at: datetime,
    ends_at: datetime,
    kinds: Sequence[str] = (),
    note: str = "",
) -> Delegation:
    """Let the receiver decide for the giver from `starts_at` until `ends_at` (aware), and return the delegation.

    `kinds`: codes of the kinds of ticket; empty for all. Both are told. The same again returns what stands. What was
    received cannot be passed on: the receiver decides in person. Separation of duties holds for both.

    Raises:
        Refused: it is not the actor's to give.
        Invalid: to oneself, in a circle, backwards, in the past, too long.
    """
    if not may_delegate_for(actor, giver):
        raise Refused(_("Only the person themselves, or who sets up approvals, can let somebody decide for them."))
    text = clean_text(note, "note", NOTE_MAX, one_line=True)
    wanted = sorted(set(kinds))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    now = db_now()
    _check(giver, receiver, starts_at, ends_at, wanted, now)
    same = Delegation.objects.standing().filter(
        giver=giver, receiver=receiver, starts_at=starts_at, ends_at=ends_at, kinds=wanted
    )
    if (standing := same.first()) is not None:
        return standing
    if Delegation.objects.standing().filter(giver=giver, ends_at__gt=now).count() >= MOST_STANDING:
        raise Invalid({"receiver": _("There are too many delegations already. End one first.")})
    if _reaches(receiver, giver, starts_at, ends_at):
        raise Invalid(
            {
                "receiver": _("%(person)s has delegated to you, directly or through others, in these dates. Choose "
                              "somebody else, or other dates.")
                % {"person": receiver.display_name}
            }
        )  # fmt: skip
    made = Delegation.objects.create(
        giver=giver,
        receiver=receiver,
        starts_at=starts_at,
        ends_at=ends_at,
        kinds=wanted,
        note=text,
        created_by=actor.user,
        created_at=now,
    )
    record_change(actor.user, Deed.CREATED, made, {}, _state(made))
    tell_delegated(made, actor.user)
    return made


@transaction.atomic
def end_delegation(delegation: Delegation, *, actor: Actor) -> Delegation:
    """End the delegation now, or take it back before it begins; what was decided stays. A second call changes nothing.

    Raises:
        Refused: neither the giver, the receiver, nor somebody who sets up approvals.
    """
    row = Delegation.objects.select_for_update(of=("self",)).select_related("giver", "receiver").get(pk=delegation.pk)
    is_receiver = actor.user is not None and actor.user.pk == row.receiver_id
    if not (is_receiver or may_delegate_for(actor, row.giver)):
        raise Refused(_("Only the two people, or who sets up approvals, can end this."))
    if row.ended_at is None:
        row.ended_at = db_now()
        row.save(update_fields=["ended_at"])
        record_change(actor.user, Deed.REMOVED, row, _state(row), {})
    return row


def _check(
    giver: User, receiver: User, starts_at: datetime, ends_at: datetime, kinds: Sequence[str], now: datetime
) -> None:
    problems: dict[str, str] = {}
    if receiver.pk == giver.pk:
        problems["receiver"] = _("Nobody can delegate to themselves. Choose somebody else.")
    elif not receiver.is_active:
        problems["receiver"] = _("This account is closed. Choose somebody else.")
    if ends_at <= starts_at:
        problems["ends_at"] = _("The end must be after the beginning.")
    elif ends_at <= now:
        problems["ends_at"] = _("These dates are past.")
    elif ends_at - starts_at > LONGEST:
        problems["ends_at"] = _("At most a year at a time.")
    known = subjects()
    if unknown := [code for code in kinds if code not in known]:
        problems["kinds"] = _("There is no such kind of ticket: %(kinds)s.") % {"kinds": ", ".join(unknown)}
    if problems:
        raise Invalid(problems)


def _reaches(start: User, target: User, starts_at: datetime, ends_at: datetime) -> bool:
    """Return whether delegations lead from one person to the other within the stretch."""
    given: dict[int, set[int]] = {}
    pairs = Delegation.objects.overlapping(starts_at, ends_at).values_list("giver_id", "receiver_id")
    for giver, receiver in pairs:
        given.setdefault(giver, set()).add(receiver)
    seen, stack = {start.pk}, [start.pk]
    while stack:
        for following in given.get(stack.pop(), ()):
            if following == target.pk:
                return True
            if following not in seen:
                seen.add(following)
                stack.append(following)
    return False


def _state(delegation: Delegation) -> dict[str, str]:
    return {
        "giver": str(delegation.giver),
        "receiver": str(delegation.receiver),
        "from": delegation.starts_at.isoformat(),
        "to": delegation.ends_at.isoformat(),
        "kinds": ", ".join(delegation.kinds),
        "note": delegation.note,
    }
