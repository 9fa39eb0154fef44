"""Sending the mails that wait: each at least once, and every attempt under the same Message-ID.

A mail is claimed (committed as being sent, with a lease), sent outside any transaction, then marked. Whoever dies in
between leaves a lease that runs out, and the mail is sent again: the one way to a double, which mail programs fold by
its Message-ID. A server that cannot be reached holds all mails up for a while and costs none an attempt.
"""

from __future__ import annotations

import logging
import re
import smtplib
import time
from datetime import timedelta
from email.message import MIMEPart
from email.policy import SMTP
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from itsm.notifications.addresses import message_id, thread_root
from itsm.notifications.models import UNSENT, Mail, MailStatus, Notice

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
SERVER_WAIT = timedelta(seconds=30)
MAX_ATTEMPTS = 12
LONGEST_RUN_S = 60.0
PERMANENT = 500
_METHOD = re.compile(r"^METHOD:([A-Za-z-]+)\s*$", re.MULTILINE)


class ServerAway(Exception):
    """The mail server cannot be reached: no mail's fault."""


def send_due(limit: int = 500) -> int:
    """Send the mails that are due, oldest first; return how many went out. Any number of workers may do this at once.

    Stops when none is left, when `limit` were tried, after a minute, or when the mail server is away.
    """
    sent = 0
    until = time.monotonic() + LONGEST_RUN_S
    connection: Any = None
    try:
        for _attempt in range(limit):
            mail = _claim() if time.monotonic() < until else None
            if mail is None:
                break
            try:
                connection = connection or _connect(mail)
                sent += _send(mail, connection)
            except ServerAway as error:
                logger.warning("The mail server cannot be reached: %s", error)
                waiting = Mail.objects.filter(status=MailStatus.WAITING, next_attempt_at__lte=Now())
                waiting.update(next_attempt_at=Now() + SERVER_WAIT)
                break
    finally:
        if connection is not None:
            connection.close()
    return sent


@transaction.atomic
def _claim() -> Mail | None:
    """Return the next due mail, now being sent by the caller, or None."""
    due = Mail.objects.select_for_update(skip_locked=True, of=("self",)).select_related("ticket")
    while mail := due.filter(UNSENT, next_attempt_at__lte=Now()).order_by("next_attempt_at", "pk").first():
        if mail.unless_read and _was_read(mail):
            Mail.objects.filter(pk=mail.pk).update(status=MailStatus.SKIPPED)
            continue
        if mail.attempts < MAX_ATTEMPTS:
            mail.attempts += 1
            changes = {"status": MailStatus.SENDING, "attempts": mail.attempts, "next_attempt_at": Now() + LEASE}
            Mail.objects.filter(pk=mail.pk).update(**changes)
            return mail
        error = mail.last_error or "The process that was to send it died every time."
        Mail.objects.filter(pk=mail.pk).update(status=MailStatus.PARKED, last_error=error)
    return None


def _was_read(mail: Mail) -> bool:
    """Whether the person has read the notice of what the mail says, so that it need not be sent any more."""
    same = Notice.objects.filter(event=mail.event_id) if mail.event_id else Notice.objects.filter(key=mail.key)
    return same.filter(user=mail.user_id, read_at__isnull=False).exists()


def _connect(mail: Mail) -> Any:
    """Return an open line to the mail server. Without one the mail goes back as if it had not been tried."""
    connection = mailers.default
    try:
        connection.open()
    except OSError as error:
        _mine(mail).update(
            status=MailStatus.WAITING,
            attempts=F("attempts") - 1,
            next_attempt_at=Now() + SERVER_WAIT,
            last_error=_said(error),
        )
        raise ServerAway(type(error).__name__) from error
    return connection


def headers_of(mail: Mail) -> dict[str, str]:
    """Return the headers that tie the mail to its ticket and keep other robots from answering it (RFC 3834)."""
    headers = {
        "Message-ID": message_id(mail.public_id),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if mail.ticket is not None:
        root = thread_root(mail.ticket)
        headers |= {"In-Reply-To": root, "References": root}
    return headers


def message_of(mail: Mail) -> EmailMultiAlternatives:
    """Return the mail as it leaves the house."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.address],
        reply_to=[settings.DESK_REPLY_TO] if settings.DESK_REPLY_TO else None,
        headers=headers_of(mail),
    )
    message.attach_alternative(mail.html, "text/html")
    if mail.calendar:
        message.attach(_calendar_part(mail.calendar))
    return message


def _calendar_part(text: str) -> MIMEPart:
    """Return the iCalendar object as mail programs take it up: with its method said in the type (RFC 6047)."""
    found = _METHOD.search(text)
    part = MIMEPart(policy=SMTP)
    part.set_content(
        text,
        subtype="calendar",
        charset="utf-8",
        params={"method": found[1].upper() if found else "PUBLISH"},
        disposition="attachment",
        filename="invite.ics",
    )
    return part


def _send(mail: Mail, connection: Any) -> int:
    try:
        validate_email(mail.address)
        connection.send_messages([message_of(mail)])
    except smtplib.SMTPRecipientsRefused as error:
        code = max((answer[0] for answer in error.recipients.values()), default=0)
        _put_back(mail, error, for_good=code >= PERMANENT)
    except smtplib.SMTPDataError as error:
        _put_back(mail, error, for_good=error.smtp_code >= PERMANENT)
    except OSError as error:
        # The line is broken, or the server takes nothing from this desk. The attempt counts all the same: a mail that
        # makes the server hang up must not hold up the others for ever.
        _put_back(mail, error)
        raise ServerAway(type(error).__name__) from error
    except (ValidationError, ValueError) as error:
        # It cannot be put on the wire as it is, and will not get better by itself.
        _put_back(mail, error, for_good=True)
    else:
        return _mark_sent(mail)
    return 0


def _mine(mail: Mail) -> Any:
    """The row, unless its lease ran out and another sender took it: attempts counts the claims."""
    return Mail.objects.filter(pk=mail.pk, status=MailStatus.SENDING, attempts=mail.attempts)


def _mark_sent(mail: Mail) -> int:
    _mine(mail).update(status=MailStatus.SENT, sent_at=Now(), last_error="")
    return 1


def _put_back(mail: Mail, error: Exception, *, for_good: bool = False) -> None:
    logger.warning("Mail %s was not sent: %s", mail.public_id, type(error).__name__)
    parked = for_good or mail.attempts >= MAX_ATTEMPTS
    wait = min(FIRST_WAIT * 2 ** (mail.attempts - 1), LONGEST_WAIT)
    _mine(mail).update(
        status=MailStatus.PARKED if parked else MailStatus.WAITING,
        next_attempt_at=Now() + wait,
        last_error=_said(error),
    )


def _said(error: Exception) -> str:
    """Return the error for the outbox page, without the characters that cannot be stored."""
    words = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
    return f"{type(error).__name__}: {words}"[:500].replace("\x00", "")
