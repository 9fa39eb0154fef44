"""What the tests of security share: the desk with one of everything, and people who look at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from itsm.accounts.models import User
from tests.cast import Cast
from tests.memory import remembered
from tests.security.world import World, make_world


@pytest.fixture
def world(cast: Cast) -> World:
    """A desk on which there is one of everything."""
    found = remembered("world", lambda: make_world(cast))
    found.cast = cast
    return found


@pytest.fixture
def browsers(world: World, signed_in: Callable[[User], Client]) -> dict[str, Client]:
    """A browser for each kind of person, by the words of the table of routes."""
    cast = world.cast
    people = {
        "requester": cast.rita,
        "other": cast.rolf,
        "agent": cast.anna,
        "lead": cast.lena,
        "auditor": cast.olaf,
        "administrator": cast.ada,
    }
    return {"anonymous": Client(), **{name: signed_in(user) for name, user in people.items()}}
