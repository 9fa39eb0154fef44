"""Handing an event on to people: the outbox of the kernel calls `tell` with each event that has rules."""

from __future__ import annotations

from collections.abc import Iterator

from itsm.notifications.actions.inbox import mark_ticket_read
from itsm.notifications.actions.outside import tell_outside
from itsm.notifications.audience import Recipient
from itsm.notifications.calls import call_for, called_by
from itsm.notifications.compose import compose
from itsm.notifications.manners import INBOX, MAIL, WEBHOOK, Way, manners_of
from itsm.notifications.models import Delivery, Mail, Notice
from itsm.notifications.occasion import Occasion
from itsm.notifications.registry import Wording, rules_for, wording_of
from itsm.tickets.clock import db_now
from itsm.tickets.models import TicketEvent
from itsm.tickets.querysets import sees_all_tickets


def tell(event: TicketEvent) -> None:
    """Write the mails, notices and calls of an event. Handed the same event again, it adds nothing for anybody already
    told.

    Nothing is sent here: the rows wait in their tables until their instant, which is the recipient's to choose
    (`itsm.notifications.manners`). Whoever acts on a ticket has seen it, so what they had been told about it before
    counts as read.
    """
    if event.actor is not None:
        mark_ticket_read(event.actor, event)
    occasion = Occasion(event)
    now = db_now()
    found = list(_recipients(occasion))
    manners = manners_of(recipient.user for recipient, _wording in found if recipient.user is not None)
    in_hours = set((event.data.get("notify") or {}).get("in_hours") or ())
    mails: list[Mail] = []
    notices: list[Notice] = []
    calls: list[Delivery] = called_by(event)
    for recipient, wording in found:
        user = recipient.user
        told = {"event": event, "ticket_id": event.ticket_id, "user": user, "kind": wording.kind}
        ways = {MAIL: Way(MAIL, now)}
        if user is not None:
            ways = manners[user.pk].ways(now, urgent=wording.is_urgent, in_hours=user.pk in in_hours)
            notices.append(Notice(**told, why=recipient.why, created_at=ways[INBOX].at))
            if WEBHOOK in ways:
                calls.append(call_for(occasion, wording, user, ways[WEBHOOK]))
        if recipient.by_mail and (way := ways.get(MAIL)):
            letter = compose(occasion, wording, recipient)
            mails.append(
                Mail(
                    **told,
                    why=recipient.why,
                    address=recipient.address,
                    subject=letter.subject,
                    text=letter.text,
                    html=letter.html,
                    next_attempt_at=way.at,
                    unless_read=way.unless_read,
                )
            )
    Mail.objects.bulk_create(mails, ignore_conflicts=True)
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    Delivery.objects.bulk_create(calls, ignore_conflicts=True)
    if outside := (event.data.get("notify") or {}).get("outside"):
        tell_outside(event, outside)


def _recipients(occasion: Occasion) -> Iterator[tuple[Recipient, Wording]]:
    """Yield everybody to tell, each once: active, allowed to see the event, and not the one who did it."""
    heard: set[str] = set()
    for_desk = occasion.event.internal or occasion.ticket.kind_info.desk_only
    for rule in rules_for(occasion.event.code):
        for recipient in rule.audience(occasion):
            user = recipient.user
            if recipient.address.lower() in heard:
                continue
            if user is not None:
                if not user.is_active or (for_desk and not sees_all_tickets(user)):
                    continue
                if user == occasion.actor and not rule.also_actor:
                    continue
            heard.add(recipient.address.lower())
            yield recipient, wording_of(rule.kind)
