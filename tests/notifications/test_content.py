"""What a mail says and what it can never be made to say: languages, zones, threading, hostile text."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st

from incidents.actions import hold, open_incident, reply, resolve
from incidents.models import Incident
from incidents.statuses import HoldReason
from itsm.notifications.addresses import mail_domain
from itsm.notifications.compose import header_line
from itsm.notifications.models import Mail, Notice
from itsm.tickets.models import Ticket
from tests.cast import Cast, as_


def parsed(message: EmailMultiAlternatives) -> EmailMessage:
    """Return the mail as a mail program reads it from the wire."""
    return message_from_bytes(message.message().as_bytes(), policy=policy.default)  # type: ignore[return-value]


def to_rita(sent: list[EmailMultiAlternatives]) -> EmailMessage:
    """Return the one mail to Rita."""
    [message] = [message for message in sent if message.to == ["rita@example.com"]]
    return parsed(message)


def test_the_headers_hold_the_thread_and_silence_robots(incident: Incident, cast: Cast, deliver) -> None:
    first = to_rita(deliver())
    reply(incident, "Which office?", actor=as_(cast.anna))
    second = to_rita(deliver())
    root = f"<{incident.public_id}@{mail_domain()}>"
    for message in (first, second):
        assert message["References"] == message["In-Reply-To"] == root
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"
        public_id = message["Message-ID"].removeprefix("<").removesuffix(f"@{mail_domain()}>")
        assert Mail.objects.filter(public_id=public_id, address="rita@example.com").exists()
    assert first["Message-ID"] != second["Message-ID"]
    assert first.get_content_type() == "multipart/alternative"


def test_answers_go_where_the_desk_wants_them(incident: Incident, deliver, settings) -> None:
    settings.DESK_REPLY_TO = "desk@example.com"
    assert to_rita(deliver())["Reply-To"] == "desk@example.com"


def test_each_reads_it_in_their_own_language_and_zone(incident: Incident, cast: Cast, deliver) -> None:
    cast.rita.time_zone = "Asia/Kolkata"
    cast.rita.language = "de"
    cast.rita.save()
    Ticket.objects.filter(pk=incident.pk).update(requester=cast.rita)
    deliver()
    mail = Mail.objects.get(address="rita@example.com")
    assert "(Asia/Kolkata)" in mail.text
    assert 'lang="de"' in mail.html
    assert 'lang="en"' in Mail.objects.get(address="anna@example.com").html


def test_a_language_that_is_not_spoken_falls_back(incident: Incident, cast: Cast, deliver) -> None:
    cast.rita.language = "tlh"
    cast.rita.time_zone = "Mars/Olympus"
    cast.rita.save()
    assert "Received" in to_rita(deliver())["Subject"]


@pytest.mark.parametrize(
    "title",
    [
        "הדפסה לא עובדת",
        "الطابعة لا تعمل منذ الصباح",
        "🖨️ printer is on fire 🔥👩‍💻",
        "日本語のプリンターが動かない" * 10,
        "Ünïcödé " * 20,
        "x" * 200,
    ],
)
def test_titles_of_every_script_arrive_whole(cast: Cast, deliver, title: str) -> None:
    incident = open_incident(actor=as_(cast.rita), title=title)
    message = deliver()[0].message()
    assert message["Subject"] == f"[{incident.number}] Received: {incident.title}"
    wire = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert wire["Bcc"] is None
    assert "".join(wire["Subject"].split()) == "".join(f"[{incident.number}] Received: {incident.title}".split())


@pytest.mark.parametrize(
    "title",
    [
        "=?utf-8?q?Bcc:_evil=40example.com?=",
        "=?utf-8?q?a=0D=0ABcc:_evil=40example.com?=",
        "=?UTF-8?B?YQ0KQmNjOiBldmlsQGV4YW1wbGUuY29t?=",
        "a=?iso-8859-1?Q?=0A?==?iso-8859-1?Q?Bcc:_x?=",
        "=?a?q?=?utf-8?q?=0ABcc:x?=?=",
    ],
)
def test_encoded_words_in_a_title_are_not_decoded(cast: Cast, deliver, title: str) -> None:
    open_incident(actor=as_(cast.rita), title=title)
    wire = to_rita(deliver())
    assert wire["Bcc"] is None
    assert "".join(wire["Subject"].split()).endswith("".join(title.split()))


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\u2028", "\x0b", "\x85"])
def test_no_stored_title_adds_a_header(incident: Incident, cast: Cast, deliver, ends: str) -> None:
    evil = f"Slow{ends}Bcc: victim@example.com{ends}{ends}<h1>body</h1>"
    Ticket.objects.filter(pk=incident.pk).update(title=evil)
    message = to_rita(deliver())
    assert message["Bcc"] is None
    assert message["Subject"].endswith("Slow Bcc: victim@example.com <h1>body</h1>")
    assert len(str(message["Subject"]).splitlines()) == 1


@given(st.text(max_size=250))
def test_a_subject_is_always_one_line_that_fits_a_header(text: str) -> None:
    line = header_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()
    assert not set(line) & set("\u202e\u202d\u2066\x00\x1b")
    message = EmailMessage()
    message["Subject"] = line
    assert message_from_bytes(message.as_bytes(), policy=policy.default).keys() == ["Subject"]


PROBES = [
    "{{ 7*7 }}",
    "{% load static %}",
    "{{ settings.SECRET_KEY }}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "%(number)s %(missing)s %s %d %%",
    "{number} {0.__class__}",
    "$number ${jndi:ldap://x}",
    "{{constructor.constructor('alert(1)')()}}",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</blockquote><a href='javascript:alert(1)'>",
    "[[7*7]] @(7*7) *{7*7}",
    "&lt;b&gt; &amp; &#x3c;",
]


@pytest.mark.parametrize("probe", PROBES)
def test_what_people_write_is_never_a_template_nor_html(cast: Cast, deliver, probe: str) -> None:
    incident = open_incident(actor=as_(cast.rita), title=f"vpn {probe}", description=probe)
    hold(incident, actor=as_(cast.anna), hold_reason=HoldReason.AWAITING_CALLER, comment=probe)
    deliver()
    mails = list(Mail.objects.all())
    assert len(mails) >= 5
    for mail in mails:
        assert probe in mail.text
        assert mail.subject.endswith(probe)
        for tag in ("<script", "<img", "javascript:alert(1)'>"):
            assert tag not in mail.html
    held = Mail.objects.get(kind="held", address="rita@example.com")
    assert f"> {probe}" in held.text


def test_a_long_text_is_shortened_and_says_so(incident: Incident, cast: Cast, deliver) -> None:
    deliver()
    reply(incident, "word " * 10_000, actor=as_(cast.anna))
    message = to_rita(deliver())
    body = message.get_body(("plain",))
    assert body is not None
    assert "The text goes on" in body.get_content()
    assert len(body.get_content()) < 15_000


def test_a_name_cannot_smuggle_anything_into_a_sentence(incident: Incident, cast: Cast, deliver) -> None:
    cast.anna.display_name = "%(title)s <b>Anna</b>"
    cast.anna.save()
    deliver()
    reply(incident, "Hello", actor=as_(cast.anna))
    deliver()
    mail = Mail.objects.get(kind="reply")
    assert mail.text.startswith("%(title)s <b>Anna</b> replied on")
    assert "<b>Anna</b>" not in mail.html


def test_the_mail_of_an_ended_request_and_its_notice_say_the_same(incident: Incident, cast: Cast, deliver) -> None:
    resolve(incident, actor=as_(cast.anna), resolution_code="solution_provided", resolution_notes="Done.")
    deliver()
    assert Mail.objects.get(kind="resolved").text.startswith(f"{incident.number} has been resolved.")
    assert Notice.objects.get(kind="resolved").user == cast.rita
