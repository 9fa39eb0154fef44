"""Who may set approvals up, ask for them, and read of them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from itsm.accounts.roles import Permission
from itsm.tickets.actors import Actor
from itsm.tickets.errors import Refused
from itsm.tickets.rules import either, is_requester, works_tickets

may_request = either(works_tickets, is_requester)


def require_manager(actor: Actor) -> None:
    """Refuse whoever does not set up approvals: change managers and administrators do.

    Raises:
        Refused.
    """
    if not actor.may(Permission.MANAGE_CHANGES):
        raise Refused(_("Only a change manager or an administrator can set up approvals."))


def require_to_ask(actor: Actor, ticket: Any) -> None:
    """Refuse whoever may neither work on the ticket nor asked for it.

    Raises:
        Refused.
    """
    answer = may_request(actor, ticket)
    if not answer:
        raise Refused(answer.reason)
