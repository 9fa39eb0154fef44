"""The links in a mail that close or reopen a ticket without signing in.

A link names the event (this one resolution) and the person, is signed with a salt of its own for each purpose, and
ends by itself: after its days, or as soon as the ticket has moved on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.core import signing
from django.urls import reverse

from itsm.accounts.models import User
from itsm.notifications.addresses import absolute
from itsm.tickets.models import TicketEvent

LIFE = timedelta(days=14)
LONGEST = 200


class Purpose(StrEnum):
    """What a link does; the value is the move's name."""

    CLOSE = "close"
    REOPEN = "reopen"


_SALTS = {
    "c": (Purpose.CLOSE, "itsm.notifications.links.close"),
    "o": (Purpose.REOPEN, "itsm.notifications.links.reopen"),
}
_LETTERS = {purpose: letter for letter, (purpose, _salt) in _SALTS.items()}


class BadLink(Exception):
    """The link was not made here, or somebody changed it."""


class ExpiredLink(Exception):
    """The link is genuine and too old."""


@dataclass(frozen=True)
class ReadLink:
    """What a genuine link says: do this, to the ticket of this resolution, as this person."""

    purpose: Purpose
    event: TicketEvent
    user: User

    @property
    def ticket(self) -> Any:
        """The ticket as its kind."""
        base = self.event.ticket
        return base.kind_info.model.objects.select_related("requester").get(pk=base.pk)


def _signer(letter: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(sep=".", salt=_SALTS[letter][1])


def make_token(purpose: Purpose, event: TicketEvent, user: User) -> str:
    """Return the token for this person and this resolution."""
    letter = _LETTERS[purpose]
    return letter + _signer(letter).sign(f"{event.pk:x}-{user.pk:x}")


def make_link(purpose: Purpose, event: TicketEvent, user: User) -> str:
    """Return the whole address to put into the mail."""
    return absolute(reverse("notifications:link", args=[make_token(purpose, event, user)]))


def read_token(token: str) -> ReadLink:
    """Return what the token says.

    Raises:
        BadLink: forged, cut off, or about somebody whose account is deactivated.
        ExpiredLink: older than `LIFE`.
    """
    letter = token[:1]
    if letter not in _SALTS or len(token) > LONGEST:
        raise BadLink
    try:
        said = _signer(letter).unsign(token[1:], max_age=LIFE)
    except signing.SignatureExpired:
        raise ExpiredLink from None
    except signing.BadSignature:
        raise BadLink from None
    event_id, _dash, user_id = said.partition("-")
    event = TicketEvent.objects.select_related("ticket").filter(pk=int(event_id, 16)).first()
    user = User.objects.active().filter(pk=int(user_id, 16)).first()
    if event is None or user is None:
        raise BadLink
    return ReadLink(_SALTS[letter][0], event, user)
