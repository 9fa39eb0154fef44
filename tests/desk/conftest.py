"""What the tests of drafts, held replies and presence share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from incidents.actions import open_incident
from incidents.models import Incident
from itsm.accounts.models import User
from itsm.desk import presence
from itsm.tickets.actors import Channel
from tests.cast import Cast, as_
from tests.workspace.conftest import open_page

__all__ = ["open_page"]  # a fixture of the agents' pages, for the ticket page too


@pytest.fixture
def incident(cast: Cast) -> Incident:
    """Rita's incident, routed to the network team."""
    return open_incident(actor=as_(cast.rita, Channel.PORTAL), title="The vpn drops")


@pytest.fixture
def anna(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Anna, an agent."""
    return signed_in(cast.anna)


@pytest.fixture
def ben(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Ben, an agent of the same team."""
    return signed_in(cast.ben)


@pytest.fixture
def rita(cast: Cast, signed_in: Callable[[User], Client]) -> Client:
    """The browser of Rita, who asked for help."""
    return signed_in(cast.rita)


@pytest.fixture
def broken_valkey(settings: Any) -> Iterator[None]:
    """Nobody answers at the address of Valkey."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    presence._asked_again_at = 0.0
    yield
    presence._asked_again_at = 0.0


def session_key(client: Client) -> str:
    """Return the cookie by which the browser is known."""
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)
