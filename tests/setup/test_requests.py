"""What every request meets: unreadable text, sizes, privacy, headers, health."""

import logging

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from itsm import health

LOGIN = "/accounts/login/"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/%00", f"{LOGIN}?next=%00", f"{LOGIN}?next=%c3%28", f"{LOGIN}?%00=1"])
def test_an_address_that_is_not_text_is_refused(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert "not text" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"login=a%00b", b"login=%ff", b"%00=1", b"login=\xff"])
def test_a_form_that_is_not_text_is_refused(client: Client, body: bytes) -> None:
    answer = client.post(LOGIN, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 400
    assert "cannot be stored" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("form", [{"login": "a\0b"}, {"a\0": "b"}])
def test_a_multipart_form_with_a_nul_byte_is_refused(client: Client, form: dict[str, str]) -> None:
    file = SimpleUploadedFile("x.txt", b"\0 in a file is fine")
    assert client.post(LOGIN, {**form, "file": file}).status_code == 400
    assert client.post(LOGIN, {"login": "a", "file": file}).status_code == 200


@pytest.mark.django_db
def test_text_in_any_script_passes(client: Client) -> None:
    assert client.get(LOGIN, {"next": "/ä/日本/�/"}).status_code == 200
    assert client.get("/ä/日本/").status_code == client.get("/%ff/").status_code == 404
    assert client.post(LOGIN, {"login": "� ä 日本"}).status_code == 200


@pytest.mark.django_db
def test_the_api_is_told_in_its_own_form(client: Client) -> None:
    answer = client.get("/api/v1/incidents/?q=%00")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 400


@pytest.mark.django_db
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(client: Client) -> None:
    with override_settings(REQUEST_MAX_BYTES=1024):
        answer = client.post(LOGIN, {"login": "x" * 2000})
    assert answer.status_code == 413
    assert "at most" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", [b"x", b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n", b"--b\r\n\xff: \xff\r\n\r\n\r\n--b--"]
)
def test_a_broken_multipart_body_is_no_server_error(client: Client, body: bytes) -> None:
    assert client.post(LOGIN, body, content_type="multipart/form-data; boundary=b").status_code == 200


@pytest.mark.django_db
def test_what_a_session_sees_is_not_stored_by_caches(client: Client) -> None:
    assert "no-store" not in client.get("/nowhere").headers.get("Cache-Control", "")
    client.cookies["sessionid_8000"] = "anything"
    with override_settings(SESSION_COOKIE_NAME="sessionid_8000"):
        assert client.get("/nowhere").headers["Cache-Control"] == "no-store"
    assert client.get("/nowhere", headers={"Authorization": "Bearer x"}).headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_every_answer_carries_the_protective_headers(client: Client) -> None:
    for address in (LOGIN, "/nowhere", "/%00"):
        headers = client.get(address).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_the_access_log_names_routes_not_addresses(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="itsm.access"):
        client.get("/accounts/password/reset/key/1-secret-token/?also=secret")
    assert "accounts/password/reset/key" in caplog.text
    assert "secret" not in caplog.text


def test_alive_asks_nobody(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


@pytest.mark.django_db
def test_ready_names_what_was_looked_at(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert set(answer.json()["checks"]) == {"database", "migrations", "broker"}


@pytest.mark.django_db
def test_a_lost_broker_is_a_degraded_desk_that_still_serves(client: Client) -> None:
    with override_settings(REDIS_URL="unix:///nowhere.sock"):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")


@pytest.mark.django_db
def test_missing_tables_are_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    monkeypatch.setattr(health, "_migrated", False)
    MigrationRecorder.Migration.objects.filter(app="sessions").delete()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "not ready")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_health_is_only_read(client: Client, method: str) -> None:
    assert getattr(client, method)("/readyz").status_code == 405
