"""Writing with a real browser: two people on one ticket, and a session that ends in the middle of a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from incidents.actions import reply
from incidents.models import Incident
from itsm.desk import presence
from itsm.desk.models import SendingPreference, StoredDraft
from itsm.desk.tasks import send_held
from itsm.tickets.actors import Channel
from itsm.tickets.models import Comment, Visibility
from tests.cast import PASSWORD, Cast, as_

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Any]


@pytest.fixture(autouse=True)
def asked_anew() -> None:
    presence._asked_again_at = 0.0


def pulse(page: Any) -> None:
    page.evaluate("document.body.dispatchEvent(new CustomEvent('pulse', {bubbles: true}))")


def typed(page: Any, text: str) -> None:
    """Type into the composer and wait until the server has it."""
    page.locator("#composer-text").press_sequentially(text)
    page.wait_for_selector("[data-draft-state]:has-text('Draft saved')")


def test_two_people_on_one_ticket(cast: Cast, incident: Incident, open_page: OpenPage) -> None:
    SendingPreference.objects.create(user=cast.ben, undo_seconds=20)
    path = f"/desk/incidents/{incident.number}/"
    anna, ben = open_page(cast.anna, path), open_page(cast.ben, path)
    anna.wait_for_selector("html.ready")
    pulse(anna)
    anna.wait_for_selector("#ticket-presence >> text=Ben Example is viewing this")

    # Both write; each sees that the other does, and each has a draft of their own.
    typed(anna, "Please restart the client")
    typed(ben, "Which gateway do you use?")
    pulse(anna)
    anna.wait_for_selector("#composer-writers >> text=Ben Example is writing a reply")
    assert anna.input_value("#composer-text") == "Please restart the client"
    assert {row.author: row.body for row in StoredDraft.objects.all()} == {
        cast.anna: "Please restart the client",
        cast.ben: "Which gateway do you use?",
    }

    # Ben sends: some seconds in which Anna sees that, and he can have it back.
    ben.keyboard.press("Control+Enter")
    ben.wait_for_selector("#ticket-held >> text=Which gateway do you use?")
    assert ben.input_value("#composer-text") == ""
    pulse(anna)
    anna.wait_for_selector("#ticket-presence >> text=Ben Example is sending a reply…")
    ben.click("#toasts button:has-text('Undo')")
    ben.wait_for_selector("#ticket-held:not(:has(.entry))", state="attached")
    assert ben.input_value("#composer-text") == "Which gateway do you use?"
    assert not Comment.objects.exists()
    ben.click("[data-send]")
    ben.wait_for_selector("#ticket-held >> text=Which gateway do you use?")
    StoredDraft.objects.held().update(sends_at="2026-01-01T00:00Z")
    assert send_held() == 1
    pulse(ben)
    ben.wait_for_selector("#timeline .entry-agent >> text=Which gateway do you use?")

    # Anna has not seen it: her reply is refused kindly, the news above the draft, nothing lost.
    anna.click("[data-send]")
    anna.wait_for_selector(".composer-news >> text=Which gateway do you use?")
    assert anna.input_value("#composer-text") == "Please restart the client"
    anna.click(".composer-news >> text=Edit")
    assert anna.evaluate("document.activeElement.id") == "composer-text"
    anna.locator("#composer-text").press_sequentially(" too")
    anna.click("[data-send]:has-text('Send anyway')")
    anna.wait_for_selector("#ticket-held >> text=Please restart the client too")

    # What came into sight counts as seen: the next reply meets no refusal.
    reply(incident, "It works again", actor=as_(cast.rita, Channel.PORTAL))
    pulse(anna)
    anna.wait_for_selector("#timeline >> text=It works again")
    incident.refresh_from_db()
    anna.wait_for_selector(f"form[data-composer] [name=seen][value='{incident.event_seq}']", state="attached")
    typed(anna, "Good")
    anna.click("[data-send]")
    anna.wait_for_selector("#ticket-held >> text=Good")


def test_note_and_reply_have_drafts_of_their_own(cast: Cast, incident: Incident, open_page: OpenPage) -> None:
    SendingPreference.objects.create(user=cast.anna, undo_seconds=0)
    page = open_page(cast.anna, f"/desk/incidents/{incident.number}/")
    typed(page, "Dear Rita")
    page.click(".composer-tab-note")  # nothing is there: the text goes along
    assert page.input_value("#composer-text") == "Dear Rita"
    page.wait_for_selector("[data-draft-state]:has-text('Draft saved')")
    page.fill("#composer-text", "")
    typed(page, "Between us")
    page.click(".composer-tab:not(.composer-tab-note)")
    page.fill("#composer-text", "")
    typed(page, "Dear Rita again")
    page.click(".composer-tab-note")
    page.wait_for_selector("[data-draft-state]")
    # A file is stored with the draft, and all of it is there on another device.
    page.set_input_files("#composer-input", {"name": "log.txt", "mimeType": "text/plain", "buffer": b"log"})
    page.wait_for_selector("[data-draft-kept] >> text=log.txt")
    other = open_page(cast.anna, f"/desk/incidents/{incident.number}/")
    texts = {row.place: row.body for row in StoredDraft.objects.all()}
    assert texts.keys() <= {"public", "internal"}
    other.wait_for_selector("[data-draft-kept] >> text=log.txt")
    # The first device writes on without knowing of the second one: both texts are to be had.
    other.locator("#composer-text").fill("From the phone")
    other.locator("#composer-text").press_sequentially("!")
    other.wait_for_selector("[data-draft-state]:has-text('Draft saved')")
    page.locator("#composer-text").press_sequentially(" and the desk")
    page.wait_for_selector("[data-draft-versions]:not([hidden])")
    page.click("[data-draft-versions] summary")
    page.click("[data-draft-use]")
    assert page.input_value("#composer-text") == "From the phone!"
    page.wait_for_selector("[data-draft-state]:has-text('Draft saved')")
    page.click("[data-send]")
    page.wait_for_selector("#timeline .entry-note >> text=From the phone!")
    assert page.input_value("#composer-text") == ""
    assert Comment.objects.get().attachments.get().name == "log.txt"
    page.click("[data-compose=public], .composer-tab:not(.composer-tab-note)")


def test_a_session_that_ends_in_the_middle_of_a_sentence(
    cast: Cast,
    incident: Incident,
    open_page: OpenPage,
) -> None:
    page = open_page(cast.anna, f"/desk/incidents/{incident.number}/")
    typed(page, "The first half")
    Session.objects.all().delete()
    page.locator("#composer-text").press_sequentially(", the second half")
    page.wait_for_selector("[data-session-ended] >> text=Your session has ended.")
    assert StoredDraft.objects.get().body == "The first half"
    with page.expect_popup() as opened:
        page.click("[data-session-ended] a")
    login = opened.value
    login.fill("[name=login]", cast.anna.email)
    login.fill("[name=password]", PASSWORD)
    login.press("[name=password]", "Enter")
    # The new tab has the whole text, from this browser, and gives it to the server.
    login.wait_for_selector("#composer-text")
    login.wait_for_function("document.getElementById('composer-text').value.endsWith('the second half')")
    login.wait_for_selector("[data-draft-state]:has-text('Draft saved')")
    assert StoredDraft.objects.get().body == "The first half, the second half"
    login.close()
    # The old tab goes on as well, with the new session and its token.
    page.bring_to_front()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("[data-session-ended]", state="detached")
    page.locator("#composer-text").press_sequentially(".")
    page.wait_for_selector("[data-draft-state]:has-text('Draft saved')")
    page.click(".composer-tab-note")
    page.wait_for_function("document.querySelector('[data-draft-key]').dataset.draftKey.endsWith('internal')")
    page.click("[data-send]")
    page.wait_for_selector("#timeline .entry-note >> text=The first half, the second half.")
    assert Comment.objects.get().visibility == Visibility.INTERNAL
    assert not StoredDraft.objects.exists()
