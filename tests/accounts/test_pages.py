"""Sign-in, passwords, profile and tokens, through the browser's door."""

import re
from collections.abc import Callable

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from itsm.accounts.actions import create_token, find_token, revoke_token
from itsm.accounts.models import ApiToken, TokenScope, User
from itsm.accounts.roles import Permission, Role, permissions_of
from tests.cast import PASSWORD, Cast

SignIn = Callable[[User], Client]


@pytest.mark.parametrize("email", ["rita@example.com", " RITA@Example.com "])
def test_sign_in_and_out(cast: Cast, client: Client, email: str) -> None:
    answer = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get("/profile/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/profile/").status_code == 302


def test_agents_land_on_the_desk_and_requesters_in_the_portal(cast: Cast) -> None:
    for person, place in ((cast.anna, "/desk/"), (cast.rita, "/")):
        answer = Client().post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        assert answer.headers["Location"] == place


def test_a_wrong_password_and_an_unknown_address_look_alike(cast: Cast, client: Client) -> None:
    def shown(email: str) -> tuple[int, str]:
        answer = client.post("/accounts/login/", {"login": email, "password": "wrong horse"})
        body = re.sub(r'value="[^"]*"|content="[^"]*"|X-CSRFToken":"[^"]*"', "", answer.content.decode())
        return answer.status_code, body

    assert shown("rita@example.com") == shown("nobody@example.com")


def test_a_deactivated_account_does_not_get_in_and_a_session_ends(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.rita)
    User.objects.filter(pk=cast.rita.pk).update(is_active=False)
    assert client.get("/profile/").status_code == 302
    Client().post("/accounts/login/", {"login": cast.rita.email, "password": PASSWORD})
    assert client.get("/profile/").status_code == 302


def test_the_login_form_sends_nobody_elsewhere(cast: Cast, client: Client) -> None:
    answer = client.post(
        "/accounts/login/?next=https://evil.example/", {"login": cast.rita.email, "password": PASSWORD}
    )
    assert answer.headers["Location"].startswith("/")
    assert "evil" not in answer.headers["Location"]


def test_nobody_signs_up(client: Client, db: None) -> None:
    answer = client.post("/accounts/signup/", {"email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 200
    assert b"administrator" in answer.content
    assert not User.objects.filter(email="x@example.com").exists()


def test_a_forgotten_password_is_reset_by_mail_once(cast: Cast, client: Client) -> None:
    _token, secret = create_token(cast.rita)
    client.post("/accounts/password/reset/", {"email": "RITA@example.com"}, headers={"host": "127.0.0.1"})
    client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert [message.to for message in mail.outbox] == [["rita@example.com"]]
    found = re.search(rf"{settings.PUBLIC_URL}(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert found
    form = client.get(found[1], follow=True)
    target = form.redirect_chain[-1][0]
    new = "a much newer battery"
    done = client.post(target, {"password1": new, "password2": new})
    assert done.status_code == 302
    cast.rita.refresh_from_db()
    assert cast.rita.check_password(new)
    assert find_token(secret) is None
    assert b"no longer works" in Client().get(found[1], follow=True).content


def test_the_profile_is_saved_and_used(cast: Cast, signed_in: SignIn) -> None:
    client = signed_in(cast.rita)
    values = {
        "display_name": "Rita ✨ Renamed",
        "phone": "+31 6",
        "time_zone": "Asia/Tokyo",
        "language": "de",
        "theme": "dark",
    }
    answer = client.post("/profile/", values)
    assert answer.status_code == 302
    assert answer.cookies["theme"].value == "dark"
    cast.rita.refresh_from_db()
    assert (cast.rita.display_name, cast.rita.time_zone, cast.rita.theme) == ("Rita ✨ Renamed", "Asia/Tokyo", "dark")
    assert b'lang="de"' in client.get("/profile/").content


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars/Olympus"),
        ("display_name", ""),
        ("display_name", "x" * 151),
        ("language", "xx"),
        ("theme", "pink"),
    ],
)
def test_a_bad_profile_is_refused_with_the_text_kept(cast: Cast, signed_in: SignIn, field: str, value: str) -> None:
    values = {"display_name": "Rita", "phone": "12", "time_zone": "UTC", "language": "en", "theme": "auto"}
    answer = signed_in(cast.rita).post("/profile/", {**values, field: value, "phone": "kept-text"})
    assert answer.status_code == 422
    assert b"kept-text" in answer.content
    cast.rita.refresh_from_db()
    assert cast.rita.phone == ""


def test_a_profile_cannot_give_rights(cast: Cast, signed_in: SignIn) -> None:
    values = {"display_name": "R", "phone": "", "time_zone": "UTC", "language": "en", "theme": "auto"}
    extra = {"roles": "administrator", "is_active": "", "email": "ada@example.com", "is_vip": "on", "password": "x"}
    signed_in(cast.rita).post("/profile/", {**values, **extra})
    cast.rita.refresh_from_db()
    assert cast.rita.roles == [Role.REQUESTER]
    assert cast.rita.email == "rita@example.com"
    assert not cast.rita.is_vip
    assert cast.rita.check_password(PASSWORD)


def freshly_signed_in(person: User) -> Client:
    """Return a browser in which the person has just typed the password again."""
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    back = client.post("/accounts/reauthenticate/?next=/profile/tokens/", {"password": PASSWORD}, follow=True)
    assert back.redirect_chain[-1][0] == "/profile/"
    return client


def test_a_session_left_open_makes_no_token(cast: Cast, signed_in: SignIn) -> None:
    answer = signed_in(cast.anna).post("/profile/tokens/", {"name": "Pipeline", "scope": "read", "days": "30"})
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()


def test_a_token_is_shown_once_and_can_be_revoked_by_its_owner(cast: Cast, signed_in: SignIn) -> None:
    client = freshly_signed_in(cast.anna)
    page = client.post("/profile/tokens/", {"name": "Pipeline", "scope": "read", "days": "30"})
    secret = re.search(rb"itsm_[\w-]+", page.content)
    assert secret
    token = find_token(secret[0].decode())
    assert token is not None
    assert token.user == cast.anna
    assert token.scope == TokenScope.READ
    assert secret[0] not in client.get("/profile/").content
    assert not ApiToken.objects.filter(digest=secret[0].decode()).exists()
    assert signed_in(cast.ben).post(f"/profile/tokens/{token.pk}/revoke/").status_code == 404
    client.post(f"/profile/tokens/{token.pk}/revoke/")
    assert find_token(secret[0].decode()) is None


@pytest.mark.parametrize("values", [{"days": "0"}, {"days": "9" * 30}, {"scope": "root"}, {"name": ""}])
def test_a_bad_token_form_makes_no_token(cast: Cast, values: dict[str, str]) -> None:
    form = {"name": "x", "scope": "read", "days": "30", **values}
    assert freshly_signed_in(cast.anna).post("/profile/tokens/", form).status_code == 422
    assert not ApiToken.objects.exists()


def test_tokens_die_with_the_account_by_time_and_by_hand(cast: Cast) -> None:
    token, secret = create_token(cast.anna, days=1)
    assert find_token(secret) == token
    assert find_token(secret[:-1]) is None
    assert find_token("") is None
    ApiToken.objects.update(expires_at=token.created_at)
    assert find_token(secret) is None
    other, secret = create_token(cast.anna)
    revoke_token(other)
    assert find_token(secret) is None
    _third, secret = create_token(cast.anna)
    User.objects.filter(pk=cast.anna.pk).update(is_active=False)
    assert find_token(secret) is None


def test_roles_give_rights_and_unknown_ones_give_none() -> None:
    assert permissions_of(["requester", "no-such-role"]) == frozenset()
    assert Permission.WORK_TICKETS not in permissions_of([Role.AUDITOR])
    assert permissions_of([Role.ADMINISTRATOR]) == frozenset(Permission)
