"""The main job in the browser: a person reports, the right team sees it at once, an agent resolves, the clock stops."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.product import ON_ONE_WORKER, Pages, Product, once
from tests.setup.conftest import until

pytestmark = [pytest.mark.browser, *ON_ONE_WORKER]
NETWORK, WORKPLACE = "Network Operations", "Workplace"


def report(page: Any, product: Product, title: str, *files: dict[str, Any]) -> str:
    """Fill in the portal's form as its user would; returns the number on the page that follows."""
    page.goto(f"{product.url}/report/")
    page.fill("[name=title]", title)
    page.fill("[name=description]", "It began this morning.")
    page.check("[name=impact][value='2']")
    page.check("[name=urgency][value='1']")
    if files:
        page.set_input_files("[name=files]", list(files))
    page.click("main form button[type=submit]")
    page.wait_for_url(re.compile(r"/requests/INC\d+/"))
    return str(page.url.rstrip("/").rpartition("/")[2])


@pytest.mark.parametrize(
    ("who", "place", "words"),
    [("requester", "/", "Report a problem"), ("agent", "/desk/", "Mine, due first"), ("admin", "/desk/", "Outbox")],
)
def test_the_printed_people_sign_in(product: Product, page_of: Pages, who: str, place: str, words: str) -> None:
    page = page_of(who)
    page.goto(product.url)
    assert page.url == product.url + place
    assert words in page.inner_text("body")


def test_a_report_reaches_mailbox_outbox_and_the_right_teams_open_queue(product: Product, page_of: Pages) -> None:
    network, workplace, rita = page_of("agent"), page_of("agent"), page_of("requester")
    for queue, team in ((network, NETWORK), (workplace, WORKPLACE)):
        queue.goto(f'{product.url}/desk/queue/?q=team:"{team}"')
        queue.wait_for_selector("[data-queue]")
        queue.evaluate("window.sameDocument = true")

    file = {"name": "client log.txt", "mimeType": "text/plain", "buffer": b"tunnel closed"}
    number = report(rita, product, "The vpn client closes at once", file)
    assert number in rita.inner_text("main")
    with rita.expect_download() as download:
        rita.click("a:has-text('client log.txt')")
    assert download.value.path().read_bytes() == b"tunnel closed"

    network.wait_for_selector(f"[data-queue] >> text={number}", timeout=20_000)
    assert network.evaluate("window.sameDocument")
    assert number not in workplace.inner_text("[data-queue]")

    (received,) = until(lambda: [one for one in product.mails(number) if "requester@" in str(one["To"])], "a mail")
    assert "The vpn client closes at once" in received.get_body(("plain",)).get_content()
    admin = page_of("admin")
    admin.goto(f"{product.url}/outbox/")
    admin.click(f"main a:has-text('{number}') >> nth=0")
    assert number in admin.inner_text("main")


def test_an_incident_from_taken_to_closed(product: Product, page_of: Pages) -> None:
    rita, agent, api = page_of("requester"), page_of("agent"), product.caller("agent")
    number = report(rita, product, "The vpn asks for a code that never comes")
    ticket = f"{product.url}/desk/incidents/{number}/"

    def status_is(words: str) -> None:
        agent.wait_for_selector(f".ticket-facts >> text={words}")

    def resolution() -> dict[str, Any]:
        timers = api.get(f"incidents/{number}/timers/")["results"]
        return next(one for one in timers if one["metric"] == "resolution")

    agent.goto(ticket)
    agent.wait_for_selector("html.ready")
    agent.click(".ticket-head button:has-text('Take')")
    agent.wait_for_selector(".toast-success:has-text('is yours')")
    agent.click(".ticket-head button:has-text('Start work')")
    status_is("In progress")
    agent.fill("#composer-text", "Which phone do you use?")
    agent.click("[data-send]")
    agent.wait_for_selector(".entry-agent >> text=Which phone do you use?")
    assert "Paused" not in agent.inner_text(".props")

    hold(agent)
    status_is("Waiting on user")
    agent.wait_for_selector(".props >> text=Paused")
    still = resolution()
    assert still["is_paused"]
    assert still["due_at"] is None

    agent.click(".ticket-head button:has-text('Resume')")
    status_is("In progress")
    assert not resolution()["is_paused"]
    resolve(agent, "The code goes to the new phone now.")
    status_is("Resolved")
    assert resolution()["state"] == "met"

    rita.goto(f"{product.url}/requests/{number}/")
    assert "The code goes to the new phone now." in rita.inner_text("main")
    rita.click("main a:has-text('It is not fixed')")
    rita.fill("main form textarea", "Today it asks again.")
    rita.click("main form button[type=submit]")
    rita.wait_for_selector("text=We take it up again.")
    agent.goto(ticket)
    agent.wait_for_selector("html.ready")
    assert "Today it asks again." in agent.inner_text("#timeline")
    resolve(agent, "The old phone was still listed.")
    status_is("Resolved")

    product.sql("UPDATE tickets_ticket SET resolved_at = resolved_at - interval '30 days' WHERE number = %s", number)
    product.shell("from incidents.tasks import close_resolved; close_resolved.delay()")
    until(lambda: api.get(f"incidents/{number}/")["status"] == "closed", "closed by the worker", 20)
    assert api.get(f"incidents/{number}/")["reopen_count"] == 1
    product.calm()
    assert once(product.mails(number))


def hold(page: Any) -> None:
    """Put the opened ticket on hold until its requester has answered."""
    page.click(".ticket-head :is(button, a):has-text('hold')")
    page.wait_for_selector("#move-hold[open]")
    page.select_option("#move-hold select[name=hold_reason]", "awaiting_caller")
    page.fill("#move-hold textarea", "Please tell me the model.")
    page.click("#move-hold button[type=submit]")


def resolve(page: Any, notes: str) -> None:
    """Resolve the opened ticket."""
    page.click(".ticket-head :is(button, a):has-text('Resolve')")
    page.wait_for_selector("#move-resolve[open]")
    page.select_option("#move-resolve select[name=resolution_code]", "solution_provided")
    page.fill("#move-resolve textarea[name=resolution_notes]", notes)
    page.click("#move-resolve button[type=submit]")
