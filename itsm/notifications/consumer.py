"""Handing an event on to people: the outbox of the kernel calls `tell` with each event that has rules."""

from __future__ import annotations

from collections.abc import Iterator

from itsm.notifications.actions.inbox import mark_ticket_read
from itsm.notifications.audience import Recipient
from itsm.notifications.compose import compose
from itsm.notifications.models import Mail, Notice
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Wording, rules_for, wording_of
from itsm.tickets.models import TicketEvent
from itsm.tickets.querysets import sees_all_tickets


def tell(event: TicketEvent) -> None:
    """Write the mails and notices of an event. Handed the same event again, it adds nothing for anybody already told.

    Nothing is sent here: the mails wait in their table for `send_due`. Whoever acts on a ticket has seen it, so what
    they had been told about it before counts as read.
    """
    if event.actor is not None:
        mark_ticket_read(event.actor, event)
    occasion = Occasion(event)
    mails: list[Mail] = []
    notices: list[Notice] = []
    for recipient, wording in _recipients(occasion):
        told = {"event": event, "ticket_id": event.ticket_id, "user": recipient.user, "kind": wording.kind}
        if recipient.user is not None:
            notices.append(Notice(**told, why=recipient.why))
        if recipient.by_mail:
            letter = compose(occasion, wording, recipient)
            mails.append(
                Mail(
                    **told,
                    why=recipient.why,
                    address=recipient.address,
                    subject=letter.subject,
                    text=letter.text,
                    html=letter.html,
                )
            )
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    Notice.objects.bulk_create(notices, ignore_conflicts=True)


def _recipients(occasion: Occasion) -> Iterator[tuple[Recipient, Wording]]:
    """Yield everybody to tell, each once: active, allowed to see the event, and not the one who did it."""
    heard: set[str] = set()
    for rule in rules_for(occasion.event.code):
        for recipient in rule.audience(occasion):
            user = recipient.user
            if recipient.address.lower() in heard:
                continue
            if user is not None:
                if not user.is_active or (occasion.event.internal and not sees_all_tickets(user)):
                    continue
                if user == occasion.actor and not rule.also_actor:
                    continue
            heard.add(recipient.address.lower())
            yield recipient, wording_of(rule.kind)
