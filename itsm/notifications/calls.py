"""What other systems are told of an event: the webhooks that the event names, and those of people who chose one."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

from itsm.accounts.models import User
from itsm.notifications.addresses import absolute, ticket_path
from itsm.notifications.compose import sentence
from itsm.notifications.manners import Way
from itsm.notifications.models import Delivery, Endpoint
from itsm.notifications.occasion import Occasion
from itsm.notifications.providers import WEBHOOK
from itsm.notifications.registry import Wording
from itsm.tickets.models import TicketEvent

SAID = ("metric", "policy", "percent", "due_at", "target_s", "repetition")


def called_by(event: TicketEvent) -> list[Delivery]:
    """Return the calls of the webhooks that the event's data lists under `webhooks`; one row for each, ever."""
    wanted = event.data.get("webhooks")
    if not wanted:  # nearly always
        return []
    return [
        Delivery(
            key=f"event:{event.pk}:endpoint:{endpoint.pk}",
            message_id=f"evt_{event.pk}",
            provider=WEBHOOK,
            endpoint=endpoint,
            event=event,
            body=json.dumps(_body(event)),
        )
        for endpoint in Endpoint.objects.filter(pk__in=wanted, is_active=True)
    ]


def call_for(occasion: Occasion, wording: Wording, user: User, way: Way) -> Delivery:
    """Return the call of the webhook by which the person wants to be told."""
    event = occasion.event
    return Delivery(
        key=f"event:{event.pk}:user:{user.pk}",
        message_id=f"evt_{event.pk}_{user.pk}",
        provider=WEBHOOK,
        user=user,
        event=event,
        body=json.dumps({**_body(event), "text": sentence(wording, occasion)}),
        next_attempt_at=way.at,
        unless_read=way.unless_read,
    )


def _body(event: TicketEvent) -> dict[str, Any]:
    """Return what is said of an event: nobody is named, and no words of the ticket leave the house."""
    ticket = event.ticket
    said = {name: event.data[name] for name in SAID if name in event.data}
    return {
        "type": event.code,
        "timestamp": event.at.astimezone(UTC).isoformat(),
        "data": {
            "ticket": ticket.number,
            "kind": ticket.kind,
            "priority": ticket.priority,
            "team": ticket.team.key if ticket.team else None,
            "url": absolute(ticket_path(ticket, None)),
            **said,
        },
    }
