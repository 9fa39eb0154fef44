"""Lists: filters, conditions, orders, pages, and a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions import open_incident, start
from incidents.models import Incident
from itsm.tickets.actions import assign
from tests.api.conftest import Caller, problem
from tests.cast import Cast, as_
from tests.memory import remembered


@pytest.fixture
def desk(cast: Cast) -> list[Incident]:
    """Six incidents: two of the network team's, one of which Anna has started, and four others of various kinds."""

    def make() -> list[Incident]:
        first = open_incident(actor=as_(cast.rita), title="VPN one", impact=1, urgency=1, service=cast.vpn)
        second = open_incident(actor=as_(cast.rolf), title="VPN two", impact=2, urgency=2, external_id="EXT-2")
        third = open_incident(actor=as_(cast.rita), title="Toner empty", category=cast.printers)
        fourth = open_incident(actor=as_(cast.rosa), title="Disk full", category=cast.hardware)
        fifth = open_incident(actor=as_(cast.rita), title="Mail slow", service=cast.mail)
        sixth = open_incident(actor=as_(cast.rolf), title="Something else")
        assign(first, actor=as_(cast.anna), assignee=cast.anna)
        start(first, actor=as_(cast.anna))
        return [first, second, third, fourth, fifth, sixth]

    return remembered("six incidents", make)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "654321"),
        ("ordering=opened_at", "123456"),
        ("ordering=priority", "123456"),
        ("ordering=-priority", "654321"),
        ("ordering=-updated_at", "165432"),
        ("ordering=next_target_at&limit=200", None),
        ("status=in_progress", "1"),
        ("status=new,in_progress", "654321"),
        ("priority=1,3", "21"),
        ("team=network", "21"),
        ("team=none", "6"),
        ("assignee=me", "1"),
        ("assignee=none", "65432"),
        ("assignee=anna@example.com&open=true", "1"),
        ("requester=rosa@example.com", "4"),
        ("category=Hardware", "43"),
        ("category=Hardware / Printers", "3"),
        ("service=vpn", "1"),
        ("service=E-mail", "5"),
        ("external_id=EXT-2", "2"),
        ("open=false", ""),
        ("q=toner", "3"),
        ("q=is:open priority:<3", "1"),
        ("q=team:network or category:Printers", "321"),
        ("q=assignee:me&status=in_progress", "1"),
        ("opened_after=2000-01-01T00:00:00Z", "654321"),
        ("opened_before=2000-01-01", ""),
        ("updated_since=2999-01-01T00:00:00%2B02:00", ""),
    ],
)
def test_filters(desk: list[Incident], anna: Caller, query: str, expected: str | None) -> None:
    response = anna.get(f"incidents/?{query}")
    assert response.status_code == 200, response.content
    places = {incident.public_id: str(number) for number, incident in enumerate(desk, 1)}
    found = "".join(places[row["id"]] for row in response.json()["results"])
    if expected is None:
        assert sorted(found) == list("123456")
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e9", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=", "limit"),
        ("limit=%D9%A1", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=" + "A" * 1999, "cursor"),
        ("cursor=W251bGwsMSwyXQ", "cursor"),
        ("ordering=title", "ordering"),
        ("ordering=opened_at;drop", "ordering"),
        ("ordering=requester__password", "ordering"),
        ("status=gone", "status"),
        ("priority=1e9999999", "priority"),
        ("priority=1,,1", "priority"),
        ("status=new,", "status"),
        ("status=,", "status"),
        ("priority=" + "9" * 1999, "priority"),
        ("team=nowhere", "team"),
        ("assignee=ghost@example.com", "assignee"),
        ("requester=%27%20or%201=1", "requester"),
        ("category=Void", "category"),
        ("service=void", "service"),
        ("open=maybe", "open"),
        ("opened_after=tomorrow", "opened_after"),
        ("opened_after=10000-01-01T00:00:00Z", "opened_after"),
        ("opened_after=0000-00-00", "opened_after"),
        ("updated_since=2026-02-30", "updated_since"),
        ("offset=1000000000000", "offset"),
        ("_connector=OR", "_connector"),
        ("requester__email__startswith=r", "requester__email__startswith"),
        ("status=new&status=closed", "status"),
        ("external_id=" + "x" * 2001, "external_id"),
        ("q=wat:1", "q"),
        ("q=%28%28%28", "q"),
        ("q=priority:9999999999999999999999", "q"),
    ],
)
def test_parameters_that_do_not_fit_are_named(anna: Caller, query: str, named: str) -> None:
    response = anna.get(f"incidents/?{query}")
    assert response.status_code == 400, response.content
    assert named in response.json()["errors"]


def test_a_condition_that_is_not_understood_says_where(anna: Caller) -> None:
    found = problem(anna.get("incidents/?q=is:open wat:1"), 400, "condition")
    assert found["position"] == 8


@pytest.mark.parametrize(
    "query",
    [
        "q=assignee:me",
        "q=watcher:rolf@example.com",
        "q=is:vip",
        "q=vip:true",
        "q=due:<1h",
        "q=is:overdue",
        "q=is:mine",
        "q=is:unassigned",
        "q=team:network",
        "q=requester:rolf@example.com",
        "team=network",
        "assignee=none",
        "ordering=next_target_at",
        "requester=rolf@example.com",
    ],
)
def test_a_requester_cannot_ask_what_they_cannot_see(desk: list[Incident], rita: Caller, query: str) -> None:
    assert rita.get(f"incidents/?{query}").status_code == 400


def test_unknown_and_unseen_people_are_told_alike(desk: list[Incident], rita: Caller) -> None:
    for form in ("q=requester:{}", "requester={}"):
        real, none = (
            rita.get(f"incidents/?{form.format(ref)}").content.decode().replace(ref, "X")
            for ref in ("rolf@example.com", "nobody@example.com")
        )
        assert real == none


def test_a_requester_asks_about_their_own(desk: list[Incident], rita: Caller) -> None:
    for query in ("q=requester:me is:open", "requester=me", "q=toner or vpn or mail"):
        assert len(rita.get(f"incidents/?{query}").json()["results"]) == 3, query


def walk(caller: Caller, query: str, between: Callable[[], Any] = lambda: None) -> list[str]:
    """Return the numbers on all pages, doing something between one page and the next."""
    seen: list[str] = []
    address: str | None = f"/api/v1/incidents/?{query}"
    while address:
        page = caller.get(address).json()
        assert page.keys() == {"results", "next"}
        seen += [row["number"] for row in page["results"]]
        address = page["next"]
        between()
    return seen


@pytest.mark.parametrize("ordering", ["opened_at", "-opened_at", "priority", "-priority", "next_target_at"])
def test_pages_hold_each_row_once_while_others_are_opened(
    cast: Cast, desk: list[Incident], anna: Caller, ordering: str
) -> None:
    def more() -> None:
        if Incident.objects.count() < 20:
            open_incident(actor=as_(cast.rita), title="New")

    before = {incident.number for incident in desk}
    seen = walk(anna, f"ordering={ordering}&limit=2", more)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_the_next_address_keeps_the_filters(desk: list[Incident], anna: Caller) -> None:
    assert walk(anna, "q=is:open vpn&team=network&limit=1") == [desk[1].number, desk[0].number]


def test_a_cursor_of_another_order_is_refused(desk: list[Incident], anna: Caller) -> None:
    address = anna.get("incidents/?limit=1&ordering=priority").json()["next"]
    problem(anna.get(address.replace("ordering=priority", "ordering=opened_at")), 400, "bad_request")


def test_the_number_of_queries_is_the_same_for_10_rows_and_100(cast: Cast, anna: Caller) -> None:
    for number in range(100):
        open_incident(actor=as_(cast.rita), title=f"VPN {number}", service=cast.vpn, category=cast.printers)
    anna.get("")
    counts = set()
    for limit in (10, 100):
        for query in ("", "&q=is:open team:network priority:<5 category:Hardware", "&team=network&category=Hardware"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                rows = anna.get(f"incidents/?limit={limit}{query}").json()["results"]
            assert len(rows) == limit
            counts.add((query, len(queries)))
    assert len(counts) == 3
    assert max(number for _query, number in counts) <= 8
    assert ("", 2) in counts


@pytest.mark.parametrize("part", ["comments", "events", "attachments", "links", "watchers"])
def test_children_take_a_constant_number_of_queries(cast: Cast, anna: Caller, incident: Incident, part: str) -> None:
    numbers = []
    for count in (2, 12):
        for number in range(count):
            anna.post(f"incidents/{incident.number}/comments/", {"body": f"{number}"})
            other = anna.post("incidents/", {"title": "x"}).json()["number"]
            anna.post(f"incidents/{incident.number}/links/", {"kind": "related", "target": other})
        for person in cast.everybody[:count]:
            anna.post(f"incidents/{incident.number}/watchers/", {"user": person.email})
        with CaptureQueriesContext(connection) as queries:
            assert anna.get(f"incidents/{incident.number}/{part}/").status_code == 200
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 6


def test_the_list_of_people_is_searched_and_paged(cast: Cast, anna: Caller) -> None:
    assert [row["email"] for row in anna.get("users/?q=ANNA").json()["results"]] == ["anna@example.com"]
    assert anna.get(f"users/{cast.rita.public_id}/").json()["organisation"] == "Northwind"
    assert anna.get("users/rita@example.com/").json()["id"] == cast.rita.public_id
    first = anna.get("users/?limit=6").json()
    second = anna.get(first["next"]).json()
    assert len({row["id"] for row in first["results"] + second["results"]}) == 11
    assert second["next"] is None


def test_updated_since_finds_what_changed(cast: Cast, desk: list[Incident], anna: Caller) -> None:
    moment = (datetime.now(UTC) - timedelta(hours=1)).isoformat().replace("+", "%2B")
    assert len(anna.get(f"incidents/?updated_since={moment}").json()["results"]) == 6
