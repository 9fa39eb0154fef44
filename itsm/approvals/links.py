"""The signed link in a mail by which one person decides what they were asked, without signing in.

It names the ask and the reader (its person, or a delegate), is signed with a salt of its own, ends after the days that
the settings say, and works once: an answer, a withdrawal or a new request ends it. Opening it changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.urls import reverse

from itsm.accounts.models import User
from itsm.approvals.models import ApprovalSettings, Ask

LONGEST = 200


class BadLink(Exception):
    """The link was not made here, somebody changed it, or its reader's account is closed."""


@dataclass(frozen=True)
class ReadLink:
    """What a genuine link says: this ask may be answered by this person. `is_expired`: not any more."""

    ask: Ask
    reader: User
    is_expired: bool

    @property
    def on_behalf_of(self) -> User | None:
        """The person for whom the reader decides; None where it is the reader's own ask."""
        return self.ask.person if self.ask.person_id != self.reader.pk else None


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(sep=".", salt="itsm.approvals.decide")


def make_token(ask: Ask, reader: User) -> str:
    """Return the token by which the reader answers this ask."""
    return _signer().sign(f"{ask.pk:x}-{reader.pk:x}")


def link_path(ask: Ask, reader: User) -> str:
    """Return the path to put into a mail to the reader."""
    return reverse("approvals:link", args=[make_token(ask, reader)])


def read_token(token: str) -> ReadLink:
    """Return what the token says, also where it is too old.

    Raises:
        BadLink.
    """
    signer = _signer()
    if len(token) > LONGEST:
        raise BadLink
    is_expired = False
    try:
        said = signer.unsign(token, max_age=timedelta(days=ApprovalSettings.current().link_days))
    except signing.SignatureExpired:
        said, is_expired = signer.unsign(token), True
    except signing.BadSignature:
        raise BadLink from None
    ask_id, _dash, reader_id = said.partition("-")
    asks = Ask.objects.select_related("person", "decided_by", "stage__round__ticket", "stage__round__successor")
    ask = asks.filter(pk=int(ask_id, 16)).first()
    reader = User.objects.active().filter(pk=int(reader_id, 16)).first()
    if ask is None or reader is None:
        raise BadLink
    return ReadLink(ask, reader, is_expired)
