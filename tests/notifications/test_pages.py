"""The outbox and the inbox: who may see which page, what it shows, what its buttons do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions import reply, resolve, start
from incidents.models import Incident
from itsm.notifications.actions import mark_read, notices_for, unread_count
from itsm.notifications.models import Mail, MailStatus, Notice
from itsm.tickets.actions import comment, watch
from itsm.tickets.actions.relations import unwatch
from itsm.tickets.models import OutboxEntry, Visibility
from tests.cast import Cast, as_

OUTBOX_PAGES = ("/outbox/", "/outbox/{mail}/")
OUTBOX_BUTTONS = ("/outbox/{mail}/again/", "/outbox/events/again/")


@pytest.fixture
def sent(incident: Incident, deliver) -> Mail:
    """Rita's mail about the incident, on its way."""
    deliver()
    return Mail.objects.get(address="rita@example.com")


@pytest.mark.parametrize(
    ("who", "code"), [("rita", 404), ("rosa", 404), ("anna", 403), ("lena", 403), ("olaf", 403), ("ada", 200)]
)
def test_only_administrators_read_the_outbox(cast: Cast, sent: Mail, signed_in, who: str, code: int) -> None:
    client = signed_in(getattr(cast, who))
    for page in OUTBOX_PAGES:
        assert client.get(page.format(mail=sent.public_id)).status_code == code
    for button in OUTBOX_BUTTONS:
        answer = client.post(button.format(mail=sent.public_id))
        assert answer.status_code == (302 if code == 200 else code)


def test_strangers_are_sent_to_the_login(sent: Mail) -> None:
    for page in (*OUTBOX_PAGES, "/notices/"):
        answer = Client().get(page.format(mail=sent.public_id))
        assert answer.status_code == 302
        assert "login" in answer["Location"]


def test_the_outbox_lists_newest_first_and_pages(cast: Cast, incident: Incident, deliver, signed_in) -> None:
    deliver()
    for number in range(60):
        reply(incident, f"Question {number}", actor=as_(cast.anna))
    deliver()
    client = signed_in(cast.ada)
    first = client.get("/outbox/")
    assert [mail.kind for mail in first.context["mails"]] == ["reply"] * 50
    second = client.get(first.context["next_url"])
    assert len(second.context["mails"]) == 14
    back = client.get(second.context["previous_url"])
    assert [mail.pk for mail in back.context["mails"]] == [mail.pk for mail in first.context["mails"]]


def test_the_outbox_asks_as_much_for_many_as_for_few(cast: Cast, incident: Incident, deliver, signed_in) -> None:
    client = signed_in(cast.ada)
    deliver()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.get("/outbox/")
        return len(caught)

    few = queries()
    for number in range(20):
        reply(incident, f"Question {number}", actor=as_(cast.anna))
    deliver()
    assert queries() == few <= 12


@pytest.mark.parametrize("query", ["status=nonsense", "status=parked", "status=%F0%9F%92%A5"])
def test_the_outbox_takes_any_status(cast: Cast, sent: Mail, signed_in, query: str) -> None:
    assert signed_in(cast.ada).get(f"/outbox/?{query}").status_code == 200


@pytest.mark.parametrize("cursor", ["x", "W10", "%00", "A" * 5000, "eyJ9"])
@pytest.mark.parametrize("page", ["/outbox/", "/notices/"])
def test_a_broken_page_address_leads_to_the_first_page_or_is_refused(
    cast: Cast, sent: Mail, signed_in, page: str, cursor: str
) -> None:
    answer = signed_in(cast.ada).get(f"{page}?cursor={cursor}", follow=True)
    assert answer.status_code == (400 if cursor == "%00" else 200)


def test_a_mail_shows_headers_and_text_but_not_the_readers_links(
    cast: Cast, incident: Incident, deliver, signed_in
) -> None:
    resolve(incident, actor=as_(cast.anna), resolution_code="solution_provided", resolution_notes="<script>x</script>")
    deliver()
    found = Mail.objects.get(kind="resolved")
    page = signed_in(cast.ada).get(f"/outbox/{found.public_id}/").content.decode()
    assert f"&lt;{found.public_id}@" in page
    assert "auto-generated" in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "<script>x" not in page
    assert "/r/…/" in page
    token = found.text.split("/r/")[1].split("/")[0]
    assert token not in page


@pytest.mark.parametrize("ref", ["0" * 32, "x", "a" * 300, "INC0010001"])
def test_a_mail_that_is_none_is_not_found(cast: Cast, signed_in, ref: str) -> None:
    client = signed_in(cast.ada)
    assert client.get(f"/outbox/{ref}/").status_code == 404
    assert client.post(f"/outbox/{ref}/again/").status_code == 404


def test_a_parked_mail_with_a_broken_address_can_be_read_and_retried(cast: Cast, sent: Mail, signed_in) -> None:
    Mail.objects.filter(pk=sent.pk).update(
        status=MailStatus.PARKED, sent_at=None, address="a@example.com\nBcc: b@example.com", last_error="refused"
    )
    client = signed_in(cast.ada)
    listed = client.get("/outbox/?status=parked")
    assert [mail.pk for mail in listed.context["mails"]] == [sent.pk]
    assert listed.context["parked"] == 1
    assert "refused" in client.get(f"/outbox/{sent.public_id}/").content.decode()
    assert client.get(f"/outbox/{sent.public_id}/again/").status_code == 405
    client.post(f"/outbox/{sent.public_id}/again/")
    sent.refresh_from_db()
    assert (sent.status, sent.attempts) == (MailStatus.WAITING, 0)


def test_retrying_a_mail_that_went_out_does_not_send_it_again(cast: Cast, sent: Mail, signed_in, deliver) -> None:
    signed_in(cast.ada).post(f"/outbox/{sent.public_id}/again/")
    sent.refresh_from_db()
    assert sent.status == MailStatus.SENT
    assert deliver() == []


def test_parked_events_are_counted_and_tried_again(cast: Cast, incident: Incident, signed_in, deliver) -> None:
    parked = OutboxEntry.objects.update(parked_at=timezone.now(), attempts=10)
    assert deliver() == []
    client = signed_in(cast.ada)
    assert client.get("/outbox/").context["stuck_events"] == parked > 0
    client.post("/outbox/events/again/")
    assert len(deliver()) == 4


def test_the_inbox_says_what_happened_and_why_one_is_told(cast: Cast, incident: Incident, deliver, signed_in) -> None:
    deliver()
    reply(incident, "Which office?", actor=as_(cast.anna))
    deliver()
    page = signed_in(cast.rita).get("/notices/").content.decode()
    assert f"Anna Example replied on {incident.number}." in page
    assert "because you asked for help" in page
    assert "2 are unread" in page
    desk = signed_in(cast.anna).get("/notices/").content.decode()
    assert "in the queue of your team" in desk


def test_the_inbox_takes_few_queries_however_long(cast: Cast, incident: Incident, deliver, signed_in) -> None:
    client = signed_in(cast.rita)
    deliver()

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get("/notices/")
        return len(caught)

    few = queries()
    for number in range(20):
        reply(incident, f"Question {number}", actor=as_(cast.anna))
    deliver()
    assert queries() == few <= 12


def test_reading_is_counted_and_only_ones_own(cast: Cast, incident: Incident, deliver, signed_in) -> None:
    deliver()
    reply(incident, "Which office?", actor=as_(cast.anna))
    deliver()
    assert unread_count(cast.rita) == 2
    first = Notice.objects.filter(user=cast.rita).earliest("pk")
    signed_in(cast.rosa).post(f"/notices/{first.public_id}/read/")
    assert unread_count(cast.rita) == 2
    client = signed_in(cast.rita)
    assert client.get(f"/notices/{first.public_id}/read/").status_code == 405
    client.post(f"/notices/{first.public_id}/read/")
    assert unread_count(cast.rita) == 1
    assert mark_read(cast.rita, first.public_id) == 0
    # Whoever acts on a ticket has seen what was new on it, unless it came only seconds before.
    reply(incident, "Norway", actor=as_(cast.rita))
    deliver()
    assert unread_count(cast.rita) == 1
    Notice.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    reply(incident, "Oslo", actor=as_(cast.rita))
    deliver()
    assert unread_count(cast.rita) == 0
    assert unread_count(cast.anna) == 3
    signed_in(cast.anna).post("/notices/read/")
    assert unread_count(cast.anna) == 0


def test_what_is_held_back_is_not_read_with_all_the_rest(cast: Cast, signed_in) -> None:
    now = timezone.now()
    for name, at in (("now", now - timedelta(hours=1)), ("later", now + timedelta(hours=9))):
        Notice.objects.create(user=cast.anna, key=name, kind="shift_reminder", text=name, path="/", created_at=at)
    signed_in(cast.anna).post("/notices/read/")
    assert list(Notice.objects.unread().values_list("key", flat=True)) == ["later"]


def test_the_inbox_of_somebody_who_no_longer_sees_the_ticket_is_empty(cast: Cast, incident: Incident, deliver) -> None:
    watch(incident, cast.rosa, actor=as_(cast.anna))
    reply(incident, "For all to read", actor=as_(cast.anna))
    deliver()
    assert notices_for(cast.rosa).count() == 1
    unwatch(incident, cast.rosa, actor=as_(cast.anna))
    assert notices_for(cast.rosa).count() == 0
    assert unread_count(cast.rosa) == 0


def test_a_work_note_is_announced_to_the_assignee_without_its_words(
    cast: Cast, incident: Incident, deliver, signed_in
) -> None:
    start(incident, actor=as_(cast.anna))
    comment(incident, "The words themselves", actor=as_(cast.ben), visibility=Visibility.INTERNAL)
    deliver()
    page = signed_in(cast.anna).get("/notices/").content.decode()
    assert f"Ben Example wrote a work note on {incident.number}." in page
    assert "The words themselves" not in page


def test_a_notice_of_a_room_that_is_gone_still_shows_its_ticket(cast: Cast, incident, deliver, signed_in) -> None:
    deliver()
    Notice.objects.update(kind="of_another_room", why="unheard_of")
    page = signed_in(cast.rita).get("/notices/")
    assert page.status_code == 200
    assert incident.number in page.content.decode()


def test_an_empty_inbox_says_so(cast: Cast, signed_in) -> None:
    assert "Nothing yet" in signed_in(cast.rosa).get("/notices/").content.decode()


def test_the_order_of_the_outbox_is_read_from_an_index(cast: Cast, incident: Incident, deliver) -> None:
    deliver()
    template = Mail.objects.earliest("pk")
    now = timezone.now()
    events = incident.events.get(code="incident.opened")
    Mail.objects.bulk_create(
        Mail(
            event=events,
            ticket_id=incident.pk,
            address=f"person{number}@example.com",
            kind="reply",
            why="requester",
            subject="s",
            text="t",
            html="h",
            status=MailStatus.SENT,
            sent_at=now,
            created_at=now - timedelta(seconds=number),
        )
        for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE notifications_mail")
    plans = (
        Mail.objects.order_by("-created_at", "-id")[:51].explain(),
        Mail.objects.filter(status__in=["waiting", "sending"], next_attempt_at__lte=now)
        .order_by("next_attempt_at", "pk")[:1]
        .explain(),
    )
    assert all("Seq Scan" not in plan for plan in plans)
    assert template.pk
