"""Matrix, categories, routing rules, services, incident settings: through the pages, with the sad paths."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from cmdb.models import Service
from incidents.actions import open_incident
from incidents.models import IncidentSettings
from itsm.accounts.models import AdminEvent, User
from itsm.tickets.actions.settings import save_routing_rule, switch_routing_rule
from itsm.tickets.actors import Channel
from itsm.tickets.errors import Invalid
from itsm.tickets.models import Category, PriorityCell, RoutingRule
from tests.cast import Cast, as_

SignIn = Callable[[User], Client]
BASE = "/desk/settings/"


@pytest.fixture
def ada(cast: Cast, signed_in: SignIn) -> Client:
    return signed_in(cast.ada)


def seen_on(client: Client, page: str) -> str:
    return str(client.get(BASE + page).context["form"]["seen"].value())


def matrix(**changes: str) -> dict[str, str]:
    cells = {f"cell_{c.impact}_{c.urgency}": str(c.priority) for c in PriorityCell.objects.all()}
    return cells | changes


def test_the_matrix_counts_from_now_on_and_is_logged(cast: Cast, ada: Client) -> None:
    old = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="Slow", impact=3, urgency=3)
    answer = ada.post(f"{BASE}matrix/", matrix(cell_3_3="5"), follow=True)
    assert "1 cell changed" in answer.content.decode()
    new = open_incident(actor=as_(cast.rita, Channel.PORTAL), title="Slow too", impact=3, urgency=3)
    old.refresh_from_db()
    assert (old.priority, new.priority) == (4, 5)
    event = AdminEvent.objects.get()
    assert (event.actor, event.changes) == (cast.ada, {"3×3": [4, 5]})


@pytest.mark.parametrize("bad", ["6", "0", "x", ""])
def test_a_bad_cell_changes_nothing(ada: Client, bad: str) -> None:
    answer = ada.post(f"{BASE}matrix/", matrix(cell_1_1="2", cell_2_2=bad))
    assert answer.status_code == 422
    assert PriorityCell.objects.get(impact=1, urgency=1).priority == 1


def test_who_saw_another_matrix_is_told_and_may_then_replace_it(ada: Client) -> None:
    seen = seen_on(ada, "matrix/")
    assert ada.post(f"{BASE}matrix/", matrix(cell_1_1="2", seen=seen)).status_code == 302
    late = matrix(cell_1_1="3", seen=seen)
    answer = ada.post(f"{BASE}matrix/", late)
    assert answer.status_code == 409
    assert PriorityCell.objects.get(impact=1, urgency=1).priority == 2
    again = ada.post(f"{BASE}matrix/", late | {"seen": answer.context["form"]["seen"].value()})
    assert again.status_code == 302
    assert PriorityCell.objects.get(impact=1, urgency=1).priority == 3


def category(name: str, parent: Category | None = None, **more: str) -> dict[str, str]:
    return {"name": name, "parent": parent.public_id if parent else "", "team": "", "is_active": "on", **more}


def test_renaming_and_moving_a_category_takes_what_is_below_along(cast: Cast, ada: Client) -> None:
    url = f"{BASE}categories/{cast.hardware.public_id}/"
    assert ada.post(url, category("Devices")).status_code == 302
    cast.printers.refresh_from_db()
    assert cast.printers.path == "Devices / Printers"
    assert ada.post(f"{BASE}categories/new/", category("Office")).status_code == 302
    office = Category.objects.get(name="Office")
    assert ada.post(url, category("Devices", office)).status_code == 302
    cast.printers.refresh_from_db()
    assert cast.printers.path == "Office / Devices / Printers"


def test_a_category_cannot_be_inside_itself(cast: Cast, ada: Client) -> None:
    for inside in (cast.hardware, cast.printers):
        answer = ada.post(f"{BASE}categories/{cast.hardware.public_id}/", category("Hardware", inside))
        assert answer.status_code == 422
    assert set(Category.objects.values_list("path", flat=True)) == {"Hardware", "Hardware / Printers"}


@pytest.mark.parametrize("name", ["", " ", "hardware", "A / B", "/A", "A/", "x" * 101])
def test_a_name_that_does_not_fit_is_refused_and_kept(cast: Cast, ada: Client, name: str) -> None:
    answer = ada.post(f"{BASE}categories/new/", category(name))
    assert answer.status_code == 422
    assert Category.objects.count() == 2
    assert answer.context["form"]["name"].value() == name


def test_switching_a_category_off_takes_what_is_below_along_and_back_needs_the_one_above(
    cast: Cast, ada: Client
) -> None:
    off = category("Hardware")
    del off["is_active"]
    ada.post(f"{BASE}categories/{cast.hardware.public_id}/", off)
    assert not Category.objects.active().exists()
    answer = ada.post(f"{BASE}categories/{cast.printers.public_id}/", category("Printers", cast.hardware))
    assert answer.status_code == 422
    assert "switch that on first" in answer.content.decode()


def rule(cast: Cast, condition: str, **more: Any) -> dict[str, Any]:
    return {"name": "Rule", "condition": condition, "team": cast.desktop.public_id, "is_active": "on", **more}


def test_a_new_rule_comes_last_routes_and_can_be_moved_switched_and_removed(cast: Cast, ada: Client) -> None:
    assert ada.post(f"{BASE}routing/new/", rule(cast, "title:vpn impact:1")).status_code == 302
    mine = RoutingRule.objects.get(name="Rule")
    assert list(RoutingRule.objects.all())[-1] == mine

    def routed() -> str:
        return open_incident(actor=as_(cast.rita), title="VPN gone", impact=1, urgency=1).team.name

    assert routed() == "Network"
    ada.post(f"{BASE}routing/{mine.pk}/up/")
    assert routed() == "Desktop"
    ada.post(f"{BASE}routing/{mine.pk}/off/")
    assert routed() == "Network"
    ada.post(f"{BASE}routing/{mine.pk}/remove/")
    assert not RoutingRule.objects.filter(pk=mine.pk).exists()
    assert ada.post(f"{BASE}routing/{mine.pk}/remove/").status_code == 302
    deeds = list(AdminEvent.objects.order_by("pk").values_list("deed", flat=True))
    assert deeds == ["created", "moved", "deactivated", "removed"]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("title:vpn colour:red", "character 11"),
        ("priority:nine", "whole number"),
        ("team:nobody-such", "nobody-such"),
        ("assignee:me", "depends on who is looking"),
        ("lost words", "cannot be used in a rule"),
        ("(title:vpn", ""),
        ("", "required"),
        ("title:" + "x" * 3000, "characters"),
    ],
)
def test_a_bad_condition_is_refused_with_its_place(cast: Cast, ada: Client, condition: str, words: str) -> None:
    answer = ada.post(f"{BASE}routing/new/", rule(cast, condition))
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors["condition"])
    assert RoutingRule.objects.count() == 1


def test_reading_back_saves_nothing_and_says_it_in_words(cast: Cast, ada: Client) -> None:
    answer = ada.post(f"{BASE}routing/new/", {"condition": "title:vpn service:mail", "read": "1"})
    assert answer.status_code == 200
    assert "title contains" in answer.context["stored"].words
    assert RoutingRule.objects.count() == 1


def test_trying_says_what_routing_then_does(cast: Cast, ada: Client) -> None:
    ticket = open_incident(actor=as_(cast.rita), title="vpn and mail", impact=3, urgency=3)
    for text in (ticket.number, "My vpn is gone"):
        trial = ada.get(f"{BASE}routing/", {"try": text}).context["trial"]
        assert trial.team == "Network"
        assert trial.winner.name == "VPN words"
    assert ada.get(f"{BASE}routing/", {"try": "Coffee machine"}).context["trial"].team == ""


def test_a_rule_that_cannot_be_read_is_marked_and_passed_over(cast: Cast, ada: Client) -> None:
    gone = {"field": "service", "op": "eq", "value": "gone"}
    RoutingRule.objects.create(name="Old", condition=gone, team=cast.desktop, order=1)
    RoutingRule.objects.create(name="Odd", condition={"nonsense": 1}, team=cast.desktop, order=2, is_active=False)
    page = ada.get(f"{BASE}routing/", {"try": "vpn"})
    assert page.content.decode().count("cannot be read any more") == 2
    assert page.context["trial"].team == "Network"
    odd = RoutingRule.objects.get(name="Odd")
    assert ada.get(f"{BASE}routing/{odd.pk}/").status_code == 200
    ada.post(f"{BASE}routing/{odd.pk}/on/")
    odd.refresh_from_db()
    assert not odd.is_active


def test_completions_leave_out_what_a_rule_cannot_say(cast: Cast, ada: Client) -> None:
    def texts(q: str) -> list[str]:
        return [row["text"] for row in ada.get(f"{BASE}suggest/", {"q": q, "cursor": str(len(q))}).json()["results"]]

    assert "title:" in texts("tit")
    assert "me" not in texts("assignee:m")
    assert ada.get(f"{BASE}suggest/?q=x&cursor=zz").status_code == 200


def test_a_service_is_made_changed_and_kept_unique(cast: Cast, ada: Client) -> None:
    values = {
        "name": "Payroll",
        "key": "payroll",
        "description": "Pay",
        "support_team": cast.network.public_id,
        "owner": cast.anna.public_id,
        "is_active": "on",
    }
    assert ada.post(f"{BASE}services/new/", values).status_code == 302
    made = Service.objects.get(key="payroll")
    assert (made.owner, made.support_team) == (cast.anna, cast.network)
    assert ada.post(f"{BASE}services/new/", values).status_code == 422
    assert ada.post(f"{BASE}services/new/", values | {"name": "e-mail", "key": "m2"}).status_code == 422
    for bad in ({"key": "a b"}, {"name": ""}, {"name": "x" * 201}, {"owner": "zz"}, {"description": "x" * 5001}):
        assert ada.post(f"{BASE}services/{made.public_id}/", values | bad).status_code == 422
    assert ada.post(f"{BASE}services/{made.public_id}/", values | {"owner": "", "name": "Pay"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.owner) == ("Pay", None)


@pytest.mark.parametrize(("days", "status"), [("7", 302), ("0", 422), ("91", 422), ("", 422), ("x", 422)])
def test_incident_settings(ada: Client, days: str, status: int) -> None:
    assert ada.post(f"{BASE}incidents/", {"auto_close_days": days, "reopen_days": "3"}).status_code == status
    assert IncidentSettings.current().auto_close_days == (7 if status == 302 else 5)


def test_the_change_log_only_grows(cast: Cast, ada: Client) -> None:
    ada.post(f"{BASE}categories/{cast.hardware.public_id}/", category("Devices"))
    for statement in ("UPDATE accounts_adminevent SET label = 'x'", "DELETE FROM accounts_adminevent"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    page = ada.get(f"{BASE}changes/").content.decode()
    assert "Hardware" in page
    assert "Devices" in page


@pytest.mark.parametrize(
    ("page", "values"),
    [
        ("matrix/", {"cell_1_1": "\x00"}),
        ("categories/new/", {"name": "a\x00"}),
        ("routing/new/", {"name": "a", "condition": "title:a\x00b"}),
        ("services/new/", {"name": "a", "key": "a", "description": "\x00"}),
        ("people/new/", {"display_name": "a\x00", "email": "n@example.com", "roles": "requester"}),
        ("calendars/new/", {"name": "a", "dates": "\x00"}),
    ],
)
def test_a_nul_character_is_refused_and_nothing_is_written(ada: Client, page: str, values: dict[str, str]) -> None:
    assert ada.post(BASE + page, values).status_code == 400
    assert not AdminEvent.objects.exists()


def test_a_rule_that_was_removed_meanwhile_says_so(cast: Cast) -> None:
    rule = RoutingRule.objects.get()
    RoutingRule.objects.all().delete()
    values = {"name": "VPN", "condition": {"field": "title", "op": "contains", "value": "vpn"}, "team": cast.network}
    with pytest.raises(Invalid, match="removed this rule"):
        save_routing_rule(rule, **values, actor=as_(cast.ada))
    with pytest.raises(Invalid, match="removed this rule"):
        switch_routing_rule(rule, is_active=False, actor=as_(cast.ada))
