"""The links by which a requester confirms or reopens from a mail: no login, no state change by GET, no second use."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from incidents.actions import close, open_incident, reopen, resolve
from incidents.models import Incident
from incidents.statuses import Status
from itsm.accounts.models import User
from itsm.logs import LineFormatter
from itsm.notifications import links
from itsm.notifications.links import BadLink, Purpose, make_token, read_token
from itsm.tickets.actors import Channel
from itsm.tickets.models import Comment
from tests.cast import Cast, as_

SOLVED = {"resolution_code": "solution_provided", "resolution_notes": "Restarted the gateway."}


@pytest.fixture
def browser() -> Client:
    """A browser in which nobody is signed in, and which checks for forged requests."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def paths(incident: Incident, cast: Cast, deliver) -> tuple[str, str]:
    """The paths of the two links in the mail about the resolution: close, reopen."""
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    return found_in(deliver())


def found_in(sent: list[EmailMultiAlternatives]) -> tuple[str, str]:
    """Return the paths of the two links in the mail to Rita that has them."""
    [body] = [message.body for message in sent if "/r/" in str(message.body)]
    first, second = re.findall(rf"{re.escape(settings.PUBLIC_URL)}(/r/\S+/)\n", str(body))
    return first, second


def press(browser: Client, path: str, **fields: str):
    """Open the page and press its button."""
    page = browser.get(path)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.content.decode())
    assert token is not None, "there is no button"
    return browser.post(path, {"csrfmiddlewaretoken": token[1], **fields}, follow=True)


def test_opening_a_link_changes_nothing(incident: Incident, paths: tuple[str, str], browser: Client) -> None:
    for path in paths:
        for _scanner in range(3):
            page = browser.get(path)
            assert page.status_code == 200
            assert incident.number in page.content.decode()
            assert "no-store" in page["Cache-Control"]
        assert browser.head(path).status_code == 200
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED


def test_confirming_closes_as_the_requester(incident: Incident, paths, browser: Client, cast: Cast) -> None:
    answer = press(browser, paths[0])
    assert answer.status_code == 200
    assert "is closed" in answer.content.decode()
    incident.refresh_from_db()
    assert incident.status == Status.CLOSED
    event = incident.events.get(code="incident.closed")
    assert (event.actor, event.channel) == (cast.rita, Channel.MAIL)


def test_reopening_says_what_is_still_wrong(incident: Incident, paths, browser: Client, cast: Cast) -> None:
    answer = press(browser, paths[1], comment="Still slow <b>here</b>")
    assert "is open again" in answer.content.decode()
    incident.refresh_from_db()
    assert (incident.status, incident.reopen_count) == (Status.IN_PROGRESS, 1)
    assert Comment.objects.get(ticket_id=incident.pk).body == "Still slow <b>here</b>"
    assert incident.events.get(code="incident.reopened").actor == cast.rita


@pytest.mark.parametrize("comment", ["", "   ", "x" * 100_001])
def test_reopening_without_fitting_words_keeps_them_and_says_why(
    incident: Incident, paths, browser: Client, comment: str
) -> None:
    answer = press(browser, paths[1], comment=comment)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.content.decode()
    assert comment.strip() in answer.content.decode()
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED


def test_a_post_without_the_page_is_refused(incident: Incident, paths, browser: Client) -> None:
    assert browser.post(paths[0]).status_code == 403
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED


def test_a_used_link_does_nothing_more(incident: Incident, paths, browser: Client) -> None:
    press(browser, paths[0])
    again = browser.get(paths[0])
    assert again.status_code == 200
    assert "is closed" in again.content.decode()
    assert '<button class="btn btn-primary"' not in again.content.decode()
    other = browser.get(paths[1])
    assert other.status_code == 410
    assert incident.number in other.content.decode()
    incident.refresh_from_db()
    assert incident.events.filter(code="incident.closed").count() == 1


def test_a_double_press_acts_once(incident: Incident, paths, browser: Client) -> None:
    page = browser.get(paths[1]).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = {"csrfmiddlewaretoken": token[1], "comment": "Still slow"}
    browser.post(paths[1], form)
    second = browser.post(paths[1], form)
    assert second.status_code == 200
    incident.refresh_from_db()
    assert incident.reopen_count == 1
    assert Comment.objects.filter(ticket_id=incident.pk).count() == 1


def test_the_link_of_an_earlier_resolution_does_not_close_a_later_one(
    incident: Incident, paths, browser: Client, cast: Cast
) -> None:
    reopen(incident, actor=as_(cast.rita), comment="No")
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    for path in paths:
        assert browser.get(path).status_code == 410
        assert browser.post(path).status_code == 403
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED


def test_every_changed_character_spoils_the_link(incident: Incident, paths, browser: Client) -> None:
    token = paths[0].split("/")[2]
    for position in range(len(token)):
        changed = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        with pytest.raises(BadLink):
            read_token(changed)
    for changed in (token[:-1], token + "A", "", "c", "x" * 500, token.swapcase(), "é" * 20):
        with pytest.raises(BadLink):
            read_token(changed)
    answer = browser.get(f"/r/{token[:-1]}/")
    assert answer.status_code == 404
    assert "not valid" in answer.content.decode()


def test_one_purposes_signature_is_not_the_others(incident: Incident, paths, cast: Cast) -> None:
    event = incident.events.get(code="incident.resolved")
    tokens = {purpose: make_token(purpose, event, cast.rita) for purpose in Purpose}
    with pytest.raises(BadLink):
        read_token(tokens[Purpose.REOPEN][0] + tokens[Purpose.CLOSE][1:])
    with pytest.raises(BadLink):
        read_token(tokens[Purpose.CLOSE][0] + tokens[Purpose.REOPEN][1:])
    said = f"{event.pk:x}-{cast.rita.pk:x}"
    for salt in ("", "django.core.signing", "itsm.notifications.links", "django.contrib.sessions"):
        with pytest.raises(BadLink):
            read_token("c" + signing.TimestampSigner(sep=".", salt=salt).sign(said))


def test_an_old_link_has_expired(paths, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "LIFE", timedelta(seconds=-1))
    answer = browser.get(paths[0])
    assert answer.status_code == 410
    assert "expired" in answer.content.decode()


def test_beyond_the_reopen_window_the_reason_is_said(incident: Incident, cast: Cast, browser: Client) -> None:
    resolve(incident, actor=as_(cast.anna), **SOLVED)
    long_ago = timezone.now() - timedelta(days=10)
    Incident.objects.filter(pk=incident.pk).update(resolved_at=long_ago)
    event = incident.events.get(code="incident.resolved")
    event.at = long_ago
    path = f"/r/{make_token(Purpose.REOPEN, event, cast.rita)}/"
    # The log cannot be rewritten, so the link is given an event whose instant is the resolution's.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(links.TicketEvent.objects, "select_related", lambda *names: _Found(event))
        answer = press(browser, path, comment="Still wrong")
    assert answer.status_code == 403
    assert "more than 5 days ago" in answer.content.decode()


class _Found:
    def __init__(self, event) -> None:
        self.event = event

    def filter(self, **lookups: object) -> _Found:
        return self

    def first(self):
        return self.event


def test_somebody_who_is_no_longer_the_requester_cannot_close(incident: Incident, paths, browser: Client, cast) -> None:
    Incident.objects.filter(pk=incident.pk).update(requester=cast.rosa)
    answer = press(browser, paths[0])
    assert answer.status_code == 403
    incident.refresh_from_db()
    assert incident.status == Status.RESOLVED


def test_a_deactivated_persons_link_is_dead(incident: Incident, paths, browser: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.rita.pk).update(is_active=False)
    assert browser.get(paths[0]).status_code == 404


def test_closed_elsewhere_the_page_says_how_it_stands(incident: Incident, paths, browser: Client, cast: Cast) -> None:
    close(incident, actor=as_(cast.rita))
    assert "is closed" in browser.get(paths[0]).content.decode()
    assert browser.get(paths[1]).status_code == 410


def test_links_work_for_whoever_is_signed_in(incident: Incident, paths, signed_in, cast: Cast) -> None:
    press(signed_in(cast.rolf), paths[0])
    assert incident.events.get(code="incident.closed").actor == cast.rita


def test_other_tickets_are_out_of_reach(incident: Incident, paths, browser: Client, cast: Cast) -> None:
    other = open_incident(actor=as_(cast.rita), title="Another")
    resolve(other, actor=as_(cast.anna), **SOLVED)
    press(browser, paths[0])
    other.refresh_from_db()
    assert other.status == Status.RESOLVED


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(paths, method: str) -> None:
    assert getattr(Client(), method)(paths[0]).status_code == 405


def test_a_refused_link_is_not_written_to_the_log(paths, browser: Client, caplog: pytest.LogCaptureFixture) -> None:
    browser.post(paths[0])
    browser.get(paths[1] + "more")
    written = "\n".join(LineFormatter().format(record) for record in caplog.records)
    assert "/r/…" in written
    for path in paths:
        assert path.split("/")[2] not in written
