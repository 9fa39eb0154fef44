"""Writing to administrators when an alarm begins and when it is over: once each, however long it stands."""

from __future__ import annotations

import json
import logging
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, mailers
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from itsm.accounts.models import User
from itsm.accounts.roles import Permission
from itsm.notifications.addresses import absolute, message_id
from itsm.notifications.compose import language_of
from itsm.tickets.clock import db_now
from slas.models import Alarm

logger = logging.getLogger(__name__)

TO_TELL = Q(told_at__isnull=True) | Q(cleared_at__isnull=False, all_clear_at__isnull=True)


def tell_people() -> int:
    """Send what is to be told of alarms and return how many messages went out.

    An alarm is marked in the transaction that sends: whoever dies in between sends again, under the same Message-ID. A
    mail server that is away leaves it for the next time.
    """
    sent = 0
    while (count := _tell_one()) is not None:
        sent += count
    return sent


@transaction.atomic
def _tell_one() -> int | None:
    alarm = Alarm.objects.select_for_update(skip_locked=True).filter(TO_TELL).order_by("pk").first()
    if alarm is None:
        return None
    over = alarm.cleared_at is not None
    people = User.objects.with_permission(Permission.MANAGE_DESK).exclude(email="").order_by("pk")
    messages = [_message(alarm, person, over=over) for person in people]
    if not messages:
        logger.warning("Nobody may be told of the alarm “%s”: no administrator has an address", alarm.kind)
    try:
        line = mailers.default
        line.open()
        line.send_messages(messages)
        line.close()
    except OSError as error:
        logger.warning("Administrators could not be told of the alarm “%s”: %s", alarm.kind, type(error).__name__)
        return None
    now = db_now()
    alarm.told_at = alarm.told_at or now
    alarm.all_clear_at = now if over else None
    alarm.save(update_fields=["told_at", "all_clear_at"])
    return len(messages)


def _message(alarm: Alarm, person: User, *, over: bool) -> EmailMessage:
    with translation.override(language_of(person)), timezone.override(person.zone):
        label = alarm.get_kind_display()
        subject = _("Clock watch, well again: %(what)s") if over else _("Clock watch: %(what)s")
        lines = [
            _("%(what)s since %(begin)s.") % {"what": label, "begin": _moment(alarm.raised_at)},
            *([_("This ended at %(end)s.") % {"end": _moment(alarm.cleared_at)}] if over else []),
            _("Found: %(details)s") % {"details": json.dumps(alarm.details, ensure_ascii=False)},
            _("The clock watch shows how it stands now, and the operations guide says what to do:"),
            absolute(reverse("administration:clocks")),
        ]
        return EmailMessage(
            subject=subject % {"what": label},
            body="\n\n".join(lines) + "\n",
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[person.email],
            headers={
                "Message-ID": message_id(f"alarm-{alarm.pk}-{'over' if over else 'begin'}-{person.public_id}"),
                "Auto-Submitted": "auto-generated",
            },
        )


def _moment(at: Any) -> str:
    return f"{date_format(timezone.localtime(at), 'DATETIME_FORMAT')} ({timezone.get_current_timezone_name()})"
