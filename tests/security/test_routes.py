"""Who gets what at every address of the product. A new address fails here until somebody has decided that."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest
from django.test import Client

from tests.security.addresses import address_of, routes
from tests.security.stored import changed, stored
from tests.security.table import DECIDED, KINDS
from tests.security.table.rows import merged
from tests.security.world import World

# What anybody signed in may write: their own session, profile, tokens, notices and the look of their queue.
OWN = {
    "profile",
    "profile_add_token",
    "notifications:read_all",
    "notifications:read_one",
    "workspace:look",
    "workspace:calendar_link",
    "change_schedule:make_link",
}


def status_of(client: Client, method: str, address: str, body: bytes = b"") -> int:
    """Ask and return the status; an answer that holds an open file is read to its end."""
    answer = client.generic(method, address, body, content_type="application/json")
    if answer.streaming:
        answer.getvalue()
    return int(answer.status_code)


def test_every_address_answers_everybody_as_was_decided(world: World, browsers: dict[str, Client]) -> None:
    found = {
        name: tuple(status_of(browsers[kind], "GET", address_of(name, route, world)) for kind in KINDS)
        for name, route in routes()
    }
    undecided = found.keys() - DECIDED.keys()
    assert not undecided, f"Decide who gets what at {sorted(undecided)}, and write it into tests/security/table/."
    assert not DECIDED.keys() - found.keys(), "These addresses are gone: take them out of tests/security/table/."
    other = {name: (got, DECIDED[name]) for name, got in found.items() if got != DECIDED[name]}
    assert not other, f"address: (found, decided): {other}"


def test_an_address_that_is_decided_twice_is_noticed() -> None:
    found, hidden = (200, 200), (404, 404)
    assert merged({"a": [(found, ("x",))], "b": [(found, ("y",))]}) == {"x": found, "y": found}
    for rooms in (
        {"a": [(found, ("x", "x"))]},
        {"a": [(found, ("x",)), (hidden, ("x",))]},
        {"a": [(found, ("x",))], "b": [(found, ("x",))]},
        {"a": [(found, ("x",)), (found, ("y",))]},
    ):
        with pytest.raises(ValueError, match=r"twice|two rows"):
            merged(rooms)


def test_no_key_of_a_table_is_written_twice() -> None:
    """Python takes the last of two and says nothing."""
    for file in Path(__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                keys = Counter(ast.unparse(key) for key in node.keys if key is not None)
                assert max(keys.values(), default=1) == 1, (file.name, keys.most_common(1))


def test_looking_changes_nothing(world: World, browsers: dict[str, Client]) -> None:
    before = stored()
    for kind in ("requester", "agent", "administrator"):
        for name, route in routes():
            address = address_of(name, route, world)
            for look in (browsers[kind].get, browsers[kind].head, browsers[kind].options):
                answer = look(address)
                if answer.streaming:
                    answer.getvalue()  # read to the end, the file behind it is closed
                assert answer.status_code < 500, address
            assert changed(before) == set(), (kind, address)


def test_who_has_no_right_changes_nothing(world: World, browsers: dict[str, Client]) -> None:
    before = stored()
    for name, route in routes():
        address = address_of(name, route, world)
        for kind in ("anonymous", "other", "auditor"):
            may = name.startswith(("portal:report", "account_")) or (name in OWN and kind != "anonymous")
            if may or name in {"notifications:link", "slas:swap", "slas:acknowledge", "api:incidents"}:
                continue
            for method in ("POST", "PATCH", "PUT", "DELETE"):
                status = status_of(browsers[kind], method, address, b"{}")
                assert 300 <= status < 500, (method, address, kind, status)
        assert changed(before) == set(), address


def test_what_needs_a_form_is_refused_without_its_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cast.ada, backend="itsm.accounts.backends.RoleBackend")
    before = stored()
    for name, route in routes():
        answer = client.post(address_of(name, route, world), {"title": "x", "body": "x"})
        assert answer.status_code in {403, 404, 405}, (name, answer.status_code)
    assert changed(before) == set()
