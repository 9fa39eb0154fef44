"""The ticket page in a real browser: the main flow of an agent, without a reload, with nothing the policy refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.test import Client

from incidents.actions import open_incident, reply
from incidents.models import Incident
from itsm.desk.models import SendingPreference
from itsm.tickets.actions import update
from itsm.tickets.actors import Channel
from tests.cast import Cast, as_, make_cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""
AXE = Path(project.BASE_DIR) / "node_modules/axe-core/axe.min.js"
REFUSED = re.compile(r"Content.Security.Policy", re.I)


@pytest.fixture
def desk() -> Cast:
    """The cast, in a database that a server of its own thread sees. Anna's replies go out at once."""
    cast = make_cast()
    SendingPreference.objects.create(user=cast.anna, undo_seconds=0)
    return cast


@pytest.fixture
def ticket(desk: Cast) -> Incident:
    """Rita's incident with something said on it."""
    incident = open_incident(actor=as_(desk.rita, Channel.PORTAL), title="The vpn drops", description="At **noon**.")
    reply(incident, "It drops every day.", actor=as_(desk.rita, Channel.PORTAL))
    return incident


@pytest.fixture
def browser(chromium: Any, live_server: Any, desk: Cast) -> Iterator[Any]:
    """A browser window in which Anna is signed in; fails on what the content policy refused and on script errors."""
    client = Client()
    client.force_login(desk.anna, backend="itsm.accounts.backends.RoleBackend")
    complaints: list[str] = []
    window = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce")
    cookie = client.cookies[project.SESSION_COOKIE_NAME].value
    window.add_cookies([{"name": project.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = window.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if REFUSED.search(said.text) else None)
    yield page
    window.close()
    assert complaints == []


def _open(page: Any, server: Any, ticket: Incident) -> None:
    page.goto(f"{server.url}/desk/incidents/{ticket.number}/")
    page.wait_for_selector("html.ready")
    page.evaluate("window.sameDocument = true")


def _pulse(page: Any) -> None:
    page.evaluate("document.body.dispatchEvent(new CustomEvent('pulse', {bubbles: true}))")


def _accessible(page: Any) -> None:
    # A notice that is fading in has too little contrast for an instant.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(FINDINGS, TAGS) == []


def test_an_agent_works_an_incident_from_take_to_resolved(browser: Any, live_server: Any, ticket: Incident) -> None:
    page = browser
    _open(page, live_server, ticket)

    page.keyboard.press("a")
    page.wait_for_selector(".toast-success:has-text('is yours')")
    assert page.input_value("#prop-assignee") != ""

    page.click(".ticket-head button:has-text('Start work')")
    page.wait_for_selector(".ticket-facts >> text=In progress")

    page.keyboard.press("r")
    page.keyboard.type("Which gateway do you use?")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".entry-agent >> text=Which gateway do you use?")
    assert page.input_value("#composer-text") == ""

    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("Looks like the old certificate.")
    page.click("[data-send]")
    page.wait_for_selector(".entry-note >> text=Looks like the old certificate.")

    page.fill("#composer-text", "Please tell me the time it drops.")
    page.click("[aria-label='More ways to send']")
    page.click("button:has-text('Send and wait for the requester')")
    page.wait_for_selector(".ticket-facts >> text=Waiting on user")

    page.click(".ticket-head button:has-text('Resume')")
    page.wait_for_selector(".ticket-facts >> text=In progress")

    page.focus("#timeline .entry a, .ticket-head a")
    page.keyboard.press("e")
    page.wait_for_selector("#move-resolve[open]")
    _accessible(page)
    page.evaluate("document.querySelector('#move-resolve form').noValidate = true")
    page.fill("#resolve-resolution_notes", "Renewed the certificate.")
    page.click("#move-resolve button[type=submit]")
    page.wait_for_selector("#resolve-resolution_code.is-invalid")
    assert page.input_value("#resolve-resolution_notes") == "Renewed the certificate."
    page.select_option("#resolve-resolution_code", "solution_provided")
    page.click("#move-resolve button[type=submit]")
    page.wait_for_selector(".ticket-facts >> text=Resolved")

    assert page.evaluate("window.sameDocument")
    _accessible(page)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.resolution_notes) == ("resolved", "Renewed the certificate.")


def test_the_page_is_accessible_and_fits(browser: Any, live_server: Any, ticket: Incident) -> None:
    for theme in ("light", "dark"):
        browser.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
        for width in (1440, 390, 320):
            browser.set_viewport_size({"width": width, "height": 844})
            _open(browser, live_server, ticket)
            assert browser.evaluate("document.documentElement.dataset.bsTheme") == theme
            assert browser.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, width
            _accessible(browser)
            if width == 390:
                browser.check('.view-tabs [value="details"]', force=True)
                _accessible(browser)


def test_news_arrives_and_leaves_alone_what_is_in_use(
    browser: Any, live_server: Any, desk: Cast, ticket: Incident
) -> None:
    page = browser
    for at in range(12):
        reply(ticket, f"Line {at}\n\nand more", actor=as_(desk.ben))
    _open(page, live_server, ticket)
    page.fill("#composer-text", "Half a sen")
    page.evaluate("document.getElementById('talk-scroll').scrollTop = 0")
    page.focus("#prop-urgency")
    page.evaluate("document.getElementById('prop-urgency').marked = true")
    reply(ticket, "It works again.", actor=as_(desk.rita, Channel.PORTAL))
    update(ticket, {"urgency": 1}, actor=as_(desk.ben))
    _pulse(page)
    page.wait_for_selector("text=It works again.")
    assert page.input_value("#composer-text") == "Half a sen"
    assert page.evaluate("document.getElementById('prop-urgency').marked === true")
    assert page.evaluate("document.getElementById('talk-scroll').scrollTop") < 50
    assert page.inner_text("[data-talk-news]") == "2 new entries"

    page.focus("#composer-text")
    _pulse(page)
    page.wait_for_selector("#prop-urgency option[value='1'][selected]", state="attached")

    page.click("[data-send]")
    page.wait_for_selector(".composer-news >> text=It works again.")
    assert page.input_value("#composer-text") == "Half a sen"
    page.click("[data-talk-news]")
    below = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    assert page.eval_on_selector("#talk-scroll", below) < 5
    page.click("[data-send]:has-text('Send anyway')")
    page.wait_for_selector(".entry-agent >> text=Half a sen")


def test_a_note_that_was_not_sent_never_comes_back_as_a_reply(browser: Any, live_server: Any, ticket: Incident) -> None:
    page = browser
    _open(page, live_server, ticket)
    page.locator("#composer-text").press_sequentially("The customer is wrong")
    page.click(".composer-tab-note")
    page.locator("#composer-text").press_sequentially(" again")
    page.wait_for_selector("[data-draft-state]:has-text('Draft saved')")
    _open(page, live_server, ticket)
    assert page.is_checked("[name=visibility][value=internal]")
    assert "The customer is wrong" in page.input_value("#composer-text")
    page.evaluate("for (const key of Object.keys(localStorage)) localStorage.removeItem(key)")
    _open(page, live_server, ticket)
    assert page.is_checked("[name=visibility][value=internal]")


def test_chosen_files_outlive_a_refusal(browser: Any, live_server: Any, desk: Cast, ticket: Incident) -> None:
    page = browser
    _open(page, live_server, ticket)
    reply(ticket, "News", actor=as_(desk.rita, Channel.PORTAL))
    page.fill("#composer-text", "See the file")
    page.set_input_files("#composer-input", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"notes"})
    page.wait_for_selector("[data-draft-kept] >> text=notes.txt")
    page.click("[data-send]")
    page.wait_for_selector(".composer-news >> text=News")
    assert page.inner_text("[data-draft-kept]").strip() == "notes.txt"
    page.click("[data-send]")
    page.wait_for_selector(".entry-agent .file-chip:has-text('notes.txt')")
    assert page.inner_text("[data-draft-kept], #composer-files") == ""
    assert page.evaluate("document.getElementById('composer-input').files.length") == 0


def test_a_property_is_saved_on_change_and_undone(browser: Any, live_server: Any, ticket: Incident) -> None:
    page = browser
    _open(page, live_server, ticket)
    page.select_option("#prop-urgency", "1")
    page.wait_for_selector(".toast-success:has-text('Urgency saved')")
    ticket.refresh_from_db()
    assert ticket.urgency == 1
    page.wait_for_selector("#prop-urgency option[value='1'][selected]", state="attached")
    page.click(".toast-success button:has-text('Undo')")
    page.wait_for_selector("#prop-urgency option[value='3'][selected]", state="attached")
    ticket.refresh_from_db()
    assert ticket.urgency == 3


def test_the_assignee_is_searched_for(browser: Any, live_server: Any, desk: Cast, ticket: Incident) -> None:
    page = browser
    _open(page, live_server, ticket)
    page.click("#prop-assignee")
    page.wait_for_selector(".ts-dropdown")
    page.keyboard.type("carl")
    page.wait_for_selector(".ts-dropdown >> text=Carl Example")
    _accessible_but_for_targets(page)
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast-success:has-text('Assignee saved')")
    ticket.refresh_from_db()
    assert ticket.assignee == desk.carl


def _accessible_but_for_targets(page: Any) -> None:
    # An open menu half covers the controls below it, which axe counts as too small.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [one for one in page.evaluate(FINDINGS, TAGS) if not one.startswith("target-size")]
    assert found == []


def test_the_title_is_edited_in_place(browser: Any, live_server: Any, ticket: Incident) -> None:
    page = browser
    _open(page, live_server, ticket)
    page.click(".title-edit")
    page.wait_for_selector("#title-input:focus")
    page.fill("#title-input", "t" * 201)
    page.keyboard.press("Enter")
    page.wait_for_selector("#title-error")
    page.fill("#title-input", "The gateway drops")
    _pulse(page)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('The gateway drops')")
    assert page.evaluate("window.sameDocument")


def test_everything_works_without_javascript(browser: Any, live_server: Any, desk: Cast, ticket: Incident) -> None:
    window = browser.context.browser.new_context(java_script_enabled=False, viewport={"width": 1440, "height": 900})
    window.add_cookies(browser.context.cookies())
    page = window.new_page()
    page.goto(f"{live_server.url}/desk/incidents/{ticket.number}/")
    page.click(".ticket-head button:has-text('Take')")
    page.fill("#composer-text", "Plain words")
    page.click("[data-send]")
    page.wait_for_selector(".entry-agent >> text=Plain words")
    page.select_option("#prop-urgency", "1")
    page.click("form:has(#prop-urgency) button")
    page.click(".ticket-head a:has-text('Resolve')")
    page.wait_for_url("**/moves/resolve/")
    page.select_option("#resolve-resolution_code", "solution_provided")
    page.fill("#resolve-resolution_notes", "By hand.")
    page.click("main button[type=submit]")
    page.wait_for_selector(".ticket-facts >> text=Resolved")
    window.close()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.urgency, ticket.assignee) == ("resolved", 1, desk.anna)
