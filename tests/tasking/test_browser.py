"""Tasks in a real browser: added and done from the page of a ticket, without a reload, accessible in both themes."""

from __future__ import annotations

import os
from typing import Any

import pytest

from incidents.models import Incident
from itsm.tasking.actions import complete, hold, open_task
from itsm.tasking.models import Task
from tests.cast import Cast, as_
from tests.incidents.test_pages_browser import AXE, FINDINGS, TAGS, browser, desk, ticket  # noqa: F401  fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def _open(page: Any, server: Any, path: str) -> None:
    page.goto(f"{server.url}{path}")
    page.wait_for_selector("html.ready")
    page.evaluate("window.sameDocument = true")


def test_tasks_are_added_and_done_on_the_page_of_the_ticket(browser: Any, live_server: Any, ticket: Incident) -> None:  # noqa: F811
    page = browser
    _open(page, live_server, f"/desk/incidents/{ticket.number}/")
    panel = page.locator("#panel-tasks")
    for title, order in (("Look at the tunnel", "0"), ("Tell the office", "5")):
        panel.get_by_text("Add a task").click()
        panel.get_by_label("What is to be done").fill(title)
        panel.get_by_label("Order", exact=True).last.fill(order)
        panel.get_by_role("button", name="Add the task").click()
        panel.get_by_role("link", name=title).wait_for()
    second = panel.locator("li", has_text="Tell the office")
    assert "Pending" in second.inner_text()
    first = panel.locator("li", has_text="Look at the tunnel")
    first.locator("summary", has_text="Complete").click()
    first.get_by_label("What was done").fill("The tunnel was down 🔧")
    first.get_by_role("button", name="Complete").click()
    second.get_by_role("button", name="Start work").wait_for()
    second.get_by_role("button", name="Start work").click()
    second.get_by_text("In progress").wait_for()
    assert page.evaluate("window.sameDocument") is True
    done, going = Task.objects.order_by("pk")
    assert (done.status, done.notes, going.status) == ("closed_complete", "The tunnel was down 🔧", "in_progress")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_list_and_the_page_are_accessible_and_fit(
    browser: Any,  # noqa: F811
    live_server: Any,
    ticket: Incident,  # noqa: F811
    desk: Cast,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    anna = as_(desk.anna)
    complete(open_task(ticket, actor=anna, title="Ask the provider"), actor=anna, notes="They see nothing")
    open_task(ticket, actor=anna, title="Look at the tunnel " + "x" * 60, assignee=desk.ben)
    hold(open_task(ticket, actor=anna, title="Swap the router"), actor=anna, reason="The new one comes on Friday")
    last = open_task(ticket, actor=anna, title="Tell the office", order=5, team=desk.desktop)
    page = browser
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    page.set_viewport_size({"width": width, "height": 900})
    for path in (f"/desk/incidents/{ticket.number}/", f"/desk/tasks/{last.number}/"):
        _open(page, live_server, path)
        if width < 700:
            page.get_by_role("tab", name="Details").or_(page.get_by_text("Details", exact=True)).first.click()
        add = page.locator("#task-add .add-link")
        if add.count():
            add.click()
            page.get_by_label("What is to be done").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.evaluate(AXE.read_text(encoding="utf-8"))
        # Of the page of the incident only what is the tasks' own: the rest has tests in its room.
        own = "#panel-tasks" if "incidents" in path else "#ticket"
        assert page.evaluate(FINDINGS.replace("document,", f"'{own}',"), TAGS) == [], path
        if os.environ.get("SHOTS"):
            page.locator("#panel-tasks, #panel-part-of").first.scroll_into_view_if_needed()
            page.screenshot(path=f"{os.environ['SHOTS']}/{path.split('/')[2]}-{theme}-{width}.png")
