"""Calls to the outside: what is refused, how they are signed, and that every attempt is on record."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.test import override_settings

from itsm.notifications import outbound
from itsm.notifications.actions import deliver_due, retry_delivery
from itsm.notifications.actions.endpoints import save_endpoint, send_test
from itsm.notifications.models import ContactPreference, Delivery, DeliveryAttempt, Endpoint, MailStatus
from itsm.notifications.outbound import NotAllowed, check_url, is_allowed, post
from itsm.notifications.webhooks import new_secret
from itsm.tickets.clock import db_now
from tests.cast import Cast

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it gets and answers as it is told."""

    got: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = self.answers.pop(0) if self.answers else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(b"x" * 200_000 if status == 200 else b"no")

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[str]:
    Receiver.got, Receiver.answers = [], []
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with override_settings(WEBHOOK_ALLOW_HTTP=True, WEBHOOK_ALLOWED_NETWORKS=LOOPBACK):
        yield f"http://127.0.0.1:{server.server_port}/hook?x=1"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "2002:7f00:1::", "64:ff9b::7f00:1", "ff02::1", "192.0.2.1", "198.18.0.1", "fec0::1", "::127.0.0.1",
        "::10.0.0.1", "64:ff9b:1::a00:1", "2001::1",
    ],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    assert not is_allowed(address)


def test_public_addresses_and_allowed_networks_are_called() -> None:
    assert is_allowed("93.184.216.34")
    assert is_allowed("2606:2800:220:1:248:1893:25c8:1946")
    with override_settings(WEBHOOK_ALLOWED_NETWORKS=[ipaddress.ip_network("10.20.0.0/16")]):
        assert is_allowed("10.20.1.1")
        assert is_allowed("::ffff:10.20.1.1")
        assert not is_allowed("10.21.1.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "https://u:p@example.com/", "",
        "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\r\nX: y", "https://[::1",
        "example.com", "\x00",
    ],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(NotAllowed):
        check_url(url)


def test_a_name_is_refused_when_one_of_its_addresses_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(*_arguments: Any, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.216.34", "10.0.0.1")]

    monkeypatch.setattr(outbound.socket, "getaddrinfo", resolved)
    with pytest.raises(NotAllowed, match="inside a network"):
        post("https://example.com/", b"{}", {})


def test_too_large_a_message_is_not_sent() -> None:
    with pytest.raises(NotAllowed, match="too large"):
        post("https://example.com/", b"x" * (outbound.LARGEST_SENT + 1), {})


def test_an_answer_is_read_to_a_limit_and_redirects_are_not_followed(receiver: str) -> None:
    answer = post(receiver, b"{}", {})
    assert (answer.status, len(answer.body)) == (200, outbound.LARGEST_READ)
    Receiver.answers = [302]
    assert post(receiver, b"{}", {}).status == 302
    assert len(Receiver.got) == 2


def test_who_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "LONGEST_S", 0.3)
    silent = socket.create_server(("127.0.0.1", 0))
    with override_settings(WEBHOOK_ALLOW_HTTP=True, WEBHOOK_ALLOWED_NETWORKS=LOOPBACK):
        started = time.monotonic()
        with pytest.raises(OSError, match="timed out"):
            post(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"{}", {})
        assert time.monotonic() - started < 3
    silent.close()


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTT", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_who_answers_drop_by_drop_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, begin: bytes) -> None:
    monkeypatch.setattr(outbound, "LONGEST_S", 0.5)
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        line, _peer = server.accept()
        with line, contextlib.suppress(OSError):
            line.sendall(begin)
            for _piece in range(60):
                time.sleep(0.1)
                line.sendall(b"a")

    threading.Thread(target=drip, daemon=True).start()
    with override_settings(WEBHOOK_ALLOW_HTTP=True, WEBHOOK_ALLOWED_NETWORKS=LOOPBACK):
        started = time.monotonic()
        with contextlib.suppress(TimeoutError):
            post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {})
        assert time.monotonic() - started < 3
    server.close()


def make(cast: Cast, url: str) -> Delivery:
    endpoint = save_endpoint(None, name="Chat", url=url, by=cast.sven)
    return send_test(endpoint, by=cast.sven)


def test_a_call_is_signed_so_that_the_other_side_can_check_it(cast: Cast, receiver: str) -> None:
    delivery = make(cast, receiver)
    assert deliver_due() == 1
    assert deliver_due() == 0
    [(headers, body)] = Receiver.got
    key = base64.b64decode(Endpoint.objects.get().secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == headers["idempotency-key"] == delivery.message_id
    assert json.loads(body)["type"] == "test"
    attempt = DeliveryAttempt.objects.get()
    assert (attempt.number, attempt.status_code, attempt.error) == (1, 200, "")


def test_a_call_that_fails_is_tried_again_under_the_same_id(cast: Cast, receiver: str) -> None:
    Receiver.answers = [500, 503]
    delivery = make(cast, receiver)
    for _time in range(3):
        deliver_due()
        Delivery.objects.update(next_attempt_at=db_now())
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (MailStatus.SENT, 3)
    assert len({headers["webhook-id"] for headers, _body in Receiver.got}) == 1
    codes = DeliveryAttempt.objects.order_by("number").values_list("number", "status_code")
    assert list(codes) == [(1, 500), (2, 503), (3, 200)]


def test_what_is_gone_or_refused_is_parked_at_once_and_can_be_tried_again(cast: Cast, receiver: str) -> None:
    Receiver.answers = [410]
    delivery = make(cast, receiver)
    deliver_due()
    delivery.refresh_from_db()
    assert delivery.status == MailStatus.PARKED
    assert retry_delivery(delivery)
    assert not retry_delivery(delivery)
    Endpoint.objects.update(url="https://10.0.0.1/")
    with override_settings(WEBHOOK_ALLOWED_NETWORKS=[]):
        deliver_due()
    delivery.refresh_from_db()
    assert delivery.status == MailStatus.PARKED
    assert "inside a network" in DeliveryAttempt.objects.order_by("number").last().error  # type: ignore[union-attr]


def test_after_twelve_attempts_it_is_parked(cast: Cast, receiver: str) -> None:
    Receiver.answers = [500] * 20
    delivery = make(cast, receiver)
    for _time in range(14):
        deliver_due()
        Delivery.objects.update(next_attempt_at=db_now())
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, len(Receiver.got)) == (MailStatus.PARKED, 12, 12)


def test_a_webhook_that_was_switched_off_is_not_called(cast: Cast, receiver: str) -> None:
    make(cast, receiver)
    Endpoint.objects.update(is_active=False)
    deliver_due()
    assert Receiver.got == []
    assert Delivery.objects.get().status == MailStatus.PARKED


def test_a_requester_has_nobody_called_inside_the_house(cast: Cast, receiver: str, signed_in: Any) -> None:
    form = {
        "first": "webhook", "second": "", "third": "", "wait_minutes": "0", "webhook_url": receiver,
        "hours_from": "08:00", "hours_to": "18:00", "days": ["0"], "remind_minutes": "",
    }  # fmt: skip
    assert signed_in(cast.anna).post("/profile/contact/", form).status_code == 302
    rita = signed_in(cast.rita)
    assert rita.post("/profile/contact/", form).status_code == 422
    secure = receiver.replace("http:", "https:")
    assert rita.post("/profile/contact/", {**form, "webhook_url": secure}).status_code == 302
    for person in (cast.anna, cast.rita):
        Delivery.objects.create(key=f"of {person.pk}", message_id="m", provider="webhook", user=person, body="{}")
    assert deliver_due() == 1
    assert len(Receiver.got) == 1
    refused = Delivery.objects.get(user=cast.rita)
    assert refused.status == MailStatus.PARKED
    assert "inside a network" in refused.tries.get().error


def test_one_who_does_not_answer_keeps_nobody_else_waiting(
    cast: Cast, receiver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "LONGEST_S", 0.3)
    silent = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
    for person, url in ((cast.anna, address), (cast.ben, receiver)):
        ContactPreference.objects.create(user=person, webhook_url=url, webhook_secret=new_secret())
    dead = save_endpoint(None, name="Dead", url=address, by=cast.sven)
    for number in range(3):
        for name, of in (("user", {"user": cast.anna}), ("endpoint", {"endpoint": dead})):
            Delivery.objects.create(key=f"{name}{number}", message_id="m", provider="webhook", body="{}", **of)
    Delivery.objects.create(key="heard", message_id="m", provider="webhook", user=cast.ben, body="{}")
    assert deliver_due() == 1
    tried = dict(Delivery.objects.values_list("key", "attempts"))
    assert tried == {
        "user0": 1, "user1": 0, "user2": 0, "endpoint0": 1, "endpoint1": 0, "endpoint2": 0, "heard": 1,
    }  # fmt: skip
    silent.close()
