"""What the API's tests share: callers with tokens, and an incident to work on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.actions import create_token
from itsm.accounts.models import User
from itsm.tickets.actions import StoredFile, store_upload
from tests.cast import Cast, as_


class Caller:
    """A program that calls the API with somebody's token."""

    def __init__(self, user: User, scope: str = "write") -> None:
        self.user = user
        self.token = create_token(user, scope=scope)[1]
        self.client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None, raw: bytes | None = None, **headers: str) -> Any:
        """Call `path` below /api/v1/ and return Django's response; `body` is sent as JSON, `raw` as it is."""
        options: dict[str, Any] = {}
        if body is not None or raw is not None:
            options = {"data": raw if raw is not None else json.dumps(body), "content_type": "application/json"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        address = path if path.startswith(("/", "http")) else f"/api/v1/{path}"
        return self.client.generic(
            method.upper(), address, headers={"Authorization": f"Bearer {self.token}", **named}, **options
        )

    def get(self, path: str, **headers: str) -> Any:
        """GET."""
        return self("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST a JSON body."""
        return self("post", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        """PATCH with a JSON body."""
        return self("patch", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        """DELETE."""
        return self("delete", path, **headers)

    def upload(self, path: str, **fields: Any) -> Any:
        """POST a form with files."""
        return self.client.post(f"/api/v1/{path}", fields, headers={"Authorization": f"Bearer {self.token}"})


@pytest.fixture
def caller(db: None) -> Callable[..., Caller]:
    """Return a function that gives a caller with the user's token."""
    return Caller


@pytest.fixture
def rita(cast: Cast) -> Caller:
    """Rita's program: she asks for help."""
    return Caller(cast.rita)


@pytest.fixture
def rolf(cast: Cast) -> Caller:
    """Rolf's program: he asks for help elsewhere."""
    return Caller(cast.rolf)


@pytest.fixture
def anna(cast: Cast) -> Caller:
    """Anna's program: she is an agent."""
    return Caller(cast.anna)


@pytest.fixture
def lena(cast: Cast) -> Caller:
    """Lena's program: she leads the network team."""
    return Caller(cast.lena)


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """Rita's incident, new, in the network team's queue."""
    return open_incident(actor=as_(cast.rita), title="VPN is down", impact=2, urgency=2, service=cast.vpn)


@pytest.fixture
def stored() -> Callable[[bytes, str], StoredFile]:
    """Return a function that stores bytes as an uploaded file."""
    return lambda content, name: store_upload(SimpleUploadedFile(name, content))


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Check that the answer is this problem and return it."""
    found: dict[str, Any] = json.loads(response.content)
    assert response.status_code == status, found
    assert response["Content-Type"] == "application/problem+json"
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"] == f"urn:itsm:problem:{code}"
    assert found["title"]
    assert found["detail"]
    return found
