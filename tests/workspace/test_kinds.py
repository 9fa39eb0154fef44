"""Every kind of ticket in one workspace: queues and filters by kind, numbers, routing, taking the next one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from changes.actions import open_change
from changes.models import Change
from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.changelog import Deed
from itsm.accounts.models import AdminEvent
from itsm.tickets.actions.settings import save_routing_rule
from itsm.tickets.errors import Invalid
from itsm.tickets.models import RoutingRule
from tests.cast import Cast, as_
from workspace.actions import take_next
from workspace.lists import queue_named


@pytest.fixture
def incident(cast: Cast) -> Incident:
    return open_incident(actor=as_(cast.rita), title="VPN is down")


@pytest.fixture
def change(cast: Cast) -> Change:
    return open_change(actor=as_(cast.anna), title="Replace the VPN gateway", team=cast.network)


@pytest.fixture
def anna(cast: Cast, signed_in: Any) -> Client:
    return signed_in(cast.anna)


def numbers(answer: Any) -> set[str]:
    return {row.number for row in answer.context["board"].rows}


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("", {"INC", "CHG"}),
        ("?q=kind:change", {"CHG"}),
        ("?q=kind:incident,change", {"INC", "CHG"}),
        ("?q=-kind:change", {"INC"}),
        ("?view=kind-change", {"CHG"}),
        ("?view=kind-incident&q=vpn", {"INC"}),
        ("?view=kind-task", set()),
        ("?view=all&layout=table", {"INC", "CHG"}),
    ],
)
def test_a_queue_shows_the_kinds_that_are_asked_for(
    incident: Incident, change: Change, anna: Client, query: str, kinds: set[str]
) -> None:
    answer = anna.get(f"/desk/queue/{query}")
    assert answer.status_code == 200
    assert {number[:3] for number in numbers(answer)} == kinds


def test_rows_say_their_kind_and_lead_somewhere(incident: Incident, change: Change, anna: Client) -> None:
    rows = {row.number: row for row in anna.get("/desk/queue/").context["board"].rows}
    assert "Incident" in rows[incident.number].kind
    assert "Change" in rows[change.number].kind
    for row in rows.values():
        assert anna.get(row.url).status_code == 200, row.url


def test_there_is_no_queue_of_a_kind_that_there_is_not(anna: Client) -> None:
    assert queue_named("kind-nothing", []) is None
    assert anna.get("/desk/queue/?view=kind-nothing").status_code == 404


def test_the_rail_leads_to_the_practices(incident: Incident, change: Change, anna: Client) -> None:
    html = anna.get("/desk/").content.decode()
    assert 'data-hotkey="G C"' in html
    [entry] = [one for one in anna.get("/desk/").wsgi_request.desk_nav if one.get("key") == "kind-change"]
    assert (entry["section"], entry["count"]) == ("practices", "1")
    assert anna.get(entry["url"]).status_code == 200


def test_the_filters_know_kinds_and_their_statuses(change: Change, anna: Client) -> None:
    form = anna.get("/desk/queue/filters/?view=open").content.decode()
    assert 'name="kind" value="change"' in form
    assert 'name="status" value="scheduled"' in form
    sent = anna.get("/desk/queue/filters/?view=open&apply=1&fields=kind&fields=status&kind=change&status=new")
    assert sent["Location"] == "/desk/queue/?view=open&q=kind%3Achange+status%3Anew"
    menus = {menu.name: menu for menu in anna.get("/desk/queue/?q=kind:change").context["menus"]}
    assert "scheduled" in {value for value, _words, _chosen in menus["status"].options}
    assert menus["kind"].chosen == 1
    menus = {menu.name: menu for menu in anna.get("/desk/queue/").context["menus"]}
    assert "scheduled" not in {value for value, _words, _chosen in menus["status"].options}


def test_a_number_finds_its_ticket_whatever_the_kind(change: Change, anna: Client) -> None:
    assert anna.get(f"/desk/search/?q={change.number}").status_code == 302
    [row] = anna.get(f"/desk/search/palette/?q={change.number.lower()}").json()["results"]
    assert row["hint"] == "Change · New"


def test_taking_a_change_assigns_it_and_begins_nothing(cast: Cast, change: Change) -> None:
    taken = take_next(cast.anna)
    assert taken is not None
    change.refresh_from_db()
    assert (taken.pk, change.status, change.assignee) == (change.pk, "new", cast.anna)


def test_a_rule_routes_its_own_kind_alone(cast: Cast, signed_in: Any) -> None:
    ada = signed_in(cast.ada)
    form = {
        "name": "Gateways",
        "kind": "change",
        "condition": "title:gateway",
        "team": cast.desktop.public_id,
        "is_active": "on",
    }
    assert ada.post("/desk/settings/routing/new/", form).status_code == 302
    rule = RoutingRule.objects.get(name="Gateways")
    assert rule.kind == "change"
    assert AdminEvent.objects.get(deed=Deed.CREATED).changes["kind"][1] == "change"
    assert open_change(actor=as_(cast.anna), title="Replace the gateway").team == cast.desktop
    assert open_incident(actor=as_(cast.rita), title="The gateway is slow").team is None
    page = ada.get("/desk/settings/routing/", {"try": "A gateway", "kind": "change"})
    assert page.context["trial"].team == "Desktop"
    assert ada.get("/desk/settings/routing/", {"try": "A gateway"}).context["trial"].team == ""
    assert "Change" in page.content.decode()
    assert ada.post(f"/desk/settings/routing/{rule.pk}/", form | {"kind": "wish"}).status_code == 422
    with pytest.raises(Invalid):
        save_routing_rule(None, name="x", kind="wish", condition=rule.condition, team=cast.desktop, actor=as_(cast.ada))
