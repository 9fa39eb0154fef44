"""The kit in a real browser: nothing the content policy refuses, nothing axe finds, and text that is never lost."""

from collections.abc import Iterator
from typing import Any

import pytest

from itsm.ui.views import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""
ANSWER_UNDER_TEST = """() => {
  const box = document.createElement('div');
  box.id = 'box';
  box.innerHTML = '<form hx-post="/answer" hx-target="#box"><textarea name="body">kept</textarea></form>';
  document.querySelector('#timeline').after(box);
  htmx.process(box);
  box.querySelector('form').requestSubmit();
}"""


@pytest.fixture
def site(live_server, settings) -> str:
    """The address of the style guide on a running server."""
    settings.DEBUG = True
    return f"{live_server.url}/styleguide/"


@pytest.fixture
def page(chromium) -> Iterator[Any]:
    """A desktop page; the test fails on any console error, which is how a refused style or script shows."""
    # No animations: a half-faded toast has too little contrast for an instant.
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", reduced_motion="reduce")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    expected = ("the server responded with a status", "net::ERR_FAILED", "Failed to fetch")  # answers the test made up
    assert [text for text in complaints if not any(part in text for part in expected)] == []


def _open(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html.ready")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_sample_page_is_accessible_and_fits(site: str, page: Any, axe: str, theme: str, width: int) -> None:
    page.context.add_cookies([{"name": "theme", "value": theme, "url": site}])
    page.set_viewport_size({"width": width, "height": 844})
    for name in ["", *PAGES]:
        _open(page, site + name)
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], name


@pytest.mark.parametrize("name", ["queue", "ticket", "portal", "portal-request"])
def test_a_page_reflows_at_320_pixels(site: str, page: Any, name: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    _open(page, site + name)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_dialogs_and_the_palette_are_accessible_when_open(site: str, page: Any, axe: str) -> None:
    for keys, opened in [("e", "#resolve"), ("Control+k", "#palette"), ("?", "#keys-dialog")]:
        _open(page, site + "ticket")
        page.keyboard.press(keys)
        page.wait_for_selector(f"{opened}[open]")
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], opened


def test_keys_are_silent_in_fields_and_when_switched_off(site: str, page: Any) -> None:
    _open(page, site + "ticket")
    page.focus("textarea[name=body]")
    page.keyboard.type("e?c")
    assert page.locator("dialog[open]").count() == 0
    assert page.input_value("textarea[name=body]") == "e?c"
    page.keyboard.press("Escape")
    page.evaluate("document.body.dataset.keys = 'off'")
    page.keyboard.press("e")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 0


def test_typed_text_survives_a_reload_and_is_forgotten_once_it_was_sent(site: str, page: Any) -> None:
    _open(page, site + "ticket")
    page.locator("textarea[name=body]").press_sequentially("a long answer")
    _open(page, site + "ticket")
    assert page.input_value("textarea[name=body]") == "a long answer"
    assert page.text_content("[data-draft-state]") == "Your unsent text was restored."
    page.evaluate("document.body.dispatchEvent(new CustomEvent('draft-sent', {bubbles: true, detail: 'sample'}))")
    page.fill("textarea[name=body]", "")
    _open(page, site + "ticket")
    assert page.input_value("textarea[name=body]") == ""


def test_a_form_is_sent_once_however_often_it_is_pressed(site: str, page: Any) -> None:
    sent: list[str] = []
    page.route("**/send", lambda route: (sent.append(route.request.url), route.fulfill(status=204)))
    _open(page, site + "ticket")
    page.evaluate(
        """() => { const form = document.querySelector('form[data-composer]'); form.action = '/send';
        const button = form.querySelector('[data-send]'); for (const _ of 'abc') form.requestSubmit(button); }"""
    )
    page.wait_for_selector("[data-send][aria-busy=true]")
    page.evaluate("document.querySelector('form[data-composer]').requestSubmit()")
    assert len(sent) == 1


@pytest.mark.parametrize("status", [422, 409])
def test_a_refusal_is_swapped_in_and_gets_the_focus(site: str, page: Any, status: int) -> None:
    answer = '<form><p role="alert" tabindex="-1" class="is-invalid" id="why">No</p></form>'
    page.route("**/answer", lambda route: route.fulfill(status=status, body=answer, content_type="text/html"))
    _open(page, site + "ticket")
    page.evaluate(ANSWER_UNDER_TEST)
    page.wait_for_selector("#why:focus")


@pytest.mark.parametrize(
    ("status", "words"), [(500, "Not saved, kept here"), (503, "Not saved, kept here"), (403, "You may not do this"),
                          (413, "too large"), (401, "session has ended"), (0, "Not saved, kept here")]
)  # fmt: skip
def test_a_failure_keeps_the_text_and_says_so(site: str, page: Any, status: int, words: str) -> None:
    def answer(route: Any) -> None:
        if status:
            route.fulfill(status=status, body="<!doctype html><h1>whole page", content_type="text/html")
        else:
            route.abort()

    page.route("**/answer", answer)
    _open(page, site + "ticket")
    page.evaluate(ANSWER_UNDER_TEST)
    page.wait_for_selector(".toast-error, .toast-warning")
    assert words in page.locator("#toasts .toast-text").last.inner_text()
    assert page.input_value("#box textarea") == "kept"


def test_a_toast_shows_text_as_text_and_offers_undo_only_to_this_site(site: str, page: Any) -> None:
    _open(page, site + "ticket")
    show = "detail => document.body.dispatchEvent(new CustomEvent('toast', {bubbles: true, detail}))"
    page.evaluate(show, {"text": "<img src=x onerror=alert(1)>", "undo": "https://elsewhere.example/"})
    page.evaluate(show, {"text": "Status saved", "undo": "/undo"})
    first, second = page.locator("#toasts [data-toast]").all()[-2:]
    assert first.locator(".toast-text").inner_text() == "<img src=x onerror=alert(1)>"
    assert first.locator("form").count() == 0
    assert second.locator("form").get_attribute("action") == "/undo"


def test_the_countdown_follows_the_clock_and_leaves_the_breach_to_the_server(site: str, page: Any) -> None:
    page.clock.install()
    page.goto(site + "ticket")
    badge = page.locator("[data-sla=at_risk] [data-sla-time]").first
    page.evaluate(
        "window.pulses = 0; document.body.addEventListener('pulse', e => { if (e.detail === 'due') pulses += 1; })"
    )
    assert badge.inner_text() == "18m"
    page.clock.run_for(60 * 1000 * 10)
    assert badge.inner_text() == "8m"
    page.clock.run_for(60 * 1000 * 30)
    assert badge.inner_text() == "0m"
    assert page.locator(".ticket-head .sla-late").count() == 0
    assert page.evaluate("pulses") > 0


def test_the_theme_is_kept(site: str, page: Any) -> None:
    _open(page, site + "ticket")
    page.click("[data-theme-toggle]")
    chosen = page.evaluate("document.documentElement.dataset.bsTheme")
    _open(page, site + "portal")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == chosen == "dark"


def test_a_combobox_is_built_on_first_use_and_stays_accessible(site: str, page: Any, axe: str) -> None:
    _open(page, site)
    assert page.locator(".ts-wrapper").count() == 0
    page.focus("#sg-person")
    page.wait_for_selector(".ts-dropdown .option")
    field, options = page.locator(".ts-control").bounding_box(), page.locator(".ts-dropdown").bounding_box()
    assert 0 <= options["y"] - field["y"] - field["height"] < 20  # the options hang under their field
    page.evaluate(axe)
    assert page.evaluate(FINDINGS, TAGS) == []


def test_the_pages_work_without_javascript(site: str, chromium: Any) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(site + "ticket")
    page.click("a[href='#resolve']")
    assert page.locator("#resolve textarea").is_visible()
    page.goto(site + "ticket")
    page.click(".view-tabs label:nth-of-type(2)")
    assert page.locator(".props").is_visible()
    assert not page.locator(".talk").is_visible()
    page.click(".phone-bar a[href='#rail']")
    assert page.locator("#rail").is_visible()
    context.close()
