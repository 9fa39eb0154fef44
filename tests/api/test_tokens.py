"""Signing in: tokens, scopes, sessions, limits, and the command that makes a token."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client, override_settings
from django.utils import timezone

from incidents.models import Incident
from itsm.accounts.actions import revoke_token
from itsm.accounts.models import ApiToken, User
from itsm.api import throttles
from tests.api.conftest import Caller, problem
from tests.cast import Cast


@pytest.fixture(autouse=True)
def fresh_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test with nothing counted, in the middle of a minute."""
    cache.clear()
    monkeypatch.setattr(throttles, "_shares", throttles.Shares())
    monkeypatch.setattr(throttles, "time", SimpleNamespace(time=lambda: 1_000_000_030.0))


def test_without_a_token_the_answer_is_401_and_says_how(cast: Cast) -> None:
    response = Client().get("/api/v1/incidents/")
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer nonsense", "Bearer \xff", "Basic YTpi", "Token x", "x" * 9000]
)
def test_a_bad_header_is_401(cast: Cast, header: str) -> None:
    response = Client().get("/api/v1/incidents/", HTTP_AUTHORIZATION=header)
    problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_token_opens_the_door_in_one_query(rita: Caller, django_assert_num_queries: Callable[..., object]) -> None:
    rita.get("")
    with django_assert_num_queries(1):
        assert rita.get("").status_code == 200


def test_a_dead_token_is_401(cast: Cast, caller: Callable[..., Caller]) -> None:
    expired, revoked, left = caller(cast.rita), caller(cast.rita), caller(cast.rosa)
    first, second = ApiToken.objects.filter(user=cast.rita).order_by("pk")
    ApiToken.objects.filter(pk=first.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    revoke_token(second)
    User.objects.filter(pk=cast.rosa.pk).update(is_active=False)
    for dead in (expired, revoked, left):
        problem(dead.get("incidents/"), 401, "not_authenticated")


def test_a_read_token_does_not_write(cast: Cast, caller: Callable[..., Caller], incident: Incident) -> None:
    reader = caller(cast.anna, "read")
    assert reader.get(f"incidents/{incident.number}/").status_code == 200
    for method, path in (
        ("post", "incidents/"),
        ("patch", f"incidents/{incident.number}/"),
        ("post", f"incidents/{incident.number}/moves/start/"),
        ("post", f"incidents/{incident.number}/comments/"),
        ("delete", f"incidents/{incident.number}/watchers/{cast.anna.public_id}/"),
    ):
        problem(reader(method, path, {}), 403, "scope")
    problem(reader.upload(f"incidents/{incident.number}/attachments/"), 403, "scope")
    incident.refresh_from_db()
    assert (incident.status, incident.version) == ("new", 1)


def test_an_admin_token_reaches_no_further_than_its_person(
    cast: Cast, caller: Callable[..., Caller], incident: Incident
) -> None:
    problem(caller(cast.rolf, "admin").get(f"incidents/{incident.number}/"), 404, "not_found")


def test_a_session_reads_and_writes_with_the_csrf_token_only(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.rita, backend="itsm.accounts.backends.RoleBackend")
    assert client.get("/api/v1/users/me/").json()["token_scope"] is None
    body = {"title": "Printer on fire"}
    problem(client.post("/api/v1/incidents/", body, content_type="application/json"), 403, "refused")
    client.get("/accounts/password/change/")
    token = next((cookie.value for name, cookie in client.cookies.items() if "csrf" in name), None)
    assert token
    response = client.post("/api/v1/incidents/", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert response.status_code == 201


@override_settings(API_CALLS_PER_MINUTE=3)
def test_a_token_that_calls_too_often_waits(rita: Caller, anna: Caller) -> None:
    for _number in range(3):
        assert rita.get("").status_code == 200
    response = rita.get("")
    problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 60
    assert anna.get("").status_code == 200


@override_settings(API_BAD_TOKENS_PER_MINUTE=2)
def test_guessing_tokens_is_slowed_and_a_good_token_still_works(rita: Caller) -> None:
    guess = {"Authorization": "Bearer wrong"}
    codes = [Client().get("/api/v1/", headers=guess).status_code for _number in range(4)]
    assert codes == [401, 401, 429, 429]
    assert rita.get("").status_code == 200


@pytest.mark.parametrize("limit", [1, 7, 150, 1000])
def test_parallel_calls_of_several_processes_pass_the_limit_and_no_more(limit: int) -> None:
    processes = [throttles.Shares() for _number in range(3)]
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda number: processes[number % 3].spend("parallel", limit), range(2 * limit + 20)))
    passed = waits.count(None)
    assert limit - 2 * max(1, limit // throttles.SHARES) <= passed <= limit
    assert all(0 < wait <= 60 for wait in waits if wait is not None)


def run(*arguments: str) -> str:
    """Run the command and return what it wrote on standard output."""
    out = StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_token_alone(cast: Cast) -> None:
    printed = run(" Anna@Example.com ", "--scope", "read", "--days", "7")
    token = printed.strip()
    assert printed == token + "\n"
    assert " " not in token
    assert Client().get("/api/v1/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    made = ApiToken.objects.get(user=cast.anna)
    assert made.scope == "read"
    assert timedelta(days=6, hours=23) < made.expires_at - timezone.now() <= timedelta(days=7)
    assert token not in str(made.__dict__)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody@example.com"], "Nobody has"),
        (["a\0b"], "Nobody has"),
        (["anna@example.com", "--scope", "root"], "choose one of read, write, admin"),
        (["anna@example.com", "--days", "0"], "between 1 and 3650"),
        (["anna@example.com", "--days", "soon"], "whole number"),
        (["anna@example.com", "--days", "9" * 5000], "whole number"),
        (["anna@example.com", "--name", "n" * 101], "at most 100"),
    ],
)
def test_the_command_says_what_is_wrong(cast: Cast, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    assert not ApiToken.objects.exists()


def test_the_command_makes_none_for_a_deactivated_account(cast: Cast) -> None:
    User.objects.filter(pk=cast.anna.pk).update(is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        run("anna@example.com")
