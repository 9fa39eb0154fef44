"""A requester sees their own tickets without the work notes, and nothing of others', on every way in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.product import ON_ONE_WORKER, Pages, Product

pytestmark = ON_ONE_WORKER

SECRET = "xylophonesecret"


def test_other_peoples_tickets_and_work_notes_do_not_exist_for_a_requester(product: Product) -> None:
    agent, requester = product.caller("agent"), product.caller("requester")
    foreign = agent.open(f"Not for Marta {SECRET}", requester="bram@demo.example")
    own = requester.open("My own vpn")
    agent.post(f"incidents/{own['number']}/comments/", {"body": f"Note {SECRET}", "visibility": "internal"})
    hidden = [
        agent.upload(own["number"], f"{SECRET}.txt", SECRET.encode(), visibility="internal"),
        agent.upload(foreign["number"], "plan.txt", SECRET.encode()),
    ]
    for ref in (foreign["id"], foreign["number"]):
        for part in ("", "comments/", "attachments/", "events/", "timers/", "moves/"):
            assert requester("GET", f"incidents/{ref}/{part}").status == 404, part
    for file in hidden:
        address = file["url"].removeprefix(product.url)
        assert requester("GET", address).status == 404
        assert agent("GET", address).body == SECRET.encode()
    assert foreign["number"] not in numbers(requester.get("incidents/?limit=100"))
    assert requester.get(f"incidents/?q={SECRET}")["results"] == []
    assert own["number"] not in numbers(requester.get("incidents/?q=Note"))
    for part in ("", "comments/", "attachments/", "events/"):
        assert SECRET not in str(requester.get(f"incidents/{own['number']}/{part}"))
    product.calm()
    assert not [mail for mail in product.mails("INC") if "requester@" in mail["To"] and SECRET in mail.as_string()]


def numbers(listing: dict[str, Any]) -> set[str]:
    """Return the numbers of a listing."""
    return {one["number"] for one in listing["results"]}


@pytest.mark.browser
def test_pages_of_others_are_not_found(product: Product, page_of: Pages) -> None:
    agent = product.caller("agent")
    foreign = agent.open(f"Not for Marta {SECRET}", requester="bram@demo.example")
    file = agent.upload(foreign["number"], "plan.txt", SECRET.encode())
    page = page_of("requester")
    page.goto(f"{product.url}/requests/?state=all&q={SECRET}")
    assert foreign["number"] not in page.content()
    name = f"/attachments/{file['id']}/plan.txt"
    for path in (
        f"/requests/{foreign['number']}/",
        f"/desk/incidents/{foreign['number']}/",
        "/desk/queue/",
        "/outbox/",
        name,
    ):
        answer = page.goto(product.url + path)
        assert answer.status == 404, path
        assert SECRET not in page.content()
