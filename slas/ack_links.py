"""The signed link in an escalation's mail by which its reader acknowledges without signing in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import signing
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.notifications.addresses import absolute
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Text, register_links
from itsm.tickets.models import TicketEvent

LIFE = timedelta(days=14)
LONGEST = 200
LABEL: Promise = _("I take it over, stop the escalation:")


class BadAckLink(Exception):
    """The link was not made here, is too old, or somebody changed it."""


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(sep=".", salt="slas.acknowledge")


def ack_token(event: TicketEvent, user: User) -> str:
    """Return the token by which this person acknowledges what this event told them."""
    return _signer().sign(f"{event.pk:x}-{user.pk:x}")


def read_ack_token(token: str) -> tuple[Any, User]:
    """Return the ticket, as its kind, and the person that the token names.

    Raises:
        BadAckLink: also where the ticket is none of the person's any more, whose roles may have changed since the mail.
    """
    try:
        said = _signer().unsign(token[:LONGEST], max_age=LIFE)
    except signing.BadSignature:
        raise BadAckLink from None
    event_id, _dash, user_id = said.partition("-")
    event = TicketEvent.objects.select_related("ticket").filter(pk=int(event_id, 16)).first()
    user = User.objects.active().filter(pk=int(user_id, 16)).first()
    if event is None or user is None:
        raise BadAckLink
    ticket = event.ticket.kind_info.model.objects.visible_to(user).filter(pk=event.ticket_id).first()
    if ticket is None:
        raise BadAckLink
    return ticket, user


def links(occasion: Occasion, user: User) -> list[tuple[Text, str]]:
    """Return the link for those who can acknowledge."""
    if not user.may(Permission.WORK_TICKETS):
        return []
    return [(LABEL, absolute(reverse("slas:acknowledge", args=[ack_token(occasion.event, user)])))]


def register() -> None:
    """Put the link into the mails of escalations."""
    for kind in ("sla_warned", "sla_breached", "sla_escalated"):
        register_links(kind, links)
