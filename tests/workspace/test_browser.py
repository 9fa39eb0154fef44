"""The agents' pages in a real browser: the split view, the keys, and a list that keeps itself fresh without moving."""

from collections.abc import Callable
from typing import Any

import pytest

from incidents.actions import hold, open_incident, resolve, start
from incidents.models import Incident
from tests.cast import Cast, as_

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OpenPage = Callable[..., Any]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """tags => axe.run(document, {runOnly: tags}).then(result => result.violations.map(
    found => found.id + ': ' + found.nodes.map(node => node.html.slice(0, 160)).join(' | ')))"""
PULSE = "document.body.dispatchEvent(new CustomEvent('pulse', {bubbles: true}))"
FRESH = "() => document.querySelector('[data-queue]').dataset.token !== window.seen"


def _some(cast: Cast, count: int = 4) -> list[Incident]:
    return [open_incident(actor=as_(cast.rita), title=f"VPN {n}", impact=1, urgency=1) for n in range(count)]


def _refresh(page: Any) -> None:
    page.evaluate("window.seen = document.querySelector('[data-queue]').dataset.token")
    page.evaluate(PULSE)
    page.wait_for_function(FRESH)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_and_fits(cast: Cast, open_page: OpenPage, axe: str, theme: str, width: int) -> None:
    some = _some(cast)
    start(some[0], actor=as_(cast.anna))
    hold(some[1], actor=as_(cast.anna), hold_reason="awaiting_caller", comment="Which one?")
    cast.rita.is_vip = True
    cast.rita.save()
    page = open_page(cast.anna, "/desk/", width=width, theme=theme)
    root = page.url.removesuffix("/desk/")
    for path in (
        "/desk/",
        "/desk/queue/",
        "/desk/queue/?layout=table",
        "/desk/queue/?q=status:new,on_hold vpn",
        "/desk/queue/?q=tam:x",
        "/desk/queue/?view=team-desktop",
        "/desk/search/?q=nothing",
        "/desk/queue/filters/?view=open",
        "/desk/new/",
    ):
        page.goto(root + path)
        page.wait_for_selector("html.ready")
        assert page.evaluate("document.documentElement.dataset.bsTheme") == theme
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(axe)
        assert page.evaluate(FINDINGS, TAGS) == [], path


@pytest.mark.parametrize("path", ["/desk/", "/desk/queue/", "/desk/queue/?layout=table", "/desk/new/"])
def test_a_page_reflows_at_320_pixels(cast: Cast, open_page: OpenPage, path: str) -> None:
    open_incident(actor=as_(cast.rita), title="W" * 200)
    page = open_page(cast.anna, path, width=320)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_click_reads_the_ticket_beside_the_list_and_the_address_remembers_it(cast: Cast, open_page: OpenPage) -> None:
    some = _some(cast)
    page = open_page(cast.anna, "/desk/queue/")
    page.click(f"[data-number={some[1].number}]")
    page.wait_for_selector("#preview .ticket-title")
    assert some[1].number in page.inner_text("#preview")
    assert page.get_attribute(f"[data-number={some[1].number}]", "aria-current") == "true"
    page.reload()
    page.wait_for_selector("#preview .ticket-title")
    assert some[1].number in page.inner_text("#preview")
    page.keyboard.press("j")
    page.wait_for_function(f"() => document.querySelector('#preview').innerText.includes('{some[2].number}')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/incidents/{some[2].number}/")
    page.go_back()
    page.wait_for_selector("[data-queue]")


def test_on_a_phone_and_without_scripts_a_row_opens_the_whole_page(cast: Cast, open_page: OpenPage) -> None:
    [one] = _some(cast, 1)
    page = open_page(cast.anna, "/desk/queue/", width=390)
    page.click("[data-list-link]")
    page.wait_for_url(f"**/desk/incidents/{one.number}/")
    page = open_page(cast.anna, "/desk/queue/", scripts=False)
    page.click("[data-list-link]")
    page.wait_for_url(f"**/desk/incidents/{one.number}/")


def test_a_new_ticket_appears_by_itself_while_nothing_is_in_use(cast: Cast, open_page: OpenPage) -> None:
    page = open_page(cast.anna, "/desk/queue/?view=team-network")
    assert page.locator("[data-list-row]").count() == 0
    page.mouse.move(5, 5)
    open_incident(actor=as_(cast.rita), title="VPN is gone")
    _refresh(page)
    assert page.locator("[data-list-row]").count() == 1
    assert page.inner_text("[data-queue-total]") == "1"
    assert page.inner_text("[aria-current=page] .rail-count") == "1"
    assert page.locator(".q-nothing").count() == 0


def test_a_list_in_use_does_not_move_but_says_what_is_new(cast: Cast, open_page: OpenPage) -> None:
    some = _some(cast)
    page = open_page(cast.anna, "/desk/queue/")
    page.check(f"#row-{some[2].public_id} input", force=True)
    page.mouse.move(5, 5)
    before = page.evaluate("[...document.querySelectorAll('[data-list-row]')].map(row => row.id)")
    start(some[2], actor=as_(cast.anna))
    resolve(
        some[3], actor=as_(cast.anna), resolution_code="solution_provided", resolution_notes="Turned off and on again"
    )
    fresh = open_incident(actor=as_(cast.rita), title="VPN, once more")
    _refresh(page)
    assert page.evaluate("[...document.querySelectorAll('[data-list-row]')].map(row => row.id)") == before
    assert page.inner_text("[data-queue-show]") == "New: 1. Show"
    assert "In progress" in page.inner_text(f"#row-{some[2].public_id}")
    assert page.is_checked(f"#row-{some[2].public_id} input")
    assert "is-gone" in page.get_attribute(f"#row-{some[3].public_id}", "class")
    page.click("[data-queue-show]")
    assert page.locator(f"#row-{some[3].public_id}").count() == 0
    assert page.locator(f"#row-{fresh.public_id}").count() == 1
    assert page.is_checked(f"#row-{some[2].public_id} input")
    page.click(f"[data-number={fresh.number}]")
    page.wait_for_selector("#preview .ticket-title")


def test_a_refresh_keeps_the_focus_and_the_open_ticket(cast: Cast, open_page: OpenPage) -> None:
    some = _some(cast)
    page = open_page(cast.anna, "/desk/queue/")
    page.click(f"[data-number={some[0].number}]")
    page.wait_for_selector("#preview .ticket-title")
    start(some[0], actor=as_(cast.ben))
    _refresh(page)
    assert page.evaluate("document.activeElement.dataset.number") == some[0].number
    assert page.get_attribute(f"[data-number={some[0].number}]", "aria-current") == "true"
    assert "In progress" in page.inner_text(f"#row-{some[0].public_id}")


def test_an_ended_session_says_that_the_list_is_not_live(cast: Cast, open_page: OpenPage) -> None:
    _some(cast, 1)
    page = open_page(cast.anna, "/desk/queue/")
    page.context.clear_cookies()
    page.evaluate(PULSE)
    page.wait_for_function("() => document.querySelector('[data-queue-live]').innerText === 'Not live'")
    assert page.locator("[data-list-row]").count() == 1


def test_the_search_bar_completes_with_the_keyboard(cast: Cast, open_page: OpenPage, axe: str) -> None:
    _some(cast, 1)
    page = open_page(cast.anna, "/desk/queue/")
    page.keyboard.press("/")
    page.keyboard.type("vpn stat")
    page.wait_for_selector("[role=option]")
    page.evaluate(axe)
    assert page.evaluate(FINDINGS, TAGS) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.input_value("#q") == "vpn status:"
    page.wait_for_selector("[role=option] >> text=on_hold")
    page.keyboard.press("Escape")
    page.keyboard.type("new")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=vpn+status%3Anew*")
    assert page.locator(".chip.is-on").count() == 2


def test_many_tickets_are_taken_at_once(cast: Cast, open_page: OpenPage, axe: str) -> None:
    some = _some(cast, 3)
    page = open_page(cast.anna, "/desk/queue/")
    page.focus("[data-list-link]")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.inner_text("[data-bulk-count]") == "2"
    page.evaluate(axe)
    assert page.evaluate(FINDINGS, TAGS) == []
    page.click(".bulk-bar >> text=Take")
    page.wait_for_selector("text=2 tickets changed.")
    assert Incident.objects.filter(assignee=cast.anna).count() == 2
    assert len(some) == 3


def test_an_agent_opens_an_incident_for_a_caller(cast: Cast, open_page: OpenPage, axe: str) -> None:
    open_incident(actor=as_(cast.rita), title="My other VPN trouble")
    page = open_page(cast.anna, "/desk/new/")
    page.focus("#id_requester")
    page.wait_for_selector(".ts-control input")
    page.keyboard.type("rita")
    page.click(".ts-dropdown .option >> text=rita@example.com")
    page.wait_for_selector("#similar >> text=My other VPN trouble")
    page.select_option("#id_impact", "1")
    page.select_option("#id_urgency", "1")
    page.wait_for_selector("#priority >> text=Critical")
    page.fill("#id_title", "VPN dead")
    page.evaluate(axe)
    assert page.evaluate(FINDINGS, TAGS) == []
    page.click("text=Open incident")
    page.wait_for_url("**/desk/incidents/INC*/")
    opened = Incident.objects.get(title="VPN dead")
    assert (opened.requester, opened.priority, opened.channel) == (cast.rita, 1, "phone")


def test_the_palette_finds_tickets_and_pages(cast: Cast, open_page: OpenPage, axe: str) -> None:
    [one] = _some(cast, 1)
    page = open_page(cast.anna, "/desk/")
    page.keyboard.press("Control+k")
    page.keyboard.type("unassigned")
    page.wait_for_selector("#palette [role=option] >> text=Unassigned")
    page.fill("#palette input", "vpn")
    page.wait_for_selector(f"#palette [role=option] >> text={one.number}")
    page.evaluate(axe)
    assert page.evaluate(FINDINGS, TAGS) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/incidents/{one.number}/")


def test_the_keys_of_the_rail_lead_to_queues(cast: Cast, open_page: OpenPage) -> None:
    page = open_page(cast.anna, "/desk/")
    page.keyboard.press("g")
    page.keyboard.press("u")
    page.wait_for_url("**/desk/queue/?view=unassigned")
    page.keyboard.press("c")
    page.wait_for_url("**/desk/new/")
