"""People, teams and places: through the pages, with what must never happen."""

import re
import threading
from collections.abc import Callable

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import Client

from itsm.accounts.actions import create_token, create_user, deactivate_user, find_token, update_user
from itsm.accounts.models import AdminEvent, Organisation, Team, User
from itsm.accounts.roles import Role
from tests.cast import PASSWORD, Cast, make_cast

SignIn = Callable[[User], Client]
BASE = "/desk/settings/"


@pytest.fixture
def ada(cast: Cast, signed_in: SignIn) -> Client:
    return signed_in(cast.ada)


def person(**more: object) -> dict[str, object]:
    values = {"display_name": "Nora New", "email": "nora@example.com", "roles": ["requester", "agent"]}
    return {**values, "time_zone": "Europe/Berlin", "language": "en", **more}


def test_a_new_person_chooses_the_password_by_a_link(cast: Cast, ada: Client, client: Client) -> None:
    answer = ada.post(f"{BASE}people/new/", person(email=" NORA@example.com", manager=cast.lena.public_id))
    nora = User.objects.get(email="nora@example.com")
    assert answer.headers["Location"] == f"{BASE}people/{nora.public_id}/"
    assert not nora.has_usable_password()
    assert (nora.manager, nora.roles) == (cast.lena, ["requester", "agent"])
    assert [message.to for message in mail.outbox] == [["nora@example.com"]]
    assert "Choose your password" in mail.outbox[0].subject
    found = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert found
    target = client.get(found[1], follow=True).redirect_chain[-1][0]
    assert client.post(target, {"password1": PASSWORD, "password2": PASSWORD}).status_code == 302
    assert Client().post("/accounts/login/", {"login": nora.email, "password": PASSWORD}).status_code == 302
    assert list(AdminEvent.objects.order_by("pk").values_list("deed", flat=True)) == ["created", "invited"]


def test_sending_the_form_twice_makes_one_person(cast: Cast, ada: Client) -> None:
    ada.post(f"{BASE}people/new/", person())
    answer = ada.post(f"{BASE}people/new/", person())
    assert answer.status_code == 422
    assert "exists already" in answer.content.decode()
    assert User.objects.filter(email="nora@example.com").count() == 1
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"email": "nobody"},
        {"email": "RITA@example.com"},
        {"display_name": ""},
        {"display_name": "x" * 151},
        {"roles": []},
        {"roles": ["emperor"]},
        {"time_zone": "Mars/Olympus"},
        {"manager": "zzz"},
        {"organisation": "999999"},
        {"phone": "1" * 41},
        {"email": "x" * 250 + "@example.com"},
    ],
)
def test_a_bad_value_is_refused_and_the_rest_kept(cast: Cast, ada: Client, bad: dict[str, object]) -> None:
    before = User.objects.count()
    answer = ada.post(f"{BASE}people/new/", {**person(phone="kept-text"), **bad})
    assert answer.status_code == 422
    assert User.objects.count() == before
    assert answer.context["form"].errors.keys() == bad.keys()
    assert mail.outbox == []


def test_deactivating_ends_sessions_and_tokens_for_good(cast: Cast, ada: Client, signed_in: SignIn) -> None:
    anna = signed_in(cast.anna)
    _token, secret = create_token(cast.anna)
    assert anna.get("/profile/").status_code == 200
    answer = ada.post(f"{BASE}people/{cast.anna.public_id}/off/", follow=True)
    assert "sessions and tokens have ended" in answer.content.decode()
    assert anna.get("/profile/").status_code == 302
    assert find_token(secret) is None
    ada.post(f"{BASE}people/{cast.anna.public_id}/on/")
    cast.anna.refresh_from_db()
    assert cast.anna.is_active
    assert anna.get("/profile/").status_code == 302, "an old session does not come back"
    assert find_token(secret) is None
    assert not cast.anna.check_password(PASSWORD)
    assert mail.outbox[-1].to == ["anna@example.com"]


def test_the_last_administrator_stays(cast: Cast, ada: Client) -> None:
    url = f"{BASE}people/{cast.ada.public_id}/"
    assert "last active administrator" in ada.post(f"{url}off/", follow=True).content.decode()
    answer = ada.post(url, person(display_name="Ada", email="ada@example.com", roles=["requester"]))
    assert answer.status_code == 422
    assert "last active administrator" in answer.content.decode()
    cast.ada.refresh_from_db()
    assert cast.ada.is_superuser
    update_user(cast.ben, {"roles": [Role.ADMINISTRATOR]}, by=cast.ada)
    assert ada.post(url, person(display_name="Ada", email="ada@example.com", roles=["requester"])).status_code == 302
    with pytest.raises(ValidationError):
        deactivate_user(cast.ben, by=None)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_strike_each_other_out_at_once() -> None:
    cast = make_cast()
    update_user(cast.ben, {"roles": [Role.ADMINISTRATOR]}, by=cast.ada)
    began, refused = threading.Event(), []

    def second() -> None:
        began.set()
        try:
            deactivate_user(cast.ada, by=None)
        except ValidationError as error:
            refused.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        deactivate_user(cast.ben, by=None)
        thread.start()
        began.wait(5)
    thread.join(10)
    assert len(refused) == 1
    assert User.objects.filter(is_active=True, roles__contains=[Role.ADMINISTRATOR]).count() == 1


def test_nobody_gives_more_than_they_have_or_acts_without_the_right(cast: Cast) -> None:
    for someone in (cast.anna, cast.sven, cast.rita):
        with pytest.raises(PermissionDenied):
            update_user(someone, {"roles": [Role.ADMINISTRATOR]}, by=someone)
        with pytest.raises(PermissionDenied):
            create_user({"display_name": "X", "email": "x@example.com"}, by=someone)
        with pytest.raises(PermissionDenied):
            deactivate_user(cast.rolf, by=someone)


def test_an_old_address_cannot_reset_the_password(cast: Cast, ada: Client, client: Client) -> None:
    Client().post("/accounts/login/", {"login": "rita@example.com", "password": PASSWORD})
    ada.post(f"{BASE}people/{cast.rita.public_id}/", person(display_name="Rita", email="rita@new.example"))
    client.post("/accounts/password/reset/", {"email": "rita@example.com"})
    assert mail.outbox == []
    client.post("/accounts/password/reset/", {"email": "rita@new.example"})
    assert [message.to for message in mail.outbox] == [["rita@new.example"]]


def test_nobody_reports_to_themselves(cast: Cast) -> None:
    update_user(cast.anna, {"manager": cast.lena}, by=cast.ada)
    cast.anna.refresh_from_db()
    for manager in (cast.lena, cast.anna):
        with pytest.raises(ValidationError):
            update_user(cast.lena, {"manager": manager}, by=cast.ada)


def test_two_who_edit_one_person_are_kept_apart(cast: Cast, ada: Client) -> None:
    url = f"{BASE}people/{cast.rita.public_id}/"
    seen = ada.get(url).context["form"]["seen"].value()
    values = person(display_name="Rita", email="rita@example.com", roles=["requester"])
    assert ada.post(url, values | {"phone": "1", "seen": seen}).status_code == 302
    late = ada.post(url, values | {"phone": "2", "seen": seen})
    assert late.status_code == 409
    cast.rita.refresh_from_db()
    assert cast.rita.phone == "1"


def test_the_list_is_searched_filtered_and_paged(cast: Cast, ada: Client) -> None:
    User.objects.bulk_create(
        User(email=f"p{at:03}@example.com", display_name=f"Person {at:03}", roles=["requester"]) for at in range(60)
    )
    names: list[str] = []
    url, pages = f"{BASE}people/", 0
    while url and pages < 9:
        page = ada.get(url)
        names += [one.display_name for one, _roles in page.context["people"]]
        url, pages = f"{BASE}people/{page.context['next_url']}" if page.context["next_url"] else "", pages + 1
    assert len(names) == len(set(names)) == User.objects.count()
    assert names == sorted(names)

    def found(**query: str) -> set[str]:
        return {one.email for one, _roles in ada.get(f"{BASE}people/", query).context["people"]}

    assert found(q="sven") == {"sven@example.com"}
    assert found(role="auditor") == {"olaf@example.com"}
    assert found(organisation=str(cast.rolf.organisation_id)) == {"rolf@example.com"}
    assert found(state="off") == set()
    assert ada.get(f"{BASE}people/?role=emperor&organisation=zz&state=zz").status_code == 200


def test_a_list_of_people_costs_the_same_for_more(cast: Cast, ada: Client, django_assert_max_num_queries) -> None:
    User.objects.bulk_create(
        User(email=f"p{at:03}@example.com", display_name=f"P {at:03}", roles=[], organisation=cast.rita.organisation)
        for at in range(45)
    )
    with django_assert_max_num_queries(12):
        ada.get(f"{BASE}people/")


def team(cast: Cast, **more: object) -> dict[str, object]:
    values = {"name": "Mobile", "lead": cast.lena.public_id, "members": [cast.anna.public_id], "is_active": "on"}
    return {**values, **more}


def test_a_team_is_made_and_changed(cast: Cast, ada: Client) -> None:
    assert ada.post(f"{BASE}teams/new/", team(cast)).status_code == 302
    made = Team.objects.get(key="mobile")
    assert set(made.members.all()) == {cast.anna}
    answer = ada.post(f"{BASE}teams/{made.public_id}/", team(cast, name="Phones", members=[cast.ben.public_id]))
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.name, made.key, set(made.members.all())) == ("Phones", "mobile", {cast.ben})
    assert AdminEvent.objects.latest("pk").changes["members"] == [["Anna Example"], ["Ben Example"]]


@pytest.mark.parametrize(
    "bad", [{"name": "network"}, {"name": ""}, {"email": "x"}, {"members": ["rita"]}, {"lead": "x"}]
)
def test_a_bad_team_is_refused(cast: Cast, ada: Client, bad: dict[str, object]) -> None:
    if bad == {"members": ["rita"]}:
        bad = {"members": [cast.rita.public_id]}
    assert ada.post(f"{BASE}teams/new/", team(cast, **bad)).status_code == 422
    assert Team.objects.count() == 2


def test_places_are_added_renamed_and_removed_when_nobody_is_there(cast: Cast, ada: Client) -> None:
    url = f"{BASE}places/organisation/"
    assert ada.post(f"{url}new/", {"name": "Eastwind"}).status_code == 302
    east = Organisation.objects.get(name="Eastwind")
    assert ada.post(f"{url}new/", {"name": "eastwind"}).status_code == 422
    assert ada.post(f"{url}{east.pk}/", {"name": "Oriental"}).status_code == 302
    assert ada.post(f"{url}{east.pk}/", {"name": ""}).status_code == 422
    assert ada.post(f"{url}{east.pk}/", {"name": "Oriental", "remove": "1"}).status_code == 302
    used = cast.rita.organisation_id
    assert ada.post(f"{url}{used}/", {"remove": "1"}).status_code == 422
    assert Organisation.objects.filter(pk=used).exists()
