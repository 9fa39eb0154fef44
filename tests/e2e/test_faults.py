"""Parts fail: people go on working, and every notice goes out, once."""

from __future__ import annotations

import re
import signal
import socketserver
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import pytest

from tests.e2e.conftest import make_product, remove
from tests.e2e.product import ON_ONE_WORKER, Pages, Product, paused
from tests.setup.conftest import until

pytestmark = ON_ONE_WORKER

QUICK = 2.0


@pytest.mark.browser
@pytest.mark.parametrize("fault", ["hangs", "is gone"])
def test_without_the_broker_tickets_are_taken_and_worked(product: Product, page_of: Pages, fault: str) -> None:
    requester, agent = product.caller("requester"), product.caller("agent")
    rita, anna = page_of("requester"), page_of("agent")
    rita.goto(f"{product.url}/report/")
    anna.goto(f"{product.url}/desk/queue/?view=all")
    (broker,) = product.processes("valkey-server")
    # The supervisor is stopped as well where it would start the broker again at once.
    with paused(product.supervisor if fault == "is gone" else broker):
        if fault == "is gone":
            broker.kill()
        made = requester("POST", "incidents/", {"title": f"The vpn fails while the broker {fault}"})
        assert (made.status, made.seconds < QUICK) == (201, True), made
        number = made.body["number"]
        for method, path, body in (
            ("POST", f"incidents/{number}/moves/start/", {}),
            ("POST", f"incidents/{number}/comments/", {"body": "I am looking.", "visibility": "public"}),
            ("GET", "incidents/?limit=20", None),
        ):
            answer = agent(method, path, body)
            assert (answer.status < 300, answer.seconds < QUICK) == (True, True), answer

        rita.fill("[name=title]", f"The printer fails while the broker {fault}")
        assert in_time(rita, lambda: rita.click("main form button[type=submit]"), r"/requests/INC\d+/")
        printed = rita.url.rstrip("/").rpartition("/")[2]
        assert in_time(anna, lambda: anna.goto(f"{product.url}/desk/incidents/{number}/"), number)
        anna.wait_for_selector("html.ready")
        anna.fill("#composer-text", "Found it.")
        started = time.monotonic()
        anna.click("[data-send]")
        anna.wait_for_selector(".entry-agent >> text=Found it.")
        assert time.monotonic() - started < QUICK
        assert product.mails(number) == product.mails(printed) == []
    until(lambda: product.state()["status"] == "ready", "ready again")
    until(lambda: product.mails(printed), "notices go out")
    product.calm()
    told = [one for one in product.mails(number) if "requester@" in str(one["To"])]
    assert len(told) == 3  # received, and two replies
    assert len({one["Message-ID"] for one in told}) == 3
    assert len([one for one in product.mails(printed) if "requester@" in str(one["To"])]) == 1


def in_time(page: Any, act: Any, address: str) -> bool:
    """Do something that leads to another page; tell whether it came soon."""
    started = time.monotonic()
    act()
    page.wait_for_url(re.compile(address))
    return time.monotonic() - started < QUICK


class MailServer(socketserver.ThreadingTCPServer):
    """An SMTP server that keeps what it is given; while `deaf` it takes the mail and never says so."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailSession)
        self.kept: list[Any] = []
        self.deaf = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def about(self, words: str) -> list[Any]:
        """Return the mails with these words in their subject."""
        return [mail for mail in list(self.kept) if words in str(mail["Subject"])]


class MailSession(socketserver.StreamRequestHandler):
    """One client's conversation."""

    def handle(self) -> None:
        server: Any = self.server
        self.say("220 ready")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                server.kept.append(message_from_bytes(b"".join(iter(self.rfile.readline, b".\r\n"))))
                if server.deaf.is_set():
                    time.sleep(60)
                    return
            elif word == b"QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    """A mail server that listens."""
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_sender_killed_in_the_middle_loses_no_mail(product: Product, mail_server: MailServer) -> None:
    """On a second copy of the product, beside the first."""
    other = make_product(EMAIL_URL=f"smtp://127.0.0.1:{mail_server.port}")
    try:
        other.start()
        other.calm()
        mail_server.deaf.set()
        numbers = [other.caller("requester").open(f"The vpn fails for the {at}th time")["number"] for at in range(5)]
        until(lambda: mail_server.about("INC"), "a mail is taken", 20)
        for process in other.processes("-n mail@"):
            process.send_signal(signal.SIGKILL)
        mail_server.deaf.clear()
        # The one that was being sent waits until its sender has certainly given up; here it need not.
        other.sql("UPDATE notifications_mail SET next_attempt_at = now() WHERE status = 'sending'")
        other.calm(60)
        for number in numbers:
            received = [mail for mail in mail_server.about(number) if "requester@" in mail["To"]]
            assert received, number
            assert len({mail["Message-ID"] for mail in received}) == 1
        assert product.get("/readyz")[0] == 200
        assert {product.url, other.url} == {f"http://localhost:{product.port}", f"http://localhost:{other.port}"}
    finally:
        remove(other)
