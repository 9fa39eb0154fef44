"""Sending: at least once, once where nothing dies, and under one Message-ID whatever happens."""

from __future__ import annotations

import smtplib
from collections import Counter
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.db.models import F
from django.utils import timezone

from incidents.actions import open_incident, reply
from incidents.models import Incident
from itsm.notifications import actions
from itsm.notifications.actions import sending
from itsm.notifications.consumer import tell
from itsm.notifications.models import Mail, MailStatus, Notice
from itsm.notifications.tasks import dispatch_outbox, send_mail_due
from itsm.tickets.models import OutboxEntry, TicketEvent
from tests.cast import Cast, as_, make_cast

BACKEND = "tests.notifications.test_sending.Line"


class Line(BaseEmailBackend):
    """A mail server of the tests: `trouble` is raised for each mail, `no_answer` when the line is opened."""

    trouble: Exception | None = None
    no_answer: Exception | None = None
    only_for: str = ""
    taken: list[Any] = []

    def open(self) -> bool:
        if Line.no_answer is not None:
            raise Line.no_answer
        return True

    def send_messages(self, email_messages: Any) -> int:
        for message in email_messages:
            if Line.trouble is not None and Line.only_for in ("", *message.to):
                raise Line.trouble
            Line.taken.append(message)
        return len(email_messages)


@pytest.fixture
def line(settings) -> type[Line]:
    """The mail server, at first in good order."""
    settings.MAILERS = {"default": {"BACKEND": BACKEND}}
    Line.trouble, Line.no_answer, Line.only_for, Line.taken = None, None, "", []
    return Line


def ids(messages: list[Any]) -> list[str]:
    """Return the Message-IDs."""
    return [message.extra_headers["Message-ID"] for message in messages]


def later() -> None:
    """Let two hours pass for everything that waits."""
    Mail.objects.exclude(status=MailStatus.SENT).update(next_attempt_at=F("next_attempt_at") - timedelta(hours=2))


def test_handed_over_twice_it_is_told_once(incident: Incident, cast: Cast, deliver) -> None:
    first = deliver()
    event = incident.events.get(code="incident.opened")
    OutboxEntry.objects.create(event=event, consumer="notifications")
    assert deliver() == []
    tell(event)
    assert Mail.objects.count() == len(first)
    assert Counter(Notice.objects.values_list("user", flat=True)).most_common(1)[0][1] == 1


def test_a_consumer_that_fails_leaves_nothing_behind_and_is_tried_again(
    incident: Incident, deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Notice.objects, "bulk_create", _fail)
        dispatch_outbox()
        assert not Mail.objects.exists()
        assert OutboxEntry.objects.get().attempts == 1
    OutboxEntry.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert len(deliver()) == 4


def _fail(*args: Any, **options: Any) -> None:
    raise RuntimeError("crashed in between")


def test_nothing_is_lost_or_doubled_while_nobody_hands_over(incident: Incident, cast: Cast, deliver) -> None:
    """The broker away for an hour: the verbs go on, and all of it goes out once when the bell rings again."""
    for number in range(20):
        reply(incident, f"Question {number}", actor=as_(cast.anna))
    assert not Mail.objects.exists()
    sent = deliver()
    assert len(sent) == 4 + 20
    assert len(set(ids(sent))) == len(sent)
    assert [n for n in range(20) if not any(f"> Question {n}\n" in m.body for m in sent)] == []
    assert deliver() == []


def test_killed_between_sending_and_marking_it_goes_again_under_the_same_id(
    incident: Incident, line: type[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch_outbox()
    with monkeypatch.context() as killed:
        killed.setattr(sending, "_mark_sent", _fail)
        with pytest.raises(RuntimeError):
            send_mail_due()
    assert len(line.taken) == 1
    assert Mail.objects.filter(status=MailStatus.SENDING).count() == 1
    send_mail_due()
    assert len(line.taken) == 4, "the lease of the dead sender has not run out yet"
    later()
    send_mail_due()
    assert sorted(Counter(ids(line.taken)).values()) == [1, 1, 1, 2]
    assert set(Mail.objects.values_list("status", flat=True)) == {MailStatus.SENT}


def test_a_sender_whose_lease_ran_out_does_not_mark_for_the_next(incident: Incident, line: type[Line]) -> None:
    dispatch_outbox()
    slow = sending._claim()
    assert slow is not None
    later()
    fast = sending._claim()
    while fast is not None and fast.pk != slow.pk:
        fast = sending._claim()
    sending._mark_sent(slow)
    slow.refresh_from_db()
    assert slow.status == MailStatus.SENDING


def test_a_server_that_is_away_costs_no_mail_an_attempt(incident: Incident, line: type[Line]) -> None:
    dispatch_outbox()
    line.no_answer = ConnectionRefusedError("no route")
    for _hour in range(sending.MAX_ATTEMPTS + 3):
        assert send_mail_due() == 0
        later()
    assert set(Mail.objects.values_list("status", "attempts")) == {(MailStatus.WAITING, 0)}
    line.no_answer = None
    assert send_mail_due() == 4
    assert not Mail.objects.exclude(last_error="").exists()


def test_while_the_server_is_away_only_one_mail_asks(incident: Incident, line: type[Line]) -> None:
    dispatch_outbox()
    line.no_answer = TimeoutError()
    send_mail_due()
    line.no_answer = None
    assert send_mail_due() == 0, "all wait until it is asked again"
    assert Mail.objects.exclude(last_error="").count() == 1


def test_a_mail_that_breaks_the_line_does_not_hold_up_the_others(incident: Incident, line: type[Line]) -> None:
    dispatch_outbox()
    line.trouble, line.only_for = smtplib.SMTPServerDisconnected("gone"), "anna@example.com"
    for _minute in range(sending.MAX_ATTEMPTS):
        send_mail_due()
        later()
    assert {message.to[0] for message in line.taken} == {"rita@example.com", "ben@example.com", "lena@example.com"}
    later()
    send_mail_due()
    poison = Mail.objects.get(address="anna@example.com")
    assert poison.status == MailStatus.PARKED
    assert "gone" in poison.last_error


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (smtplib.SMTPRecipientsRefused({"rita@example.com": (550, b"no such user")}), MailStatus.PARKED),
        (smtplib.SMTPRecipientsRefused({"rita@example.com": (451, b"later")}), MailStatus.WAITING),
        (smtplib.SMTPDataError(554, b"spam"), MailStatus.PARKED),
        (smtplib.SMTPDataError(452, b"full"), MailStatus.WAITING),
        (ValueError("bad header"), MailStatus.PARKED),
    ],
)
def test_a_refused_mail_is_tried_again_or_parked_with_the_reason(
    incident: Incident, line: type[Line], trouble: Exception, status: MailStatus
) -> None:
    dispatch_outbox()
    line.trouble, line.only_for = trouble, "rita@example.com"
    assert send_mail_due() == 3
    mail = Mail.objects.get(address="rita@example.com")
    assert (mail.status, mail.attempts) == (status, 1)
    assert type(trouble).__name__ in mail.last_error


def test_waits_grow_to_a_cap_and_end_parked(incident: Incident, line: type[Line]) -> None:
    Mail.objects.all().delete()
    dispatch_outbox()
    line.trouble, line.only_for = smtplib.SMTPDataError(452, b"full"), "rita@example.com"
    waits = []
    mail = Mail.objects.get(address="rita@example.com")
    while mail.status != MailStatus.PARKED:
        send_mail_due()
        mail.refresh_from_db()
        waits.append(round((mail.next_attempt_at - timezone.now()).total_seconds()))
        later()
    assert len(waits) == sending.MAX_ATTEMPTS
    assert waits[:4] == pytest.approx([15, 30, 60, 120], abs=5)
    assert waits[-1] == pytest.approx(3600, abs=5)
    line.trouble = None
    assert send_mail_due() == 0
    assert actions.retry(mail)
    assert not actions.retry(mail)
    assert send_mail_due() == 1


@pytest.mark.parametrize("address", ["not an address", "a@example.com\nBcc: b@example.com", "a@b@c", ""])
def test_an_address_that_is_none_is_parked_and_harms_nobody(incident: Incident, line: type[Line], address: str) -> None:
    dispatch_outbox()
    Mail.objects.filter(address="rita@example.com").update(address=address)
    assert send_mail_due() == 3
    assert Mail.objects.get(address=address).status == MailStatus.PARKED


def test_files_are_written_where_no_server_is_set(incident: Incident, settings, tmp_path) -> None:
    settings.MAILERS = {
        "default": {"BACKEND": "itsm.mailfiles.MailFileBackend", "OPTIONS": {"folder": str(tmp_path / "mail")}}
    }
    dispatch_outbox()
    assert send_mail_due() == 4
    files = sorted((tmp_path / "mail").glob("*.eml"))
    assert len(files) == 4
    assert any(b"To: rita@example.com" in file.read_bytes() for file in files)


@pytest.mark.django_db(transaction=True)
def test_many_dispatchers_and_senders_at_once_tell_everybody_once() -> None:
    cast = make_cast()
    incidents = [open_incident(actor=as_(cast.rita), title=f"VPN {number}") for number in range(12)]
    django_mail.outbox = []
    errors: list[BaseException] = []
    start = Barrier(4)

    def work() -> None:
        try:
            start.wait()
            while TicketEvent.objects.filter(outbox__isnull=False).exists():
                dispatch_outbox()
                send_mail_due()
            send_mail_due()
        except BaseException as error:  # noqa: BLE001  the thread's failure must fail the test
            errors.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    send_mail_due()
    assert errors == []
    told = Counter((message.to[0], message.subject[:12]) for message in django_mail.outbox)
    assert set(told.values()) == {1}
    assert len(told) == len(incidents) * 4
    assert Mail.objects.filter(status=MailStatus.SENT).count() == len(told)
