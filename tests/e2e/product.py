"""The product as other programs meet it: its addresses, its mails, its command line; and, to look behind it, its
database as superuser."""

from __future__ import annotations

import email.policy
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest

from itsm.embedded import Services
from tests.setup.conftest import Desk, until

# For every module of this folder: all share one product, so one worker runs them.
ON_ONE_WORKER = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]
# A short target for tickets whose title asks for it, beside the product's own.
SHORT_LEVELS = """
from itsm.tickets.actors import SYSTEM
from slas.actions import GoalSpec, save_policy
from slas.models import BusinessCalendar, EscalationChain
always = BusinessCalendar.objects.get(name="24×7")
chain = EscalationChain.objects.get(name="Standard escalation")
soon = {"field": "title", "op": "contains", "value": "due in 3 seconds"}
goals = [GoalSpec(3, always, chain=chain)]
save_policy("Due soon", metric="resolution", condition=soon, goals=goals, order=1, actor=SYSTEM)
"""


@dataclass
class Answer:
    """What the API said, and how long it took."""

    status: int
    body: Any
    seconds: float


@dataclass
class Caller:
    """A program with somebody's token."""

    product: Product
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Call an address (below /api/v1/ unless it begins with a slash)."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        address = path if path.startswith("/") else f"/api/v1/{path}"
        named = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.product.url + address, data, named, method=method)
        started = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                status, raw, kind = answer.status, answer.read(), answer.headers.get_content_type()
        except urllib.error.HTTPError as error:
            status, raw, kind = error.code, error.read(), error.headers.get_content_type()
        seconds = time.monotonic() - started
        return Answer(status, json.loads(raw) if "json" in kind else raw, seconds)

    def get(self, path: str) -> Any:
        """GET what must be there; returns the body."""
        answer = self("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def post(self, path: str, body: Any) -> Any:
        """POST what must be accepted; returns the body."""
        answer = self("POST", path, body)
        assert answer.status in {200, 201}, answer
        return answer.body

    def open(self, title: str, **values: Any) -> dict[str, Any]:
        """Open an incident and return it."""
        found: dict[str, Any] = self.post("incidents/", {"title": title, "description": "…", **values})
        return found

    def upload(self, number: str, name: str, content: bytes, **fields: str) -> Any:
        """Attach a file to an incident; returns what the API says of it."""
        mark = uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}' for key, value in fields.items()
        ]
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n')
        data = "\r\n".join(parts).encode() + content + f"\r\n--{mark}--\r\n".encode()
        answer = self(
            "POST", f"incidents/{number}/attachments/", data, Content_Type=f"multipart/form-data; boundary={mark}"
        )
        assert answer.status == 201, answer
        return answer.body


@dataclass
class Product(Desk):
    """A served desk with its demo."""

    options: tuple[str, ...] = ()
    callers: dict[str, Caller] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address that people use."""
        return f"http://localhost:{self.port}"

    @property
    def password(self) -> str:
        """The password that the first start printed."""
        found = re.search(r"with the password (\S+)", self.log.read_text())
        assert found, self.log.read_text()
        return found[1]

    @property
    def supervisor(self) -> psutil.Process:
        """The process that keeps the others alive."""
        (found,) = self.processes("itsm.cli serve")
        return found

    def caller(self, who: str) -> Caller:
        """Return a program with a token that `create_token` printed for one of the demo's people."""
        if who not in self.callers:
            made = self.manage("create_token", f"{who}@demo.example", "--scope", "write", "--days", "1")
            assert made.returncode == 0, made.stderr
            assert made.stdout == made.stdout.strip() + "\n"
            self.callers[who] = Caller(self, made.stdout.strip())
        return self.callers[who]

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement as database superuser and return its rows."""
        postgres = Services(self.data, environment={}).postgres
        assert postgres is not None
        with psycopg.connect(postgres.url) as connection:
            ran = connection.execute(query, values)  # type: ignore[arg-type]
            return ran.fetchall() if ran.description else []

    def shell(self, code: str) -> str:
        """Run a few lines within the product; returns what they print."""
        ran = self.manage("shell", "--no-imports", "-c", code)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def mails(self, about: str) -> list[EmailMessage]:
        """Return the mails written so far with these words in their subject, oldest first."""
        found = [read_mail(file) for file in sorted((self.data / "mail").glob("*.eml"))]
        return [mail for mail in found if about in str(mail["Subject"])]

    def calm(self, seconds: float = 30) -> None:
        """Wait until every held reply is out, every event handed out and every mail sent."""
        unsent = "SELECT count(*) FROM notifications_mail WHERE status IN ('waiting', 'sending')"
        held = "SELECT count(*) FROM desk_storeddraft WHERE sends_at IS NOT NULL"
        waiting = f"SELECT (SELECT count(*) FROM tickets_outboxentry WHERE parked_at IS NULL) + ({unsent}) + ({held})"
        until(lambda: self.sql(waiting) == [(0,)], "outbox empty", seconds)


def read_mail(file: Path) -> EmailMessage:
    """Read one .eml file."""
    mail = BytesParser(policy=email.policy.default).parsebytes(file.read_bytes())
    assert isinstance(mail, EmailMessage)
    return mail


def once(mails: list[EmailMessage]) -> bool:
    """Tell whether no address was told the same thing twice."""
    told = [(str(mail["To"]), str(mail["Subject"]), str(mail["Message-ID"])) for mail in mails]
    return len(told) == len(set(told))


class paused:  # noqa: N801
    """Stop processes (as a debugger would) for the length of a block."""

    def __init__(self, *processes: psutil.Process) -> None:
        self.processes = processes

    def __enter__(self) -> None:
        for process in self.processes:
            process.suspend()

    def __exit__(self, *_error: object) -> None:
        for process in self.processes:
            if process.is_running():
                process.resume()


Pages = Callable[[str], Any]
