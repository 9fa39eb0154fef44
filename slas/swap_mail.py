"""What people are told of swaps and shifts, and the signed links by which they answer without signing in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core import signing
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.notifications.actions import Words, tell_person
from slas.models import Rota, SwapRequest, SwapState
from slas.oncall import Shift

LIFE = timedelta(days=60)
LONGEST = 200


class BadSwapLink(Exception):
    """The link was not made here, is too old, or somebody changed it."""


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(sep=".", salt="slas.swaps")


def swap_token(swap: SwapRequest, user: User) -> str:
    """Return the token by which this person answers this request."""
    return _signer().sign(f"{swap.pk:x}-{user.pk:x}")


def read_swap_token(token: str) -> tuple[SwapRequest, User]:
    """Return the request and the person that the token names.

    Raises:
        BadSwapLink: also where the person has left the desk since.
    """
    try:
        said = _signer().unsign(token[:LONGEST], max_age=LIFE)
    except signing.BadSignature:
        raise BadSwapLink from None
    swap_id, _dash, user_id = said.partition("-")
    swap = SwapRequest.objects.select_related("rota__team", "asker", "asked").filter(pk=int(swap_id, 16)).first()
    user = User.objects.active().filter(pk=int(user_id, 16)).first()
    if swap is None or user is None or not user.may(Permission.USE_DESK):
        raise BadSwapLink
    return swap, user


def stretch_words(start: datetime, end: datetime) -> str:
    """Return a stretch of time in the current language and zone: “Mon 2 Mar 09:00 – Mon 9 Mar 09:00”."""
    return f"{instant_words(start)} – {instant_words(end)}"


def instant_words(instant: datetime) -> str:
    """Return an instant with its weekday in the current language and zone."""
    return date_format(timezone.localtime(instant), "D j M Y, H:i")


def tell_asked(swap: SwapRequest, people: Iterable[User]) -> None:
    """Tell those who may take the shift, each with a link of their own."""
    for person in people:
        path = reverse("slas:swap", args=[swap_token(swap, person)])

        def words(path: str = path) -> Words:
            values = {"name": swap.asker.display_name, "rota": swap.rota.name}
            facts = [(_("Shift"), stretch_words(swap.starts_at, swap.ends_at))]
            if swap.return_starts_at and swap.return_ends_at:
                facts.append((_("In return"), stretch_words(swap.return_starts_at, swap.return_ends_at)))
            if swap.note:
                facts.append((_("Note"), swap.note))
            return Words(
                subject=_("%(name)s asks you to take a shift: %(rota)s") % values,
                lead=_("%(name)s asks you to take a shift of the rota “%(rota)s”.") % values,
                facts=facts,
                links=[(_("Take it, or say no:"), path)],
                why=_("You are told because you take part in this rota."),
            )

        tell_person(person, f"swap:{swap.pk}:asked", "swap_asked", words, path=path)


def tell_answer(swap: SwapRequest) -> None:
    """Tell the one who asked what was answered."""
    who = swap.answered_by

    def words() -> Words:
        values = {"name": who.display_name if who else "", "rota": swap.rota.name}
        if swap.state == SwapState.ACCEPTED:
            lead = _("%(name)s takes your shift of the rota “%(rota)s”.") % values
        else:
            lead = _("%(name)s cannot take your shift of the rota “%(rota)s”. It is still yours.") % values
        return Words(
            subject=lead,
            lead=lead,
            facts=[(_("Shift"), stretch_words(swap.starts_at, swap.ends_at))],
            links=[(_("Your shifts:"), reverse("workspace:my_on_call"))],
            why=_("You are told because you asked for this swap."),
        )

    tell_person(swap.asker, f"swap:{swap.pk}:answer", "swap_answered", words, path=reverse("workspace:my_on_call"))


def tell_reminder(person: User, rota: Rota, shift: Shift) -> bool:
    """Remind the person of a shift that begins soon; return whether the reminder is new."""

    def words() -> Words:
        values = {"rota": rota.name, "start": instant_words(shift.start)}
        return Words(
            subject=_("On call from %(start)s: %(rota)s") % values,
            lead=_("You are on call of the rota “%(rota)s” from %(start)s.") % values,
            facts=[(_("Shift"), stretch_words(shift.start, shift.end))],
            links=[(_("Your shifts:"), reverse("workspace:my_on_call"))],
            why=_("You are told because you want to be reminded of your shifts."),
        )

    key = f"shift:{rota.pk}:{shift.level}:{shift.start.isoformat()}"
    return tell_person(person, key, "shift_reminder", words, path=reverse("workspace:my_on_call"))
