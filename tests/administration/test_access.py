"""Who may open which page of the settings."""

from collections.abc import Callable

import pytest
from django.test import Client

from itsm.accounts.models import User
from itsm.tickets.models import RoutingRule
from slas.models import BusinessCalendar, EscalationChain, ServiceLevelPolicy
from tests.cast import Cast

SignIn = Callable[[User], Client]
DESK = (
    "matrix/",
    "categories/",
    "categories/new/",
    "routing/",
    "routing/new/",
    "services/",
    "services/new/",
    "incidents/",
    "major-rules/",
    "major-rules/new/",
    "problems/",
)
ACCOUNTS = ("people/", "people/new/", "teams/", "teams/new/", "places/")
LEVELS = (
    "policies/",
    "policies/new/",
    "calendars/",
    "calendars/new/",
    "escalations/",
    "escalations/new/",
)
LOG = ("changes/",)
BASE = "/desk/settings/"


def codes(client: Client, pages: tuple[str, ...]) -> set[int]:
    return {client.get(BASE + page).status_code for page in pages}


def test_an_administrator_opens_everything(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.ada)
    one_of_each = (
        f"categories/{cast.printers.public_id}/",
        f"routing/{RoutingRule.objects.get().pk}/",
        f"services/{cast.vpn.public_id}/",
        f"people/{cast.rita.public_id}/",
        f"teams/{cast.network.public_id}/",
        f"policies/{ServiceLevelPolicy.objects.all()[0].public_id}/",
        f"calendars/{BusinessCalendar.objects.all()[0].public_id}/",
        f"escalations/{EscalationChain.objects.all()[0].public_id}/",
    )
    for page in ("", *DESK, *ACCOUNTS, *LEVELS, *LOG, *one_of_each):
        answer = client.get(BASE + page)
        assert answer.status_code == 200, page
        assert b"<h1>" in answer.content, page


def test_a_service_level_manager_and_an_auditor_open_their_own(cast: Cast, signed_in: SignIn) -> None:
    sven, olaf = signed_in(cast.sven), signed_in(cast.olaf)
    assert codes(sven, ("", *LEVELS)) == {200}
    assert codes(sven, (*DESK, *ACCOUNTS, *LOG)) == {403}
    assert codes(olaf, ("", *LOG)) == {200}
    assert codes(olaf, (*DESK, *ACCOUNTS, *LEVELS)) == {403}


@pytest.mark.parametrize("name", ["anna", "lena", "imke"])
def test_other_staff_are_told_why_not(cast: Cast, signed_in: SignIn, name: str) -> None:
    client = signed_in(getattr(cast, name))
    assert codes(client, ("", "suggest/", *DESK, *ACCOUNTS, *LEVELS, *LOG)) == {403}
    assert "Ask an administrator" in client.get(f"{BASE}people/").content.decode()


def test_for_requesters_and_strangers_there_is_nothing(cast: Cast, signed_in: SignIn, client: Client) -> None:
    assert codes(signed_in(cast.rita), ("", "suggest/", *DESK, *ACCOUNTS, *LEVELS, *LOG)) == {404}
    assert codes(client, ("", *DESK, *ACCOUNTS, *LEVELS, *LOG)) == {302}


def test_the_rail_leads_there_only_where_something_waits(cast: Cast, signed_in: SignIn) -> None:
    for user, is_there in ((cast.ada, True), (cast.sven, True), (cast.olaf, True), (cast.anna, False)):
        assert (f'href="{BASE}"' in signed_in(user).get("/desk/").content.decode()) is is_there


def test_unknown_things_are_404_and_reading_is_not_writing(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.ada)
    unknown = (
        "categories/0123/",
        "routing/999999/",
        "services/zz/",
        "people/zz/",
        "teams/zz/",
        "major-rules/zz/",
        "policies/zz/",
        "calendars/zz/",
        "escalations/zz/",
    )
    assert codes(client, unknown) == {404}
    ref = cast.rita.public_id
    assert client.get(f"{BASE}people/{ref}/off/").status_code == 405
    assert client.post(f"{BASE}people/{ref}/explode/").status_code == 404
    assert client.post(f"{BASE}places/planet/new/", {"name": "Mars"}).status_code == 404
    assert client.post(f"{BASE}people/").status_code == 405


@pytest.mark.parametrize("page", ["people/", "changes/"])
def test_a_made_up_cursor_is_refused(cast: Cast, signed_in: SignIn, page: str) -> None:
    assert signed_in(cast.ada).get(f"{BASE}{page}?cursor=zzz").status_code == 400
