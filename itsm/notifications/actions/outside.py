"""Telling somebody outside the desk that a request takes long: the requester's manager, who does not see the ticket."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.notifications.actions.direct import Words, tell_person
from itsm.tickets.models import TicketEvent

WARNED = "sla.warned"


def tell_outside(event: TicketEvent, people: Iterable[int]) -> int:
    """Tell these people, by id, whose request it is and that it takes long; return how many are new.

    Nothing that the desk or the requester wrote is said, since these people may not read the ticket.
    """
    ticket = event.ticket

    def words() -> Words:
        values = {"number": ticket.number, "name": ticket.requester.display_name}
        if event.code == WARNED:
            lead = _("The request %(number)s of %(name)s may take longer than was promised.") % values
        else:
            lead = _("The request %(number)s of %(name)s takes longer than was promised.") % values
        return Words(
            subject=f"[{ticket.number}] {lead}",
            lead=lead,
            facts=[(_("Ticket"), ticket.number), (_("Requester"), ticket.requester.display_name)],
            why=_("You are told because you are the manager of the one who asked."),
        )

    wanted = User.objects.active().filter(pk__in=list(people)).order_by("pk")
    return sum(tell_person(person, f"event:{event.pk}:outside", "sla_outside", words, path="/") for person in wanted)
