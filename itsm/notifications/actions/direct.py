"""Telling one person something that no ticket's event says: a shift that begins, a colleague who asks for a swap."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone, translation

from itsm.accounts.models import User
from itsm.notifications.addresses import absolute
from itsm.notifications.compose import language_of, letter_of
from itsm.notifications.manners import INBOX, MAIL, WEBHOOK, manner_of
from itsm.notifications.models import Delivery, Mail, Notice
from itsm.tickets.clock import db_now

TEXT_MAX = 300


@dataclass(frozen=True)
class Words:
    """A message in the reader's language: what it is about, and where to go on. `links`: label and path each.

    `calendar`: an iCalendar object with a method, which the mail carries so that calendars take it up.
    """

    subject: str
    lead: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    why: str = ""
    calendar: str = ""


@transaction.atomic
def tell_person(
    user: User, key: str, kind: str, words: Callable[[], Words], *, path: str, urgent: bool = False
) -> bool:
    """Write the message to the person on all the ways they chose; return whether it is new.

    `key` says what the message is: the same key again reaches nobody twice. `words` is called in the reader's language
    and zone. `path` is where the notice leads. Somebody whose account is closed is told nothing.
    """
    if not user.is_active:
        return False
    ways = manner_of(user).ways(db_now(), urgent=urgent)
    with translation.override(language_of(user)), timezone.override(user.zone):
        said = words()
        letter = letter_of(
            subject=said.subject,
            lead=said.lead,
            facts=said.facts,
            links=[(label, absolute(where)) for label, where in said.links],
            why=said.why,
        )
    notice = Notice(
        user=user, key=key, kind=kind, why="", text=said.lead[:TEXT_MAX], path=path, created_at=ways[INBOX].at
    )
    is_new = not Notice.objects.filter(user=user, key=key).exists()
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    if is_new and (way := ways.get(MAIL)):
        mail = Mail(
            user=user,
            key=key,
            kind=kind,
            why="",
            address=user.email,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            calendar=said.calendar,
            next_attempt_at=way.at,
            unless_read=way.unless_read,
        )
        Mail.objects.bulk_create([mail], ignore_conflicts=True)
    if is_new and (way := ways.get(WEBHOOK)):
        body = {"type": kind, "timestamp": db_now().isoformat(), "data": {"subject": said.subject, "text": said.lead}}
        delivery = Delivery(
            key=f"{key}:{user.pk}",
            # Of this person: two who are called at one address are two messages, not one and its repetition.
            message_id=f"msg_{user.pk}_{key}"[:60],
            provider=WEBHOOK,
            user=user,
            body=json.dumps(body),
            next_attempt_at=way.at,
        )
        Delivery.objects.bulk_create([delivery], ignore_conflicts=True)
    return is_new
