"""What spreads from a problem to its incidents by a worker, one incident after the other, each exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from itsm.tickets.actors import Actor
from itsm.tickets.models import Visibility
from itsm.tickets.spreading import NotNeeded
from slas.actions import acknowledge


def communicate(ticket: Any, *, actor: Actor, data: Mapping[str, Any]) -> None:
    """Write the text to the incident's requester and stop what pages people about it.

    Raises:
        NotNeeded: the incident is over since, and nobody needs to be told. Refused.
    """
    if not ticket.is_open:
        raise NotNeeded(_("%(number)s has ended meanwhile.") % {"number": ticket.number})
    ticket.kind_info.reply(ticket, data["body"], actor=actor, visibility=Visibility.PUBLIC)
    acknowledge(ticket, actor=actor)
